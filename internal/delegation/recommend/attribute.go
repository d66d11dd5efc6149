package recommend

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/role"
	"partnerguard/internal/delegation/use"
	"partnerguard/internal/evidence"
)

// attribute gives each act of the customer's part to the items that it counts for.
func (d *deriver) attribute(c *delegation.Customer, part *use.Part, works []*work) {
	dap := &work{item: Item{Customer: strings.ToLower(c.Tenant)}, part: part}
	needs := map[*work]map[*known]*need{}
	take := func(w *work, k *known, a *use.Act) {
		if needs[w] == nil {
			needs[w] = map[*known]*need{}
		}
		n := needs[w][k]
		if n == nil {
			n = &need{known: k}
			needs[w][k] = n
		}
		n.add(a)
	}
	people := map[string]bool{}
	for i := range part.Acts {
		a := &part.Acts[i]
		if a.App || a.Act.Log == string(evidence.SignIn) {
			continue // an app acts by its own permissions, and a sign-in calls for no role
		}
		theirs := d.of(a.Actor, works)
		if a.Act.Log == string(evidence.AzureActivity) {
			for _, w := range theirs {
				w.azure = w.azure || !a.Failed
			}
			continue
		}
		k := d.know(a.Act)
		if a.Failed { // it was refused: it called for nothing
			for _, w := range theirs {
				w.item.Failed = append(w.item.Failed, a.Act.Activity)
			}
			continue
		}
		if !k.mapping.Known {
			d.unmapped(c, a, theirs, dap, people)
			continue
		}
		able := d.able(theirs, k)
		eligible := []*work(nil)
		if len(able) == 0 {
			eligible = d.able(d.perhapsEligible(a.Actor, works), k)
			able = eligible
		}
		if len(eligible) > 0 && d.byDAP(c, a.Actor) {
			for _, w := range theirs {
				take(w, k, a)
			}
		}
		switch {
		case len(able) > 0:
			for _, w := range able {
				take(w, k, a)
			}
		case d.byDAP(c, a.Actor):
			for _, w := range theirs {
				take(w, k, a)
			}
			if len(theirs) == 0 {
				take(dap, k, a)
				people[a.Actor] = true
			}
		default:
			d.unexplained(c, a, whyUnexplained(theirs, k))
		}
	}
	for _, w := range append(slices.Clone(works), dap) {
		w.needs = slices.SortedFunc(maps.Values(needs[w]), func(a, b *need) int { return cmp.Compare(a.known.key, b.known.key) })
		w.item.Failed, w.item.Unmapped = once(w.item.Failed), once(w.item.Unmapped)
	}
	if len(dap.needs)+len(dap.item.Unmapped) > 0 {
		d.delegated(dap, slices.Sorted(maps.Keys(people)))
	}
}

func once(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

func (n *need) add(a *use.Act) {
	n.count += a.Count
	if a.Last.After(n.last) {
		n.last, n.row = a.Last, a.Row
	}
	i, ok := slices.BinarySearchFunc(n.by, a.Actor, func(x actor, id string) int { return cmp.Compare(x.id, id) })
	if !ok {
		n.by = slices.Insert(n.by, i, actor{id: a.Actor})
	}
	n.by[i].count += a.Count
	if a.Last.After(n.by[i].last) {
		n.by[i].last = a.Last
	}
}

// of are the items whose group a person is in, or may be in.
func (d *deriver) of(person string, works []*work) (out []*work) {
	for _, w := range works {
		if d.mayBeIn(person, w.group) {
			out = append(out, w)
		}
	}
	return out
}

// mayBeIn reports that a person is in a group, nested or eligible, or may be. Taking members away
// never makes it false: a group that is not whole may have anybody.
func (d *deriver) mayBeIn(person string, g *delegation.Group) bool {
	if g == nil || !g.Whole {
		return true
	}
	members := d.reaches[g]
	if members == nil {
		members = make(map[string]bool, len(g.Members))
		for i := range g.Members {
			members[strings.ToLower(g.Members[i].Person)] = true
		}
		d.reaches[g] = members
	}
	return members[person]
}

// able are those of the items that hold a role that could have done an act.
func (d *deriver) able(works []*work, k *known) (out []*work) {
	for _, w := range works {
		if slices.ContainsFunc(w.item.Granted, func(r string) bool { return d.could(r, k) }) {
			out = append(out, w)
		}
	}
	return out
}

// perhapsEligible are the items whose group a person of the partner's may have activated a
// membership of, because who is eligible was not read.
func (d *deriver) perhapsEligible(person string, works []*work) (out []*work) {
	if d.in.Stranger != nil && d.in.Stranger(person) {
		return nil
	}
	for _, w := range works {
		if w.group != nil && w.group.Pim != delegation.Yes {
			out = append(out, w)
		}
	}
	return out
}

// byDAP reports that a person may have done something by DAP: the customer has it, or may,
// and the person is in AdminAgents, or may be.
func (d *deriver) byDAP(c *delegation.Customer, person string) bool {
	return c.DAP != delegation.No && (len(d.admins) == 0 || slices.ContainsFunc(d.admins, func(g *delegation.Group) bool { return d.mayBeIn(person, g) }))
}

// unmapped lists an act that nothing is known of. One of Partner Center or Azure that no role
// of the directory is for is none of them.
func (d *deriver) unmapped(c *delegation.Customer, a *use.Act, theirs []*work, dap *work, people map[string]bool) {
	if a.Act.Log != string(evidence.DirectoryAudit) {
		return
	}
	d.lost[a.Act.Activity] = true
	for _, w := range theirs {
		w.item.Unmapped = append(w.item.Unmapped, a.Act.Activity)
	}
	switch {
	case len(theirs) > 0:
	case d.byDAP(c, a.Actor):
		dap.item.Unmapped = append(dap.item.Unmapped, a.Act.Activity)
		people[a.Actor] = true
	default:
		d.unexplained(c, a, "nothing is known of this act, and who did it is in no group that has this customer")
	}
}

func whyUnexplained(theirs []*work, k *known) string {
	if len(theirs) == 0 {
		return "who did it is in no group that has this customer, and DAP is off or the person is not in AdminAgents"
	}
	if k.act.Target == role.TargetPrivileged {
		return "it was done to an administrator, and no role that this person has here may do that"
	}
	return "no role that this person has here could have done it; a role that was taken away since may have"
}

func (d *deriver) unexplained(c *delegation.Customer, a *use.Act, why string) {
	d.out.Summary.Unexplained++
	if len(d.out.Unexplained) < MaxUnexplained {
		d.out.Unexplained = append(d.out.Unexplained, Unexplained{Customer: strings.ToLower(c.Tenant), Actor: a.Actor, Activity: a.Act.Activity,
			Count: a.Count, Last: a.Last, Why: why})
	}
}
