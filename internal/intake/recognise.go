package intake

import (
	"bytes"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
	"partnerguard/internal/intake/text"
)

// A rule recognises records by the keys they have, compared without case. The
// first rule that fits decides. A rule without a kind names a look-alike: its
// reason says what the record is and why nothing here judges it.
type rule struct {
	kind   evidence.Kind
	all    string                    // every one of these keys
	any    string                    // and at least one of these, when given
	none   string                    // and none of these
	check  func(*table, *facts) bool // and this, when given
	reason string
}

// The rules, most telling first. Look-alikes stand before what they resemble.
var rules = []rule{
	// Descriptions of data instead of data.
	{all: "isztmodelrow", reason: "a model row of an export tool: a field list, not data"},
	{all: "exportplan exportedat", check: only("exportplan exportedat"), reason: exportMoment},
	{all: "archiveview files", check: isObject("files"), reason: viewMoments},
	{all: "archivegaps", check: isArray("archivegaps"), reason: viewGaps},
	{all: "_metadata shape", reason: "a shape file: names and types of fields, not data"},
	{all: "error", check: isErrorAnswer, reason: errorAnswer},
	{all: "code description", check: isErrorBody, reason: errorAnswer},
	{all: "code message", check: isErrorBody, reason: errorAnswer},
	{all: "error error_description", reason: errorAnswer},
	{all: "statuscode message", check: only("statuscode message"), reason: errorAnswer},

	{all: "@removed", reason: "entries that a delta query reports as deleted"},

	// Other tools' answers stand before all that they resemble.
	{any: "coveredbyca coveredbysd", check: anyOf("upn userprincipalname"), reason: cippReport},
	{all: "check_id status", any: "finding_uid status_extended provider", reason: prowlerReport},
	{all: "finding_info", any: "class_name class_uid severity metadata", reason: prowlerReport},
	{all: "tests", any: "passedcount failedcount", reason: maesterReport},
	{all: "title result resultdetail", reason: maesterReport},
	{all: "usersinclude", any: "usersexclude groupsinclude grantcontrols", reason: caDocumentation},
	{all: "resourcename", any: "resourceinstancename ensure", check: isDSC, reason: dscResource},
	{all: "terraform_version", any: "resources values planned_values", reason: terraformState},
	{all: "kind data", check: isAzureHound, reason: azureHound},

	// Logs that are not sign-ins. A row of the Activity Log has all that other diagnostic rows have.
	{all: "eventdataid operationname eventtimestamp", reason: azureEvents},
	{kind: evidence.DirectoryAudit, all: "activitydatetime activitydisplayname"},
	{kind: evidence.DirectoryAudit, all: "initiatedby targetresources"},
	{kind: evidence.DirectoryAudit, all: "category properties operationname", check: isAuditEnvelope},
	{kind: evidence.DirectoryAudit, all: "activity actoruserprincipalname correlationid", any: "date_(utc)"}, // the portal's download
	{all: "risklastupdateddatetime riskstate", reason: riskStates},
	{all: "riskeventtype detectiontimingtype", reason: risks},
	{all: "lastsigninactivity", any: "appid", reason: appUses},
	{all: "date-time affected_customer action", reason: "Partner Center's activity log of admin relationships, which nothing here judges yet"},
	{all: "operationdate operationtype resourcetype", reason: centerAudit},
	{all: "eventdataid operationname eventtimestamp", reason: azureEvents}, // with category and properties, as a diagnostic entry
	{all: "category operationname resourceid", any: "time timegenerated", check: isActivityEnvelope, reason: azureEvents},
	{all: "category time", none: "properties event original _source log message _raw input result body record data",
		reason: "log lines without properties: no event to judge"},
	{all: "category properties operationname", reason: "diagnostic log entries of another category, not sign-ins"},
	{all: "type successfulaccountsignincount", reason: "an alert's aggregated row, not sign-ins"},

	// Azure Resource Manager, and what customers buy.
	{all: "subscriptionid state subscriptionpolicies", reason: azureSubs},
	{all: "id name properties type", check: isARMRoleAssignment, reason: azureRoles},
	{all: "id name properties type", check: isUsageDetail, reason: azureUses},
	{all: "id name properties", check: armType("Microsoft.CostManagement/scheduledActions"), reason: costAlerts},
	{all: "id name properties", check: armType("Microsoft.Insights/activityLogAlerts"), reason: logAlerts},
	{all: "id name properties", check: armType("Microsoft.Authorization/policyAssignments"), reason: azurePolicies},
	{all: "id name type location", check: isARMResource, reason: azureThings},
	{all: "offerid quantity status", any: "effectivestartdate commitmentenddate orderid", reason: boughtThings},
	{all: "id name properties type", check: isAzureBudget, reason: azureBudgets},
	{kind: evidence.CustomerUsage, all: "budget totalcost", any: "currencycode currencylocale percentused"},

	// Partner Center and the partner's Graph resources.
	{kind: evidence.FraudEvent, all: "eventid", any: "eventstatus eventtime", check: anyOf("partnertenantid customertenantid subscriptionid")},
	{kind: evidence.MFAAdoption, all: "mfacompliantrequestcount totalrequestcount"},
	{kind: evidence.NonCompliantPrincipal, any: "lastnonmfacompliantrequestdatetime lastnonmfacompliantlogindatetime"},
	{kind: evidence.PartnerRequest, all: "requestid operationname", any: "mfacompliant requestdatetime"},
	{kind: evidence.Customer, all: "companyprofile", any: "id relationshiptopartner allowdelegatedaccess commerceid"},
	{kind: evidence.Customer, all: "allowdelegatedaccess id"},
	{all: "attributes name", check: isCustomerRole, reason: "directory roles of a customer's user: customer data, not the partner tenant's"},
	{all: "productsku", any: "availableunits activeunits", reason: "a customer's licences: customer data, not the partner tenant's"},
	{kind: evidence.AccessAssignment, all: "accesscontainer accessdetails"},
	{kind: evidence.Relationship, all: "accessdetails", any: "duration autoextendduration customer enddatetime"},
	{kind: evidence.Relationship, any: "relationshipid relationship_id relationshipname relationship_name", check: isFlatRelationship},
	{all: "customerid defaultdomainname contracttype", reason: contractNames},
	{kind: evidence.SecurityAlert, all: "alerttype", any: "detecteddatetime firstobserveddatetime",
		check: anyOf("customertenantid subscriptionid valueaddedresellertenantid")},
	{all: "controlscores", any: "currentscore maxscore", reason: otherScore},
	{kind: evidence.SecurityScore, all: "currentscore maxscore"},
	{kind: evidence.SecurityRequirement, all: "requirementtype", any: "compliancestatus score state"},
	{kind: evidence.CustomerInsight, all: "tenantid mfa", check: isObject("mfa")},
	{all: "mfaandssprcapableusercount", reason: "multi-tenant management totals, not single users"},
	{all: "conditionalaccesspolicystate tenantdisplayname", reason: "multi-tenant management totals, not policies"},

	// Policies.
	{all: "policyapplies analysisreasons", reason: "what-if answers: copies of policies, not the policies"},
	{kind: evidence.ConditionalAccessPolicy, all: "conditions", any: "state", check: anyOf("grantcontrols sessioncontrols displayname")},
	{all: "conditions", none: "state rolepermissions", check: only("conditions"), reason: "a fragment of a Conditional Access policy"},
	{all: "grantcontrols", check: only("grantcontrols"), reason: "a fragment of a Conditional Access policy"},
	{all: "sessioncontrols", check: only("sessioncontrols"), reason: "a fragment of a Conditional Access policy"},
	{kind: evidence.NamedLocation, all: "ipranges"},
	{kind: evidence.NamedLocation, all: "countriesandregions"},
	{kind: evidence.NamedLocation, all: "compliantnetworktype"},
	{kind: evidence.AuthenticationStrength, all: "allowedcombinations", any: "policytype requirementssatisfied displayname"},
	{kind: evidence.AuthenticationMethods, any: "authenticationmethodconfigurations policymigrationstate"},
	{kind: evidence.SecurityDefaults, all: "isenabled", any: "displayname id", check: isSecurityDefaults},

	{all: "defaultuserrolepermissions", any: "allowinvitesfrom allowedtosignupemailbasedsubscriptions id", reason: authorization},
	{all: "isenabled notifyreviewers reviewers", reason: consentAsking},
	{all: "policyid scopeid scopetype", any: "roledefinitionid policy", reason: rolePolicies},
	{all: "unifiedauditlogingestionenabled", reason: auditConfigs},

	// Users and what is known of their methods.
	{kind: evidence.CredentialRegistration, all: "authmethods ismfaregistered"},
	{kind: evidence.RegistrationDetails, all: "ismfaregistered", any: "ismfacapable methodsregistered userprincipalname"},

	// Roles and assignments.
	{all: "groupid accessid principalid action", reason: "requests to change memberships of PIM for groups, not the memberships"},
	{kind: evidence.GroupAssignment, all: "groupid accessid principalid", any: "assignmenttype assignmentscheduleid"},
	{kind: evidence.GroupEligibility, all: "groupid accessid principalid", any: "eligibilityscheduleid scheduleinfo membertype"},
	{all: "groupid accessid principalid", reason: "memberships of PIM for groups that do not say whether they are active or eligible"},
	{all: "principalid roledefinitionid", check: isAzureRole, reason: azureRoles},
	{all: "principalid roledefinitionid action", reason: "requests to change roles, not the roles held"},
	{kind: evidence.RoleAssignment, all: "principalid roledefinitionid assignmenttype"},
	{kind: evidence.RoleEligibility, all: "principalid roledefinitionid", any: "roleeligibilityscheduleid membertype scheduleinfo"},
	{kind: evidence.RoleAssignment, all: "principalid roledefinitionid"},
	{kind: evidence.RoleDefinition, all: "rolepermissions", any: "displayname templateid isbuiltin"},
	{kind: evidence.RoleDefinition, all: "templateid displayname isprivileged"},
	{kind: evidence.ScubaPrivilegedRole, all: "roletemplateid", any: "assignments rules"},
	{kind: evidence.DirectoryRole, all: "roletemplateid", any: "displayname id members"},

	// Apps.
	{all: "allowedmembertypes value", reason: "the app roles an API offers, not who holds them"},
	{all: "adminconsentdescription value", reason: "the delegated permissions an API offers, not who granted them"},
	{kind: evidence.OAuth2PermissionGrant, all: "clientid scope", any: "consenttype principalid", check: anyOf("resourceid")},
	{kind: evidence.AppRoleAssignment, all: "approleid principalid", any: "resourceid resourcedisplayname"},
	{all: "resourcedisplayname", any: "approleid roleid", none: "principalid", reason: "permissions without their holder: nobody to judge"},
	{all: "issuer subject audiences", reason: "federated credentials without their app: nothing to judge alone"},
	{all: "appid appdisplayname appownerorganizationid source", reason: "a list of known apps, not the tenant's own"},
	{kind: evidence.ServicePrincipal, all: "serviceprincipaltype", none: "userprincipalname"},
	{kind: evidence.ServicePrincipal, all: "appid displayname", any: "appownerorganizationid serviceprincipalnames accountenabled approleassignmentrequired"},
	{kind: evidence.Application, all: "appid", any: "signinaudience requiredresourceaccess publisherdomain identifieruris " +
		"isfallbackpublicclient keycredentials passwordcredentials"},

	// Licences and the tenant.
	{kind: evidence.SubscribedSku, all: "skuid", any: "consumedunits prepaidunits capabilitystatus subscriptionids"},
	{all: "skuid serviceplans", reason: "licences of one user, not of the tenant"},
	{kind: evidence.Organization, all: "verifieddomains", none: "userprincipalname"},

	// Users and groups come late: their keys are everybody's.
	{all: "objecttype id", any: "isuser isgroup", reason: groupMembers},
	{any: perUserColumns, check: isMethodsScript, reason: methodsScript},
	{kind: evidence.PerUserMFA, any: perUserColumns, none: "accountenabled blockcredential appid ipaddress", check: isPerUserRow},
	{all: "id deleteddatetime additionalproperties", check: only("id deleteddatetime additionalproperties"), reason: lostObjects},
	{all: "id displayname additionalproperties", check: isLostObject, reason: lostObjects},
	{kind: evidence.User, all: "userprincipalname", any: "displayname id accountenabled usertype mail givenname",
		none: "appid ipaddress risklevel riskstate roles"},
	{kind: evidence.User, all: "accountenabled usertype"},
	{kind: evidence.Group, all: "objectid commonname grouptype"},
	{all: "membershiprule displayname", none: "securityenabled mailenabled grouptypes", reason: "administrative units or rules, not groups"},
	{kind: evidence.Group, any: "securityenabled mailenabled grouptypes isassignabletorole", check: anyOf("id displayname")},
	{kind: evidence.Group, all: "id displayname members", check: isArray("members")},

	// Reference lists, reports and documents of other tools.
	{all: "permissions", any: "$schema", reason: "a list of Graph's permissions, not what was granted"},
	{all: "permissiondeployments", reason: "a list of Graph's permissions, not what was granted"},
	{all: "oauth2permissionscopes approles", reason: "the permissions an API offers, not what was granted"},
	{all: "types operations version", reason: "a schema, not data"},
	{all: "issuer authorization_endpoint", reason: "an OpenID discovery document: keys and addresses, not evidence"},
	{all: "keys", check: isArray("keys"), reason: "a signing key set: not evidence"},
	{all: "kty", reason: "a signing key: not evidence"},
	{all: "policyid requirementmet", reason: "ScubaGear verdicts: another tool's answers, not the settings (use its ProviderSettingsExport)"},
	{all: "reportsummary results", reason: "a ScubaGear report: another tool's answers, not the settings (use its ProviderSettingsExport)"},
	{any: "control_id", all: "requirement result", reason: "ScubaGear verdicts: another tool's answers, not the settings (use its ProviderSettingsExport)"},
	{all: "testresultsummary tests", reason: "a Zero Trust assessment report: another tool's answers, not the settings"},
	{all: "extensiondata objectid issystem", reason: "a role catalogue in an older form, without holders"},
	{all: "name roles", check: isArray("roles"), reason: "a role catalogue, without holders"},
	{all: "label value", check: only("label value"), reason: "a list of choices, not data"},
	{all: "tenantid objects organization", reason: "an import tool's table of ids"},
	{all: "displayname id description", check: only("displayname id description"),
		reason: "directory role templates or another plain list of names: nobody holds a template"},
	{all: "displayname id type", check: only("displayname id type"), reason: "a list of names and ids only"},
	{all: "displayname id", check: only("displayname id"), reason: "a list of names and ids only"},
}

// table is the rules in the form that is matched.
type table struct {
	keys  keyIDs
	rules []compiled

	odataType, context, value, hits int
	category, typ, locations        int
	envelopes                       []int
	scuba, pages                    keySet

	who, when, outcome, with, notSignIn keySet // what a sign-in has, and has not
}

type compiled struct {
	*rule
	all, any, none keySet
	hasAny         bool
}

// theTable is built once and never changed.
var theTable = newTable()

func newTable() *table {
	t := &table{keys: keyIDs{}}
	for i := range rules {
		r := &rules[i]
		c := compiled{rule: r, all: t.keys.set(r.all), any: t.keys.set(r.any), none: t.keys.set(r.none), hasAny: r.any != ""}
		t.rules = append(t.rules, c)
	}
	t.odataType, t.context, t.value = t.keys.id("@odata.type"), t.keys.id("@odata.context"), t.keys.id("value")
	t.hits = t.keys.id("hits")
	t.category, t.typ, t.locations = t.keys.id("category"), t.keys.id("type"), t.keys.id("namedlocations")
	for name := range pageKeys {
		t.pages.add(t.keys.id(name))
	}
	for name := range scubaMembers {
		t.scuba.add(t.keys.id(name))
	}
	for _, name := range envelopes {
		t.envelopes = append(t.envelopes, t.keys.id(name))
	}
	// The body of a diagnostic record counts as all that may be in it.
	t.who = t.keys.set("userprincipalname userid serviceprincipalid serviceprincipalname username user_id service_principal_id properties")
	t.when = t.keys.set("createddatetime timegenerated time date_(utc)")
	t.outcome = t.keys.set("status status_dynamic status_string resulttype clientappused conditionalaccessstatus isinteractive " +
		"signineventtypes sign-in_error_code client_app conditional_access category")
	t.with = t.keys.set("appid appdisplayname ipaddress correlationid application_id application ip_address correlation_id properties")
	t.notSignIn = t.keys.set("activitydatetime activitydisplayname riskeventtype risklastupdateddatetime targetresources successfulaccountsignincount")
	t.keys.set(checkedKeys)
	return t
}

// checkedKeys are looked at by checks only.
const checkedKeys = "error attributes mfa id displayname grantcontrols sessioncontrols partnertenantid customertenantid subscriptionid " +
	"valueaddedresellertenantid resourceid roledefinitionid members keys roles data source message description errorcode innererror correlationid details " +
	methodColumns + " " + flatColumns + " userprincipalname user_principal_name upn username user_name objectid object_id kind resourcename " +
	"objectidentifier additionalproperties deleteddatetime"

// recognise says what a record is: its kind, or else a reason when it is known
// to be something that is not judged. raw is a valid JSON object.
func (f *file) recognise(raw []byte, in *place) (evidence.Kind, string) {
	t, o := theTable, &f.facts
	o.read(t, raw)
	if o.known.has(t.keys["isztmodelrow"]) {
		return "", "a model row of an export tool: a field list, not data"
	}
	if o.names > 2 && o.texts > 2 && o.words*4 >= o.texts*3 {
		return "", "names of types instead of values: a field list, not data"
	}
	if o.names > 2 && o.nulls == o.names {
		return "", "nothing but nulls: a field list, not data"
	}
	if o.known.has(t.keys["@removed"]) {
		return "", "entries that a delta query reports as deleted"
	}
	if typ := strings.ToLower(o.text(t.odataType)); typ != "" {
		typ = strings.TrimPrefix(typ, "#")
		if short, ok := strings.CutPrefix(typ, "microsoft.graph."); ok && short != "security.auditlogrecord" { // its operation tells
			if k, ok := types[short]; ok {
				return k, ""
			}
			if strings.HasPrefix(short, "managedtenants.") {
				return "", "multi-tenant management totals (" + text.Clip(typ) + ")"
			}
			return "", text.Clip(typ) + ", which nothing here judges"
		}
	}
	if c := o.text(t.context); c != "" {
		if k, reason := bySet(c); k != "" || reason != "" {
			return k, reason
		}
	}
	if in != nil && (in.hint != "" || in.reason != "") {
		return in.hint, in.reason
	}
	if kind, reason := f.signIn(raw, t, o); kind != "" || reason != "" {
		return kind, reason
	}
	for i := range t.rules {
		r := &t.rules[i]
		if o.known.holds(&r.all) && (!r.hasAny || o.known.touches(&r.any)) && !o.known.touches(&r.none) &&
			(r.check == nil || r.check(t, o)) {
			if r.reason == errorAnswer {
				inner := o.get(t.keys["error"])
				if len(inner) == 0 || inner[0] != '{' {
					inner = raw // the answer itself has the code
				}
				return "", errorAnswer + errorCode(inner)
			}
			return r.kind, r.reason
		}
	}
	return "", signInReport(raw)
}

// The checks.

func anyOf(names string) func(*table, *facts) bool {
	return func(t *table, o *facts) bool {
		for n := range strings.FieldsSeq(names) {
			if i, ok := t.keys[n]; ok && o.known.has(i) {
				return true
			}
		}
		return false
	}
}

// only holds when the object has these members and, but for annotations, no other.
func only(names string) func(*table, *facts) bool {
	n := len(strings.Fields(names))
	return func(_ *table, o *facts) bool { return o.names == n }
}

func isArray(name string) func(*table, *facts) bool  { return begins(name, '[') }
func isObject(name string) func(*table, *facts) bool { return begins(name, '{') }

func begins(name string, c byte) func(*table, *facts) bool {
	return func(t *table, o *facts) bool {
		v := o.get(t.keys[name])
		return len(v) > 0 && v[0] == c
	}
}

func isErrorAnswer(t *table, o *facts) bool {
	return o.names <= 2 && isObject("error")(t, o) && len(errorCode(o.get(t.keys["error"]))) > 0
}

func isCustomerRole(t *table, o *facts) bool {
	return bytes.Contains(bytes.ToLower(o.get(t.keys["attributes"])), []byte(`"directoryrole"`))
}

func isAzureRole(t *table, o *facts) bool {
	def := strings.ToLower(o.text(t.keys["roledefinitionid"]))
	return strings.HasPrefix(def, "/subscriptions/") || strings.HasPrefix(def, "/providers/")
}

// isAuditEnvelope looks for a row of the directory's audit log in what a diagnostic setting
// wraps around it.
func isAuditEnvelope(t *table, o *facts) bool {
	return strings.EqualFold(o.text(t.category), "AuditLogs") && bytes.Contains(o.get(t.keys["properties"]), []byte(`"initiatedBy"`))
}

// isARMRoleAssignment looks at the type of a resource of Azure's.
func isARMRoleAssignment(t *table, o *facts) bool {
	return strings.EqualFold(o.text(t.typ), "Microsoft.Authorization/roleAssignments")
}

func isUsageDetail(t *table, o *facts) bool {
	return strings.EqualFold(o.text(t.typ), "Microsoft.Consumption/usageDetails")
}

// armType knows a thing of Azure by its type.
func armType(name string) func(*table, *facts) bool {
	return func(t *table, o *facts) bool { return strings.EqualFold(o.text(t.typ), name) }
}

// isActivityEnvelope knows an event of Azure's activity log as a diagnostic setting writes it,
// by its category (Azure Monitor, activity log event schema).
func isActivityEnvelope(t *table, o *facts) bool {
	switch strings.ToLower(o.text(t.category)) {
	case "administrative", "servicehealth", "resourcehealth", "policy", "autoscale", "recommendation", "security":
		return strings.HasPrefix(strings.ToLower(o.text(t.keys["resourceid"])), "/subscriptions/")
	}
	return false
}

// isARMResource knows a resource by its path.
func isARMResource(t *table, o *facts) bool {
	path := strings.ToLower(o.text(t.keys["id"]))
	return strings.HasPrefix(path, "/subscriptions/") && strings.Contains(path, "/providers/") && strings.Contains(o.text(t.typ), "/")
}

func isAzureBudget(t *table, o *facts) bool {
	return strings.EqualFold(o.text(t.typ), "Microsoft.Consumption/budgets")
}

const securityDefaultsID = entra.SecurityDefaults

func isSecurityDefaults(t *table, o *facts) bool {
	if o.names > 5 {
		return false
	}
	return o.text(t.keys["id"]) == securityDefaultsID ||
		strings.Contains(strings.ToLower(o.text(t.keys["displayname"])), "security defaults")
}
