//go:build !judge

package pages

import (
	"fmt"
	"maps"
	"slices"

	"partnerguard/internal/delegation"
)

// veil is an inventory without what a viewer may not know of the partner: accounts by name and
// id, and where groups is set the partner's groups and apps, too. Who is the same stays
// the same: each has a number.
func veil(inv *delegation.Inventory, groups bool) *delegation.Inventory {
	out := *inv
	people := map[string]string{"": ""}
	out.People = make(map[string]*delegation.Person, len(inv.People))
	for i, id := range slices.Sorted(maps.Keys(inv.People)) {
		who := inv.People[id]
		people[id] = fmt.Sprint("account-", i+1)
		out.People[people[id]] = &delegation.Person{ID: people[id], Name: fmt.Sprintf("account %d of the partner", i+1), Enabled: who.Enabled, App: who.App,
			Guest: who.Guest, Known: who.Known}
	}
	group := func(id string) string { return id }
	if groups {
		numbers := map[string]string{"": ""}
		for i, id := range slices.Sorted(maps.Keys(inv.Groups)) {
			numbers[id] = fmt.Sprint("group-", i+1)
		}
		group = func(id string) string { return numbers[id] }
		out.Lists = maps.Clone(inv.Lists)
		for name, l := range out.Lists {
			if l.Why != "" { // it may say of what
				l.Why = "it is not whole, or was not read"
			}
			out.Lists[name] = l
		}
		out.AdminAgents, out.HelpdeskAgents = each(inv.AdminAgents, group), each(inv.HelpdeskAgents, group)
		out.Tenant = ""
	}
	out.Groups = make(map[string]*delegation.Group, len(inv.Groups))
	for id, g := range inv.Groups {
		x := *g
		x.ID = group(id)
		if groups {
			x.Name, x.Why, x.Ask = fmt.Sprintf("group %s of the partner", x.ID[len("group-"):]), "", ""
			if !x.Whole {
				x.Why = "its members were not all read"
			}
		}
		x.Nested = each(g.Nested, group)
		x.Members = slices.Clone(g.Members)
		for i := range x.Members {
			m := &x.Members[i]
			m.Person, m.Via = people[m.Person], each(m.Via, group)
		}
		out.Groups[x.ID] = &x
	}
	if groups {
		out.Customers = slices.Clone(inv.Customers)
		for i := range out.Customers {
			veilCustomer(&out.Customers[i], people, group)
		}
	}
	return &out
}

func veilCustomer(c *delegation.Customer, people map[string]string, group func(string) string) {
	c.Relationships = slices.Clone(c.Relationships)
	for k := range c.Relationships {
		r := &c.Relationships[k]
		r.Assignments = slices.Clone(r.Assignments)
		for n := range r.Assignments {
			r.Assignments[n].Group = group(r.Assignments[n].Group)
		}
	}
	c.Azure = slices.Clone(c.Azure)
	for k := range c.Azure {
		if a := &c.Azure[k]; people[a.Principal] != "" {
			a.Principal = people[a.Principal]
		} else {
			a.Principal = group(a.Principal)
		}
	}
	c.Consents = slices.Clone(c.Consents)
	for k := range c.Consents {
		c.Consents[k].App, c.Consents[k].Name, c.Consents[k].Owner = fmt.Sprint("app-", k+1), fmt.Sprintf("app %d of the partner", k+1), ""
	}
}

func each(list []string, f func(string) string) []string {
	if list == nil {
		return nil
	}
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = f(x)
	}
	return out
}
