//go:build !judge

package move

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/recommend"
	"partnerguard/internal/entra"
)

// mixed puts customers there of every kind: of Microsoft's transition, with too wide a
// relationship, with DAP, with several relationships, with Tier2 Support.
func mixed(f *fake, customers int) (*delegation.Inventory, *recommend.Result) {
	for n := range customers {
		name := fmt.Sprintf("R%d", n)
		switch n % 5 {
		case 0:
			f.seed(n, "MLT_"+name, n%2 == 0, []string{global, helpdesk, users, privrole}, []string{helpdesk, users}, []string{global, users})
		case 1:
			f.seed(n, name, true, []string{global, helpdesk, license}, []string{helpdesk, license}, []string{global})
		case 2:
			f.seed(n, name, false, []string{users, readers}, []string{users, readers}, nil)
			f.seed(n, name+"b", false, []string{helpdesk}, []string{helpdesk}, []string{helpdesk})
		case 3:
			f.seed(n, name, true, []string{helpdesk, entra.RolePartnerTier2Support}, []string{helpdesk, entra.RolePartnerTier2Support}, nil)
		case 4:
			f.seed(n, name, n%3 == 0, []string{privrole}, nil, []string{privrole})
		}
	}
	inv := f.inventory(customers)
	return inv, least(inv, recommend.ByEvidence, helpdesk, users)
}

// answering is what customers do: most say yes in hours, some after weeks, a few only to
// the second offer.
func answering(tenant string, offer int) (bool, time.Duration) {
	n, _ := strconv.Atoi(strings.TrimLeft(tenant[len(tenant)-6:], "0"))
	switch {
	case n%40 == 3 && offer < 2:
		return true, 0
	case n%7 == 0:
		return true, 3 * 24 * time.Hour
	}
	return true, time.Duration(1+n%48) * time.Hour
}

// chance is a stream of small numbers that a seed decides.
type chance struct {
	mu sync.Mutex
	x  uint64
}

func (c *chance) of(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.x ^= c.x << 13
	c.x ^= c.x >> 7
	c.x ^= c.x << 17
	return int(c.x % uint64(n))
}

// faulty is Microsoft on a bad day: throttled, unavailable, with lost replies, refusals by
// a conflict that is none, and ETags that are old.
type faulty struct {
	Cloud
	c *chance
}

// before is what happens instead of a request; lost says that it is done and its answer lost.
func (x *faulty) before(write bool) (lost bool, err error) {
	switch n := x.c.of(24); {
	case n == 0:
		return false, apiError(429)
	case n == 1:
		return false, apiError(503)
	case n == 2:
		return false, apiError(0)
	case write && n == 3:
		return false, apiError(409)
	case write && n == 4:
		return false, apiError(412)
	case n <= 7:
		return true, nil
	}
	return false, nil
}

func did[T any](x *faulty, write bool, call func() (T, error)) (T, error) {
	var none T
	lost, err := x.before(write)
	if err != nil {
		return none, err
	}
	v, err := call()
	if lost {
		return none, apiError(0)
	}
	return v, err
}

func did0(x *faulty, call func() error) error {
	_, err := did(x, true, func() (struct{}, error) { return struct{}{}, call() })
	return err
}

func (x *faulty) Relationship(ctx context.Context, id string) (Seen, error) {
	return did(x, false, func() (Seen, error) { return x.Cloud.Relationship(ctx, id) })
}

func (x *faulty) Create(ctx context.Context, tenant string, r Relationship) (Seen, error) {
	return did(x, true, func() (Seen, error) { return x.Cloud.Create(ctx, tenant, r) })
}

func (x *faulty) Ask(ctx context.Context, id, action string) error {
	return did0(x, func() error { return x.Cloud.Ask(ctx, id, action) })
}

func (x *faulty) Discard(ctx context.Context, id, etag string) error {
	return did0(x, func() error { return x.Cloud.Discard(ctx, id, etag) })
}

func (x *faulty) SetRoles(ctx context.Context, id, etag string, roles []string) (string, error) {
	return did(x, true, func() (string, error) { return x.Cloud.SetRoles(ctx, id, etag, roles) })
}

func (x *faulty) Assignments(ctx context.Context, id string) ([]Assigned, error) {
	return did(x, false, func() ([]Assigned, error) { return x.Cloud.Assignments(ctx, id) })
}

func (x *faulty) Assign(ctx context.Context, id, group string, roles []string) error {
	return did0(x, func() error { return x.Cloud.Assign(ctx, id, group, roles) })
}

func (x *faulty) Reassign(ctx context.Context, id, assignment, etag string, roles []string) (string, error) {
	return did(x, true, func() (string, error) { return x.Cloud.Reassign(ctx, id, assignment, etag, roles) })
}

func (x *faulty) Unassign(ctx context.Context, id, assignment, etag string) error {
	return did0(x, func() error { return x.Cloud.Unassign(ctx, id, assignment, etag) })
}

func (x *faulty) Operation(ctx context.Context, id, operation string) (string, error) {
	return did(x, false, func() (string, error) { return x.Cloud.Operation(ctx, id, operation) })
}

func (x *faulty) RemoveDAP(ctx context.Context, tenant string) error {
	return did0(x, func() error { return x.Cloud.RemoveDAP(ctx, tenant) })
}

// undisturbed is the world after a run in which nothing goes wrong.
func undisturbed(t *testing.T, customers int) string {
	f := newFake()
	f.answers = answering
	r := newRig(t, dbtest.SQLite(t), f)
	inv, res := mixed(f, customers)
	run, err := r.Apply(t.Context(), r.plan(inv, res), 0, inv)
	r.ok(err)
	if s := r.drive(r.Mover, run.ID, 100_000); s.State != Over || s.Counts[Done] != len(s.Moves) {
		t.Fatalf("undisturbed: %s %v %s", s.State, s.Counts, s.Why)
	}
	return f.world()
}

// many is how many customers a walk has: few in each run of the tests, as many as
// PARTNERGUARD_MOVES says otherwise.
func many() int {
	if n, err := strconv.Atoi(os.Getenv("PARTNERGUARD_MOVES")); err == nil && n > 0 {
		return n
	}
	return 6
}

// died is what a process panics with that dies.
type died struct{ at string }

// TestWalk: with faults at every seventh request or so, and processes that die at every
// kind of point, all ends in the world of an undisturbed run.
func TestWalk(t *testing.T) {
	t.Parallel()
	n := many()
	want := undisturbed(t, n)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := newFake()
		f.answers = answering
		r := newRig(t, d, f)
		inv, res := mixed(f, n)
		run, err := r.Apply(t.Context(), r.plan(inv, res), 0, inv)
		r.ok(err)
		c := &chance{x: 88172645463325252}
		deaths := map[string]int{}
		m := r.another(d, &faulty{f, c}, func(_ context.Context, at string) {
			odds := 12
			if at == "lease taken" { // which is taken at every look
				odds = 600
			}
			if c.of(odds) == 0 {
				panic(died{at})
			}
		})
		var s Status
		for range 300_000 {
			if s = r.status(run.ID); s.State == Over {
				break
			}
			if s.State == Stopped {
				t.Fatalf("stopped: %s", s.Why)
			}
			for _, x := range s.Moves {
				if x.State == Held { // there is nothing here that a person would have to look at
					t.Fatalf("%s is held: %s", x.Customer, x.Why)
				}
			}
			dying(t, m, run.ID, deaths)
			f.jump(wakes(r.status(run.ID), f.clock()))
		}
		if got := f.world(); s.State != Over || got != want {
			t.Errorf("%s %v: another world:\n%s", s.State, s.Counts, difference(want, got))
		}
		if len(deaths) < 12 {
			t.Errorf("processes died at %d kinds of points alone: %v", len(deaths), deaths)
		}
	})
}

// dying does what is due, by a process that may die in it.
func dying(t *testing.T, m *Mover, plan string, deaths map[string]int) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case died:
			deaths[p.at]++
			m.id += "'" // the next one is another process
			if len(m.id) > 60 {
				m.id = m.id[:20]
			}
		default:
			panic(p)
		}
	}()
	if err := m.Now(t.Context(), plan, false, nil); err != nil {
		t.Fatal(err)
	}
}

// wakes is how long until the next move is due, or a dead process's lease has run out.
func wakes(s Status, now time.Time) time.Duration {
	next := time.Duration(0)
	for _, x := range s.Moves {
		if d := x.Next.Sub(now); !x.Next.IsZero() && (next == 0 || d < next) {
			next = max(d, leaseFor/2)
		}
	}
	return max(next, time.Second)
}

func difference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	var out []string
	for _, l := range a {
		if !slices.Contains(b, l) {
			out = append(out, "- "+l)
		}
	}
	for _, l := range b {
		if !slices.Contains(a, l) {
			out = append(out, "+ "+l)
		}
	}
	return strings.Join(out[:min(len(out), 20)], "\n")
}

// TestStates: whatever is done to a move, in whatever order, it never takes access away
// before the access that replaces it was probed, never takes DAP before that, and never
// leaves a state by a way that is none.
func TestStates(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	v := newRig(t, d, newFake()).v
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		if n++; n > 25 && os.Getenv("PARTNERGUARD_MOVES") == "" {
			return // the rest is for make moves
		}
		f := newFake()
		f.answers = func(string, int) (bool, time.Duration) {
			return rapid.Bool().Draw(rt, "yes"), time.Duration(rapid.IntRange(0, 80).Draw(rt, "hours")) * time.Hour
		}
		r := rigOf(t, d, f, v)
		inv, res := mixed(f, 5)
		p := r.plan(inv, res, func(a *Ask) { a.Seed, a.Stages = fmt.Sprint(n), []int{100} })
		run, err := r.Apply(t.Context(), p, 0, inv)
		r.ok(err)
		m := r.another(d, &faulty{f, &chance{x: rapid.Uint64Range(1, 1<<60).Draw(rt, "chance")}}, nil)
		for range rapid.IntRange(5, 60).Draw(rt, "acts") {
			before := r.status(run.ID)
			c := tenantOf(rapid.IntRange(0, 4).Draw(rt, "customer"))
			switch rapid.IntRange(0, 11).Draw(rt, "act") {
			case 0:
				_, _ = r.Cancel(t.Context(), run.ID, c)
			case 1:
				_ = r.Rollback(t.Context(), run.ID, c)
			case 2:
				_, _ = r.Resume(t.Context(), run.ID, "")
			case 3:
				r.p.fail[c] = "it does not work"
			case 4:
				delete(r.p.fail, c)
			default:
				r.ok(m.Now(t.Context(), run.ID, false, nil))
				f.jump(time.Duration(rapid.IntRange(1, 5000).Draw(rt, "seconds")) * time.Second)
			}
			held(t, rt, f, &p, before, r.status(run.ID))
		}
		for _, x := range r.status(run.ID).Moves { // the next turn begins afresh
			_, err := d.ExecContext(t.Context(), "DELETE FROM delegation_moves WHERE plan = $1 AND customer = $2", x.Plan, x.Customer)
			r.ok(err)
		}
	})
}

// held is what must be true at every moment.
func held(t *testing.T, rt *rapid.T, f *fake, p *Plan, before, after Status) {
	t.Helper()
	was := map[string]State{}
	for _, x := range before.Moves {
		was[x.Customer] = x.State
	}
	for _, x := range after.Moves {
		if ended := was[x.Customer]; ended.Ended() && x.State != ended {
			rt.Fatalf("%s was %s and is %s", x.Customer, ended, x.State)
		}
		c := &x.wish
		proved := x.State.Passed() || x.State == Held && (x.Progress.HeldIn.Passed() || x.Progress.HeldIn == Restoring || x.Progress.HeldIn == Retracting) ||
			x.State == Restoring || x.State == Retracting || x.State == RolledBack
		if c.Change == Keep {
			proved = true
		}
		if !proved && c.DAP == DAPRemove && !f.dap[x.Customer] {
			rt.Fatalf("%s lost DAP while %s", x.Customer, x.State)
		}
		for _, e := range c.End {
			r := f.at(e.ID)
			if !proved && (r.Status != statusActive || slices.ContainsFunc(r.as, func(a *fakeAssigned) bool { return a.Status == assignDeleted })) {
				rt.Fatalf("%s lost %s while %s", x.Customer, e.Name, x.State)
			}
			if x.State == RolledBack && r.Status != statusActive {
				rt.Fatalf("%s is rolled back, and %s is %s", x.Customer, e.Name, r.Status)
			}
		}
		if x.State == Cancelled {
			for id := range f.rel {
				if r := f.at(id); r.Name == x.Progress.Name && r.Status == statusActive {
					rt.Fatalf("%s is cancelled, and the new relationship is active", x.Customer)
				}
			}
		}
	}
}
