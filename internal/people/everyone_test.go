package people

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/snapshot"
)

// TestEveryoneAnew: however tenants are judged one after the other, come and go, the
// accounts of all are those of the newest parts, in order, and say whose they are.
func TestEveryoneAnew(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)
	s, err := snapshot.New(snapshot.Deps{DB: dbtest.SQLite(t), Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	f, err := New(Deps{Snapshot: s})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	parts := map[string]Part{}
	check := func(what string) {
		t.Helper()
		heads, is, err := f.everyone(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var want []Row
		for _, p := range parts {
			want = append(want, p.Rows...)
		}
		slices.SortFunc(want, func(a, b Row) int { return worst(&a, &b) })
		if len(heads) != len(parts) || len(is.rows) != len(want) {
			t.Fatalf("%s: %d tenants with %d rows, not %d with %d", what, len(heads), len(is.rows), len(parts), len(want))
		}
		for i := range want {
			g, w := &is.rows[i], &want[i]
			of := ""
			if len(parts) > 1 {
				of = "name of " + w.Tenant
			}
			if g.ID != w.ID || g.Weight != w.Weight || g.of != of || g.at != i {
				t.Fatalf("%s: row %d is %s of weight %d, %q at %d; want %s of weight %d, %q", what, i, g.ID, g.Weight, g.of, g.at, w.ID, w.Weight, of)
			}
		}
	}
	for round := range 60 {
		n := r.IntN(7)
		tenant := fmt.Sprintf("tenant%d", n)
		at = at.Add(time.Minute)
		what := fmt.Sprintf("round %d", round)
		if r.IntN(4) == 0 {
			what += " without " + tenant
			if err := s.Drop(t.Context(), tenant); err != nil {
				t.Fatal(err)
			}
			delete(parts, tenant)
		} else {
			p := Part{Tenant: tenant, Name: "name of " + tenant, At: at}
			for i := range r.IntN(5) {
				p.Rows = append(p.Rows, Row{Tenant: tenant, ID: fmt.Sprintf("%s-%d", tenant, i), UPN: fmt.Sprintf("u%d@%s", i, tenant), Weight: r.IntN(6)})
			}
			if err := s.Put(t.Context(), tenant, at, "", map[string]any{PartName: p}); err != nil {
				t.Fatal(err)
			}
			parts[tenant] = p
		}
		if r.IntN(3) > 0 {
			check(what)
		}
	}
	check("at the end")
}
