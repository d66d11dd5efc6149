//go:build !judge

package move

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/recommend"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// Ask is what a plan is made of. Nothing of it is asked of anybody: making a plan sends no
// request.
type Ask struct {
	Cloud      string
	Now        time.Time
	Seed       string // of the names of new relationships: another plan has others
	Inventory  *delegation.Inventory
	Result     *recommend.Result // nil with a template alone
	Template   *Template         // nil: what was recommended
	Customers  []string          // tenant ids or domains; nil is all
	Pins       []recommend.Pin   // for a template; a recommendation has them already
	DropUnseen bool              // roles without evidence go, too
	Tight      bool              // a new relationship also where an active one would do, and holds more
	KeepDAP    bool
	Stages     []int // nil: 5, 25, 100
}

// ends says how near the end of a relationship makes a new one better.
const nearEnd = 60 * 24 * time.Hour

// longest is how long a new relationship lasts: as long as Microsoft lets it (contracts.md
// section 3.11).
const longest = "P730D"

// Make makes a plan.
func Make(a *Ask) (Plan, error) {
	inv := a.Inventory
	switch {
	case inv == nil || a.Result == nil && a.Template == nil:
		return Plan{}, problem.New(problem.Internal, "a plan is made of an inventory, and of a recommendation or a template")
	case !guid.MatchString(strings.ToLower(inv.Tenant)):
		return Plan{}, problem.New(problem.BadInput, "it is not known which partner's tenant this is").
			WithHint("collect the partner's organization, and try again")
	}
	p := Plan{Version: 1, Cloud: a.Cloud, Tenant: strings.ToLower(inv.Tenant), Made: a.Now.UTC().Truncate(time.Second), Facts: inv.AsOf.UTC(), To: "least",
		Stages: a.Stages, Roles: map[string]string{}}
	if a.Template != nil {
		p.To = a.Template.Name
	}
	if len(p.Stages) == 0 {
		p.Stages = []int{5, 25, 100}
	}
	if err := a.known(); err != nil {
		return p, err
	}
	chosen, err := a.chosen()
	if err != nil {
		return p, err
	}
	for _, c := range chosen {
		m := maker{a: a, c: c, want: map[string][]string{}, closed: map[string]string{}, others: map[string][]string{}}
		out := m.customer()
		if out.Change == Keep && len(out.End) == 0 && out.DAP == DAPKeep {
			p.Unchanged = append(p.Unchanged, Unchanged{out.Tenant, out.Name, out.Why})
			continue
		}
		p.Customers = append(p.Customers, out)
	}
	if len(p.Customers) == 0 {
		why := "nobody was chosen"
		if len(p.Unchanged) > 0 {
			why = fmt.Sprintf("of %s: %s", p.Unchanged[0].Name, p.Unchanged[0].Why)
		}
		return p, problem.New(problem.Conflict, "there is nothing to change at %d customers; %s", len(p.Unchanged), why).
			WithHint("partnerguard delegation recommend shows what is needed; --drop-unseen lets roles go that nothing shows the use of")
	}
	p.stages()
	p.names()
	b, _ := json.Marshal(p.Customers) // texts, numbers and times alone
	sum := sha256.Sum256(b)
	p.From = "sha256/" + hex.EncodeToString(sum[:16])
	return p, p.Check()
}

// known refuses a template with a group that is not there: a plan of it would give nobody
// anything, and end what is.
func (a *Ask) known() error {
	if a.Template == nil || !a.Inventory.Lists["groups"].Whole || len(a.Inventory.Spare) >= delegation.MaxSpare {
		return nil
	}
	for _, g := range a.Template.Groups {
		if x := a.Inventory.Groups[g.ID]; (x == nil || !x.Known) && a.Inventory.Spare[g.ID] == "" {
			return problem.New(problem.NotFound, "the template's group %s is none of the partner's security groups", g.ID).
				WithHint("write the id of a group of your own tenant; partnerguard delegation list --customer C shows those in use")
		}
	}
	return nil
}

// chosen are the customers that a plan is for.
func (a *Ask) chosen() (out []*delegation.Customer, err error) {
	wanted := map[string]bool{}
	for _, s := range a.Customers {
		wanted[strings.ToLower(s)] = true
	}
	for i := range a.Inventory.Customers {
		c := &a.Inventory.Customers[i]
		tenant, domain := strings.ToLower(c.Tenant), strings.ToLower(c.Domain)
		if a.Customers != nil && !wanted[tenant] && !wanted[domain] || !guid.MatchString(tenant) {
			continue
		}
		delete(wanted, tenant)
		delete(wanted, domain)
		out = append(out, c)
	}
	for _, left := range slices.Sorted(maps.Keys(wanted)) {
		return nil, problem.New(problem.NotFound, "%.80q is no customer that is known", left).WithHint("partnerguard delegation list shows them")
	}
	slices.SortFunc(out, func(a, b *delegation.Customer) int { return strings.Compare(a.Tenant, b.Tenant) })
	return out, nil
}

// stages puts the customers into stages, those with the least risk first.
func (p *Plan) stages() {
	slices.SortStableFunc(p.Customers, func(a, b Customer) int {
		return cmp.Or(cmp.Compare(a.Risk, b.Risk), strings.Compare(a.Tenant, b.Tenant))
	})
	n := len(p.Customers)
	for i := range p.Customers {
		for k, share := range p.Stages {
			if i < (n*share+99)/100 {
				p.Customers[i].Stage = k + 1
				break
			}
		}
	}
}

// names are the names of all roles that the plan speaks of.
func (p *Plan) names() {
	add := func(ids []string) {
		for _, id := range ids {
			p.Roles[id] = roleName(id)
		}
	}
	for i := range p.Customers {
		c := &p.Customers[i]
		for _, w := range c.Was.Relationships {
			add(w.Roles)
			for _, g := range w.Groups {
				add(g.Roles)
			}
		}
		if c.Relationship != nil {
			add(c.Relationship.Roles)
		}
	}
}

// maker makes the part of one customer.
type maker struct {
	a    *Ask
	c    *delegation.Customer
	own  []*delegation.Relationship // active ones that may be changed
	out  Customer
	want map[string][]string // group: roles

	closed map[string]string // roles that a new relationship may not ask for unaccepted, and why they are there

	others map[string][]string // what groups have by relationships that are left as they are
}

func (m *maker) say(format string, args ...any) {
	if len(m.out.Words) < maxWords-1 {
		m.out.Words = append(m.out.Words, print.Clean(fmt.Sprintf(format, args...), print.MaxSaying))
	}
}

func (m *maker) keep(format string, args ...any) Customer {
	m.out.Change, m.out.Why = Keep, print.Clean(fmt.Sprintf(format, args...), print.MaxSaying)
	return m.out
}

func (m *maker) customer() Customer {
	c := m.c
	m.out = Customer{Tenant: strings.ToLower(c.Tenant), Name: print.Clean(cmp.Or(c.Name, c.Domain, c.Tenant), print.MaxName), DAP: DAPKeep,
		Was: Was{DAP: c.DAP}}
	if m.out.Tenant == strings.ToLower(m.a.Inventory.Tenant) {
		return m.keep("it is the partner itself")
	}
	if why := m.found(); why != "" {
		return m.keep("%s", why)
	}
	if m.a.Template != nil {
		m.byTemplate()
	} else {
		m.byUse()
	}
	m.dropMissing()
	// What another relationship gives the same group is not gone.
	m.out.Goes = slices.DeleteFunc(m.out.Goes, func(g Going) bool {
		return slices.Contains(m.want[g.Group], g.Role) || slices.Contains(m.others[g.Group], g.Role)
	})
	return m.change()
}

// found takes over what is there, and says what keeps anything from being planned.
func (m *maker) found() string {
	for i := range m.c.Relationships {
		r := &m.c.Relationships[i]
		name := print.Clean(r.Name, 60)
		switch {
		case !r.Active:
			if r.Status == statusPending {
				m.say("The offer %s waits for the customer already; it is left as it is.", name)
			}
			continue
		case r.Governance:
			m.leave(r)
			m.say("%s was made by Entra tenant governance, and is left as it is.", name)
			continue
		case r.Provider != "":
			m.leave(r)
			m.say("%s is an indirect provider's, and is left as it is.", name)
			continue
		case r.Read != delegation.Yes || r.RolesLost || slices.ContainsFunc(r.Assignments, unreadAssignment):
			return fmt.Sprintf("who has which roles by %s was not read whole", name)
		case !double.MatchString(r.ID):
			return fmt.Sprintf("%s has an id that is none", name)
		}
		m.own = append(m.own, r)
		w := WasRelationship{ID: r.ID, Name: print.Clean(r.Name, print.MaxName), Roles: sorted(r.Roles), End: r.End.UTC()}
		for _, a := range r.Assignments {
			if a.Active {
				w.Groups = append(w.Groups, WasGroup{a.ID, strings.ToLower(a.Group), sorted(a.Roles)})
			}
		}
		m.out.Was.Relationships = append(m.out.Was.Relationships, w)
	}
	if l, known := m.a.Inventory.Lists["delegatedAdminRelationships"]; known && !l.Whole {
		m.say("The list of relationships was not read whole: there may be others, which are left as they are.")
	}
	if len(m.c.Azure) > 0 {
		m.say("Rights on Azure subscriptions (%d) are no part of this, and stay.", len(m.c.Azure))
	}
	return ""
}

// leave remembers what a relationship gives that is left as it is.
func (m *maker) leave(r *delegation.Relationship) {
	for _, a := range r.Assignments {
		if group := strings.ToLower(a.Group); a.Active {
			m.others[group] = append(m.others[group], sorted(a.Roles)...)
		}
	}
}

// unreadAssignment says that it is not known who has which roles by an assignment.
func unreadAssignment(a delegation.Assignment) bool {
	return a.Active && (a.RolesLost || a.Other != "" || !guid.MatchString(strings.ToLower(a.Group)) || !double.MatchString(a.ID))
}

func sorted(roles []string) []string {
	out := make([]string, 0, len(roles))
	for _, r := range roles {
		out = append(out, strings.ToLower(r))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (m *maker) wants(group string, roles ...string) {
	for _, r := range roles {
		if r = strings.ToLower(r); !legacy(r) && !slices.Contains(m.want[group], r) {
			m.want[group] = append(m.want[group], r)
			slices.Sort(m.want[group])
		}
	}
}

func (m *maker) goes(group, role string, sure recommend.Sure, why string) {
	m.out.Goes = append(m.out.Goes, Going{strings.ToLower(role), group, string(sure), print.Clean(why, print.MaxSaying)})
}

// byUse takes what was recommended of use.
func (m *maker) byUse() {
	judged := map[[2]string]bool{}
	for i := range m.a.Result.Items {
		it := &m.a.Result.Items[i]
		group := strings.ToLower(it.Group)
		if !strings.EqualFold(it.Customer, m.c.Tenant) || it.Relationship != "" && !m.owns(it.Relationship) || !guid.MatchString(group) {
			continue
		}
		judged[[2]string{it.Relationship, group}] = true
		if !it.Judged {
			m.unjudged(it.Why)
		}
		m.reserved(it)
		needed := it.Recommended
		if !m.a.DropUnseen && it.Cautious != nil { // what stays does what another role would be taken for
			needed = it.Cautious
		}
		m.wants(group, needed...)
		for _, d := range it.Dropped {
			if id := strings.ToLower(d.Role); recommend.Guarded(id) && d.Sure != recommend.ByEvidence {
				m.goes(group, id, d.Sure, "it leads to Global Administrator, and no act that was seen needed it; a pin keeps it. "+d.Why)
				continue
			} else if !legacy(id) && d.Sure != recommend.ByEvidence && !m.a.DropUnseen {
				m.wants(group, d.Role)
				m.out.Stays = append(m.out.Stays, Staying{strings.ToLower(d.Role), group,
					print.Clean("nothing shows that it is not needed: "+d.Why, print.MaxSaying)})
				continue
			}
			m.goes(group, d.Role, d.Sure, d.Why)
		}
	}
	for _, r := range m.own {
		for _, a := range r.Assignments {
			if group := strings.ToLower(a.Group); a.Active && !judged[[2]string{r.ID, group}] {
				m.wants(group, a.Roles...)
				m.say("Nothing was recommended of %s for the group %s: it keeps what it has.", print.Clean(r.Name, 60), group)
			}
		}
	}
}

// reserved remembers the roles that stay where they are, and that a new relationship asks for
// only when a person accepted or pinned them.
func (m *maker) reserved(it *recommend.Item) {
	if !it.Judged {
		for _, id := range sorted(it.Granted) {
			if recommend.Guarded(id) && m.pinned(strings.ToLower(it.Group), id) == nil {
				m.closed[id] = "what is needed was not judged"
			}
		}
	}
	for _, w := range it.Waits {
		if id := strings.ToLower(w.Kept); recommend.Guarded(id) {
			m.closed[id] = "acts need " + roleName(strings.ToLower(w.Role)) + ": " + strings.Join(w.Activity, ", ")
		}
	}
}

// unjudged says once for each reason that what is granted stays, since nothing says what of it
// is needed.
func (m *maker) unjudged(why string) {
	words := print.Clean("What is needed was not judged, and what is granted stays: "+why, print.MaxSaying)
	if !slices.Contains(m.out.Words, words) {
		m.say("%s", words)
	}
}

func (m *maker) owns(relationship string) bool {
	return slices.ContainsFunc(m.own, func(r *delegation.Relationship) bool { return strings.EqualFold(r.ID, relationship) })
}

// byTemplate takes what a person wrote, and pins.
func (m *maker) byTemplate() {
	for _, g := range m.a.Template.Groups {
		m.wants(g.ID, g.Roles...)
	}
	for _, r := range m.own {
		for _, a := range r.Assignments {
			if !a.Active {
				continue
			}
			group := strings.ToLower(a.Group)
			for _, role := range sorted(a.Roles) {
				if slices.Contains(m.want[group], role) {
					continue
				}
				if pin := m.pinned(group, role); pin != nil {
					m.wants(group, role)
					m.out.Stays = append(m.out.Stays, Staying{role, group, print.Clean("pinned: "+pin.Reason, print.MaxSaying)})
					continue
				}
				sure, why := m.sure(r.ID, group, role)
				m.goes(group, role, sure, why)
			}
		}
	}
}

func (m *maker) pinned(group, role string) *recommend.Pin {
	for i := range m.a.Pins {
		p := &m.a.Pins[i]
		if p.Role == role && (p.Group == "" || p.Group == group) && (p.Customer == "" || strings.EqualFold(p.Customer, m.c.Tenant)) {
			return p
		}
	}
	return nil
}

// sure is by what evidence a role goes that the template does not have.
func (m *maker) sure(relationship, group, role string) (recommend.Sure, string) {
	if m.a.Result != nil {
		for i := range m.a.Result.Items {
			it := &m.a.Result.Items[i]
			if !strings.EqualFold(it.Customer, m.c.Tenant) || !strings.EqualFold(it.Relationship, relationship) || !strings.EqualFold(it.Group, group) {
				continue
			}
			for _, d := range it.Dropped {
				if strings.EqualFold(d.Role, role) {
					return d.Sure, d.Why
				}
			}
			if slices.Contains(sorted(it.Recommended), role) {
				return recommend.NoEvidence, "it is recommended, and the template does not have it: what needs it will be refused"
			}
		}
	}
	return recommend.NoEvidence, "the template does not have it"
}

// dropMissing leaves out groups that are gone.
func (m *maker) dropMissing() {
	for group, roles := range m.want {
		g := m.a.Inventory.Groups[group]
		if len(roles) == 0 {
			delete(m.want, group)
		} else if m.a.Inventory.Lists["groups"].Whole && (g == nil || !g.Known) && m.a.Inventory.Spare[group] == "" {
			delete(m.want, group)
			m.say("The group %s is not there any more: it gets nothing.", group)
		}
	}
}
