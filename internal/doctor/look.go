package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
)

// extents is what facts say of how much of each list was read.
type extents interface {
	Extent(evidence.Kind) evidence.Extent
	Cuts(evidence.Kind) []evidence.Cut
}

// extent asks the facts how much of a list was read, and why it is not more.
func extent(f *facts.Facts, k evidence.Kind) (evidence.Extent, []evidence.Cut) {
	if x, ok := any(f).(extents); ok {
		return x.Extent(k), x.Cuts(k)
	}
	there := f.Seen[k] > 0
	var cuts []evidence.Cut
	for i := range f.Inputs {
		in := &f.Inputs[i]
		for _, c := range in.Cuts {
			if c.Kind == k {
				there, cuts = true, append(cuts, c)
			}
		}
		if _, here := in.Kinds[k]; !here {
			continue
		}
		there = true
		switch {
		case in.NextLink:
			cuts = append(cuts, evidence.Cut{Kind: k, Why: "ends with a link to a further page that is not here", Source: evidence.Source{Path: in.Path}})
		case in.Status != evidence.Read:
			cuts = append(cuts, evidence.Cut{Kind: k, Why: "could only be read in part", Source: evidence.Source{Path: in.Path}})
		}
	}
	switch {
	case len(cuts) > 0:
		return evidence.Partly, cuts
	case there:
		return evidence.Entire, nil
	}
	return evidence.Absent, nil
}

// licenceOf reads the tenant's edition from its licences; "" when they are not
// whole.
func licenceOf(f *facts.Facts) evidence.Licence {
	if x, _ := extent(f, evidence.SubscribedSku); x != evidence.Entire {
		return ""
	}
	switch {
	case f.Directory.HasServicePlan("AAD_PREMIUM_P2"):
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
	return n
}

// builtInStrength begins the ids of Microsoft's own strengths, whose
// combinations are known (contracts.md section 3.6).
const builtInStrength = "00000000-0000-0000-0000-0000000000"

func isID(s string) bool { return len(s) == 36 && strings.Count(s, "-") == 4 }

// asks says whether a kind that a rule may need is needed; known is false while
// the lists that would name it are not whole.
func (n *names) asks(k evidence.Kind) (need, known bool) {
	switch k {
	case evidence.Group:
		need = len(n.groups) > 0
	case evidence.NamedLocation:
		need = n.places
	case evidence.AuthenticationStrength:
		need = n.strengths
	case evidence.RoleAssignment, evidence.RoleEligibility:
		need = n.roles
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

// expanded is where Graph cuts an expanded list without a word.
const expanded = 20

// groupCuts looks at the members of the groups that count, and of those in them.
func groupCuts(f *facts.Facts, n *names) (cuts []evidence.Cut) {
	x, _ := extent(f, evidence.Group)
	todo, done := []string{}, map[string]bool{}
	for id := range n.groups {
		todo = append(todo, id)
	}
	slices.Sort(todo)
	for len(todo) > 0 && len(cuts) < evidence.MaxCuts {
		id := todo[0]
		todo = todo[1:]
		if done[id] {
			continue
		}
		done[id] = true
		g := f.Directory.Groups[id]
		why := ""
		switch {
		case g == nil && x == evidence.Entire:
			continue // deleted since: nobody is in it
		case g == nil:
			why = "does not hold the group " + id
		case !g.Members.Set:
			why = "does not say the members of " + name(g)
		case len(g.Members.Items) == expanded:
			why = fmt.Sprintf("has exactly %d members in %s, as many as $expand gives at most", expanded, name(g))
		}
		if why != "" {
			cut := evidence.Cut{Kind: evidence.Group, Why: why}
			if g != nil {
				cut.Source = g.Source
			}
			cuts = append(cuts, cut)
		}
		if g == nil {
			continue
		}
		for _, m := range g.Members.Items {
			if strings.HasSuffix(strings.ToLower(m.Type), "group") || f.Directory.Groups[strings.ToLower(m.ID)] != nil {
				todo = append(todo, strings.ToLower(m.ID))
			}
		}
	}
	return cuts
}

func name(g *directory.Group) string {
	if g.DisplayName != "" {
		return g.DisplayName
	}
	return g.ID
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
