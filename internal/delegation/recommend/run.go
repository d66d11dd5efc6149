package recommend

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/role"
	"partnerguard/internal/delegation/use"
	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
)

// Run derives the recommendation. It is pure, and gives the same for the same input.
func Run(in Input) *Result {
	d := newDeriver(in)
	for _, c := range d.customers() {
		d.customer(c)
	}
	return d.result()
}

// deriver is one derivation.
type deriver struct {
	in      Input
	roles   Roles
	acts    map[string]*known     // kinds of acts, by key
	byID    map[string]*role.Role // nil: there is none
	chosen  map[string]*choice
	admins  []*delegation.Group // AdminAgents; none: it was not read
	accept  map[string]bool
	out     *Result
	works   []*work
	reaches map[*delegation.Group]map[string]bool
	lost    map[string]bool // kinds of acts that nothing is known of
}

// work is an item with what counts for it.
type work struct {
	item  Item
	group *delegation.Group // nil: it was not read
	part  *use.Part
	needs []*need
	azure bool // its people did something in Azure, which wants any one role
}

// need is what one kind of act calls for in one item.
type need struct {
	known *known
	count int64
	last  time.Time
	by    []actor
	row   string
}

type actor struct {
	id    string
	count int64
	last  time.Time
}

// known is a kind of act with what is known of it.
type known struct {
	act     role.Act
	key     string
	mapping role.Mapping
	can     map[string]bool
}

func newDeriver(in Input) *deriver {
	in.Days = cmp.Or(in.Days, DefaultDays)
	if in.Roles == nil {
		in.Roles = role.Load()
	}
	d := &deriver{in: in, roles: in.Roles, acts: map[string]*known{}, byID: map[string]*role.Role{}, chosen: map[string]*choice{}, accept: map[string]bool{},
		reaches: map[*delegation.Group]map[string]bool{}, lost: map[string]bool{}, out: &Result{}}
	for _, r := range in.Accepted {
		d.accept[strings.ToLower(r)] = true
	}
	for _, id := range in.Inventory.AdminAgents {
		d.admins = append(d.admins, in.Inventory.Groups[strings.ToLower(id)])
	}
	d.out.Window = Window{From: in.To.Add(-time.Duration(in.Days) * 24 * time.Hour), To: in.To, Days: in.Days, Complete: -1}
	return d
}

// customers are those that are asked for, by tenant.
func (d *deriver) customers() []*delegation.Customer {
	var list []*delegation.Customer
	for i := range d.in.Inventory.Customers {
		if c := &d.in.Inventory.Customers[i]; d.in.Customers == nil || d.in.Customers[strings.ToLower(c.Tenant)] {
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b *delegation.Customer) int { return strings.Compare(a.Tenant, b.Tenant) })
	return list
}

// customer derives the items of one customer.
func (d *deriver) customer(c *delegation.Customer) {
	var part *use.Part
	if p := d.in.Use[strings.ToLower(c.Tenant)]; p != nil {
		part = p.Within(d.in.To, d.in.Days, d.in.Latest)
	}
	works := d.assignments(c, part)
	if part != nil {
		d.attribute(c, part, works)
	}
	for _, w := range works {
		if d.in.Groups != nil && !d.in.Groups[w.item.Group] {
			continue
		}
		d.choose(w)
		d.works = append(d.works, w)
	}
}

// assignments are the customer's assignments that give access, as items that are not judged
// yet.
func (d *deriver) assignments(c *delegation.Customer, part *use.Part) (out []*work) {
	for i := range c.Relationships {
		r := &c.Relationships[i]
		if !r.Active {
			continue
		}
		for j := range r.Assignments {
			a := &r.Assignments[j]
			if !a.Active {
				continue
			}
			w := &work{group: d.in.Inventory.Groups[strings.ToLower(a.Group)], part: part}
			w.item = Item{Customer: strings.ToLower(c.Tenant), Relationship: r.ID, Assignment: a.ID, Group: strings.ToLower(a.Group), Granted: ids(a.Roles)}
			w.item.Why = d.unjudged(r, a, part)
			w.item.Judged = w.item.Why == ""
			if part != nil {
				l := part.Log(evidence.DirectoryAudit)
				w.item.Complete, w.item.LogWhy, w.item.LogAsk = l.Complete, l.Why, l.Ask
			}
			out = append(out, w)
		}
	}
	slices.SortStableFunc(out, func(a, b *work) int {
		return cmp.Or(cmp.Compare(a.item.Relationship, b.item.Relationship), cmp.Compare(a.item.Group, b.item.Group), cmp.Compare(a.item.Assignment,
			b.item.Assignment))
	})
	return out
}

// unjudged is why an assignment of a relationship cannot be judged; "" it can.
func (d *deriver) unjudged(r *delegation.Relationship, a *delegation.Assignment, part *use.Part) string {
	switch {
	case part == nil:
		return "no log of this customer was read"
	case !part.Log(evidence.DirectoryAudit).Read:
		return "the directory's audit log of this customer was not read"
	case part.Overflow:
		return fmt.Sprintf("there were more kinds of acts than are kept apart (%d)", use.MaxKinds)
	case r.Governance:
		return "it was made by Microsoft Entra tenant governance"
	case a.RolesLost:
		return "not all roles of the assignment could be read"
	case r.Created.After(d.out.Window.From):
		return d.young("the relationship is there", r.Created)
	case since(r, a).IsZero():
		return "since when the relationship is active was not read"
	case since(r, a).After(d.out.Window.From):
		return d.young("the relationship is active", since(r, a))
	case a.Created.After(d.out.Window.From):
		return d.young("the assignment is there", a.Created)
	}
	return ""
}

func (d *deriver) young(what string, since time.Time) string {
	return fmt.Sprintf("%s since %s, which is less than the window of %d days", what, since.UTC().Format(time.DateOnly), d.in.Days)
}

// ids brings role ids to their one form: lower case, sorted, each once.
func ids(list []string) []string {
	out := make([]string, 0, len(list))
	for _, id := range list {
		out = append(out, strings.ToLower(id))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// know finds what is known of a kind of act.
func (d *deriver) know(a role.Act) *known {
	key := strings.Join([]string{a.Log, a.Category, a.Activity, strings.Join(a.Properties, "\n"), string(a.Target)}, "\x00")
	k := d.acts[key]
	if k == nil {
		k = &known{act: a, key: key, mapping: d.roles.Map(a), can: map[string]bool{}}
		d.acts[key] = k
	}
	return k
}

// role finds a role, and remembers it.
func (d *deriver) role(id string) (role.Role, bool) {
	r, ok := d.byID[id]
	if !ok {
		if known, is := d.roles.Role(id); is {
			r = &known
		}
		d.byID[id] = r
	}
	if r == nil {
		return role.Role{}, false
	}
	return *r, true
}

// globalAdministrator can do everything.
const globalAdministrator = entra.RoleGlobalAdministrator

// could reports that a role could have done an act. Where it is not known whether the act was
// done to an administrator, either will do.
func (d *deriver) could(id string, k *known) bool {
	if id == globalAdministrator {
		return true
	}
	can, ok := k.can[id]
	if !ok {
		can = d.roles.Can(id, k.act)
		if k.act.Target == role.TargetUnknown {
			can = can || d.could2(id, k.act, role.TargetOrdinary) || d.could2(id, k.act, role.TargetPrivileged)
		}
		k.can[id] = can
	}
	return can
}

func (d *deriver) could2(id string, a role.Act, t role.Target) bool {
	a.Target = t
	return d.roles.Can(id, a)
}
