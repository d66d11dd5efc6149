package recommend_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"time"

	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/recommend"
	"partnerguard/internal/delegation/role"
	"partnerguard/internal/delegation/use"
	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
)

// large is a partner of 2,000 customers with 10 assignments each, of whom 2 million acts are kept.
func large(customers int) (*delegation.Inventory, [][]byte) {
	acts := []struct{ category, name string }{{"UserManagement", "Change user license"}, {"UserManagement", "Reset user password"},
		{"GroupManagement", "Add group"}, {"UserManagement", "Add user"}, {"Policy", "Update Conditional Access policy"}}
	inv := &delegation.Inventory{AsOf: end, Groups: map[string]*delegation.Group{}, People: map[string]*delegation.Person{}}
	id := func(kind, n int) string { return fmt.Sprintf("%08x-0000-4000-8000-%012x", kind, n) }
	for g := range 10 {
		group := &delegation.Group{ID: id(2, g), Name: fmt.Sprint("G", g), Known: true, Whole: true, Pim: delegation.Yes}
		for p := range 10 {
			group.Members = append(group.Members, delegation.Member{Person: id(3, g*10+p)})
		}
		inv.Groups[group.ID] = group
	}
	granted := []string{entra.RoleUserAdministrator, entra.RoleGlobalAdministrator, entra.RoleDirectoryReaders, entra.RoleExchangeAdministrator}
	var parts [][]byte
	for c := range customers {
		x := delegation.Customer{Tenant: id(1, c), Name: fmt.Sprint("C", c), DAP: delegation.No}
		r := delegation.Relationship{ID: id(4, c), Active: true, Activated: end.AddDate(-1, 0, 0), Read: delegation.Yes}
		p := &use.Part{Tenant: x.Tenant, Logs: []use.Log{{Kind: evidence.DirectoryAudit, Read: true, Live: true,
			Spans: []use.Span{{From: end.AddDate(-1, 0, 0), To: end}}}}}
		for g := range 10 {
			r.Assignments = append(r.Assignments, delegation.Assignment{ID: id(5, g), Group: id(2, g), Active: true, Roles: granted})
			for k := range 5 {
				a := acts[(c+k)%len(acts)]
				act := use.Act{Actor: id(3, g*10+c%10), Count: 20, First: end.AddDate(0, 0, -80), Last: end.AddDate(0, 0, -1),
					Act: role.Act{Log: string(evidence.DirectoryAudit), Category: a.category, Activity: a.name, Target: role.TargetOrdinary}}
				for d := range int64(20) {
					act.Days = append(act.Days, use.Day{end.Unix()/86400 - 4*(20-d), 1})
				}
				p.Acts = append(p.Acts, act)
			}
		}
		x.Relationships = []delegation.Relationship{r}
		inv.Customers = append(inv.Customers, x)
		raw, err := json.Marshal(p)
		if err != nil {
			panic(err)
		}
		parts = append(parts, raw)
	}
	return inv, parts
}

// TestLargePartner: from stored parts to the recommendation, well within 5 s and 300 MB for
// 2,000 customers; the test takes a tenth of them, and of the time.
func TestLargePartner(t *testing.T) {
	inv, parts := large(200)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	began := time.Now()
	items, acts := recommendFrom(t, inv, parts)
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	if items != 2000 || acts != 200_000 {
		t.Errorf("%d items, %d acts", items, acts)
	}
	if took > 2*time.Second || after.Sys-before.Sys > 300<<20 {
		t.Errorf("it took %s and %d MiB", took, (after.Sys-before.Sys)>>20)
	}
}

func recommendFrom(tb testing.TB, inv *delegation.Inventory, parts [][]byte) (items int, acts int64) {
	tb.Helper()
	in := recommend.Input{Inventory: inv, Use: map[string]*use.Part{}, To: end}
	for _, raw := range parts {
		p := new(use.Part)
		if err := json.Unmarshal(raw, p); err != nil {
			tb.Fatal(err)
		}
		in.Use[p.Tenant] = p
	}
	r := recommend.Run(in)
	return r.Summary.Items, r.Summary.Acts
}

func BenchmarkLargePartner(b *testing.B) {
	inv, parts := large(2000)
	b.ReportAllocs()
	for b.Loop() {
		recommendFrom(b, inv, parts)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.Sys>>20), "MiB")
}
