package access

import (
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
)

// Microsoft's change of June 2026 (contracts-2026-11 section 1.3): a policy for
// all resources that leaves some out used to let go sign-ins that ask only for
// baseline scopes (openid, profile, email, offline_access, User.Read and a few
// more). Since then they are decided as sign-ins to Windows Azure Active
// Directory, so the policy applies. It came tenant by tenant over several weeks
// (the last day is an assumption, on the late side).
var (
	baselineFrom = time.Date(2026, 6, 15, 0, 0, 0, 0, time.UTC)
	baselineTo   = time.Date(2026, 8, 31, 0, 0, 0, 0, time.UTC)
)

const baselineCondition = "provided that the tenant's setting for baseline scopes is \"enabled\", " +
	"which is Microsoft's default and in no export (Entra admin centre, Conditional Access, settings)"

// SameMoment reports two moments between which no change of Microsoft's falls that
// the engine knows of: settings decide alike at both.
func SameMoment(a, b time.Time) bool {
	x, y := Tenant{At: a}, Tenant{At: b}
	return x.baseline() == y.baseline()
}

// baseline says whether sign-ins for baseline scopes are decided as sign-ins to
// Windows Azure Active Directory.
func (t *Tenant) baseline() tri {
	switch {
	case strings.EqualFold(t.BaselineScopes, "disabled"):
		return no
	case t.BaselineScopes != "" && !strings.EqualFold(t.BaselineScopes, "enabled"): // a placeholder app of the tenant's own
		return maybe
	case t.At.IsZero(), t.At.Before(baselineTo) && !t.At.Before(baselineFrom):
		return maybe
	case t.At.Before(baselineFrom):
		return no
	}
	return yes
}

// basicScopes says whether a policy on apps takes a sign-in that asks for
// baseline scopes alone.
func basicScopes(include, exclude idSet, changed tri) tri {
	all := include["all"]
	switch {
	case exclude["all"]:
		return no
	case all && len(exclude) == 0:
		return yes
	case all || include[entra.AppAADGraph]:
		return changed.and(triOf(!exclude[entra.AppAADGraph]))
	}
	return no
}

// exceptsApps reports that some policy is for all resources but some.
func (e *Engine) exceptsApps() bool {
	return slices.ContainsFunc(e.policies, func(p *Policy) bool {
		a := &p.Conditions.Applications
		return len(a.ExcludeApplications) > 0 && slices.ContainsFunc(a.IncludeApplications, func(s string) bool { return strings.EqualFold(s, "all") })
	})
}

// hangsOnBaselineScopes reports a proof that would not hold if sign-ins for
// baseline scopes were decided as before the change.
func (e *Engine) hangsOnBaselineScopes(c *compiledQuestion, cohorts []cohort) bool {
	if e.basic < 0 || !slices.Contains(c.classes[dimResource], e.basic) || e.tenant.baseline() != yes || e.tenant.BaselineScopes != "" {
		return false
	}
	d := newDiagram(e, c, true)
	d.before = true
	d.prepare()
	return slices.ContainsFunc(cohorts, func(co cohort) bool { return len(d.roots(&co)) > 0 })
}
