package graph

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// shared finds the data written by others. It lies beside the project and is not
// part of it; without it these tests say so, and CI fails.
func shared(t testing.TB, parts ...string) string {
	t.Helper()
	p := filepath.Join(append([]string{"..", "..", "..", "..", "shared", "data"}, parts...)...)
	if _, err := os.Stat(p); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the shared data is missing: %v", err)
		}
		t.Skipf("SKIPPED, NOTHING WAS TESTED: the shared data is missing: %v", err)
	}
	return p
}

type schemaProperty struct {
	Type       *string `json:"type"`
	Nullable   *bool   `json:"nullable"`
	Collection bool    `json:"collection"`
}

type schemaType struct {
	Kind       string                    `json:"kind"`
	Base       string                    `json:"base"`
	Open       *bool                     `json:"open"`
	Flags      bool                      `json:"flags"`
	Members    []string                  `json:"members"`
	Properties map[string]schemaProperty `json:"properties"`
	Navigation map[string]schemaProperty `json:"navigation"`
}

type schema struct {
	version string
	types   map[string]*schemaType
}

func readSchema(t testing.TB, version string) *schema {
	t.Helper()
	raw, err := os.ReadFile(shared(t, "reference", "graph-schema-"+version+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var in struct {
		Types map[string]*schemaType `json:"types"`
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		t.Fatal(err)
	}
	if len(in.Types) < 300 {
		t.Fatalf("the schema has %d types only", len(in.Types))
	}
	return &schema{version, in.Types}
}

// find looks a property up in a type and what it is derived from.
func (s *schema) find(typ, name string) (p schemaProperty, open, ok bool) {
	for t := s.types[typ]; t != nil; t = s.types[t.Base] {
		if p, ok = t.Properties[name]; ok {
			return p, false, true
		}
		if p, ok = t.Navigation[name]; ok {
			return p, false, true
		}
		open = open || t.Open != nil && *t.Open
	}
	return p, open, false
}

func (s *schema) derives(typ, base string) bool {
	for n := typ; n != ""; {
		if n == base {
			return true
		}
		t := s.types[n]
		if t == nil {
			return false
		}
		n = t.Base
	}
	return false
}

var (
	dateForm     = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z$`)
	durationForm = regexp.MustCompile(`^P(\d+[YMWD])*(T(\d+[HMS])+)?$`)
)

// check reports everything in v that is not of the type.
func (s *schema) check(path, typ string, v any, say func(string, ...any)) {
	switch x := v.(type) {
	case map[string]any:
		if mark, ok := x["@odata.type"].(string); ok {
			name := strings.TrimPrefix(mark, "#")
			if s.types[name] == nil {
				say("%s: @odata.type %s is not in the schema", path, mark)
				return
			}
			if !s.derives(name, typ) {
				say("%s: %s is no %s", path, name, typ)
			}
			typ = name
		}
		t := s.types[typ]
		if t == nil {
			if strings.HasPrefix(typ, "microsoft.graph.") {
				return // a type that the excerpt of the schema leaves out
			}
			say("%s: an object where %s is expected", path, typ)
			return
		}
		for k, member := range x {
			if strings.Contains(k, "@") {
				continue
			}
			p, open, ok := s.find(typ, k)
			if !ok {
				if !open {
					say("%s: %s has no property %s", path, typ, k)
				}
				continue
			}
			s.property(path+"."+k, p, member, say)
		}
	default:
		s.value(path, typ, v, say)
	}
}

func (s *schema) property(path string, p schemaProperty, v any, say func(string, ...any)) {
	if p.Type == nil {
		return
	}
	if p.Collection {
		l, ok := v.([]any)
		if !ok {
			say("%s: %T where a collection is expected", path, v)
			return
		}
		for i, x := range l {
			s.check(fmt.Sprintf("%s[%d]", path, i), *p.Type, x, say)
		}
		return
	}
	if v == nil {
		if p.Nullable != nil && !*p.Nullable && s.version == "v1.0" {
			say("%s: null, and %s is not nullable", path, *p.Type)
		}
		return
	}
	if _, ok := v.([]any); ok {
		say("%s: a collection where %s is expected", path, *p.Type)
		return
	}
	s.check(path, *p.Type, v, say)
}

func (s *schema) value(path, typ string, v any, say func(string, ...any)) {
	text, isText := v.(string)
	n, isNumber := v.(float64)
	_, isBool := v.(bool)
	ok := true
	switch typ {
	case "Edm.String":
		ok = isText
	case "Edm.Boolean":
		ok = isBool
	case "Edm.Int32", "Edm.Int64", "Edm.Int16", "Edm.Byte":
		ok = isNumber && n == float64(int64(n))
	case "Edm.Double", "Edm.Single", "Edm.Decimal":
		ok = isNumber
	case "Edm.DateTimeOffset":
		ok = isText && dateForm.MatchString(text)
	case "Edm.Guid":
		ok = isText && world.IsGUID(text)
	case "Edm.Duration":
		ok = isText && durationForm.MatchString(text) && len(text) > 2
	case "Edm.Binary":
		_, err := base64.StdEncoding.DecodeString(text)
		ok = isText && err == nil
	default:
		t := s.types[typ]
		if t == nil {
			return // left out of the excerpt
		}
		if t.Kind != "enum" {
			ok = false
			break
		}
		if !isText {
			ok = false
			break
		}
		words := []string{text}
		if t.Flags {
			words = strings.Split(text, ",")
		}
		for _, w := range words {
			if !slices.Contains(t.Members, strings.TrimSpace(w)) {
				say("%s: %q is no member of %s", path, w, typ)
			}
		}
	}
	if !ok {
		say("%s: %v (%T) is no %s", path, v, v, typ)
	}
}

// read is a GET of something and what it must give: a type, or a collection of it.
type read struct{ path, typ string }

func typed(typ string, paths ...string) (out []read) {
	for _, p := range paths {
		out = append(out, read{p, typ})
	}
	return out
}

// reads are reads of every resource, with something to show.
func reads() []read {
	u, gd, rm, ca := "users/"+ada, "tenantRelationships/delegatedAdminRelationships", "roleManagement/directory/", "identity/conditionalAccess/"
	mp := "policies/authenticationMethodsPolicy"
	var both []read
	for _, l := range [][]read{
		typed("user", "users", "users?$select=id,accountEnabled,userType,signInActivity,assignedLicenses,assignedPlans,onPremisesSyncEnabled,"+
			"lastPasswordChangeDateTime,officeLocation,businessPhones",
			"me", u, "users('"+ada+"')", "users/ada@contoso.com", "users/"+guest, "users?$expand=memberOf", "users/delta",
			"groups/"+agents+"/members/microsoft.graph.user", "users/"+plain+"/manager", "users?$expand=manager", "directory/deletedItems/microsoft.graph.user",
			"users/"+rhea+"?$select=aboutMe,identities,licenseAssignmentStates,securityIdentifier,employeeOrgData,onPremisesExtensionAttributes,otherMails,"+
				"employeeHireDate,showInAddressList,imAddresses,externalUserState"),
		typed("administrativeUnit", "directory/administrativeUnits"), typed("directoryRoleTemplate", "directoryRoleTemplates"),
		typed("directoryObject", u+"/ownedObjects", "users/"+rhea+"/directReports",
			u+"/memberOf", u+"/transitiveMemberOf", "users/"+rhea+"/transitiveMemberOf", "groups/"+agents+"/members",
			"groups/"+agents+"/transitiveMembers", "groups/"+agents+"/owners",
			"directoryRoles(roleTemplateId='"+entra.RoleGlobalAdministrator+"')/members", "directoryObjects/"+ada, "directoryObjects/"+agents),
		typed("authenticationMethod", u+"/authentication/methods", u+"/authentication/fido2Methods", u+"/authentication/externalAuthenticationMethods",
			u+"/authentication/softwareOathMethods/99999999-0000-4000-8000-000000000001"),
		typed("group", "groups", "groups/"+agents, "groups?$expand=members", "groups/delta"),
		typed("signIn", "auditLogs/signIns"),
		typed("directoryAudit", "auditLogs/directoryAudits"),
		typed("userRegistrationDetails", "reports/authenticationMethods/userRegistrationDetails", "reports/authenticationMethods/userRegistrationDetails/"+ada),
		typed("identitySecurityDefaultsEnforcementPolicy", "policies/identitySecurityDefaultsEnforcementPolicy"),
		typed("conditionalAccessPolicy", ca+"policies", ca+"policies/"+polID),
		typed("namedLocation", ca+"namedLocations", ca+"namedLocations/"+locID),
		typed("authenticationMethodsPolicy", mp),
		typed("authenticationMethodConfiguration", mp+"/authenticationMethodConfigurations", mp+"/authenticationMethodConfigurations/ext-1",
			mp+"/authenticationMethodConfigurations/Fido2"),
		typed("authenticationStrengthPolicy", "policies/authenticationStrengthPolicies", "policies/authenticationStrengthPolicies/"+strID),
		typed("unifiedRoleDefinition", rm+"roleDefinitions", rm+"roleDefinitions/"+entra.RoleGlobalAdministrator),
		typed("unifiedRoleAssignment", rm+"roleAssignments", rm+"roleAssignments?$expand=principal", rm+"roleAssignments?$expand=roleDefinition"),
		typed("unifiedRoleAssignmentScheduleInstance", rm+"roleAssignmentScheduleInstances"),
		typed("unifiedRoleEligibilitySchedule", rm+"roleEligibilitySchedules"),
		typed("unifiedRoleEligibilityScheduleInstance", rm+"roleEligibilityScheduleInstances"),
		typed("unifiedRoleEligibilityScheduleRequest", rm+"roleEligibilityScheduleRequests"),
		typed("unifiedRoleAssignmentScheduleRequest", rm+"roleAssignmentScheduleRequests"),
		typed("directoryRole", "directoryRoles", "directoryRoles/roleTemplateId="+entra.RoleGlobalAdministrator),
		typed("application", "applications", "applications/"+toolObj, "applications(appId='"+toolApp+"')"),
		typed("federatedIdentityCredential", "applications/"+toolObj+"/federatedIdentityCredentials"),
		typed("servicePrincipal", "servicePrincipals", "servicePrincipals(appId='"+entra.AppGraph+"')"),
		typed("appRoleAssignment", "servicePrincipals(appId='"+toolApp+"')/appRoleAssignments", "servicePrincipals(appId='"+entra.AppGraph+
			"')/appRoleAssignedTo"),
		typed("oAuth2PermissionGrant", "servicePrincipals(appId='"+toolApp+"')/oauth2PermissionGrants", "oauth2PermissionGrants",
			"oauth2PermissionGrants/grant-1"),
		typed("subscribedSku", "subscribedSkus"), typed("organization", "organization", "organization/"+partnerID),
		typed("domain", "domains", "domains/contoso.com"), typed("contract", "contracts"),
		typed("riskyUser", "identityProtection/riskyUsers", "identityProtection/riskyUsers/"+plain),
		typed("delegatedAdminRelationship", gd, gd+"/"+relID), typed("delegatedAdminRelationshipRequest", gd+"/"+relID+"/requests",
			gd+"/"+relID+"/requests/ask-1"),
		typed("delegatedAdminAccessAssignment", gd+"/"+relID+"/accessAssignments", gd+"/"+relID+"/accessAssignments/assign-1"),
		typed("delegatedAdminRelationshipOperation", gd+"/"+relID+"/operations", gd+"/"+relID+"/operations/op-1"),
		typed("delegatedAdminCustomer", "tenantRelationships/delegatedAdminCustomers", "tenantRelationships/delegatedAdminCustomers/"+customerID),
		typed("delegatedAdminServiceManagementDetail", "tenantRelationships/delegatedAdminCustomers/"+customerID+"/serviceManagementDetails"),
	} {
		both = append(both, l...)
	}
	var out []read
	for _, v := range []string{"v1.0/", "beta/"} {
		for _, r := range both {
			out = append(out, read{v + r.path, r.typ})
		}
	}
	sc := "beta/security/partner/"
	for _, l := range [][]read{
		typed("signIn", "beta/auditLogs/signIns?$filter=signInEventTypes/any(t: t eq 'nonInteractiveUser')"),
		typed("strongAuthenticationRequirements", "beta/"+u+"/authentication/requirements"),
		typed("partner.security.partnerSecurityScore", sc+"securityScore"), typed("partner.security.securityRequirement", sc+"securityScore/requirements"),
		typed("partner.security.securityScoreHistory", sc+"securityScore/history"),
		typed("partner.security.customerInsight", sc+"securityScore/customerInsights", sc+"securityScore/customerInsights/"+customerID),
		typed("partner.security.partnerSecurityAlert", sc+"securityAlerts", sc+"securityAlerts/alert-1"),
	} {
		out = append(out, l...)
	}
	return out
}

// seed makes what the reads look at and only writing can make.
func (l *lab) seed() {
	l.t.Helper()
	tok := l.admin()
	l.do("PUT", "/v1.0/users/"+plain+"/manager/$ref", tok, `{"@odata.id":"`+rhea+`"}`).want(204)
	l.do("POST", "/v1.0/directory/administrativeUnits", tok, `{"displayName":"North","description":"d","visibility":"Public"}`).want(201)
	l.do("PATCH", "/v1.0/users/"+rhea, tok, `{"aboutMe":"x","employeeOrgData":{"division":"x"},"onPremisesExtensionAttributes":{"extensionAttribute1":"x"},`+
		`"otherMails":["x@example.org"],"employeeHireDate":"2026-01-01T00:00:00Z","showInAddressList":true,"city":"Kiel"}`).want(204)
	gone := str(l.do("POST", "/v1.0/users", tok, `{"accountEnabled":true,"displayName":"Nia","mailNickname":"nia","userPrincipalName":"nia@contoso.com",`+
		`"passwordProfile":{"password":"Correct-Horse-1"}}`).want(201).body, "id")
	l.do("DELETE", "/v1.0/users/"+gone, tok, "").want(204)
	for _, more := range []string{`"groupTypes":["Unified"],"mailEnabled":true,"securityEnabled":false,"visibility":"Private","theme":"Teal"`,
		`"groupTypes":["DynamicMembership"],"membershipRule":"user.city -eq \"Kiel\"","mailEnabled":false,"securityEnabled":true`} {
		l.do("POST", "/v1.0/groups", tok, groupBody("G", more)).want(201)
	}
	l.do("POST", "/v1.0/roleManagement/directory/roleEligibilityScheduleRequests", tok, `{"action":"adminAssign","principalId":"`+ursa+
		`","roleDefinitionId":"`+entra.RoleSecurityReader+
		`","directoryScopeId":"/","justification":"x","scheduleInfo":{"startDateTime":"2026-11-22T09:00:00Z","expiration":{"type":"afterDuration","duration":"P10D"}}}`).want(201)
	l.do("POST", "/v1.0/roleManagement/directory/roleAssignmentScheduleRequests", tok, `{"action":"adminAssign","principalId":"`+ursa+
		`","roleDefinitionId":"`+entra.RoleGlobalReader+`","directoryScopeId":"/"}`).want(201)
}

func TestEveryAnswerFitsTheSchema(t *testing.T) {
	l := newLab(t)
	l.seed()
	schemas := map[string]*schema{"v1.0": readSchema(t, "v1.0"), "beta": readSchema(t, "beta")}
	for _, prefer := range []string{"", "include-unknown-enum-members"} {
		for _, r := range reads() {
			version, _, _ := strings.Cut(r.path, "/")
			s := schemas[version]
			a := l.get("/"+r.path, l.admin(), "Prefer", prefer)
			if a.code != 200 {
				t.Errorf("%s: %d %.400s", r.path, a.code, a.raw)
				continue
			}
			if a.body["@odata.context"] == nil {
				t.Errorf("%s: no @odata.context", r.path)
			}
			rows := []any{a.body}
			if v, ok := a.body["value"].([]any); ok {
				if rows = v; len(v) == 0 {
					t.Errorf("%s: nothing to check", r.path)
				}
			}
			for i, row := range rows {
				if m, ok := row.(map[string]any); ok && strings.HasSuffix(r.path, "delta") {
					delete(m, "members@delta")
				}
				s.check(fmt.Sprintf("%s[%d]", r.path, i), "microsoft.graph."+r.typ, row, t.Errorf)
			}
		}
	}
}

func TestMetadataIsThatOfTheSchema(t *testing.T) {
	for _, v := range []string{"v1.0", "beta"} {
		s := readSchema(t, v)
		for typ, props := range properties() {
			if typ == "directoryObject" {
				continue
			}
			full := "microsoft.graph." + typ
			for name, p := range props {
				in := p.v1
				if v == "beta" {
					in = p.beta
				}
				got, _, ok := s.find(full, name)
				if _, nav := s.types[full]; nav && ok != in {
					t.Errorf("%s: %s.%s: in the schema %v, here %v", v, typ, name, ok, in)
				}
				if ok && in && got.Collection != p.list {
					t.Errorf("%s: %s.%s: collection %v, here %v", v, typ, name, got.Collection, p.list)
				}
			}
		}
	}
}
