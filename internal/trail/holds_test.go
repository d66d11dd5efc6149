package trail

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
)

// TestHolds: from any entry to any other, and nothing that was edited, removed,
// put in its place or moved.
func TestHolds(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		tr, err := Open(ctx, d, Options{})
		if err != nil {
			t.Fatal(err)
		}
		const n = 600
		err = d.InTx(ctx, func(ctx context.Context) error {
			for i := range n {
				if err := tr.Record(ctx, audit.Event{Action: audit.TokenIssued, Outcome: audit.Done, Actor: fmt.Sprintf("a%d", i)}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		holds := func(after, to int64) error { return tr.Held(ctx, after, to, nil, nil) }
		for _, r := range [][2]int64{{0, n}, {0, 0}, {n, n}, {0, 1}, {255, 256}, {256, 257}, {200, 599}, {511, 513}, {n - 1, n}} {
			if err := holds(r[0], r[1]); err != nil {
				t.Errorf("%v: %v", r, err)
			}
		}
		for _, r := range [][2]int64{{-1, n}, {0, n + 1}, {5, 4}} {
			if err := holds(r[0], r[1]); !errors.Is(err, problem.Conflict) {
				t.Errorf("%v: %v", r, err)
			}
		}
		for name, text := range map[string]string{
			"edited":     "UPDATE trail_pages SET entries = replace(entries, '\"a399\"', '\"b399\"') WHERE first = 400",
			"removed":    "DELETE FROM trail_pages WHERE first = 400",
			"another's":  "UPDATE trail_pages SET entries = (SELECT entries FROM trail_pages WHERE first = 401) WHERE first = 400",
			"hidden":     "UPDATE trail_pages SET first = -5 WHERE first = 400",
			"misnamed":   "UPDATE trail_pages SET last = 999 WHERE first = 400",
			"all but it": "DELETE FROM trail_pages WHERE first > 400",
		} {
			if _, err := d.Exec("CREATE TABLE kept AS SELECT * FROM trail_pages"); err != nil {
				t.Fatal(err)
			}
			if _, err := d.Exec(text); err != nil {
				t.Fatal(err)
			}
			if err := holds(350, 450); !errors.Is(err, problem.Conflict) && !errors.Is(err, problem.BadInput) {
				t.Errorf("%s: %v", name, err)
			}
			for _, back := range []string{"DELETE FROM trail_pages", "INSERT INTO trail_pages SELECT * FROM kept", "DROP TABLE kept"} {
				if _, err := d.Exec(back); err != nil {
					t.Fatal(err)
				}
			}
			if err := holds(350, 450); err != nil {
				t.Fatalf("%s: put back: %v", name, err)
			}
		}
	})
}

// TestHeldReadsOn: who reads on from where they were needs nothing of what was before, and
// what follows is held to it all the same.
func TestHeldReadsOn(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	tr, err := Open(t.Context(), d, Options{})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(err)
	record := func() {
		must(tr.Record(t.Context(), audit.Event{Action: audit.TokenIssued, Outcome: audit.Done, Actor: "a"}))
	}
	const n = 20
	for range n {
		record()
	}
	must(tr.Held(t.Context(), 0, n, nil, nil))
	record()
	exec := func(q string) { _, err := d.Exec(q); must(err) }
	exec("DELETE FROM trail_pages WHERE last <= 20")
	must(tr.Held(t.Context(), n, n+1, nil, nil))
	strange, err := Open(t.Context(), d, Options{})
	must(err)
	if err := strange.Held(t.Context(), n, n+1, nil, nil); !errors.Is(err, problem.Conflict) {
		t.Errorf("whoever was not there before: %v", err)
	}
	exec("UPDATE trail_head SET nodes = zeroblob(length(nodes))")
	for range 2 { // remembered, and read anew
		if err := tr.Held(t.Context(), n, n+1, nil, nil); !errors.Is(err, problem.Conflict) {
			t.Errorf("another tree: %v", err)
		}
	}
}
