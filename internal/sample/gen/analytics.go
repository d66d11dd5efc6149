package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"time"
)

var analyticsColumns = []string{"TenantId", "SourceSystem", "TimeGenerated [UTC]", "ResourceId", "OperationName", "OperationVersion", "Category", "ResultType", "ResultSignature", "ResultDescription",
	"DurationMs", "CorrelationId", "Resource", "ResourceGroup", "Identity", "Level", "Location", "AppDisplayName", "AppId", "AuthenticationDetails", "AuthenticationProcessingDetails",
	"AuthenticationRequirement", "AuthenticationRequirementPolicies", "ClientAppUsed", "ConditionalAccessPolicies", "ConditionalAccessStatus", "CreatedDateTime [UTC]", "DeviceDetail",
	"IsInteractive", "Id", "IPAddress", "LocationDetails", "MfaDetail", "OriginalRequestId", "ProcessingTimeInMilliseconds", "RiskLevelDuringSignIn", "RiskState", "ResourceDisplayName",
	"ResourceIdentity", "Status", "TokenIssuerType", "UserAgent", "UserDisplayName", "UserId", "UserPrincipalName", "AADTenantId", "UserType", "ResourceTenantId", "HomeTenantId",
	"CrossTenantAccessType", "AuthenticationProtocol", "IncomingTokenType", "Type"}

// analytics writes rows as the portal exports a Log Analytics query: a byte
// order mark, JSON inside cells, local-looking times in UTC.
func analytics(rows []row) []byte {
	var b bytes.Buffer
	b.WriteString("\ufeff")
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	_ = w.Write(analyticsColumns) // a bytes.Buffer takes everything
	text := func(v any) string {
		var c bytes.Buffer
		if err := encode(&c, v); err != nil {
			panic(err)
		}
		return c.String()
	}
	clock := func(t time.Time) string { return t.Format("1/2/2006, 3:04:05.000 PM") }
	for i := range rows {
		r := &rows[i]
		g := r.graph()
		kind := "Member"
		if r.who.guest {
			kind = "Guest"
		}
		cell := map[string]string{
			"TenantId": guid("workspace"), "SourceSystem": "Azure AD", "TimeGenerated [UTC]": clock(r.at.Add(4 * time.Minute)), "ResourceId": "/tenants/" + tenantID + "/providers/Microsoft.aadiam",
			"OperationName": "Sign-in activity", "OperationVersion": "1", "Category": "SignInLogs", "ResultType": fmt.Sprint(r.code), "ResultSignature": "None", "ResultDescription": r.reason, "DurationMs": "0",
			"CorrelationId": r.correlation, "Resource": "Microsoft.aadiam", "ResourceGroup": "Microsoft.aadiam", "Identity": r.who.name, "Level": "4", "Location": r.from.country, "AppDisplayName": r.app.name,
			"AppId": r.app.id, "AuthenticationDetails": text(g.get("authenticationDetails")), "AuthenticationProcessingDetails": "[]", "AuthenticationRequirement": r.requirement(),
			"AuthenticationRequirementPolicies": text(g.get("authenticationRequirementPolicies")), "ClientAppUsed": r.client, "ConditionalAccessPolicies": text(r.applied()), "ConditionalAccessStatus": r.ca,
			"CreatedDateTime [UTC]": clock(r.at), "DeviceDetail": text(r.device()), "IsInteractive": strings.ToUpper(fmt.Sprint(!r.quiet)), "Id": r.id(), "IPAddress": r.address(), "LocationDetails": text(r.location()),
			"OriginalRequestId": r.id(), "ProcessingTimeInMilliseconds": fmt.Sprint(90 + r.host), "RiskLevelDuringSignIn": "hidden", "RiskState": "none", "ResourceDisplayName": r.app.resource,
			"ResourceIdentity": r.app.resourceID, "Status": text(r.status()), "TokenIssuerType": "AzureAD", "UserAgent": r.agent(), "UserDisplayName": r.who.name, "UserId": r.who.id(),
			"UserPrincipalName": strings.ToLower(r.who.upn), "AADTenantId": tenantID, "UserType": kind, "ResourceTenantId": r.resourceTenant(), "HomeTenantId": r.homeTenant(), "CrossTenantAccessType": r.cross(),
			"AuthenticationProtocol": r.protocol, "IncomingTokenType": r.token, "Type": "SigninLogs",
		}
		if r.mfa != nil {
			cell["MfaDetail"] = text(r.mfa)
		}
		line := make([]string, len(analyticsColumns))
		for j, c := range analyticsColumns {
			line[j] = cell[c]
		}
		_ = w.Write(line)
	}
	w.Flush()
	return b.Bytes()
}
