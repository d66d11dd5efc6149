package trail

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
)

// TestSearchTenants: a search for several tenants finds, page by page, what was recorded of
// them and nothing else, whether entries stand alone or many in a page, and whatever
// words look like a tenant's.
func TestSearchTenants(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		tr, err := Open(ctx, d, Options{})
		if err != nil {
			t.Fatal(err)
		}
		names := []string{"", "one", "two", `qu"ote`, `back\slash`, "three"}
		want := []string{"one", `qu"ote`, `back\slash`}
		r := rand.New(rand.NewPCG(5, 6))
		var items []item
		var seqs []int64
		var seq int64
		for i := range 900 {
			name := names[r.IntN(len(names))]
			seq++
			if slices.Contains(want, name) {
				seqs = append(seqs, seq)
			}
			items = append(items, item{int64(i + 1), tail(audit.Event{Action: audit.TokenIssued, Outcome: audit.Done, Actor: "a", Tenant: name,
				Reason: `"tenant":"one"`, Details: map[string]string{"tenant": "one", "size": fmt.Sprint(i)}})})
			if r.IntN(3) == 0 || i > 400 { // some in pages of several, the rest alone
				if err := d.InTx(ctx, func(ctx context.Context) error { return tr.add(ctx, items, nil) }); err != nil {
					t.Fatal(err)
				}
				items = nil
			}
		}
		var got []int64
		q := Query{Tenants: want, Limit: 70}
		for {
			f, err := tr.Search(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range f.Entries {
				got = append(got, e.Seq)
			}
			if q.Before = f.Next; f.Next == 0 {
				break
			}
		}
		slices.Reverse(got)
		if !slices.Equal(got, seqs) {
			t.Errorf("found %d entries, recorded %d: %v %v", len(got), len(seqs), got[:min(5, len(got))], seqs[:5])
		}
		if f, err := tr.Search(ctx, Query{Tenants: []string{}}); err != nil || len(f.Entries) > 0 {
			t.Errorf("of no tenant: %d entries, %v", len(f.Entries), err)
		}
	})
}
