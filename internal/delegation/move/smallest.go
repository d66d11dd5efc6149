//go:build !judge

package move

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"partnerguard/internal/delegation"
	"partnerguard/internal/entra"
	"partnerguard/internal/print"
)

// change chooses the smallest change that comes to what is wanted, and says why.
func (m *maker) change() Customer {
	out, c := &m.out, m.c
	union := m.union()
	if len(union) == 0 {
		return m.nothing()
	}
	why := ""
	target := m.fitting(union, &why)
	if target != nil {
		m.narrow(target, union)
	} else {
		for _, id := range union {
			if reason := m.closed[id]; reason != "" {
				*out = Customer{Tenant: out.Tenant, Name: out.Name, DAP: DAPKeep, Was: out.Was, Words: out.Words}
				return m.keep("%s would have to be asked for anew (%s), since %s: --accept or a pin says that it shall be", roleName(id), reason, why)
			}
		}
		m.replace(union, why)
	}
	for _, r := range m.own {
		if target == nil || r.ID != target.ID {
			out.End = append(out.End, Former{r.ID, print.Clean(r.Name, print.MaxName), m.endWhy(r)})
		}
	}
	m.dap()
	if target != nil && len(out.End) == 0 && !out.Relationship.DropGlobal && m.already(target) {
		if out.DAP == DAPKeep {
			*out = Customer{Tenant: out.Tenant, Name: out.Name, DAP: DAPKeep, Was: out.Was, Words: out.Words}
			return m.keep("it is so already: nothing to change")
		}
		out.Why = "GDAP is as it should be already; DAP goes"
	}
	m.words()
	m.risk()
	if c.DAP == delegation.Unknown {
		m.say("Whether there is DAP was not read: it is left as it is.")
	}
	return *out
}

// union are all roles that any group shall have.
func (m *maker) union() (out []string) {
	for _, group := range slices.Sorted(maps.Keys(m.want)) {
		name := ""
		if g := m.a.Inventory.Groups[group]; g != nil {
			name = print.Clean(g.Name, 60)
		}
		m.out.Groups = append(m.out.Groups, Group{group, name, m.want[group]})
		out = append(out, m.want[group]...)
	}
	return sorted(out)
}

// nothing is the change at a customer where nobody needs anything by GDAP.
func (m *maker) nothing() Customer {
	if len(m.own) == 0 {
		if m.c.DAP == delegation.Yes {
			return m.keep("there is DAP, and no role is known that anybody needs there: say which with --to template.yaml")
		}
		return m.keep("the partner has no access there")
	}
	for _, r := range m.own {
		m.out.End = append(m.out.End, Former{r.ID, print.Clean(r.Name, print.MaxName), "no act needed it, and nothing of it is kept"})
	}
	m.say("Afterwards nobody of the partner has access there by GDAP.")
	m.risk()
	if m.a.Template != nil {
		return m.keep("the template gives nobody anything there: the relationships end")
	}
	return m.keep("no act needed any of the relationships: they end")
}

// fitting is the active relationship that can carry what is wanted without anybody's
// approval: with the fewest roles besides, then the latest end. why says why there is none.
func (m *maker) fitting(union []string, why *string) (best *delegation.Relationship) {
	*why = "there is no active relationship"
	var extra int
	for _, r := range m.own {
		name := print.Clean(r.Name, 60)
		roles := sorted(r.Roles)
		more := beyond(beyond(roles, union), []string{entra.RoleGlobalAdministrator})
		switch {
		case len(beyond(union, roles)) > 0:
			*why = fmt.Sprintf("%s lacks %s, and no role can be added to an active relationship", name, named(beyond(union, roles)))
		case r.Microsoft || strings.HasPrefix(r.Name, "MLT_"):
			*why = name + " was made by Microsoft's transition, with roles that nobody chose"
		case slices.ContainsFunc(roles, legacy):
			*why = name + " holds Partner Tier1 or Tier2 Support, which Microsoft says not to use and which reach Global Administrator"
		case m.a.Tight && len(more) > 0:
			*why = fmt.Sprintf("%s holds %d roles that are not needed, and they cannot be taken out of an active relationship", name, len(more))
		case !r.End.IsZero() && r.End.Sub(m.a.Now) < nearEnd && !extends(r, union):
			*why = fmt.Sprintf("%s ends on %s, and would not be extended", name, r.End.UTC().Format("2006-01-02"))
		case best == nil, len(more) < extra, len(more) == extra && r.End.After(best.End):
			best, extra = r, len(more)
		}
	}
	return best
}

// extends says that a relationship goes on by itself, as it will be.
func extends(r *delegation.Relationship, union []string) bool {
	return r.AutoExtend != "" && r.AutoExtend != "PT0S" && r.AutoExtend != "P0D" && !slices.Contains(union, entra.RoleGlobalAdministrator)
}

func (m *maker) narrow(r *delegation.Relationship, union []string) {
	roles := sorted(r.Roles)
	drop := slices.Contains(roles, entra.RoleGlobalAdministrator) && !slices.Contains(union, entra.RoleGlobalAdministrator)
	if drop {
		roles = beyond(roles, []string{entra.RoleGlobalAdministrator})
	}
	m.out.Change = Narrow
	m.out.Relationship = &Relationship{ID: r.ID, Name: print.Clean(r.Name, print.MaxName), Roles: roles, DropGlobal: drop}
	m.out.Why = fmt.Sprintf("%s is active and holds all that is needed: its groups get fewer roles, and nobody has to approve", print.Clean(r.Name, 60))
	if more := beyond(roles, union); len(more) > 0 {
		m.say("The relationship still holds %s: an Admin Agent could give them to a group again. --tight has a new one made instead, which the "+
			"customer approves.", named(more))
	}
	if drop {
		m.say("Global Administrator is taken out of the relationship for good.")
	}
}

func (m *maker) replace(union []string, why string) {
	m.out.Change = Replace
	m.out.Relationship = &Relationship{Name: m.title(), Duration: longest, Roles: union}
	if !slices.Contains(union, entra.RoleGlobalAdministrator) {
		m.out.Relationship.AutoExtend = "P180D"
	} else {
		m.say("With Global Administrator the relationship cannot extend itself: it ends after two years.")
	}
	m.out.Why = print.Clean(why+": a new relationship, which the customer approves", print.MaxSaying)
}

// title is the name of a new relationship: plain, and no other plan's.
func (m *maker) title() string {
	sum := sha256.Sum256([]byte(m.a.Seed + " " + m.out.Tenant))
	slug := strings.Map(func(r rune) rune {
		if r < 0x80 && (r >= '0' && r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'z') {
			return r
		}
		return '-'
	}, cmp.Or(m.c.Domain, m.c.Name))
	for strings.Contains(slug, "--") {
		slug = strings.ReplaceAll(slug, "--", "-")
	}
	slug = strings.Trim(slug[:min(len(slug), 28)], "-")
	return strings.Trim("PG-"+slug, "-") + "-" + hex.EncodeToString(sum[:4])
}

func (m *maker) endWhy(r *delegation.Relationship) string {
	switch {
	case r.Microsoft || strings.HasPrefix(r.Name, "MLT_"):
		return "made by Microsoft's transition; replaced"
	case slices.ContainsFunc(sorted(r.Roles), legacy):
		return "holds Partner Tier1 or Tier2 Support; replaced"
	}
	return "what is needed of it is in the other relationship"
}

// dap decides what becomes of DAP.
func (m *maker) dap() {
	switch {
	case m.c.DAP != delegation.Yes:
	case m.a.KeepDAP:
		m.say("DAP stays, as was asked: with it Admin Agents act as Global Administrator there.")
	default:
		m.out.DAP = DAPRemove
		m.say("DAP is taken away: the reseller relationship, orders and subscriptions stay. It cannot be brought back but by a new invitation.")
	}
}

// already says that a relationship's groups have just what is wanted.
func (m *maker) already(r *delegation.Relationship) bool {
	have := map[string][]string{}
	for _, a := range r.Assignments {
		if a.Active {
			group := strings.ToLower(a.Group)
			have[group] = sorted(append(have[group], a.Roles...))
		}
	}
	return maps.EqualFunc(have, m.want, same)
}

// words say what the change means for those who work there.
func (m *maker) words() {
	for _, g := range m.out.Groups {
		var lost []string
		for _, x := range m.out.Goes {
			if x.Group == g.ID && !slices.Contains(lost, x.Role) {
				lost = append(lost, x.Role)
			}
		}
		if len(lost) > 0 {
			m.say("%s keeps %s and loses %s.", groupName(g.ID, g.Name), named(g.Roles), named(lost))
		} else {
			m.say("%s has %s.", groupName(g.ID, g.Name), named(g.Roles))
		}
	}
	for i := range m.out.Stays {
		if s := &m.out.Stays[i]; s.Role == entra.RoleGlobalAdministrator || s.Role == entra.RolePrivilegedRoleAdministrator ||
			s.Role == entra.RolePrivilegedAuthenticationAdministrator {
			m.say("%s stays though no act needed it, because nothing shows that it is unused: --drop-unseen lets it go.", roleName(s.Role))
		}
	}
	for _, w := range m.out.Was.Relationships {
		if slices.ContainsFunc(w.Roles, legacy) {
			m.say("%s held Partner Tier1 or Tier2 Support, which nobody is given any more.", w.Name)
		}
	}
}

// risk is how much may go wrong: the higher, the later a customer's turn comes.
func (m *maker) risk() {
	out := &m.out
	r := len(out.End) + len(out.Groups)
	for _, g := range out.Goes {
		if r++; g.Sure != "evidence" {
			r += 2
		}
	}
	if out.Change == Replace {
		r += 3
	}
	if out.DAP == DAPRemove {
		r += 5
	}
	people := map[string]bool{}
	for _, w := range out.Was.Relationships {
		for _, g := range w.Groups {
			if x := m.a.Inventory.Groups[g.Group]; x != nil {
				for _, p := range x.Members {
					people[p.Person] = true
				}
			}
		}
	}
	out.Risk = r + min(len(people), 20)
}
