package signin

import (
	"strings"
	"testing"

	"partnerguard/internal/entra"
)

const (
	single = "singleFactorAuthentication"
	multi  = "multiFactorAuthentication"
)

// success is a successful user row of a shape that can show MFA.
func success(change func(*Event)) Event {
	e := Event{
		ID: "1", UserID: "u", UserPrincipalName: "ada@contoso.com", ClientAppUsed: "Browser",
		HasStatus: true, HasMFAFields: true, AuthenticationRequirement: single,
		Steps: []Step{{Method: "Password", MethodDetail: "Cloud password", Succeeded: Yes, ResultDetail: "Correct password",
			Requirement: "Primary authentication"}},
	}
	if change != nil {
		change(&e)
	}
	return e
}

func TestJudge(t *testing.T) {
	t.Parallel()
	mfaStep := func(s Step) func(*Event) {
		s.Requirement = "Multifactor authentication"
		return func(e *Event) { e.Steps = append(e.Steps, s) }
	}
	for name, c := range map[string]struct {
		change func(*Event)
		want   Verdict
		reason Reason
	}{
		"fresh password only":             {nil, NotChallenged, ReasonSingleFactor},
		"single-factor requirement alone": {func(e *Event) { e.Steps = nil }, Unknown, ReasonSingleFactorAlone},
		"single factor but satisfied by claim": {func(e *Event) { e.AdditionalDetails = "MFA requirement satisfied by claim in the token" }, SatisfiedByClaim,
			ReasonClaimInToken},
		"single factor but provider's claim": {func(e *Event) {
			e.AdditionalDetails = "MFA requirement satisfied by claim provided by external provider"
		}, SatisfiedByProvider, ReasonExternalClaim},
		"first factor claim is not MFA": {func(e *Event) {
			e.Steps[0] = Step{Method: "Previously satisfied", Succeeded: Yes, ResultDetail: "First factor requirement satisfied by claim in the token",
				Requirement: "Primary authentication"}
		}, Unknown, ReasonEarlierClaimUnseen},
		"first factor claim on additionalDetails": {func(e *Event) { e.AdditionalDetails = "First factor requirement satisfied by claim in the token" },
			NotChallenged, ReasonSingleFactor},
		"first factor claim, spelt otherwise": {func(e *Event) {
			e.Steps = []Step{{Method: "Previously satisfied", Succeeded: Yes, ResultDetail: "first factor requirement was satisfied by claim in the token"}}
		}, Unknown, ReasonEarlierClaimUnseen},
		// The exception of decision 2: where a first factor came from an earlier
		// token, a fresh one beside it does not show that nothing was satisfied.
		"fresh password beside an earlier first factor": {func(e *Event) {
			e.Steps = append(e.Steps, Step{Method: "Previously satisfied", Succeeded: Yes,
				ResultDetail: "First factor requirement satisfied by claim in the token", Requirement: "Primary authentication"})
		}, Unknown, ReasonEarlierClaimUnseen},
		"earlier first factor, then a fresh password": {func(e *Event) {
			e.Steps = append([]Step{{Method: "Satisfied by token", Succeeded: Yes}}, e.Steps...)
		}, Unknown, ReasonEarlierClaimUnseen},
		"an earlier first factor that failed is none": {func(e *Event) {
			e.Steps = append(e.Steps, Step{Method: "Previously satisfied", Succeeded: No})
		}, NotChallenged, ReasonSingleFactor},
		"multifactor step succeeded": {mfaStep(Step{Method: "Authenticator App", Succeeded: Yes, ResultDetail: "User approved"}), Challenged, ReasonMFAStep},
		"multifactor step, older spelling": {func(e *Event) {
			e.Steps = append(e.Steps, Step{Method: "SMS", Succeeded: Yes, Requirement: "Multi-factor authentication"})
		}, Challenged, ReasonMFAStep},
		"multifactor step failed, then success": {mfaStep(Step{Method: "SMS", Succeeded: No, ResultDetail: "wrong code"}), NotChallenged, ReasonSingleFactor},
		"multifactor step without outcome":      {mfaStep(Step{Method: "SMS"}), Unknown, ReasonRequirementNotShown},
		"multifactor step previously satisfied": {mfaStep(Step{Method: "Previously satisfied", Succeeded: Yes}), SatisfiedByClaim, ReasonPreviousMFA},
		"step says claim in token": {mfaStep(Step{Method: "Previously satisfied", Succeeded: Yes,
			ResultDetail: "MFA requirement satisfied by claim in the token"}), SatisfiedByClaim, ReasonClaimInToken},
		"step says external provider": {mfaStep(Step{Method: "Authenticator App", Succeeded: Yes,
			ResultDetail: "MFA requirement satisfied by claim provided by external provider"}), SatisfiedByProvider, ReasonExternalClaim},
		"MFA completed in Azure AD": {func(e *Event) { e.AdditionalDetails = "MFA completed in Azure AD" }, Challenged, ReasonMFACompleted},
		"skipped for location": {func(e *Event) {
			e.AuthenticationRequirement = multi
			e.AdditionalDetails = "MFA requirement skipped due to location"
		}, NotChallenged, ReasonSkippedLocation},
		"skipped for remembered device": {mfaStep(Step{Method: "", Succeeded: Yes,
			ResultDetail: "MFA requirement skipped due to remembered device"}), NotChallenged, ReasonSkippedDevice},
		"skipped for app password": {func(e *Event) { e.AdditionalDetails = "MFA requirement skipped due to app password" }, NotChallenged,
			ReasonSkippedAppPassword},
		"multifactor required, no steps": {func(e *Event) { e.AuthenticationRequirement = multi; e.Steps = nil }, Challenged, ReasonRequirementMet},
		"docs' spelling MultifactorAuthentication": {func(e *Event) { e.AuthenticationRequirement = "MultifactorAuthentication"; e.Steps = nil }, Challenged,
			ReasonRequirementMet},
		"multifactor required, refresh token": {func(e *Event) {
			e.AuthenticationRequirement = multi
			e.Steps = nil
			e.IncomingTokenType = "refreshToken"
		}, SatisfiedByClaim, ReasonRequirementToken},
		"multifactor required, non-interactive": {func(e *Event) { e.AuthenticationRequirement = multi; e.Steps = nil; e.Interactive = No }, SatisfiedByClaim,
			ReasonRequirementToken},
		"security key as the only step":  {func(e *Event) { e.Steps[0].Method = "FIDO2 security key" }, Challenged, ReasonStrongMethod},
		"Windows Hello as the only step": {func(e *Event) { e.Steps[0].Method = "Windows Hello for Business" }, Challenged, ReasonStrongMethod},
		"certificate, single factor": {func(e *Event) {
			e.Steps[0] = Step{Method: "X.509 Certificate", MethodDetail: "Single-factor", Succeeded: Yes}
		}, NotChallenged, ReasonSingleFactor},
		"certificate, multifactor": {func(e *Event) {
			e.Steps[0] = Step{Method: "X.509 Certificate", MethodDetail: "Multifactor", Succeeded: Yes}
		}, Challenged, ReasonStrongMethod},
		"federated primary": {func(e *Event) { e.Steps[0] = Step{Method: "Federated Authentication", Succeeded: Yes} }, Unknown, ReasonFederatedPrimary},
		"federated MFA": {func(e *Event) {
			e.Steps[0] = Step{Method: "Federated Authentication", Succeeded: Yes}
			e.AdditionalDetails = "MFA requirement satisfied by claim provided by external provider"
		}, SatisfiedByProvider, ReasonExternalClaim},
		"a provider of External MFA, by its name": {func(e *Event) {
			e.AuthenticationRequirement = multi
			e.Steps = append(e.Steps, Step{Method: "Our own MFA", Succeeded: Yes, Requirement: "Multifactor authentication",
				ResultDetail: "MFA requirement satisfied by claim provided by external provider"})
		}, SatisfiedByProvider, ReasonExternalClaim},
		"an app password, by its name": {func(e *Event) { e.Steps[0].Method = "App Password" }, NotChallenged, ReasonSkippedAppPassword},
		"an app password of a legacy client": {func(e *Event) {
			e.Steps[0].Method, e.ClientAppUsed = "App password", "IMAP4"
		}, NotChallenged, ReasonSkippedAppPassword},
		"AD FS MFA adapter": {func(e *Event) { e.TokenIssuerType = "ADFederationServicesMFAAdapter" }, SatisfiedByProvider, ReasonOnPremisesMFA},
		"v1.0 row":          {func(e *Event) { e.HasMFAFields, e.Steps, e.AuthenticationRequirement = false, nil, "" }, Unknown, ReasonNoMFAFields},
		"v1.0 row under a policy asking only MFA": {func(e *Event) {
			e.HasMFAFields, e.Steps, e.AuthenticationRequirement = false, nil, ""
			e.Policies = []AppliedPolicy{{Result: "success", GrantControls: []string{"Mfa"}}}
		}, SatisfiedByClaim, ReasonConditionalAccess},
		"policy with two controls may be OR": {func(e *Event) {
			e.Policies = []AppliedPolicy{{Result: "success", GrantControls: []string{"Mfa", "RequireCompliantDevice"}}}
		}, NotChallenged, ReasonSingleFactor},
		"report-only policy proves nothing": {func(e *Event) {
			e.Policies = []AppliedPolicy{{Result: "reportOnlySuccess", GrantControls: []string{"Mfa"}}}
		}, NotChallenged, ReasonSingleFactor},
		"v1.0 row of a legacy client": {func(e *Event) {
			e.HasMFAFields, e.Steps, e.AuthenticationRequirement, e.ClientAppUsed = false, nil, "", "Authenticated SMTP"
		}, NotChallenged, ReasonLegacyClient},
		"legacy client, any spelling": {func(e *Event) { e.ClientAppUsed = "exchange activesync" }, NotChallenged, ReasonLegacyClient},
		"password grant":              {func(e *Event) { e.AuthenticationProtocol = "ropc" }, NotChallenged, ReasonROPC},
		"password grant with a claim": {func(e *Event) {
			e.AuthenticationProtocol = "ropc"
			e.AdditionalDetails = "MFA requirement satisfied by claim in the token"
		}, SatisfiedByClaim, ReasonClaimInToken},
		"mfaDetail of older rows": {func(e *Event) { e.AuthenticationRequirement, e.Steps, e.MFAAuthMethod = "", nil, "Phone call" }, Challenged,
			ReasonMFADetail},
		"requirement missing":          {func(e *Event) { e.AuthenticationRequirement = "" }, Unknown, ReasonRequirementMissing},
		"unknown requirement value":    {func(e *Event) { e.AuthenticationRequirement = "unknownFutureValue" }, Unknown, ReasonRequirementMissing},
		"no outcome":                   {func(e *Event) { e.HasStatus = false }, Unknown, ReasonNoOutcome},
		"interrupt is not a failure":   {func(e *Event) { e.ErrorCode = 50074; e.AuthenticationRequirement = multi }, Interrupted, ReasonPrompt},
		"external challenge interrupt": {func(e *Event) { e.ErrorCode = 50158 }, Interrupted, ReasonPrompt},
		"enrolment interrupt":          {func(e *Event) { e.ErrorCode = 50079 }, Interrupted, ReasonEnrolment},
		"keep me signed in":            {func(e *Event) { e.ErrorCode = 50140 }, Interrupted, ReasonOtherInterrupt},
		"MFA denied":                   {func(e *Event) { e.ErrorCode = 500121; e.AuthenticationRequirement = multi }, Failed, ReasonMFAFailed},
		"blocked by policy":            {func(e *Event) { e.ErrorCode = 53003 }, Failed, ReasonBlockedByPolicy},
		"blocked by security defaults": {func(e *Event) { e.ErrorCode = 530035 }, Failed, ReasonBlockedByDefaults},
		"wrong password":               {func(e *Event) { e.ErrorCode = 50126 }, Failed, ReasonWrongCredentials},
		"refresh token expired":        {func(e *Event) { e.ErrorCode = 70043 }, Failed, ReasonTokenExpired},
		"provider's token refused":     {func(e *Event) { e.ErrorCode = 5001256 }, Failed, ReasonExternalMFAFailed},
		"a code nobody listed":         {func(e *Event) { e.ErrorCode = 12345678 }, Failed, ReasonOtherFailure},
		"failure without a code":       {func(e *Event) { e.ErrorCode = -1 }, Failed, ReasonOtherFailure},
		"service principal":            {func(e *Event) { e.UserID, e.UserPrincipalName, e.ServicePrincipalID = "", "", "sp" }, NotUser, ReasonWorkload},
		"service principal, empty guid user": {func(e *Event) {
			e.UserID, e.UserPrincipalName, e.ServicePrincipalID = entra.NilID, "", "sp"
		}, NotUser, ReasonWorkload},
		"managed identity by event type": {func(e *Event) { e.UserID, e.UserPrincipalName, e.EventTypes = "", "", []string{"managedIdentity"} }, NotUser,
			ReasonWorkload},
		"user row naming a principal": {func(e *Event) { e.ServicePrincipalID = "sp" }, NotChallenged, ReasonSingleFactor},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := success(c.change)
			got := Judge(&e)
			if got.Verdict != c.want || got.Reason != c.reason {
				t.Errorf("got %v because %v, want %v because %v", got.Verdict, got.Reason, c.want, c.reason)
			}
		})
	}
}

func TestJudgeMarks(t *testing.T) {
	t.Parallel()
	e := success(func(e *Event) {
		e.CrossTenantAccessType = "ServiceProvider"
		e.OriginalTransferMethod = "deviceCodeFlow"
		e.RequirementPolicies = []RequirementPolicy{{Provider: "enforcedForCspAdmins"}}
	})
	if j := Judge(&e); !j.AOBO || !j.DeviceCode || !j.CSPAdmin || j.Legacy || j.ROPC {
		t.Errorf("marks = %+v", j)
	}
}

func TestRiskHiddenChangesNothing(t *testing.T) {
	t.Parallel()
	for _, risk := range []string{"", "none", "hidden", "high"} {
		e := success(func(e *Event) { e.RiskLevelDuringSignIn = risk })
		if j := Judge(&e); j.Verdict != NotChallenged {
			t.Errorf("risk %q: %v", risk, j.Verdict)
		}
	}
}

func TestIsLegacyClient(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"Authenticated SMTP", "SMTP", "AutoDiscover", "Autodiscover", "Exchange ActiveSync", "Exchange Online PowerShell",
		"Exchange Web Services", "IMAP4", "IMAP", "POP3", "POP", "MAPI Over HTTP", "Offline Address Book", "Outlook Anywhere (RPC over HTTP)",
		"Outlook Service", "Reporting Web Services", "Universal Outlook", "Other clients", "other-clients", "OTHER CLIENTS",
		"Other clients; SMTP", "Other clients; IMAP", "Other clients; Older Office clients",
		"Other clients; a name nobody has heard of yet, longer than any that is known today",
		"Exchange ActiveSync (unSupported)", "Exchange ActiveSync (supported)", "Older Office clients", "IMAP4 (basic)", "POP3; client", "MAPI"} {
		if !IsLegacyClient(s) {
			t.Errorf("%q is legacy", s)
		}
	}
	for _, s := range []string{"", "Browser", "browser", "Mobile Apps and Desktop clients", "mobile apps and desktop clients", "Unknown",
		strings.Repeat("imap", 40), "Other", "Mobile Apps and Desktop clients; SMTP-Tool", "Exchange Admin Center"} {
		if IsLegacyClient(s) {
			t.Errorf("%q is not legacy", s)
		}
	}
}

func TestReasonsAreNamedAndResolved(t *testing.T) {
	t.Parallel()
	seen := map[string]Reason{}
	for r := Reason(0); r < reasonCount; r++ {
		if r.String() == "" || r.Text() == "" {
			t.Errorf("reason %d has no name or no sentence", r)
		}
		if other, twice := seen[r.String()]; twice {
			t.Errorf("reasons %d and %d share the code %q", r, other, r)
		}
		seen[r.String()] = r
	}
	if ReasonPrompt.Resolved(true) != ReasonPromptCompleted || ReasonEnrolment.Resolved(false) != ReasonEnrolmentAbandoned ||
		ReasonMFAStep.Resolved(true) != ReasonMFAStep {
		t.Error("Resolved is wrong")
	}
}

func TestJudgeAllocatesNothing(t *testing.T) {
	e := success(func(e *Event) {
		e.Steps = append(e.Steps, Step{Method: "Authenticator App", Succeeded: Yes, Requirement: "Multifactor authentication"})
	})
	if n := testing.AllocsPerRun(100, func() { Judge(&e) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestMFAColumns(t *testing.T) {
	t.Parallel()
	e := success(func(e *Event) {
		e.Steps = append(e.Steps, Step{Method: "SMS", MethodDetail: "+XX 1234", Succeeded: Yes, ResultDetail: "User approved",
			Requirement: "Multifactor authentication"})
	})
	if m, d, r := e.MFAColumns(); m != "SMS" || d != "+XX 1234" || r != "User approved" {
		t.Errorf("got %q %q %q", m, d, r)
	}
	old := Event{MFAAuthMethod: "Phone", MFAAuthDetail: "12", AdditionalDetails: "MFA completed in Azure AD"}
	if m, d, r := old.MFAColumns(); m != "Phone" || d != "12" || r != "MFA completed in Azure AD" {
		t.Errorf("got %q %q %q", m, d, r)
	}
}
