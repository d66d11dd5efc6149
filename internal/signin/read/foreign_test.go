package read

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/signin"
)

// verdictOf decodes one record, by both decoders, and judges it.
func verdictOf(t *testing.T, raw string) (signin.Event, Shape, signin.Judgement) {
	t.Helper()
	e, shape := decoded(t, raw)
	var d Decoder
	if agree(t, &d, []byte(raw)) {
		t.Logf("decoded fast: %s", raw)
	}
	return e, shape, signin.Judge(&e)
}

const auditRow = `{"CreationTime":"2026-11-20T08:00:02","Id":"7e422b10-6963-5fec-a4f3-ffa310bc6359","Operation":%OP%,"RecordType":15,"ResultStatus":"Success",
	"UserKey":"10033FFF80D23AE1@x.example","UserType":0,"Workload":"AzureActiveDirectory","ClientIP":"203.0.113.7","ObjectId":"797f4846-ba00-4fd7-ba43-dac1f8f63013",
	"UserId":"ben@x.example","ExtendedProperties":[{"Name":"UserAgent","Value":"Mozilla/5.0"},{"Name":"UserAuthenticationMethod","Value":"1"}],
	"Actor":[{"ID":"b48794d2-14e7-5535-85a7-2106506bb0ec","Type":0},{"ID":"ben@x.example","Type":5}],
	"InterSystemsId":"df56e5b3-ea43-5ba7-bdd5-92883b984564","ApplicationId":"c44b4083-3bb0-49c1-b47d-974e53cbdf3c",
	"DeviceProperties":[{"Name":"OS","Value":"Windows10"},{"Name":"IsCompliant","Value":"True"}],"ErrorNumber":%CODE%}`

func auditRecordText(operation, code string) string {
	out := ""
	for i := 0; i < len(auditRow); i++ {
		switch {
		case len(auditRow)-i >= 4 && auditRow[i:i+4] == "%OP%":
			out, i = out+`"`+operation+`"`, i+3
		case len(auditRow)-i >= 6 && auditRow[i:i+6] == "%CODE%":
			out, i = out+code, i+5
		default:
			out += string(auditRow[i])
		}
	}
	return out
}

func TestDecodeUnifiedAuditLog(t *testing.T) {
	t.Parallel()
	e, shape, j := verdictOf(t, auditRecordText("UserLoggedIn", `"0"`))
	want := signin.Event{
		ID: "7e422b10-6963-5fec-a4f3-ffa310bc6359", CorrelationID: "df56e5b3-ea43-5ba7-bdd5-92883b984564",
		Created: time.Date(2026, 11, 20, 8, 0, 2, 0, time.UTC), CreatedRaw: "2026-11-20T08:00:02", UserID: "b48794d2-14e7-5535-85a7-2106506bb0ec",
		UserPrincipalName: "ben@x.example", AppID: "c44b4083-3bb0-49c1-b47d-974e53cbdf3c", ResourceID: "797f4846-ba00-4fd7-ba43-dac1f8f63013",
		IPAddress: "203.0.113.7", UserAgent: "Mozilla/5.0", OperatingSystem: "Windows10", DeviceCompliant: signin.Yes, HasStatus: true, Audit: true,
	}
	if d := cmp.Diff(want, e); d != "" || shape != ShapeAudit {
		t.Errorf("%v\n%s", shape, d)
	}
	if j.Verdict != signin.Unknown || j.Reason != signin.ReasonAuditLog {
		t.Errorf("judged %v, %v", j.Verdict, j.Reason)
	}
	for _, c := range []struct {
		operation, code string
		want            signin.Verdict
	}{
		{"UserLoginFailed", `"50126"`, signin.Failed}, {"UserLoginFailed", `0`, signin.Failed}, {"UserLoginFailed", `null`, signin.Failed},
		{"UserLoginFailed", `50074`, signin.Interrupted}, {"UserLoggedIn", `50140`, signin.Interrupted},
	} {
		if _, _, j := verdictOf(t, auditRecordText(c.operation, c.code)); j.Verdict != c.want {
			t.Errorf("%s %s: %v, want %v", c.operation, c.code, j.Verdict, c.want)
		}
	}
	for _, raw := range []string{auditRecordText("Set-Mailbox", "0"), `{"Operation":"UserLoggedIn","CreationTime":"2026-11-20T08:00:02"}`} {
		if _, shape := decoded(t, raw); shape != ShapeNone {
			t.Errorf("%s is taken for %v", raw, shape)
		}
	}
}

func TestDecodeOtherTools(t *testing.T) {
	t.Parallel()
	clock := time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		raw     string
		shape   Shape
		verdict signin.Verdict
		upn, id string
		created time.Time
		client  string
		ip      string
	}{
		"elastic": {`{"@timestamp":"2026-11-20T08:00:00.000Z","event":{"dataset":"azure.signinlogs"},"azure":{"correlation_id":"c","signinlogs":{"category":"SignInLogs",
			"result_type":"0","properties":{"created_at":"2026-11-20T08:00:00.000Z","id":"e1","client_app_used":"IMAP4","user_principal_name":"ada@x.example",
			"authentication_requirement":"singleFactorAuthentication","status":{"error_code":0}}}},"source":{"ip":"203.0.113.7"}}`,
			ShapeElastic, signin.NotChallenged, "ada@x.example", "e1", clock, "IMAP4", "203.0.113.7"},
		"elastic, failed": {`{"@timestamp":"2026-11-20T08:00:00.000Z","azure":{"signinlogs":{"category":"SignInLogs","properties":{"id":"e1","user_principal_name":"ada@x.example",
			"status":{"error_code":50126}}}}}`, ShapeElastic, signin.Failed, "ada@x.example", "e1", clock, "", ""},
		"elastic fields": {`{"@timestamp":["2026-11-20T08:00:00.000Z"],"azure.signinlogs.category":["SignInLogs"],"azure.signinlogs.result_type":["0"],
			"azure.signinlogs.properties.id":["e2"],"azure.signinlogs.properties.client_app_used":["POP3"],"azure.signinlogs.properties.user_principal_name":["ada@x.example"],
			"azure.signinlogs.properties.status.error_code":[0],"source.ip":["203.0.113.7"]}`,
			ShapeElastic, signin.NotChallenged, "ada@x.example", "e2", clock, "POP3", "203.0.113.7"},
		"hunting": {`{"Timestamp":"2026-11-20T08:00:00Z","Application":"Azure Portal","ApplicationId":"a","LogonType":"[\"interactiveUser\"]","ErrorCode":0,
			"AccountUpn":"ada@x.example","AccountObjectId":"u","RequestId":"h1","ClientAppUsed":"Browser","AuthenticationRequirement":"multiFactorAuthentication","IPAddress":"203.0.113.7"}`,
			ShapeHunting, signin.Challenged, "ada@x.example", "h1", clock, "Browser", "203.0.113.7"},
		"hunting, not interactive": {`{"Timestamp":"2026-11-20T08:00:00Z","ApplicationId":"a","LogonType":"[\"nonInteractiveUser\"]","ErrorCode":"0",
			"AccountUpn":"ada@x.example","RequestId":"h2","AuthenticationRequirement":"multiFactorAuthentication","IPAddress":"203.0.113.7"}`,
			ShapeHunting, signin.SatisfiedByClaim, "ada@x.example", "h2", clock, "", "203.0.113.7"},
		"hunting, single": {`{"Timestamp":"2026-11-20T08:00:00Z","ApplicationId":"a","ErrorCode":"0","AccountUpn":"ada@x.example","RequestId":"h3",
			"AuthenticationRequirement":"singleFactorAuthentication","IPAddress":"203.0.113.7"}`, ShapeHunting, signin.Unknown, "ada@x.example", "h3", clock,
			"", "203.0.113.7"},
		"hunting, failed": {`{"Timestamp":"2026-11-20T08:00:00Z","ApplicationId":"a","ErrorCode":50126,"AccountUpn":"ada@x.example","RequestId":"h3","IPAddress":"203.0.113.7"}`,
			ShapeHunting, signin.Failed, "ada@x.example", "h3", clock, "", "203.0.113.7"},
		"AD FS": {`{"category":"ADFSSignInLogs","resultType":"0","time":"2026-11-20T08:00:00Z","properties":{"id":"f","userPrincipalName":"ada@x.example","authenticationRequirement":"singleFactorAuthentication",
			"authenticationDetails":[{"authenticationMethod":"Password","succeeded":true,"authenticationStepRequirement":"Primary authentication"}]}}`,
			ShapeDiagnostic, signin.Unknown, "ada@x.example", "f", clock, "", ""},
		"AD FS as issuer": {`{"createdDateTime":"2026-11-20T08:00:00Z","id":"f","userPrincipalName":"ada@x.example","appId":"a","tokenIssuerType":"ADFederationServices","status":{"errorCode":0},
			"authenticationRequirement":"singleFactorAuthentication","authenticationDetails":[{"authenticationMethod":"Password","succeeded":true}]}`,
			ShapeGraph, signin.Unknown, "ada@x.example", "f", clock, "", ""},
		"flattened": {`{"CreatedDateTime":"2026-11-20T08:00:00Z","Id":"g","UserPrincipalName":"ada@x.example","AppDisplayName":"x","IpAddress":"203.0.113.7","Status.ErrorCode":"50126","Location.CountryOrRegion":"NL"}`,
			ShapeGraph, signin.Failed, "ada@x.example", "g", clock, "", "203.0.113.7"},
		"PowerShell's text of objects": {`{"CreatedDateTime":"2026-11-20T08:00:00Z","Id":"g","UserPrincipalName":"ada@x.example","AppDisplayName":"x","IpAddress":"203.0.113.7",
			"Status":"@{AdditionalDetails=; ErrorCode=50126; FailureReason=x}"}`, ShapeGraph, signin.Failed, "ada@x.example", "g", clock, "", "203.0.113.7"},
		"names of types": {`{"CreatedDateTime":"2026-11-20T08:00:00Z","Id":"g","UserPrincipalName":"ada@x.example","AppDisplayName":"x","IPAddress":"203.0.113.7",
			"Status":"Microsoft.Graph.PowerShell.Models.MicrosoftGraphSignInStatus","Location":"Microsoft.Graph.PowerShell.Models.MicrosoftGraphSignInLocation","ConditionalAccessStatus":"success"}`,
			ShapeGraph, signin.Unknown, "ada@x.example", "g", clock, "", "203.0.113.7"},
		"enums as numbers": {`{"createdDateTime":"2026-11-20T08:00:00Z","id":"g","userPrincipalName":"ada@x.example","appId":"x","status":{"errorCode":0},"conditionalAccessStatus":0,
			"appliedConditionalAccessPolicies":[{"id":"p","result":0,"enforcedGrantControls":["Mfa"]}]}`, ShapeGraph, signin.SatisfiedByClaim,
			"ada@x.example", "g", clock, "", ""},
		"local time": {`{"TimeGenerated [Local Time]":"11/20/2026, 2:08:45.221 PM","CreatedDateTime [Local Time]":"11/20/2026, 2:05:00.000 PM","Id":"l","ResultType":"0","UserPrincipalName":"ada@x.example","AppId":"x","Type":"SigninLogs"}`,
			ShapeLogAnalytics, signin.Unknown, "ada@x.example", "l", time.Time{}, "", ""},
		"a zone in the header": {`{"CreatedDateTime [UTC+02:00]":"11/20/2026, 10:00:00.000 AM","Id":"l","ResultType":"0","UserPrincipalName":"ada@x.example","AppId":"x","Type":"SigninLogs"}`,
			ShapeLogAnalytics, signin.Unknown, "ada@x.example", "l", clock, "", ""},
		"the column in UTC is better": {`{"CreatedDateTime [UTC]":"2026-11-20T08:00:00Z","CreatedDateTime [Local Time]":"2026-11-20T09:00:00Z","Id":"l","ResultType":"0","UserPrincipalName":"ada@x.example","AppId":"x","Type":"SigninLogs"}`,
			ShapeLogAnalytics, signin.Unknown, "ada@x.example", "l", clock, "", ""},
	} {
		e, shape, j := verdictOf(t, c.raw)
		if shape != c.shape || j.Verdict != c.verdict || e.UserPrincipalName != c.upn || e.ID != c.id || !e.Created.Equal(c.created) ||
			e.ClientAppUsed != c.client || e.IPAddress != c.ip {
			t.Errorf("%s: shape %v, verdict %v (%v)\n%+v", name, shape, j.Verdict, j.Reason, e)
		}
		if TypeName(e.Country) {
			t.Errorf("%s: the country is %q", name, e.Country)
		}
	}
}

// What only resembles these shapes is left alone.
func TestDecodeLookAlikes(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		`{"Timestamp":"2026-11-20T08:00:00Z","ActionType":"LogonSuccess","LogonType":"Interactive","AccountUpn":"a@x.example","Protocol":"Kerberos","IPAddress":"10.0.0.1"}`,
		`{"azure":{"auditlogs":{"category":"AuditLogs","properties":{"id":"x"}}},"@timestamp":"2026-11-20T08:00:00Z"}`,
		`{"azure":{"signinlogs":null}}`,
		`{"azure":[]}`,
		`{"azure.signinlogs.":1}`,
		`{"azure.signinlogs.a":1,"azure.signinlogs.a.b":2}`,
	} {
		if e, shape, _ := verdictOf(t, raw); shape != ShapeNone {
			t.Errorf("%s is taken for %v: %+v", raw, shape, e)
		}
	}
}

func TestDecodeAuthenticationDetail(t *testing.T) {
	t.Parallel()
	e, shape, _ := verdictOf(t, `{"Request ID":"r","Date (UTC)":"2026-11-20T08:00:00Z","Authentication method":"Password","Authentication method detail":"Password Hash Sync",
		"Succeeded":"true","Result detail":"Correct password","Requirement":"Primary authentication"}`)
	want := []signin.Step{{Method: "Password", MethodDetail: "Password Hash Sync", Succeeded: signin.Yes, ResultDetail: "Correct password",
		Requirement: "Primary authentication"}}
	if d := cmp.Diff(want, e.Steps); d != "" || shape != ShapeDetail || !e.Detail || e.ID != "r" {
		t.Errorf("%v %+v\n%s", shape, e, d)
	}
}

func TestTypeName(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"System.Object[]": true, "System.String[]": true, "Microsoft.Graph.PowerShell.Models.MicrosoftGraphSignInStatus": true,
		"System.Collections.Generic.Dictionary`2[System.String,System.Object]": true, "Microsoft.Open.MSGraph.Model.SignInAuditLogObjectStatus": true,
		"": false, "Microsoft Teams": false, "Microsoft.Exchange": false, "System Administrator": false, "System.": false, "Microsoft.com/a.b": false,
		"success": false,
	} {
		if TypeName(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

// FuzzForeign: records of other logs of any content are decoded alike by both
// decoders, and the audit log never proves anything about MFA.
func FuzzForeign(f *testing.F) {
	f.Add(`"Operation":"UserLoggedIn","RecordType":15,"CreationTime":"2026-11-20T08:00:02","Actor":[{"ID":"a@b"}],"ErrorNumber":"0"`)
	f.Add(`"AuditData":"{\"Operation\":\"UserLoginFailed\",\"UserKey\":\"10033FFF80D23AE1@x\"}"`)
	f.Add(`"azure":{"signinlogs":{"category":"SignInLogs","properties":{"status":{"error_code":0},"a":[[{"b_c":1}]]}}},"@timestamp":"2026-11-20T08:00:00Z"`)
	f.Add(`"azure.signinlogs.properties.status.error_code":[0],"azure.signinlogs.category":"SignInLogs","@timestamp":["Nov 20, 2026 @ 08:00:00.000"]`)
	f.Add(`"Timestamp":"2026-11-20T08:00:00Z","AccountUpn":"a","ErrorCode":0,"Application":"x","LogonType":"[\"interactiveUser\"]"`)
	f.Add(`"Request ID":"r","Authentication method":"Password","Succeeded":"true"`)
	f.Add(`"CreatedDateTime [UTC+02:00]":"3/11/2026, 2:05:00.000 PM","Status.ErrorCode":1,"Location":"@{CountryOrRegion=NL}"`)
	f.Fuzz(func(t *testing.T, members string) {
		raw := []byte("{" + members + "}")
		var e signin.Event
		shape, err := DecodeEvent(raw, &e)
		if err != nil {
			return
		}
		var d Decoder
		agree(t, &d, raw)
		if v := signin.Judge(&e).Verdict; shape == ShapeAudit && (v.Proven() || v == signin.NotChallenged) {
			t.Errorf("%s: %v", raw, v)
		}
		if e.Detail != (shape == ShapeDetail) || e.Audit != (shape == ShapeAudit) {
			t.Errorf("%s: %v %+v", raw, shape, e)
		}
	})
}
