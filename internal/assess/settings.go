package assess

import (
	"fmt"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
)

// defaultsOrPolicies asks whether one of Microsoft's own means asks every
// account for MFA in an ordinary sign-in. That no way leads around it is
// another requirement's question.
func (a *assessor) defaultsOrPolicies() ruling {
	if a.Defaults != nil && a.Defaults.IsEnabled.True() {
		return ruling{verdict: Met, reason: "security defaults are enabled, which meet the requirement by Microsoft's word; they challenge " +
			"administrators always and others when Microsoft sees a need",
			evidence: []Evidence{{Subject: "security defaults", Detail: "isEnabled is true", Source: a.Defaults.Source}}}
	}
	p := a.proof("mfa-every-user")
	switch {
	case p == nil && a.Defaults == nil && len(a.cuts(evidence.ConditionalAccessPolicy)) == 0:
		return ruling{verdict: Unknown, reason: "neither security defaults nor the whole list of Conditional Access policies is in the export",
			action: "export " + evidence.RequestFor(evidence.SecurityDefaults) + ", and " + evidence.RequestFor(evidence.ConditionalAccessPolicy)}
	case p == nil && len(a.cuts(evidence.ConditionalAccessPolicy)) > 0:
		return ruling{verdict: Unknown, reason: "security defaults are not on, and " + a.lackText(evidence.ConditionalAccessPolicy),
			action: a.cuts(evidence.ConditionalAccessPolicy)[0].Settle()}
	case p == nil:
		return ruling{verdict: Unknown, reason: "security defaults are off, and the Conditional Access policies are not in the export, or not all of them",
			action: "export " + evidence.RequestFor(evidence.ConditionalAccessPolicy)}
	case p.Verdict == access.Proved && len(a.enforcedRows()) == 0:
		return ruling{verdict: Met, total: p.Accounts, reason: "enabled Conditional Access policies block every ordinary sign-in that they do not ask for MFA"}
	case p.Verdict == access.Proved:
		return ruling{verdict: Met, total: p.Accounts, reason: "enabled Conditional Access policies ask every account for MFA in an ordinary sign-in",
			evidence: a.enforcedRows()}
	case a.Defaults == nil && p.Verdict == access.GapFound:
		return ruling{verdict: Unknown, evidence: append(a.gapEvidence(p), a.policyRows()...),
			reason: "the policies leave accounts out, and the state of security defaults is not in the export",
			action: "export " + evidence.RequestFor(evidence.SecurityDefaults)}
	case p.Verdict == access.GapFound && len(a.enforcedRows()) == 0:
		return ruling{verdict: NotMet, affected: p.Open, total: p.Accounts,
			evidence: append(a.policyRows(), Evidence{Subject: "security defaults", Detail: "isEnabled is false", Source: a.Defaults.Source}),
			relies:   a.policyLists(), reason: fmt.Sprintf("security defaults are off and none of the %s can only be met with MFA",
				count(len(a.enforced), "enabled policy", "enabled policies")),
			action: "turn security defaults on, or enable a Conditional Access policy that requires MFA for all users and all apps"}
	case p.Verdict == access.GapFound:
		return ruling{verdict: NotMet, affected: p.Open, total: p.Accounts, evidence: a.gapEvidence(p), relies: a.policyLists(),
			reason: fmt.Sprintf("the enabled policies do not ask %s for MFA even in an ordinary sign-in", count(p.Open, "account", "accounts")),
			action: "include all users and drop the exclusions; break-glass accounts may use another method, but not none"}
	}
	r := unproved(a, p, p.Accounts, "enabled policies ask for MFA")
	r.evidence = a.enforcedRows()
	return r
}

// enforcedRows shows the enabled policies that can only be met with MFA.
func (a *assessor) enforcedRows() (ev []Evidence) {
	for _, p := range a.enforced {
		if p.RequiresMFA() {
			ev = append(ev, Evidence{Subject: p.DisplayName, Detail: "enabled, and its grant controls can only be met with MFA", RecordID: p.ID,
				Observed: ref(p.Modified.Time), Source: p.Source})
		}
	}
	return ev
}

// policyRows shows the policies that look as if they asked for MFA and why
// they do not count.
func (a *assessor) policyRows() (ev []Evidence) {
	for _, p := range sortedPolicies(a.Policies) {
		switch {
		case p.GrantControls == nil:
			continue
		case p.ReportOnly() && p.RequiresMFA():
			ev = append(ev, Evidence{Subject: p.DisplayName, Detail: "asks for MFA but is report-only", RecordID: p.ID, Observed: ref(p.Modified.Time),
				Source: p.Source})
		case p.Enforced() && len(p.GrantControls.CustomFactors) > 0:
			ev = append(ev, Evidence{Subject: p.DisplayName, Detail: "uses custom controls, which never yield an MFA claim; way out: " +
				directory.WayExternalMFA.Text, RecordID: p.ID, Observed: ref(p.Modified.Time), Source: p.Source})
		case p.Enforced() && strings.EqualFold(string(p.GrantControls.Operator), "OR") && mentionsMFA(p):
			ev = append(ev, Evidence{Subject: p.DisplayName, Detail: "MFA is one of several controls joined by OR", RecordID: p.ID,
				Observed: ref(p.Modified.Time), Source: p.Source})
		}
	}
	return ev
}

func mentionsMFA(p *access.Policy) bool {
	for _, c := range p.GrantControls.BuiltInControls {
		if strings.EqualFold(c, "mfa") {
			return true
		}
	}
	return p.GrantControls.Strength != nil
}

// thirdParty says whether any sign of another MFA provider was read, and
// whether enough was read to say that there is none.
func (a *assessor) thirdParty() (custom []Evidence, inUse, couldTell bool) {
	for _, p := range sortedPolicies(a.Policies) {
		if p.GrantControls != nil && len(p.GrantControls.CustomFactors) > 0 && !strings.EqualFold(string(p.State), string(access.Disabled)) {
			inUse = true
			if p.Enforced() {
				custom = append(custom, Evidence{Subject: p.DisplayName, Detail: "grants on a custom control, which never yields an MFA claim",
					RecordID: p.ID, Observed: ref(p.Modified.Time), Source: p.Source})
			}
		}
	}
	if a.Methods != nil {
		for _, m := range a.Methods.Configurations.Items {
			if strings.HasSuffix(strings.ToLower(m.Type), "externalauthenticationmethodconfiguration") && strings.EqualFold(string(m.State), "enabled") {
				inUse = true
			}
		}
	}
	if a.SignIns != nil && a.providerRows() > 0 {
		inUse = true
	}
	return custom, inUse, a.SignIns != nil && a.extent(evidence.ConditionalAccessPolicy) != evidence.Absent
}

func (a *assessor) thirdPartyClaim() ruling {
	custom, inUse, couldTell := a.thirdParty()
	accepted := int64(0)
	if a.SignIns != nil {
		accepted = a.providerRows()
	}
	switch {
	case len(custom) > 0:
		return ruling{verdict: NotMet, affected: len(custom), total: len(a.enforced), evidence: custom,
			reason: "an enabled policy relies on a custom control; what it checks never becomes an MFA claim",
			action: directory.WayExternalMFA.Text + "; or let the federation send the multipleauthn claim; then require mfa in the policy"}
	case accepted > 0:
		return ruling{verdict: Met, relies: []evidence.Kind{evidence.ConditionalAccessPolicy}, heeds: []evidence.Kind{evidence.SignIn},
			reason: fmt.Sprintf("%s from another provider, and its claim was accepted", count(int(accepted), "recorded sign-in has its MFA",
				"recorded sign-ins have their MFA"))}
	case inUse:
		return ruling{verdict: Unknown, reason: "another MFA provider is configured, but no recorded sign-in shows its claim",
			action: "export sign-ins from /beta/auditLogs/signIns for a day on which it was used"}
	case couldTell:
		return ruling{verdict: NotApplicable, relies: []evidence.Kind{evidence.SignIn, evidence.ConditionalAccessPolicy},
			heeds:  []evidence.Kind{evidence.AuthenticationMethods},
			reason: "no policy and no recorded sign-in " + a.period() + " uses another MFA provider"}
	}
	return ruling{verdict: Unknown, reason: "policies or sign-ins that would show another MFA provider are not in the export",
		action: "export Conditional Access policies, the authentication methods policy and sign-ins"}
}

func (a *assessor) thirdPartyException() ruling {
	custom, inUse, couldTell := a.thirdParty()
	switch {
	case len(custom) > 0:
		return ruling{verdict: Unknown, evidence: custom,
			reason: "custom controls are still in use; whether an exception was granted for them is not in any export, and none covers the management " +
				"of customers any more",
			action: "treat the exception as ended; see third-party-mfa-claim"}
	case !inUse && couldTell:
		return ruling{verdict: NotApplicable, relies: []evidence.Kind{evidence.SignIn, evidence.ConditionalAccessPolicy},
			heeds:  []evidence.Kind{evidence.AuthenticationMethods},
			reason: "no policy and no recorded sign-in " + a.period() + " uses another MFA provider, so no exception is needed"}
	case inUse:
		return ruling{verdict: Unknown, reason: "another MFA provider is in use; whether its claim is accepted everywhere or an exception is relied on " +
			"is not in any export",
			action: "confirm that no MFA exception is relied on"}
	}
	return ruling{verdict: Unknown, reason: "exceptions are granted by support ticket and are in no export",
		action: "confirm that no MFA exception is relied on"}
}

func (a *assessor) riskPolicies() ruling {
	var signInRisk, userRisk bool
	var ev []Evidence
	for _, p := range a.enforced {
		s, u := len(p.Conditions.SignInRiskLevels) > 0, len(p.Conditions.UserRiskLevels) > 0
		if (s || u) && acts(p) {
			signInRisk, userRisk = signInRisk || s, userRisk || u
			ev = append(ev, Evidence{Subject: p.DisplayName, Detail: riskDetail(s, u), RecordID: p.ID, Observed: ref(p.Modified.Time), Source: p.Source})
		}
	}
	switch {
	case signInRisk && userRisk:
		return ruling{verdict: Met, reason: "enabled policies act on sign-in risk and on user risk; whom they leave out is not judged here", evidence: ev}
	case a.extent(evidence.ConditionalAccessPolicy) == evidence.Absent:
		return ruling{verdict: Unknown, reason: "the Conditional Access policies are not in the export", evidence: ev,
			action: "export " + evidence.RequestFor(evidence.ConditionalAccessPolicy)}
	case signInRisk || userRisk:
		missing := "user risk"
		if userRisk {
			missing = "sign-in risk"
		}
		return ruling{verdict: NotMet, affected: 1, total: 2, evidence: ev, relies: []evidence.Kind{evidence.ConditionalAccessPolicy},
			reason: "no enabled policy acts on " + missing,
			action: "enable a policy for " + missing + " (Entra ID P2)"}
	}
	return ruling{verdict: NotMet, affected: 2, total: 2, relies: []evidence.Kind{evidence.ConditionalAccessPolicy},
		reason: "no enabled policy acts on sign-in risk or user risk",
		action: "enable one policy for sign-in risk and one for user risk (Entra ID P2)"}
}

// acts reports a policy that demands something of users or blocks them.
func acts(p *access.Policy) bool {
	g := p.GrantControls
	if g == nil || p.Conditions.Workload {
		return false
	}
	return len(g.BuiltInControls)+len(g.CustomFactors)+len(g.TermsOfUse) > 0 || g.Strength != nil
}

func riskDetail(signIn, user bool) string {
	switch {
	case signIn && user:
		return "acts on sign-in risk and user risk"
	case signIn:
		return "acts on sign-in risk"
	}
	return "acts on user risk"
}
