package sample_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"time"
)

// analyticsColumns are the columns of SigninLogs in Log Analytics, each with
// what of Graph's row stands in it: a field, a field of a field, or = and a text.
// The query left the policies away, which fill half of the table.
const analyticsColumns = `TenantId=3f0d7d0e-7a55-4c0b-9d5e-0c7f2b1e6a44 SourceSystem=Azure_AD TimeGenerated_[UTC]:createdDateTime ` +
	`ResourceId=/tenants/7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21/providers/Microsoft.aadiam OperationName=Sign-in_activity OperationVersion=1 ` +
	`Category=SignInLogs ResultType:status.errorCode ResultSignature=None ResultDescription:status.failureReason DurationMs=0 ` +
	`CorrelationId:correlationId Resource=Microsoft.aadiam ResourceGroup=Microsoft.aadiam Identity:userDisplayName Level=4 ` +
	`Location:location.countryOrRegion AppDisplayName:appDisplayName AppId:appId AuthenticationDetails:authenticationDetails ` +
	`AuthenticationProcessingDetails:authenticationProcessingDetails AuthenticationRequirement:authenticationRequirement ` +
	`AuthenticationRequirementPolicies:authenticationRequirementPolicies ClientAppUsed:clientAppUsed ` +
	`ConditionalAccessStatus:conditionalAccessStatus ` +
	`CreatedDateTime_[UTC]:createdDateTime DeviceDetail:deviceDetail IsInteractive:isInteractive Id:id IPAddress:ipAddress ` +
	`LocationDetails:location MfaDetail:mfaDetail OriginalRequestId:originalRequestId ` +
	`ProcessingTimeInMilliseconds:processingTimeInMilliseconds RiskLevelDuringSignIn:riskLevelDuringSignIn RiskState:riskState ` +
	`ResourceDisplayName:resourceDisplayName ResourceIdentity:resourceId Status:status TokenIssuerType:tokenIssuerType UserAgent:userAgent ` +
	`UserDisplayName:userDisplayName UserId:userId UserPrincipalName:userPrincipalName AADTenantId=7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21 ` +
	`UserType:userType ResourceTenantId:resourceTenantId HomeTenantId:homeTenantId CrossTenantAccessType:crossTenantAccessType ` +
	`AuthenticationProtocol:authenticationProtocol IncomingTokenType:incomingTokenType Type=SigninLogs`

// analytics writes rows as the portal exports a Log Analytics query: a byte
// order mark, JSON inside cells, TRUE and FALSE, local-looking times in UTC.
func (x *export) analytics(rows []signIn) []byte {
	x.Helper()
	b := bytes.NewBufferString("\ufeff")
	w := csv.NewWriter(b)
	w.UseCRLF = true
	var head []string
	columns := strings.Fields(analyticsColumns)
	for _, c := range columns {
		name, _, _ := strings.Cut(strings.ReplaceAll(c, "_", " "), ":")
		name, _, _ = strings.Cut(name, "=")
		head = append(head, name)
	}
	_ = w.Write(head) // a bytes.Buffer takes everything
	for _, row := range rows {
		var line []string
		for _, c := range columns {
			if _, text, ok := strings.Cut(strings.ReplaceAll(c, "_", " "), "="); ok {
				line = append(line, text)
				continue
			}
			_, field, _ := strings.Cut(c, ":")
			line = append(line, x.cell(row.raw, field))
		}
		_ = w.Write(line)
	}
	w.Flush()
	return b.Bytes()
}

// cell is what stands in a row's cell for a field.
func (x *export) cell(raw []byte, field string) string {
	x.Helper()
	for name := range strings.SplitSeq(field, ".") {
		var o map[string]json.RawMessage
		x.decode(raw, &o)
		raw = o[name]
	}
	var v any
	x.decode(raw, &v)
	switch v := v.(type) {
	case nil:
		return ""
	case bool:
		return strings.ToUpper(string(raw))
	case string:
		if at, err := time.Parse(time.RFC3339, v); err == nil {
			return at.Format("1/2/2006, 3:04:05.000 PM")
		}
		return v
	}
	return string(raw)
}
