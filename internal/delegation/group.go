package delegation

import (
	"cmp"
	"slices"
	"strings"

	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
)

// Names of the groups that Partner Center makes; DAP acts by the first two.
const (
	AdminAgents    = "AdminAgents"
	HelpdeskAgents = "HelpdeskAgents"
)

// agents finds the groups that DAP acts by.
func (b *builder) agents() {
	for _, id := range sorted(b.f.Directory.Groups) {
		switch name := b.f.Directory.Groups[id].DisplayName; {
		case strings.EqualFold(name, AdminAgents):
			b.inv.AdminAgents = append(b.inv.AdminAgents, b.text(id))
		case strings.EqualFold(name, HelpdeskAgents):
			b.inv.HelpdeskAgents = append(b.inv.HelpdeskAgents, b.text(id))
		}
	}
}

// groups takes the groups that any way goes by, and who is in them.
func (b *builder) groups() {
	b.schedules = map[string][]*directory.GroupSchedule{}
	for _, key := range sorted(b.f.Directory.GroupSchedules) {
		if s := b.f.Directory.GroupSchedules[key]; s.Eligible && !s.Owner() {
			g := strings.ToLower(s.GroupID)
			b.schedules[g] = append(b.schedules[g], s)
		}
	}
	pim := Unknown
	if b.f.Whole(evidence.GroupEligibility) || b.f.Whole(evidence.SubscribedSku) && !b.f.Directory.HasServicePlan("AAD_PREMIUM_P2") {
		pim = Yes
	}
	want := slices.Concat(b.inv.AdminAgents, b.inv.HelpdeskAgents)
	each := func(r *Relationship) {
		for i := range r.Assignments {
			want = append(want, r.Assignments[i].Group)
		}
	}
	for _, c := range b.customers {
		for i := range c.Relationships {
			each(&c.Relationships[i])
		}
	}
	for i := range b.inv.Unclaimed {
		each(&b.inv.Unclaimed[i])
	}
	for i := range b.inv.Lost {
		want = append(want, b.inv.Lost[i].Group)
	}
	slices.Sort(want)
	for _, id := range slices.Compact(want) {
		if id != "" {
			b.group(id, pim)
		}
	}
	for _, key := range sorted(b.f.Directory.Groups) {
		g := b.f.Directory.Groups[key]
		if id := strings.ToLower(g.ID); id != "" && b.inv.Groups[id] == nil && len(b.inv.Spare) < MaxSpare {
			if b.inv.Spare == nil {
				b.inv.Spare = map[string]string{}
			}
			b.inv.Spare[b.text(id)] = cmp.Or(clean(g.DisplayName), id)
		}
	}
}

// group adds a group with everybody in it, and the groups nested in it.
func (b *builder) group(id string, pim Answer) {
	if b.inv.Groups[id] != nil {
		return
	}
	g := &Group{ID: id, Name: id, Members: []Member{}, Pim: pim, Role: Unknown}
	b.inv.Groups[id] = g
	d := b.f.Directory.Groups[id]
	if d == nil {
		g.Why = "the group is in no list of groups"
		if b.f.Whole(evidence.Group) {
			g.Why = "the list of groups does not hold it: it was deleted, or it is no group of this tenant"
		}
		g.Ask = "GET /groups/" + id + "/members"
		return
	}
	g.Known, g.Name = true, cmp.Or(clean(d.DisplayName), id)
	if d.IsAssignableToRole.Set {
		g.Role = No
		if d.IsAssignableToRole.Value {
			g.Role = Yes
		}
	}
	g.Dynamic = slices.ContainsFunc(d.GroupTypes, func(t string) bool { return strings.EqualFold(t, "DynamicMembership") })
	w := &walk{b: b, best: map[string]Member{}, seen: map[step]bool{}, inner: map[string]bool{}}
	w.into(id, nil, false, false)
	for _, person := range sorted(w.best) {
		g.Members = append(g.Members, w.best[person])
	}
	g.Nested = w.nested
	why := b.standing.OpenGroups[id]
	for _, n := range w.nested {
		why = cmp.Or(why, b.standing.OpenGroups[n])
	}
	if why = cmp.Or(why, w.why); why == "" {
		g.Whole = true
	} else {
		g.Why = clean(why)
		g.Ask = "GET /groups/" + id + "/transitiveMembers"
	}
	for _, n := range w.nested {
		b.group(n, pim)
	}
}

// step is a group as it was come to.
type step struct {
	group             string
	eligible, perhaps bool
}

// walk goes through a group and what is nested in it. Cycles end at what was seen.
type walk struct {
	b      *builder
	best   map[string]Member // by person: the surest and shortest way
	seen   map[step]bool
	nested []string
	inner  map[string]bool // what is nested
	why    string
}

func (w *walk) into(id string, via []string, eligible, perhaps bool) {
	type at struct {
		step
		via []string
	}
	queue := []at{{step{id, eligible, perhaps}, via}}
	for len(queue) > 0 { // breadth first: the first way to a group is its shortest
		now := queue[0]
		queue = queue[1:]
		if w.seen[now.step] {
			continue
		}
		w.seen[now.step] = true
		d := w.b.f.Directory.Groups[now.group]
		if d == nil {
			continue
		}
		member := func(m *directory.Member, eligible, perhaps bool) {
			key := strings.ToLower(m.ID)
			if w.b.f.Directory.Groups[key] != nil {
				key = w.b.text(key)
				if len(now.via) >= directory.MaxNested {
					w.why = directory.WhyDeep
					return
				}
				if !w.inner[key] && key != id {
					w.inner[key] = true
					w.nested = append(w.nested, key)
				}
				queue = append(queue, at{step{key, eligible, perhaps}, append(slices.Clip(now.via), key)})
				return
			}
			if m.Type == "group" {
				w.why = "a group nested in it is not in the export"
				return
			}
			w.person(m, now.via, eligible, perhaps)
		}
		for i := range d.Members.Items {
			m := &d.Members.Items[i]
			member(m, now.eligible, now.perhaps || m.Unsure())
		}
		for _, s := range w.b.schedules[now.group] {
			if holds := w.b.f.Directory.Holds(s); holds != 0 {
				member(&directory.Member{ID: s.PrincipalID}, true, now.perhaps || holds == directory.Perhaps)
			}
		}
	}
}

// person keeps the surest, then the shortest way of a person. Devices and contacts are nobody.
func (w *walk) person(m *directory.Member, via []string, eligible, perhaps bool) {
	id := w.b.person(m)
	if id == "" {
		return
	}
	next := Member{Person: id, Via: via, Eligible: eligible, Perhaps: perhaps}
	if old, ok := w.best[id]; !ok || worse(old, next) {
		w.best[id] = next
	}
}

// worse reports that b is a surer or shorter way than a.
func worse(a, b Member) bool {
	return cmp.Or(b2i(a.Perhaps)-b2i(b.Perhaps), b2i(a.Eligible)-b2i(b.Eligible), len(a.Via)-len(b.Via)) > 0
}

// person adds a member to the people and gives its key; "" it is nobody who acts.
func (b *builder) person(m *directory.Member) string {
	d := b.f.Directory
	if key := d.FindUser(m.ID, m.UserPrincipalName); key != "" {
		u := d.Users[key]
		id := b.text(cmp.Or(u.ID, key))
		if b.inv.People[id] == nil {
			p := &Person{ID: id, UPN: clean(u.UserPrincipalName), Enabled: Unknown, Known: !u.Derived}
			p.Name = cmp.Or(clean(u.DisplayName), p.UPN, id)
			if u.AccountEnabled.Set {
				p.Enabled = No
				if u.AccountEnabled.Value {
					p.Enabled = Yes
				}
			}
			p.Guest = strings.EqualFold(string(u.UserType), "guest") || strings.Contains(strings.ToUpper(u.UserPrincipalName), "#EXT#")
			b.inv.People[id] = p
		}
		return id
	}
	id := b.text(cmp.Or(m.ID, m.UserPrincipalName))
	if sp := d.ServicePrincipals[id]; sp != nil || m.Type == "serviceprincipal" {
		if b.inv.People[id] == nil {
			p := &Person{ID: id, Name: cmp.Or(clean(m.DisplayName), id), Enabled: Unknown, App: true, Known: sp != nil}
			if sp != nil {
				p.Name = cmp.Or(clean(sp.DisplayName), p.Name)
				if sp.AccountEnabled.Set {
					p.Enabled = No
					if sp.AccountEnabled.Value {
						p.Enabled = Yes
					}
				}
			}
			b.inv.People[id] = p
		}
		return id
	}
	switch m.Type {
	case "", "user", "agentuser":
	default:
		return "" // devices and contacts
	}
	if id != "" && b.inv.People[id] == nil {
		upn := clean(m.UserPrincipalName)
		b.inv.People[id] = &Person{ID: id, Name: cmp.Or(clean(m.DisplayName), upn, id), UPN: upn, Enabled: Unknown}
	}
	return id
}
