package assess

import (
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/lenient"
	"partnerguard/internal/partner"
)

// fromScore takes Microsoft's own finding where the rule is Microsoft's item
// and nothing else decides it.
func (a *assessor) fromScore(r *partner.ScoreRequirement, what, action string) ruling {
	ok, known := r.Compliant()
	ev := []Evidence{{Subject: "partner security score", Detail: fmt.Sprintf("%s: %s%s", r.Type, statusOf(r), scoreDetail(r)),
		RecordID: r.ID, Observed: ref(r.Updated.Time), Source: r.Source}}
	total, good := scoreCounts(r)
	out := ruling{evidence: ev, action: "export /beta/security/partner/securityScore/requirements anew (PartnerSecurity.Read.All)", total: total,
		affected: max(total-good, 0)}
	switch {
	case !known:
		out.verdict, out.reason, out.affected = Unknown, fmt.Sprintf("Microsoft's score gives no known status for %s (%q)", what, string(r.ComplianceStatus)), 0
	case strings.EqualFold(string(r.State), "preview"):
		out.verdict, out.reason, out.affected = Unknown, "Microsoft's score shows this item as a preview that is not counted yet", 0
	case ok && out.affected > 0:
		out.verdict, out.affected, out.against = Unknown, 0, true
		out.reason = "Microsoft's score records it as compliant, but its own numbers do not" + scoreDetail(r)
	case ok:
		out.verdict, out.reason, out.affected = Met, "Microsoft's score records it as compliant"+scoreDetail(r), 0
		out.action, out.relies = "", []evidence.Kind{evidence.SecurityRequirement}
	default:
		out.verdict, out.reason, out.action = NotMet, "Microsoft's score records it as not compliant"+scoreDetail(r), action
		out.affected = max(out.affected, 1)
	}
	return out
}

// statusOf is Microsoft's own status in words: its schema spells one of them
// "noncomplaint". One that is not known is shown as it is.
func statusOf(r *partner.ScoreRequirement) string {
	if good, known := r.Compliant(); known && good {
		return "compliant"
	} else if known {
		return "not compliant"
	}
	return fmt.Sprintf("status %q", nonEmpty(string(r.ComplianceStatus), string(r.State)))
}

// besideScore weighs a ruling of ours beside Microsoft's own status of the same
// matter. Where Microsoft says the opposite both are shown: its status never
// makes good what the export shows, and it keeps a verdict from being met.
func (a *assessor) besideScore(ru ruling, r *partner.ScoreRequirement) ruling {
	if ru.verdict == Met { // what Microsoft says of it may be in the part that was not read
		ru.heeds = append(slices.Clip(ru.heeds), evidence.SecurityRequirement)
	}
	if r == nil || ru.verdict == Unknown {
		return ru
	}
	good, known := r.Compliant()
	if !known || good == (ru.verdict == Met) {
		return ru
	}
	status := statusOf(r) + scoreDetail(r)
	e := Evidence{Subject: "partner security score", Detail: fmt.Sprintf("%s: %s", r.Type, status), RecordID: r.ID, Observed: ref(r.Updated.Time),
		Source: r.Source}
	both := e
	both.Detail = fmt.Sprintf("the export says: %s; Microsoft's score says of %s: %s", ru.reason, r.Type, status)
	a.disagreements = append(a.disagreements, both)
	if ru.verdict != Met {
		return ru
	}
	return ruling{verdict: Unknown, total: ru.total, evidence: append([]Evidence{e}, ru.evidence...), against: true,
		reason: ru.reason + ", but Microsoft's score records it as not compliant" + scoreDetail(r),
		action: "look at the item in Partner Center under Security requirements: what Microsoft counts against it is not in the export"}
}

// scoreCounts gives total and compliant of the derived requirement types.
func scoreCounts(r *partner.ScoreRequirement) (total, good int) {
	switch {
	case r.TotalTenants.Set:
		return int(r.TotalTenants.Value), int(r.CompliantTenants.Value)
	case r.TotalCustomers.Set:
		return int(r.TotalCustomers.Value), int(r.CustomersBudgeted.Value)
	}
	return 0, 0
}

func scoreDetail(r *partner.ScoreRequirement) string {
	switch {
	case r.TotalTenants.Set:
		return fmt.Sprintf(" (%d of %d tenants)", r.CompliantTenants.Value, r.TotalTenants.Value)
	case r.TotalCustomers.Set:
		return fmt.Sprintf(" (%d of %d customers)", r.CustomersBudgeted.Value, r.TotalCustomers.Value)
	case r.AverageResponseHours != nil:
		return fmt.Sprintf(" (%.1f hours on average)", *r.AverageResponseHours)
	case r.TotalAdmins.Set && r.AdminsWithMFA.Set:
		out := fmt.Sprintf(" (%d of %d administrators with MFA", r.AdminsWithMFA.Value, r.TotalAdmins.Value)
		if r.AdminsWithoutMFA.Value > 0 {
			out += fmt.Sprintf(", %d asked for it and without", r.AdminsWithoutMFA.Value)
		}
		return out + ")"
	case r.TotalAdmins.Set:
		return fmt.Sprintf(" (%d of %d administrators not using MFA)", r.AdminsWithoutMFA.Value, r.TotalAdmins.Value)
	}
	return ""
}

func (a *assessor) scoreOnly(kind, what, action string) ruling {
	if r := a.Requirements[strings.ToLower(kind)]; r != nil {
		return a.fromScore(r, what, action)
	}
	return ruling{verdict: Unknown, reason: "Microsoft's security requirements are not in the export, and nothing else shows it",
		action: "export " + evidence.RequestFor(evidence.SecurityRequirement)}
}

func (a *assessor) securityContact() ruling {
	return a.scoreOnly("securityContactProvided", "the security contact",
		"enter a security contact in Partner Center: Settings, Account settings, Security contact")
}

func (a *assessor) customerAdminMFA() ruling {
	ru := a.scoreOnly("mfaEnforcedForAdminsOfCustomers", "customers' administrators",
		"help each customer to turn on security defaults or Conditional Access for its administrators")
	if ru.verdict != Met {
		return ru
	}
	ru.heeds = []evidence.Kind{evidence.CustomerInsight}
	var bare []Evidence
	for _, in := range sorted(a.Insights) {
		if m := &in.MFA; off(m.Defaults) && off(m.Policy) && off(m.Legacy) {
			bare = append(bare, Evidence{Subject: in.TenantID, Detail: "neither security defaults nor an MFA policy nor per-user MFA is on",
				RecordID: in.TenantID, Source: in.Source})
		}
	}
	if len(bare) == 0 {
		return ru
	}
	for _, e := range bare {
		e.Detail = "Microsoft's score says of " + string(a.Requirements[strings.ToLower("mfaEnforcedForAdminsOfCustomers")].Type) +
			": compliant; its list of customers says: " + e.Detail
		a.disagreements = append(a.disagreements, e)
	}
	return ruling{verdict: Unknown, total: ru.total, evidence: append(bare, ru.evidence...), against: true,
		reason: fmt.Sprintf("%s, but by its list of customers %s no means on that asks for MFA", ru.reason, count(len(bare), "customer has", "customers have")),
		action: "look at the customers named, and export both lists anew"}
}

func off(s lenient.String) bool { return strings.EqualFold(string(s), "disabled") }

// scoreView shows Microsoft's view as exported, apart from the contract.
func (a *assessor) scoreView() ScoreView {
	v := ScoreView{Requirements: []ScoreRequirement{}}
	if s := a.Score; s != nil {
		v.Available, v.Current, v.Max, v.Updated = true, s.Current, s.Max, ref(s.Updated.Time)
	}
	for _, r := range sorted(a.Requirements) {
		verdict := Unknown
		if ok, known := r.Compliant(); known && ok {
			verdict = Met
		} else if known {
			verdict = NotMet
		}
		v.Available = true
		v.Requirements = append(v.Requirements, ScoreRequirement{Type: string(r.Type), Verdict: verdict, Score: r.Score, MaxScore: r.MaxScore,
			State: string(r.State), Detail: strings.Trim(scoreDetail(r), " ()")})
	}
	return v
}
