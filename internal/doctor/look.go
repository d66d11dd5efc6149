package doctor

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
)

// extent is how much of a list was read, and why it is not more.
func extent(f *facts.Facts, k evidence.Kind) (evidence.Extent, []evidence.Cut) {
	return f.Extent(k), f.Cuts(k)
}

// licenceOf reads the tenant's edition from its licences; "" when they are not
// whole.
func licenceOf(f *facts.Facts) evidence.Licence {
	if x, _ := extent(f, evidence.SubscribedSku); x != evidence.Entire {
		return ""
	}
	switch {
	case f.Directory.HasServicePlan("AAD_PREMIUM_P2", "Entra_Identity_Governance", "ENTRA_ID_GOVERNANCE", "Entra_Premium_Identity_Governance"):
		return evidence.P2
	case f.Directory.HasServicePlan("AAD_PREMIUM"):
		return evidence.P1
	}
	return evidence.Free
}

// names is what policies and role assignments name that another list holds.
type names struct {
	known     bool            // the policies are whole: what is not named here is not named
	groups    map[string]bool // lower-case ids
	roles     bool
	places    bool
	strengths bool
	users     bool // an account by its id
	// tenant is what the access engine decides by, with what it misses.
	tenant *access.Tenant
	missed map[string]map[evidence.Kind]bool // what the proof of a rule misses
}

func named(f *facts.Facts) names {
	x, _ := extent(f, evidence.ConditionalAccessPolicy)
	n := names{known: x == evidence.Entire, groups: map[string]bool{}}
	for _, p := range f.Policies {
		if p.State == access.Disabled {
			continue
		}
		u := &p.Conditions.Users
		for _, id := range slices.Concat(u.IncludeGroups, u.ExcludeGroups) {
			n.groups[strings.ToLower(id)] = true
		}
		n.roles = n.roles || len(u.IncludeRoles)+len(u.ExcludeRoles) > 0
		n.users = n.users || slices.ContainsFunc(slices.Concat(u.IncludeUsers, u.ExcludeUsers), isID)
		for _, l := range p.Conditions.Locations.Items {
			for _, id := range slices.Concat(l.IncludeLocations, l.ExcludeLocations) {
				n.places = n.places || !strings.EqualFold(id, "All")
			}
		}
		if g := p.GrantControls; g != nil && g.Strength != nil {
			n.strengths = n.strengths || !strings.HasPrefix(g.Strength.ID, builtInStrength) && len(g.Strength.AllowedCombinations.Items) == 0
		}
	}
	for _, a := range f.Directory.Assignments {
		id := strings.ToLower(a.PrincipalID)
		if f.Directory.Groups[id] != nil || a.Principal != nil && strings.HasSuffix(strings.ToLower(a.Principal.Type), "group") {
			n.groups[id] = true
		}
		n.users = true
	}
	delete(n.groups, "")
	n.tenant = f.Tenant()
	return n
}

// builtInStrength begins the ids of Microsoft's own strengths, whose
// combinations are known (contracts.md section 3.6).
const builtInStrength = "00000000-0000-0000-0000-0000000000"

func isID(s string) bool { return len(s) == 36 && strings.Count(s, "-") == 4 }

// asks says whether a kind that a rule may need is needed; known is false while
// the lists that would name it are not whole.
func (n *names) asks(k evidence.Kind, rule string) (need, known bool) {
	if n.missed[rule][k] {
		return true, true
	}
	switch k {
	case evidence.Group:
		need = len(n.groups) > 0
	case evidence.NamedLocation:
		need = n.places
	case evidence.AuthenticationStrength:
		need = n.strengths
	case evidence.RoleAssignment, evidence.RoleEligibility:
		need = n.roles
	case evidence.GroupEligibility:
		need = len(n.tenant.OpenActivation) > 0
	default:
		need = true
	}
	return need, need || n.known
}

// within looks into a list that is there for what a page or a count does not
// show: members that are cut, a log that is too short.
func within(f *facts.Facts, k evidence.Kind, n *names) (cuts []evidence.Cut) {
	switch k {
	case evidence.Group:
		return groupCuts(f, n)
	case evidence.SignIn:
		return logCuts(f)
	case evidence.User:
		without := 0
		for _, u := range f.Directory.Users {
			if u.ID == "" {
				without++
			}
		}
		if without > 0 && (n.users || len(n.groups) > 0) {
			why := fmt.Sprintf("says no id of %d of its %d accounts, so what is named by id cannot be matched", without, len(f.Directory.Users))
			cuts = append(cuts, evidence.Cut{Kind: k, Why: why})
		}
	case evidence.Customer:
		silent := 0
		for _, c := range f.Customers {
			if !c.AllowDelegatedAccess.Set {
				silent++
			}
		}
		if silent > 0 {
			cuts = append(cuts, evidence.Cut{Kind: k, Why: fmt.Sprintf("does not say allowDelegatedAccess for %d of %d customers", silent, len(f.Customers))})
		}
	}
	return cuts
}

// groupCuts are the groups that count and whose members are not all known, as
// the access engine sees them.
func groupCuts(f *facts.Facts, n *names) (cuts []evidence.Cut) {
	for _, id := range slices.Sorted(maps.Keys(n.groups)) {
		g := f.Directory.Groups[id]
		cut := evidence.Cut{Kind: evidence.Group}
		what, request := evidence.SplitAsk(n.tenant.OpenGroups[id])
		switch {
		case g == nil:
			cut.Why = "does not hold the group " + id
		case what != "":
			cut.Why, cut.Source = "does not show "+what, g.Source
		default:
			continue
		}
		cut.Request = request
		if cuts = append(cuts, cut); len(cuts) == evidence.MaxCuts {
			break
		}
	}
	return cuts
}

// logDays is how long a log has to be before absence in it says something.
const logDays = 30

func logCuts(f *facts.Facts) (cuts []evidence.Cut) {
	add := func(format string, args ...any) {
		cuts = append(cuts, evidence.Cut{Kind: evidence.SignIn, Why: fmt.Sprintf(format, args...)})
	}
	s := f.SignIns
	if s == nil || s.Rows == 0 {
		return nil
	}
	if s.WithoutMFAFields == s.Rows {
		add("comes from v1.0 or another form that lacks every field that shows MFA")
	}
	var interactive, others int64
	for i := range s.Accounts {
		interactive += s.Accounts[i].Interactive.Total()
		others += s.Accounts[i].NonInteractive.Total()
	}
	switch {
	case s.First.IsZero():
		add("says of no row when it was")
	case s.Last.Sub(s.First) < (logDays-1)*24*time.Hour:
		add("reaches from %s to %s, less than %d days", s.First.UTC().Format(time.DateOnly), s.Last.UTC().Format(time.DateOnly), logDays)
	}
	switch {
	case others == 0:
		add("has no non-interactive sign-in: they are asked for apart")
	case interactive == 0:
		add("has no interactive sign-in: they are asked for apart")
	}
	return cuts
}
