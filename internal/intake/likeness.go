package intake

import (
	"bytes"
	"net/url"
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/lenient"
)

// Reasons that are looked at elsewhere.
const (
	cippReport = "CIPP's MFA report: another tool's answers, not the settings (use GET /users, " +
		"/reports/authenticationMethods/userRegistrationDetails and /identity/conditionalAccess/policies)"
	prowlerReport   = "findings of Prowler or another scanner: another tool's answers, not the settings"
	maesterReport   = "Maester test results: another tool's answers, not the settings"
	caDocumentation = "a description of Conditional Access policies by name (ConditionalAccessDocumentation), not the policies (use GET " +
		"/identity/conditionalAccess/policies)"
	dscResource    = "Microsoft365DSC resources of a kind that is not judged (use the requests of Microsoft Graph)"
	terraformState = "a Terraform state or plan"
	azureHound     = "AzureHound data"
	groupMembers   = "the members of one group as the portal downloads them: it does not say of which (use GET /groups/{id}/members, every page)"
	methodsScript  = "a script's MFA status by registered methods, not per-user MFA states (use GET /reports/authenticationMethods/userRegistrationDetails)"
	lostObjects    = "objects whose properties the export lost: only the name of their type is left (use ConvertTo-Json -Depth 10)"
	clixml         = "PowerShell's Export-Clixml, which is not read: Import-Clixml FILE | ConvertTo-Json -Depth 10 makes it readable"
)

// carries names the kind that a look-alike holds something of, so that the
// kind's list is known not to be whole.
var carries = map[string]evidence.Kind{groupMembers: evidence.Group}

// unreadForms are look-alikes that hold evidence in a form that is not read: an
// input with them is not wholly read.
var unreadForms = map[string]bool{lostObjects: true, clixml: true}

// perUserColumns are the names under which scripts list per-user MFA states.
const perUserColumns = "mfastatus mfa_status mfastate mfa_state perusermfastate multi-factor_auth_status multi-factor_authentication_status " +
	"per-user_mfa per-user_mfa_state"

// isErrorBody holds for the answers of Partner Center that are a code, a
// description and nothing else of weight.
func isErrorBody(t *table, o *facts) bool {
	n := 0
	for _, name := range []string{"code", "description", "message", "data", "source", "errorcode", "innererror", "correlationid", "details"} {
		if id, ok := t.keys[name]; ok && o.known.has(id) {
			n++
		}
	}
	return n == o.names && (o.known.has(t.keys["data"]) || o.known.has(t.keys["source"]) || o.names == 2 || codeLike(o.get(t.keys["code"])))
}

// codeLike reports a number, bare or as text.
func codeLike(v []byte) bool {
	v = bytes.Trim(v, `"`)
	return len(v) > 2 && len(v) < 8 && len(bytes.Trim(v, "0123456789")) == 0
}

// isDSC holds for what Microsoft365DSC writes: resources named by product.
func isDSC(t *table, o *facts) bool {
	name := strings.ToUpper(o.text(t.keys["resourcename"]))
	for _, product := range []string{"AAD", "EXO", "INTUNE", "O365", "OD", "PP", "SC", "SPO", "TEAMS", "AZURE", "DEFENDER", "FABRIC", "ADO", "SENTINEL",
		"COMMERCE"} {
		if strings.HasPrefix(name, product) {
			return true
		}
	}
	return false
}

func isAzureHound(t *table, o *facts) bool {
	return strings.HasPrefix(o.text(t.keys["kind"]), "AZ") && isObject("data")(t, o)
}

// isFlatRelationship holds for a relationship as a table: with its customer and
// its state or end.
func isFlatRelationship(t *table, o *facts) bool {
	return anyOf("customername customer_name customertenantid customer_tenant_id customer")(t, o) &&
		anyOf("status enddatetime enddate end_date expirationdate expiration_date expirydate roles autoextend")(t, o)
}

// isPerUserRow holds for a row that says whose state it is.
func isPerUserRow(t *table, o *facts) bool {
	return anyOf(methodColumns+" "+flatColumns+" userprincipalname user_principal_name upn username user_name objectid object_id")(t, o) ||
		o.known.has(t.keys["perusermfastate"]) && o.known.has(t.keys["id"])
}

// isMethodsScript tells the scripts over Graph, whose "enabled" means that a
// method is registered, from lists of per-user states.
func isMethodsScript(t *table, o *facts) bool {
	return anyOf(methodColumns)(t, o)
}

const methodColumns = "fido2_authentication fido2 microsoft_authenticator_app microsoftauthenticator phone_authentication hello_for_business " +
	"windows_hello windowshelloforbusiness software_oath softwareoath authenticatorapp authapp passwordless_capable temporary_access_pass"

// isLostObject holds for objects of the Graph PowerShell SDK that have nothing
// but a name and the type of the bag their properties were in.
func isLostObject(t *table, o *facts) bool {
	return o.names <= 6 && lenient.TypeName(o.text(t.keys["additionalproperties"]))
}

// userOfContext is the user that the context of an answer below /users/{id}
// names, or "".
func userOfContext(context string) string {
	_, rest, ok := strings.Cut(context, "#users('")
	id, _, end := strings.Cut(rest, "')")
	if !ok || !end || len(id) > 200 {
		return ""
	}
	if decoded, err := url.PathUnescape(id); err == nil {
		id = decoded
	}
	return id
}

const flatColumns = "customername customer_name customer_tenant_id customer status enddatetime enddate end_date expirationdate " +
	"expiration_date expirydate autoextend"
