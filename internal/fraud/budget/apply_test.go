//go:build !judge

package budget

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
)

// A plan sets what is missing once, and taking it back leaves what was there before.
func TestApplyAndBack(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d, newFake())
		r.f.center[tenantOf(1)] = ptr(500) // so already
		p := plan(2)
		s := r.apply(p)
		if s.State != Over || s.Counts[Done] != 3 || s.Counts[Found] != 1 {
			t.Fatalf("%s %v", s.State, s.Counts)
		}
		if r.f.amount(tenantOf(0)) != 500 || len(r.f.writes) != 3 {
			t.Fatalf("%v %v", r.f.amount(tenantOf(0)), r.f.writes)
		}
		var set properties
		r.ok(json.Unmarshal(r.f.azure[subOf(0)+"/"+AzureName], &set))
		kinds := map[string]int{}
		for _, n := range set.Notifications {
			kinds[n.Type]++
		}
		if kinds["Actual"] != 3 || kinds["Forecasted"] != 1 || set.Period.Start != "2026-11-01T00:00:00Z" || set.Category != "Cost" {
			t.Errorf("%+v", set)
		}
		r.apply(p)
		if len(r.f.writes) != 3 {
			t.Errorf("applying it again wrote again: %v", r.f.writes)
		}
		asked, answered := len(r.trail.Of(audit.BudgetAsked)), len(r.trail.Of(audit.BudgetChanged))
		steps, err := r.History(t.Context(), s.ID, tenantOf(0))
		r.ok(err)
		if asked != 3 || answered != 3 || len(steps) != 2 || steps[0].Result != "done" {
			t.Errorf("%d asked, %d answered, %+v", asked, answered, steps)
		}
		r.ok(r.Rollback(t.Context(), s.ID, ""))
		s = r.drive(s.ID)
		if s.State != Back || s.Counts[Restored] != 3 || s.Counts[Found] != 1 {
			t.Fatalf("%s %v", s.State, s.Counts)
		}
		if r.f.amount(tenantOf(0)) != -1 || r.f.amount(tenantOf(1)) != 500 || len(r.f.azure) != 0 {
			t.Errorf("%v %v %v", r.f.amount(tenantOf(0)), r.f.amount(tenantOf(1)), r.f.azure)
		}
		if _, err := r.Apply(t.Context(), p); !errors.Is(err, problem.Conflict) {
			t.Errorf("a plan that was taken back was applied again: %v", err)
		}
	})
}

// What is there is never changed unless the plan says so, and only where it is what the plan found.
func TestNeverOver(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		has     *float64
		was     Was
		replace bool
		state   State
		amount  float64
		says    string
	}{
		"none":                        {nil, WasNone, false, Done, 500, ""},
		"nothing":                     {ptr(0), WasNone, false, Done, 500, ""},
		"so already":                  {ptr(500), WasNone, false, Found, 500, "so already"},
		"higher":                      {ptr(900), "900", false, Held, 900, "--replace"},
		"lower":                       {ptr(100), WasNotRead, false, Held, 100, "--replace"},
		"replaced":                    {ptr(900), "900", true, Done, 500, "900"},
		"replaced, not read":          {ptr(900), WasNotRead, true, Done, 500, "900"},
		"changed since":               {ptr(901), "900", true, Held, 901, "is 901 EUR now"},
		"made since":                  {ptr(100), WasNone, true, Held, 100, "make a plan anew"},
		"gone since":                  {nil, "900", true, Done, 500, "none"},
		"so already, though replaced": {ptr(500), "900", true, Found, 500, "so already"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, dbtest.SQLite(t), newFake())
			r.f.center[tenantOf(0)] = c.has
			s := r.apply(plan(1, func(p *Plan) {
				p.Customers[0].Azure, p.Customers[0].Center.Was, p.Customers[0].Center.Replace = nil, c.was, c.replace
			}))
			x := s.Items[0]
			if x.State != c.state || r.f.amount(tenantOf(0)) != c.amount || !strings.Contains(x.Why, c.says) {
				t.Errorf("%s (%s), %v", x.State, x.Why, r.f.amount(tenantOf(0)))
			}
			if x.State != Done {
				return
			}
			r.ok(r.Rollback(t.Context(), s.ID, ""))
			r.drive(s.ID)
			want := -1.0
			if c.has != nil {
				want = *c.has
			}
			if r.f.amount(tenantOf(0)) != want {
				t.Errorf("taken back it is %v, and it was %v", r.f.amount(tenantOf(0)), want)
			}
		})
	}
}

// Whoever changed a budget after us keeps it.
func TestChangedSince(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t), newFake())
	s := r.apply(plan(1))
	r.f.center[tenantOf(0)] = ptr(50)
	r.ok(r.Rollback(t.Context(), s.ID, ""))
	s = r.drive(s.ID)
	if x := r.item(tenantOf(0), CenterItem); x.State != Left || r.f.amount(tenantOf(0)) != 50 || s.Counts[Restored] != 1 {
		t.Errorf("%s (%s) %v", x.State, x.Why, r.f.amount(tenantOf(0)))
	}
}

// Failures of every kind come to what was planned, or say what is left, and never write twice
// what an answer was lost of.
func TestFaults(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	first := func(n int, err error) func(act, where string) error {
		return func(act, _ string) error {
			if act == "get" {
				return nil
			}
			if seen[act]++; seen[act] <= n {
				return err
			}
			return nil
		}
	}
	for _, c := range []struct {
		name   string
		fail   func(act, where string) error
		lost   []string
		state  State // of the subscription's
		says   string
		writes int
	}{
		{"lost answers", nil, []string{tenantOf(0), subOf(0)}, Done, "", 2},
		{"throttled", first(3, refusal(429, "")), nil, Done, "", 2},
		{"an error that passes", first(2, refusal(503, "")), nil, Done, "", 2},
		{"a conflict", first(2, refusal(409, "")), nil, Done, "", 2},
		{"an old ETag", first(2, refusal(412, "")), nil, Done, "", 2},
		{"no right in Azure", func(act, where string) error {
			if where == subOf(0) && act != "get" {
				return refusal(403, "RBACAccessDenied")
			}
			return nil
		}, nil, Refused, "Cost Management Contributor", 1},
		{"not seen in Azure", func(_, where string) error {
			if where == subOf(0) {
				return refusal(404, "SubscriptionNotFound")
			}
			return nil
		}, nil, Refused, "AdminAgents", 1},
		{"not accepted", func(act, where string) error {
			if where == subOf(0) && act == "put" {
				return refusal(400, "BadRequest")
			}
			return nil
		}, nil, Failed, "not accepted", 1},
		{"down for days", func(_, where string) error {
			if where == subOf(0) {
				return refusal(503, "")
			}
			return nil
		}, nil, Failed, "for days", 1},
	} {
		clear(seen)
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, dbtest.SQLite(t), newFake())
			r.f.fail = c.fail
			for _, w := range c.lost {
				r.f.lost[w] = true
			}
			r.apply(plan(1))
			x, y := r.item(tenantOf(0), subOf(0)), r.item(tenantOf(0), CenterItem)
			if x.State != c.state || !strings.Contains(x.Why, c.says) || y.State != Done || len(r.f.writes) != c.writes {
				t.Fatalf("%s (%s), %s, %v", x.State, x.Why, y.State, r.f.writes)
			}
			if c.state == Done {
				return
			}
			r.f.fail = nil
			s := r.apply(plan(1)) // the right was given: it is tried again
			if s.Counts[Done] != 2 || len(r.f.writes) != 2 {
				t.Errorf("%v %v", s.Counts, r.f.writes)
			}
		})
	}
}

// Two processes at the same plan write each budget once.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d, newFake())
		other := r.another(d)
		run, err := r.Apply(t.Context(), plan(12))
		r.ok(err)
		var wait sync.WaitGroup
		for _, b := range []*Budgets{r.Budgets, other} {
			wait.Go(func() {
				if err := b.Now(t.Context(), run.ID, nil); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		s := r.drive(run.ID)
		if s.Counts[Done] != 24 || len(r.f.writes) != 24 {
			t.Errorf("%v, %d writes", s.Counts, len(r.f.writes))
		}
	})
}

// A rollback reaches what was not set yet: it is not set any more.
func TestBackBefore(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t), newFake())
	run, err := r.Apply(t.Context(), plan(2))
	r.ok(err)
	r.ok(r.Rollback(t.Context(), run.ID, tenantOf(0)))
	s := r.drive(run.ID)
	if s.Counts[Dropped] != 2 || s.Counts[Done] != 2 || r.f.amount(tenantOf(0)) != -1 {
		t.Errorf("%v", s.Counts)
	}
	if n := len(r.trail.Of(audit.BudgetRolledBack)); n != 2 {
		t.Errorf("the trail has it %d times", n)
	}
}

// Rows that something else wrote are done by nobody, also older ones of our own.
func TestForgedRows(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d, newFake())
		run, err := r.Apply(t.Context(), plan(1))
		r.ok(err)
		for _, change := range []string{"UPDATE budget_items SET wish = replace(wish, '500', '9000000')", "UPDATE budget_runs SET actor = 'someone'"} {
			undo := r.rows(d)
			if _, err := d.ExecContext(t.Context(), change); err != nil {
				t.Fatal(err)
			}
			if err := r.Now(t.Context(), run.ID, nil); err == nil || len(r.f.writes) > 0 {
				t.Errorf("%s: %v %v", change, err, r.f.writes)
			}
			undo()
		}
		r.Budgets.d.Last = nil
		old := r.rows(d)
		r.ok(r.Rollback(t.Context(), run.ID, ""))
		old() // the plan as it was before it was taken back
		r.Budgets.d.Last = lastOf(r.trail)
		if err := r.Now(t.Context(), run.ID, nil); !errors.Is(err, problem.Conflict) || len(r.f.writes) > 0 {
			t.Errorf("%v %v", err, r.f.writes)
		}
	})
}
