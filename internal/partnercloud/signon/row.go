package signon

import (
	"cmp"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// Row is the sign-in row that an attempt leaves in the log of the tenant it was
// for. code outranks the ruling's when it is not -1: a sign-in that failed for
// another reason. The caller logs it with State.LogSignIn.
func Row(s *world.State, a *Attempt, r *Ruling, code int) *world.SignIn {
	if code < 0 {
		code = r.Code
	}
	t := a.Tenant
	row := &world.SignIn{
		CreatedDateTime: world.Stamp{Time: s.Clock.Now()}, UserDisplayName: a.User.Name, UserPrincipalName: strings.ToLower(a.User.UPN), UserID: a.User.ID,
		AppID: a.AppID, AppDisplayName: a.AppName, IPAddress: ip(a), ClientAppUsed: cmp.Or(a.ClientAppUsed, clientApp(a.Client)), UserAgent: a.UserAgent,
		CorrelationID: a.Correlation, OriginalRequestID: a.Request, ConditionalAccess: r.CAStatus, IsInteractive: a.Interactive,
		TokenIssuerType: "AzureAD", Requirement: "singleFactorAuthentication", Protocol: cmp.Or(a.Protocol, "oAuth2"),
		IncomingTokenType: cmp.Or(a.IncomingTokenType, "none"), TransferMethod: cmp.Or(a.TransferMethod, "none"), CredentialType: "none", CrossTenant: "none",
		HomeTenantID: a.Home.ID, HomeTenantName: a.Home.Name, ResourceTenantID: t.ID, ResourceOwnerTenant: entra.TenantMicrosoftServices,
		AppOwnerTenant:      a.AppOwner,
		ResourceDisplayName: a.ResourceName, ResourceID: a.Resource,
		RiskDetail: "none", RiskAggregated: "none", RiskDuring: cmp.Or(a.SignInRisk, "none"), RiskState: "none", RiskEvents: []string{},
		SessionID: a.SID, UniqueToken: "", UserType: "member", SignInIdentifier: a.User.UPN,
		EventTypes: []string{"interactiveUser"}, ProcessingTime: 120,
		Status: world.Status{ErrorCode: code, FailureReason: Reason(code), AdditionalDetails: r.Detail},
		Device: world.Device{DeviceID: a.DeviceID, OperatingSystem: a.OS, Browser: a.BrowserName, IsCompliant: a.Compliant, IsManaged: a.Compliant ||
			a.Joined, TrustType: trust(a)},
		Place: a.Place, Applied: r.Applied, Steps: a.Steps, Processing: []world.KeyValue{}, Requirements: r.Requirements, Lifetimes: r.Lifetimes,
	}
	if row.CorrelationID == "" {
		row.CorrelationID = world.NewGUID()
	}
	if sp := t.SP(a.Resource); sp != nil {
		row.ResourceSP = sp.ID
	}
	if code == 0 {
		row.Status.FailureReason = "Other."
	}
	if code != 0 {
		row.Status.AdditionalDetails = ""
		if r.Outcome == NeedMFA || r.Outcome == Register {
			row.Status.AdditionalDetails = "MFA required in Azure AD"
		}
	}
	if r.Audience != "" && r.Audience != a.Resource {
		row.Audiences = []string{r.Audience}
	}
	if !a.Interactive {
		row.EventTypes = []string{"nonInteractiveUser"}
	}
	// The requirement says what was asked in the end, also where it was not met.
	if r.MFARequired {
		row.Requirement = "multiFactorAuthentication"
	}
	switch {
	case a.AOBO:
		row.CrossTenant = "serviceProvider"
	case a.User.Guest || a.Home.ID != t.ID:
		row.CrossTenant, row.UserType = "b2bCollaboration", "guest"
	}
	if !t.Premium() {
		row.RiskDuring, row.RiskAggregated = "hidden", "hidden"
	} else if !t.HasPlan(world.PlanP2) && row.RiskDuring != "none" {
		row.RiskDuring, row.RiskAggregated = "hidden", "hidden"
	}
	if row.Steps == nil {
		row.Steps = steps(s.Clock.Now(), a, r, code)
	}
	if row.Lifetimes == nil {
		row.Lifetimes = []world.Lifetime{}
	}
	return row
}

func trust(a *Attempt) string {
	if a.Joined {
		return "Hybrid Azure AD joined"
	}
	if a.Compliant {
		return "Azure AD joined"
	}
	return ""
}

func ip(a *Attempt) string {
	if a.IP.IsValid() {
		return a.IP.String()
	}
	return ""
}

func clientApp(kind string) string {
	switch kind {
	case Browser:
		return "Browser"
	case EAS:
		return "Exchange ActiveSync"
	case Legacy:
		return "Other clients"
	}
	return "Mobile Apps and Desktop clients"
}

// steps are the authentication details of an attempt that only presented an
// earlier claim.
func steps(now time.Time, a *Attempt, r *Ruling, code int) []world.Step {
	out := []world.Step{{
		At: world.Stamp{Time: now}, Method: "Previously satisfied", Succeeded: true,
		Result: "First factor requirement satisfied by claim in the token", Requirement: "Primary authentication",
	}}
	if r.MFARequired {
		st := world.Step{At: world.Stamp{Time: now}, Method: "Previously satisfied", Succeeded: a.MFA && code == 0, Result: r.Detail,
			Requirement: "Multifactor authentication"}
		if !st.Succeeded {
			st.Result = "MFA required in Azure AD"
		}
		out = append(out, st)
	}
	return out
}
