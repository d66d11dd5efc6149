package coverage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/print"
)

// The states of a policy, in words.
const (
	stateOn     = "on"
	stateReport = "report-only"
	stateOff    = "off"
)

func stateOf(p *access.Policy) string {
	switch {
	case p.Enforced():
		return stateOn
	case p.ReportOnly():
		return stateReport
	case strings.EqualFold(string(p.State), string(access.Disabled)):
		return stateOff
	}
	return cmp.Or(print.Clean(string(p.State), 40), "not said")
}

// policies makes the rows of the list: those of the tenant, and what acts like one.
func (p *Part) policies(in *Input, m *access.Matrix) {
	t := in.Engine.Tenant()
	left := slices.Clone(m.Policies)
	use := func(id, name string) *access.MatrixPolicy {
		i := slices.IndexFunc(left, func(x access.MatrixPolicy) bool { return x.ID == id && x.Name == name })
		if i < 0 {
			return nil
		}
		x := left[i]
		left = slices.Delete(left, i, i+1)
		return &x
	}
	w := words{t}
	for _, pol := range t.Policies {
		row := Policy{ID: pol.ID, Name: cmp.Or(pol.DisplayName, pol.ID), State: stateOf(pol), Modified: pol.Modified.Time, Workload: pol.Conditions.Workload,
			Takes: w.takes(pol), Leaves: w.leaves(pol), Of: p.Counts.Cells, LeavesN: w.named(pol.Conditions.Users.ExcludeUsers)}
		if row.Modified.IsZero() {
			row.Modified = pol.CreatedDateTime.Time
		}
		if u := use(pol.ID, pol.DisplayName); u != nil {
			row.fill(u)
		}
		if in.Changed != nil {
			row.By, row.ByAt = in.Changed(pol.ID)
		}
		p.Policy = append(p.Policy, row)
	}
	for i := range left { // security defaults, per-user MFA and the like
		if left[i].Takes == 0 {
			continue
		}
		row := Policy{ID: left[i].ID, Name: left[i].Name, State: stateOn, Builtin: true, Takes: []string{}, Leaves: []string{}, Of: p.Counts.Cells}
		row.fill(&left[i])
		p.Policy = append(p.Policy, row)
	}
}

func (p *Policy) fill(u *access.MatrixPolicy) {
	p.Asks, p.Misread, p.Cells, p.Alone, p.Closes = u.Asks, u.Misread, u.Takes, u.Alone, u.Closes
}

// words says in words whom and what a policy takes and leaves out. Accounts are
// counted, never named.
type words struct{ t *access.Tenant }

func (w words) names(what string, ids []string) (out []string) {
	for _, id := range ids {
		if id = strings.ToLower(id); id != "" {
			out = append(out, what+cmp.Or(w.t.Names[id], id))
		}
	}
	return out
}

// named counts the ids that are of single accounts.
func (w words) named(ids []string) (n int) {
	for _, id := range ids {
		switch strings.ToLower(id) {
		case "all", "none", "guestsorexternalusers", "":
		default:
			n++
		}
	}
	return n
}

func (w words) users(ids []string) (out []string) {
	for _, id := range ids {
		switch strings.ToLower(id) {
		case "all":
			out = append(out, "all users")
		case "guestsorexternalusers":
			out = append(out, "guests")
		case "none":
			out = append(out, "nobody")
		}
	}
	if n := w.named(ids); n > 0 {
		out = append(out, print.Plural(int64(n), "accounts")+" by name")
	}
	return out
}

func (w words) apps(ids []string) (out []string) {
	for _, id := range ids {
		switch strings.ToLower(id) {
		case "all":
			out = append(out, "all apps")
		case "":
		default:
			out = append(out, w.t.AppName(id))
		}
	}
	return out
}

func (w words) places(ids []string) (out []string) {
	for _, id := range ids {
		switch strings.ToLower(id) {
		case "all":
			out = append(out, "anywhere")
		case "alltrusted":
			out = append(out, "trusted places")
		case "":
		default:
			name := id
			for _, l := range w.t.Locations {
				if strings.EqualFold(l.ID, id) {
					name = cmp.Or(l.DisplayName, id)
				}
			}
			out = append(out, name)
		}
	}
	return out
}

func (w words) takes(p *access.Policy) []string {
	c := &p.Conditions
	out := slices.Concat(w.users(c.Users.IncludeUsers), w.names("group ", c.Users.IncludeGroups), w.names("role ", c.Users.IncludeRoles))
	if len(c.Users.IncludeExternals.Items) > 0 {
		out = append(out, "guests and external users")
	}
	out = append(out, w.apps(c.Applications.IncludeApplications)...)
	for _, a := range c.Applications.UserActions {
		out = append(out, strings.TrimPrefix(a, "urn:user:"))
	}
	if len(c.Applications.Contexts) > 0 {
		out = append(out, print.Plural(int64(len(c.Applications.Contexts)), "authentication contexts"))
	}
	if len(c.ClientAppTypes) > 0 && !slices.ContainsFunc(c.ClientAppTypes, func(s string) bool { return strings.EqualFold(s, "all") }) {
		out = append(out, "clients: "+strings.Join(c.ClientAppTypes, ", "))
	}
	for i := range c.Locations.Items {
		out = append(out, w.places(c.Locations.Items[i].IncludeLocations)...)
	}
	for i := range c.Platforms.Items {
		if l := c.Platforms.Items[i].Include; len(l) > 0 {
			out = append(out, "platforms: "+strings.Join(l, ", "))
		}
	}
	for _, r := range []struct {
		name string
		list []string
	}{{"sign-in risk", c.SignInRiskLevels}, {"user risk", c.UserRiskLevels}, {"insider risk", c.InsiderRisk}} {
		if len(r.list) > 0 {
			out = append(out, r.name+": "+strings.Join(r.list, ", "))
		}
	}
	for i := range c.Flows.Items {
		out = append(out, "flow: "+strings.Join(c.Flows.Items[i].TransferMethods, ", "))
	}
	for i := range c.Devices.Items {
		if f := c.Devices.Items[i].Filter; f != nil {
			out = append(out, fmt.Sprintf("devices: %s where %s", cmp.Or(string(f.Mode), "filter"), f.Rule))
		}
	}
	return cleaned(out)
}

func (w words) leaves(p *access.Policy) []string {
	c := &p.Conditions
	out := slices.Concat(w.users(c.Users.ExcludeUsers), w.names("group ", c.Users.ExcludeGroups), w.names("role ", c.Users.ExcludeRoles))
	if len(c.Users.ExcludeExternals.Items) > 0 {
		out = append(out, "guests and external users")
	}
	out = append(out, w.apps(c.Applications.ExcludeApplications)...)
	for i := range c.Locations.Items {
		out = append(out, w.places(c.Locations.Items[i].ExcludeLocations)...)
	}
	for i := range c.Platforms.Items {
		if l := c.Platforms.Items[i].Exclude; len(l) > 0 {
			out = append(out, "platforms: "+strings.Join(l, ", "))
		}
	}
	return cleaned(out)
}

// maxWords bounds the clauses of one policy that are shown.
const maxWords = 20

func cleaned(list []string) []string {
	out := []string{}
	for i, s := range list {
		if i == maxWords {
			return append(out, fmt.Sprintf("and %d more", len(list)-i))
		}
		out = append(out, print.Clean(s, 120))
	}
	return out
}

// changed is when the policy was changed last, as far as anything says.
func (p *Policy) changed() time.Time {
	if p.ByAt.After(p.Modified) {
		return p.ByAt
	}
	return p.Modified
}
