package watch_test

import (
	"fmt"
	"testing"

	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/recommend"
	"partnerguard/internal/delegation/watch"
	"partnerguard/internal/entra"
)

// BenchmarkFind looks at 2,000 customers with 20,000 access assignments.
func BenchmarkFind(b *testing.B) {
	inv := inventory()
	inv.Customers = nil
	res := &recommend.Result{}
	for g := range 50 {
		id := fmt.Sprintf("g%d", g)
		inv.Groups[id] = &delegation.Group{ID: id, Name: id}
		for p := range 20 {
			person := fmt.Sprintf("p%d", g*20+p)
			inv.People[person] = &delegation.Person{ID: person, Known: true, Enabled: delegation.Yes}
			if p == 0 {
				inv.People[person].Enabled = delegation.No
			}
			inv.Groups[id].Members = append(inv.Groups[id].Members, delegation.Member{Person: person})
		}
	}
	for i := range 2000 {
		c := delegation.Customer{Tenant: fmt.Sprintf("t%d", i), Name: fmt.Sprintf("Customer %d", i), DAP: delegation.No}
		r := ending("Desk")
		r.ID = fmt.Sprintf("r%d", i)
		for a := range 10 {
			group := fmt.Sprintf("g%d", (i+a)%50)
			r.Assignments = append(r.Assignments, delegation.Assignment{ID: fmt.Sprint(a), Group: group, Active: true})
			res.Items = append(res.Items, recommend.Item{Customer: c.Tenant, Relationship: r.ID, Group: group, Judged: true,
				Dropped: []recommend.Dropped{{Role: entra.RoleUserAdministrator, Sure: recommend.ByEvidence}}})
		}
		c.Relationships = []delegation.Relationship{r}
		inv.Customers = append(inv.Customers, c)
	}
	b.ReportAllocs()
	for b.Loop() {
		if n := len(watch.Find(watch.Input{Inventory: inv, Recommend: res, AsOf: now})); n != 2000+20000+50 {
			b.Fatal(n)
		}
	}
}
