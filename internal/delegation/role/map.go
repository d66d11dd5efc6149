package role

import (
	"cmp"
	"slices"
	"strings"

	"partnerguard/internal/entra"
)

// maxName is the longest name of an activity that is looked up, in bytes; Microsoft's are below 100.
const maxName = 200

// fold makes two ways of writing a name the same: case, kinds of dashes, and runs of spaces.
func fold(name string) string {
	if len(name) > maxName {
		return ""
	}
	name = strings.Map(func(r rune) rune {
		switch r {
		case '\u2010', '\u2011', '\u2012', '\u2013', '\u2014', '\u2212':
			return '-'
		case '\u00a0':
			return ' '
		}
		return r
	}, name)
	return strings.ToLower(strings.Join(strings.Fields(name), " "))
}

// Map says which of the roles that GDAP can carry could have done an act, the least first.
// What is not known is Mapping{}: no role is called for. It is safe for concurrent use.
func (c *Catalog) Map(a Act) Mapping {
	switch a.Log {
	case DirectoryAudit:
		return c.mapAudit(a)
	case PartnerCenter:
		return c.mapCall(a)
	}
	return Mapping{}
}

// Can tells whether a role could have done an act, or may have: of a role that can do it to some
// kinds of groups alone it is true, though Map leaves it out. It knows the roles that are never
// offered too. It is false for an act that is not known.
func (c *Catalog) Can(id string, a Act) bool {
	k := c.byID[strings.ToLower(id)]
	if k == nil {
		return false
	}
	if a.Log == PartnerCenter {
		v := c.call(a)
		return v != nil && (k.ID == GlobalAdministrator || slices.Contains(v.roles, k.ID))
	}
	if a.Log != DirectoryAudit {
		return false
	}
	need, ok := c.need(a)
	return ok && (need.able(k) != no || need.place(k.ID) >= 0 && need.allowed(k.ID))
}

// need is what an act asks of a role.
type need struct {
	*entry
	actions [][]string // of each list one
	places  []place
	class   class
	target  Target
	guessed bool // the category is another one than ours
}

// find finds what is known of an activity. A category that we do not know with it makes it less
// sure when the words mean one thing alone, and unknown when they do not.
func (c *Catalog) find(a Act) (*entry, bool) {
	act, category := fold(a.Activity), fold(a.Category)
	all := c.entries[act]
	if act == "" || len(all) == 0 {
		return nil, false
	}
	for _, e := range all {
		if e.category == category {
			return e, false
		}
	}
	if len(all) > 1 || all[0].strict {
		return nil, false
	}
	return all[0], category != ""
}

// need says what an act asks, and whether it is known.
func (c *Catalog) need(a Act) (need, bool) {
	e, guessed := c.find(a)
	if e == nil || e.sure == "none" {
		return need{}, false
	}
	n := need{entry: e, target: a.Target, guessed: guessed}
	properties := named(a.Properties)
	n.actions = c.refine(e, properties)
	n.class = c.classOf(e.activity, properties)
	on := n.target
	if n.class == "" || on == TargetNone || on == TargetUnknown || on == TargetLimited && n.class == group {
		on = TargetOrdinary
	}
	if n.class == group && on == TargetPrivileged { // a role-assignable group
		n.actions = [][]string{assignable(e.activity)}
	}
	for _, p := range c.places[e.activity] {
		if p.target != TargetNone && p.target != on || p.property != "" && !slices.Contains(properties, p.property) {
			continue
		}
		// What a property alone asks stands before what the activity asks in general, if nothing else was changed.
		if p.property != "" && len(properties) == 1 {
			n.places = append([]place{p}, n.places...)
		} else if p.property == "" {
			n.places = append(n.places, p)
		}
	}
	return n, true
}

// assignable is what an act on a role-assignable group asks.
func assignable(activity string) []string {
	what := "allProperties/update"
	switch activity {
	case "add group":
		what = "create"
	case "delete group", "hard delete group":
		what = "delete"
	case "restore group":
		what = "restore"
	case "set group license":
		what = "assignLicense"
	}
	return []string{"microsoft.directory/groupsAssignableToRoles/" + what}
}

// named gives the modified properties that say what was changed: not those that only describe the row.
func named(properties []string) []string {
	var out []string
	for _, p := range properties {
		p = fold(p)
		if p == "" || p == "included updated properties" || strings.HasPrefix(p, "targetid.") || strings.HasPrefix(p, "actorid.") {
			continue
		}
		out = append(out, p)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// refine gives the lists of actions, of each of which a role must hold one.
func (c *Catalog) refine(e *entry, properties []string) [][]string {
	fine := c.refined[e.activity]
	if len(properties) == 0 {
		properties = []string{""}
	}
	var out [][]string
	for _, p := range properties {
		one, ok := fine[p]
		if !ok && p != "" {
			one, ok = fine["*"]
		}
		if !ok {
			one = e.anyOf
		}
		if !slices.ContainsFunc(out, func(o []string) bool { return slices.Equal(o, one) }) {
			out = append(out, one)
		}
	}
	return out
}

// classOf says which of Microsoft's tables speaks of an act to an administrator: the strictest of its properties.
func (c *Catalog) classOf(activity string, properties []string) class {
	of := c.classes[activity]
	found := of[""]
	for _, p := range properties {
		if k := of[p]; k != "" && (found == "" || k == methods) {
			found = k
		}
	}
	return found
}

// mapAudit maps an act of the directory's audit log.
func (c *Catalog) mapAudit(a Act) Mapping {
	n, ok := c.need(a)
	if !ok {
		return Mapping{}
	}
	m := Mapping{Known: true, Sure: n.sure, Source: n.source.name, Date: n.source.date, Why: n.note}
	var tasks []string
	for _, p := range n.places {
		tasks = append(tasks, p.task)
	}
	m.Task = strings.Join(tasks, "; ")
	for _, k := range c.roles {
		at := n.place(k.ID)
		if k.Never || !n.allowed(k.ID) || n.able(k) != yes && at < 0 {
			continue
		}
		m.Candidates = append(m.Candidates, Candidate{Role: k.ID, Task: min(at, 1), Beside: at < 0 && !slices.Contains(k.Workloads, DirectoryWrites)})
	}
	c.order(m.Candidates, n.place)
	switch {
	case len(m.Candidates) == 0:
		return Mapping{}
	case n.class != "" && n.class != group && a.Target == TargetUnknown:
		m.Why = "what roles the user held at that time was not read: it is taken for an ordinary user"
	case n.guessed:
		m.Why = "the row's category is not the one that Microsoft documents for this activity"
	}
	if n.guessed && m.Sure == "high" {
		m.Sure = "mid"
	}
	return m
}

// order puts candidates in order: Microsoft's table first, then what is for this kind of thing, then by weight.
func (c *Catalog) order(list []Candidate, place func(id string) int) {
	if !slices.ContainsFunc(list, func(d Candidate) bool { return !d.Beside && !c.last(d.Role) }) {
		for i := range list { // who else could do it
			list[i].Beside = false
		}
	}
	rank := func(d Candidate) int {
		at := place(d.Role)
		if at < 0 {
			return len(c.roles)
		}
		return at
	}
	slices.SortStableFunc(list, func(x, y Candidate) int {
		return cmp.Or(
			cmp.Compare(rank(x), rank(y)), compareBool(x.Beside, y.Beside),
			cmp.Compare(c.byID[x.Role].Weight, c.byID[y.Role].Weight), cmp.Compare(x.Role, y.Role),
		)
	})
}

func compareBool(x, y bool) int {
	switch {
	case x == y:
		return 0
	case y:
		return -1
	}
	return 1
}

// mapCall maps an operation of Partner Center, by the name of its audit record or the call's own.
func (c *Catalog) mapCall(a Act) Mapping {
	v := c.call(a)
	if v == nil || len(v.roles) == 0 {
		return Mapping{}
	}
	src := c.sources["partnercenter"]
	m := Mapping{Known: true, Sure: v.sure, Why: v.note, Source: src.name, Date: src.date}
	for _, id := range v.roles {
		m.Candidates = append(m.Candidates, Candidate{Role: id, Task: -1})
	}
	c.order(m.Candidates, func(string) int { return -1 })
	return m
}

func (c *Catalog) call(a Act) *call {
	all := c.calls[fold(a.Activity)]
	for i, v := range all {
		if v.target == a.Target || v.target == TargetNone || v.target == TargetOrdinary && (a.Target == TargetNone || a.Target == TargetUnknown) {
			return &all[i]
		}
	}
	return nil
}

// ability is whether a role can do an act.
type ability int

const (
	no      ability = iota
	perhaps         // to some kinds of groups
	yes
)

// able tells by the role's actions whether it can do all that the act asks.
func (n *need) able(k *known) ability {
	if !n.allowed(k.ID) || len(n.actions) == 0 {
		return no
	}
	sum := yes
	for _, one := range n.actions {
		sum = min(sum, k.anyOf(one))
	}
	return sum
}

// anyOf tells whether the role holds one of the actions. An action on one kind of groups does for
// that kind alone, and the log does not say which kind it was: all kinds that are listed do.
func (k *known) anyOf(actions []string) ability {
	some, all, kinds := false, true, 0
	for _, a := range actions {
		ok := k.can(a)
		if !strings.Contains(a, "/groups.") {
			if ok {
				return yes
			}
			continue
		}
		kinds++
		some, all = some || ok, all && ok
	}
	switch {
	case kinds > 1 && all:
		return yes
	case some:
		return perhaps
	}
	return no
}

// place is where the role stands in the task table for this act; -1 nowhere.
func (n *need) place(id string) int {
	at := 0
	for _, p := range n.places {
		if i := slices.Index(p.least, id); i >= 0 {
			return at + i
		}
		at += len(p.least)
	}
	return -1
}

// allowed tells whether Microsoft lets a role do the act to such a target at all.
func (n *need) allowed(id string) bool {
	if n.class == "" || n.class == group || n.target != TargetLimited && n.target != TargetPrivileged {
		return true
	}
	switch id {
	case GlobalAdministrator, PrivilegedAuth:
		return true
	case entra.RoleUserAdministrator:
		return n.target == TargetLimited && n.class != methods
	case PartnerTier2:
		return n.class == password
	}
	return false
}
