package read

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/signin"
)

func decoded(t *testing.T, raw string) (signin.Event, Shape) {
	t.Helper()
	var e signin.Event
	shape, err := DecodeEvent([]byte(raw), &e)
	if err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	return e, shape
}

func TestDecodePortalRow(t *testing.T) {
	t.Parallel()
	e, shape := decoded(t, `{"Date (UTC)":"2024-05-01T10:00:00Z","Request ID":"10000000-0000-4000-8000-00000000000a","Correlation ID":"c",
		"User ID":"u","User":"Ada L","Username":"ada@x.example","User type":"Member","Cross tenant access type":"None","Incoming token type":"None",
		"Authentication Protocol":"None","Application":"Azure Portal","Application ID ":"app","Resource":"ARM","Resource ID ":"res","Resource tenant ID":"rt",
		"Home tenant ID":"ht","IP address":"192.0.2.1","Location":"Seattle, Washington, US","Status":"Interrupted","Sign-in error code":"50074",
		"Failure reason":"Strong authentication is required.","Client app":"Browser","Multifactor authentication result":"MFA completed in Azure AD",
		"Multifactor authentication auth method":"SMS","Multifactor authentication auth detail":"+X XX42","Authentication requirement":"Multifactor authentication",
		"Token issuer type":"Azure AD","Conditional Access":"Success","Operating System":"Windows 10","Compliant":"Yes","Join Type":"Hybrid Azure AD joined"}`)
	want := signin.Event{
		ID: "10000000-0000-4000-8000-00000000000a", CorrelationID: "c", Created: time.Date(2024, 5, 1, 10, 0, 0, 0, time.UTC),
		CreatedRaw: "2024-05-01T10:00:00Z", UserID: "u", UserPrincipalName: "ada@x.example", UserDisplayName: "Ada L", UserType: "Member",
		AppID: "app", AppDisplayName: "Azure Portal", ResourceID: "res", ResourceDisplayName: "ARM", ResourceTenantID: "rt", HomeTenantID: "ht",
		IPAddress: "192.0.2.1", Country: "US", ClientAppUsed: "Browser", AuthenticationProtocol: "None", IncomingTokenType: "None",
		CrossTenantAccessType: "None", TokenIssuerType: "Azure AD", ConditionalAccessStatus: "Success", HasStatus: true, ErrorCode: 50074,
		FailureReason: "Strong authentication is required.", AdditionalDetails: "MFA completed in Azure AD",
		AuthenticationRequirement: "Multifactor authentication", HasMFAFields: true, MFAAuthMethod: "SMS", MFAAuthDetail: "+X XX42",
		OperatingSystem: "Windows 10", DeviceCompliant: signin.Yes, DeviceTrustType: "Hybrid Azure AD joined", Joinable: true,
	}
	if d := cmp.Diff(want, e); d != "" || shape != ShapePortal {
		t.Errorf("%v:\n%s", shape, d)
	}
}

func TestDecodeLogAnalyticsRow(t *testing.T) {
	t.Parallel()
	e, shape := decoded(t, `{"TimeGenerated [UTC]":"5/1/2024, 10:00:05.000 AM","CreatedDateTime [UTC]":"5/1/2024, 10:00:00.000 AM","Id":"x","ResultType":"0",
		"ResourceId":"/tenants/t/providers/Microsoft.aadiam","ResourceIdentity":"res","Resource":"Microsoft.aadiam","Location":"IL","IsInteractive":"TRUE",
		"Status_dynamic":"{\"errorCode\":0,\"additionalDetails\":\"MFA requirement satisfied by claim in the token\"}","Status_string":"",
		"LocationDetails_dynamic":"{\"countryOrRegion\":\"DE\"}","MfaDetail_dynamic":"{\"authMethod\":\"SMS\"}",
		"AuthenticationDetails":"[{\"authenticationMethod\":\"Password\",\"succeeded\":true}]",
		"ConditionalAccessPolicies_dynamic":"[{\"id\":\"p\",\"displayName\":\"All\",\"result\":\"success\",\"enforcedGrantControls\":[\"Mfa\"]}]",
		"DeviceDetail_dynamic":"{\"operatingSystem\":\"Ios\",\"isCompliant\":false,\"trustType\":\"Azure AD joined\"}","DeviceDetail_string":"",
		"UserId":"u","AppId":"a","Type":"AADNonInteractiveUserSignInLogs"}`)
	want := signin.Event{
		ID: "x", Created: time.Date(2024, 5, 1, 10, 0, 0, 0, time.UTC), CreatedRaw: "5/1/2024, 10:00:00.000 AM", Clock: signin.ClockAmbiguous,
		Observed: time.Date(2024, 5, 1, 10, 0, 5, 0, time.UTC), UserID: "u", AppID: "a", ResourceID: "res", Country: "DE",
		Category: "NonInteractiveUserSignInLogs", Interactive: signin.Yes, HasStatus: true, HasMFAFields: true, MFAAuthMethod: "SMS",
		AdditionalDetails: "MFA requirement satisfied by claim in the token",
		OperatingSystem:   "Ios", DeviceCompliant: signin.No, DeviceTrustType: "Azure AD joined",
		Steps:    []signin.Step{{Method: "Password", Succeeded: signin.Yes}},
		Policies: []signin.AppliedPolicy{{ID: "p", DisplayName: "All", Result: "success", GrantControls: []string{"Mfa"}}},
	}
	if d := cmp.Diff(want, e); d != "" || shape != ShapeLogAnalytics {
		t.Errorf("%v:\n%s", shape, d)
	}
}

func TestDecodeOutcomes(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]struct {
		has  bool
		code int32
	}{
		`{"category":"SignInLogs","resultType":"0"}`:                                               {true, 0},
		`{"category":"SignInLogs","resultType":0}`:                                                 {true, 0},
		`{"category":"SignInLogs","resultType":"Success"}`:                                         {true, 0},
		`{"category":"SignInLogs","resultType":"50126"}`:                                           {true, 50126},
		`{"category":"SignInLogs","resultType":"Failure"}`:                                         {true, -1},
		`{"category":"SignInLogs"}`:                                                                {false, 0},
		`{"category":"SignInLogs","resulttype":7000215,"properties":{"status":{}}}`:                {true, 7000215},
		`{"category":"SignInLogs","resultType":"0","properties":{"status":{"errorCode":"50074"}}}`: {true, 50074},
		`{"category":"SignInLogs","properties":"{\"status\":{\"errorCode\":50076}}"}`:              {true, 50076},
		`{"category":"SignInLogs","status":{"errorCode":99999999999}}`:                             {false, 0},
		`{"category":"SignInLogs","status":{"errorCode":true}}`:                                    {false, 0},
		`{"category":"SignInLogs","status":"Failure"}`:                                             {true, -1},
		`{"category":"SignInLogs","status":"Success","Sign-in error code":"None"}`:                 {true, 0},
		`{"category":"SignInLogs","status":"Failure","Sign-in error code":"0"}`:                    {true, -1},
	} {
		e, shape := decoded(t, raw)
		if e.HasStatus != want.has || e.ErrorCode != want.code || shape == ShapeNone {
			t.Errorf("%s: %v %v %d", raw, shape, e.HasStatus, e.ErrorCode)
		}
	}
}

func TestDecodeKeys(t *testing.T) {
	t.Parallel()
	e, _ := decoded(t, `{"category":"SignInLogs","ID":"1","id":"2","u\u017ferId":"u","Appid":"\ud800","userPrincipalName":["x"],"isInteractive":"TRUE"}`)
	if e.ID != "2" || e.UserID != "u" || e.AppID != "\ufffd" || e.UserPrincipalName != "" || e.Interactive != signin.Yes {
		t.Errorf("got %+v", e)
	}
	for _, raw := range []string{``, `[]`, `1`, `{} {}`, `{"a":1,}`, "{\"a\":\"\x01\"}", `{"a":"\x"}`, `{"a":01}`, strings.Repeat("[", 20000)} {
		if _, err := DecodeEvent([]byte(raw), new(signin.Event)); err == nil {
			t.Errorf("%.20q is accepted", raw)
		}
	}
}

func TestRecogniseOtherKinds(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]bool{
		`{"createdDateTime":"2024-01-01T00:00:00Z","userPrincipalName":"a@x","id":"1","displayName":"A","userType":"Member"}`:                                                    false,
		`{"activityDateTime":"2024-01-01T00:00:00Z","category":"UserManagement","correlationId":"c","result":"success"}`:                                                         false,
		`{"time":"2024-01-01T00:00:00Z","category":"AuditLogs","properties":{"id":"1","correlationId":"c","userId":"u","createdDateTime":"2024-01-01T00:00:00Z"}}`:               false,
		`{"createdDateTime":"2024-01-01T00:00:00Z","appId":"a","displayName":"App"}`:                                                                                             false,
		`{"createdDateTime":"2024-01-01T00:00:00Z","riskEventType":"x","ipAddress":"192.0.2.1","userId":"u","correlationId":"c"}`:                                                false,
		`{"createdDateTime":"datetime","appId":"string","userId":"string","ipAddress":"string","correlationId":"string","status":{"errorCode":"number"}}`:                        false,
		`{"createdDateTime":"1900-01-01T00:00:00Z","appId":null,"userId":null,"status":{"errorCode":null}}`:                                                                      false,
		`{"createdDateTime":"2024-01-01T00:00:00Z","appId":"a","userId":"u"}`:                                                                                                    true,
		`{"createdDateTime":"01.02.2024 10:00","appId":"a","userId":"u","correlationId":"c","status":{"errorCode":0}}`:                                                           true,
		`{"createdDateTime":"2024-01-01T00:00:00Z","id":"r","userPrincipalName":"a@x","riskLevel":"high","riskState":"atRisk","riskLastUpdatedDateTime":"2024-01-01T00:00:00Z"}`: false,
		`{"time":"2024-01-01T00:00:00Z","category":"SignInLogs"}`:                                                                                                                true,
		`{"TimeGenerated":"2024-01-01T00:00:00Z","Type":"AADManagedIdentitySignInLogs","Id":"1"}`:                                                                                true,
		`{}`: false, `[]`: false, `nonsense`: false,
	} {
		if got := Recognise([]byte(raw)); got != want {
			t.Errorf("%s: %v", raw, got)
		}
	}
}

// A clock as PowerShell writes it as an object, and as a number.
func TestClockForms(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
	for _, clock := range []string{
		fmt.Sprintf(`{"value":"\/Date(%d)\/","DisplayHint":2,"DateTime":"Friday, 20 November 2026 08:00:00"}`, want.UnixMilli()),
		fmt.Sprintf(`"\/Date(%d)\/"`, want.UnixMilli()), fmt.Sprint(want.UnixMilli()), `"2026-11-20T09:00:00+01:00"`, `"20.11.2026 08:00:00"`,
		`"Nov 20, 2026 8:00:00 AM"`,
	} {
		e, _, _ := verdictOf(t, `{"CreatedDateTime":`+clock+`,"Id":"a","UserPrincipalName":"a@x.example","AppId":"x","Status":{"ErrorCode":0}}`)
		if !e.Created.Equal(want) {
			t.Errorf("%s: %v (%q)", clock, e.Created, e.CreatedRaw)
		}
	}
}
