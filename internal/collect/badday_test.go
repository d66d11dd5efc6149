package collect_test

import (
	"context"
	"errors"
	"math/big"
	"sync"
	"syscall"
	"testing"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/collect"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/partnercloud/gate"
)

// through reads until nothing failed and nothing is left, whatever happens meanwhile.
func (o *opened) through(t *testing.T, s spec) {
	t.Helper()
	a := collect.Ask{}
	for range 200 {
		_, err := o.Meet(t.Context())
		if err == nil {
			_, err = o.Round(t.Context(), s.Tenant, a)
		}
		list, serr := o.Status(t.Context(), s.Tenant)
		if err != nil || serr != nil || len(list) != 1 { // it ended early: what was kept is kept
			time.Sleep(10 * time.Millisecond)
			continue
		}
		a = collect.Ask{Now: true}
		for _, x := range list[0].Resources {
			if x.State != "read" && x.State != "refused" {
				a.Only = append(a.Only, x.Resource)
			}
		}
		if len(a.Only) == 0 {
			return
		}
	}
	t.Fatal("it does not come to its end")
}

// The cloud's bad days: whatever it does to requests, what stands in the archive in the
// end is what an undisturbed reading brings, byte for byte, and the ledger is the same.
func TestBadDays(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a day of bad days")
	}
	base, l := newSpec(t)
	calm := base.at(t, "")
	if err := calm.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := calm.result(t)
	faults := map[string][]gate.Fault{
		"throttled":                   {{Service: gate.Any, Kind: gate.Throttle, Share: 0.3}},
		"throttled without a word":    {{Service: gate.Any, Kind: gate.ThrottleBare, Share: 0.3}},
		"errors":                      {{Service: gate.Any, Kind: gate.ServerErrors, Share: 0.3}},
		"cut":                         {{Service: gate.Any, Kind: gate.Cut, Share: 0.3}},
		"half an answer":              {{Service: gate.Any, Kind: gate.Half, Share: 0.3}},
		"the answer is lost":          {{Service: gate.Any, Kind: gate.Lost, Share: 0.3}},
		"pages that come again":       {{Service: gate.Graph, Kind: gate.RepeatPage, Share: 0.5}},
		"links that are good once":    {{Service: gate.Graph, Kind: gate.ChangedPage, Times: 15}},
		"tokens that expire":          {{Service: gate.Graph, Kind: gate.ExpiredToken, Share: 0.2}, {Service: gate.Center, Kind: gate.ExpiredToken, Share: 0.2}},
		"a service that is down long": {{Service: gate.Graph, Kind: gate.Error503, Times: 60}},
	}
	for name, list := range faults {
		t.Run(name, func(t *testing.T) { // one after the other: the cloud is one
			s := base.at(t, "")
			for _, f := range list {
				if _, err := l.Server.Gate.Inject(f); err != nil {
					t.Fatal(err)
				}
			}
			defer l.Server.Gate.Clear("")
			change := func(*collect.Deps) {}
			if name == "links that are good once" {
				change = failing(errors.New("what was read is lost")) // and so read again
			}
			o, err := s.open(t.Context(), change)
			if err != nil {
				t.Fatal(err)
			}
			defer o.end()
			o.through(t, s)
			for _, f := range l.Server.Gate.Faults() {
				if f.Hits == 0 {
					t.Errorf("%s hit nothing", f.Kind)
				}
			}
			l.Server.Gate.Clear("")
			s.result(t).same(t, want)
			s.once(t)
		})
	}
}

// flaky is an archive whose place fails now and then.
type flaky struct {
	collect.Writer
	mu   *sync.Mutex
	r    *random
	fail error
}

func (f flaky) Commit(ctx context.Context, with func(context.Context) error) (archive.Segment, error) {
	f.mu.Lock()
	bad := f.r.below(3) == 0
	f.mu.Unlock()
	if bad {
		f.Discard()
		return archive.Segment{}, f.fail
	}
	return f.Writer.Commit(ctx, with)
}

func failing(err error) func(*collect.Deps) {
	return func(d *collect.Deps) {
		begin, r, mu := d.Begin, &random{big.NewInt(7)}, &sync.Mutex{}
		d.Begin = func(tenant string) (collect.Writer, error) {
			w, werr := begin(tenant)
			return flaky{w, mu, r, err}, werr
		}
	}
}

// Our own bad days: the disk is full, the store is away, the database is locked or
// ends every connection.
func TestOwnBadDays(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a day of bad days")
	}
	base, _ := newSpec(t)
	calm := base.at(t, "")
	if err := calm.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := calm.result(t)
	for name, c := range map[string]struct {
		where   func() string
		change  func(*collect.Deps)
		disturb func(context.Context, *db.DB)
	}{
		"the disk is full":       {change: failing(syscall.ENOSPC)},
		"the store is away":      {change: failing(errors.New("the bucket does not answer"))},
		"the database is locked": {disturb: locks},
		"PostgreSQL restarts":    {where: func() string { return dbtest.PostgresURL(t) }, disturb: ends},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			where := ""
			if c.where != nil {
				where = c.where()
			}
			s := base.at(t, where)
			if c.change == nil {
				c.change = func(*collect.Deps) {}
			}
			o, err := s.open(t.Context(), c.change)
			if err != nil {
				t.Fatal(err)
			}
			defer o.end()
			calmed := func() {}
			if c.disturb != nil {
				other, err := db.Open(t.Context(), s.DB)
				if err != nil {
					t.Fatal(err)
				}
				defer other.Close()
				ctx, stop := context.WithCancel(t.Context())
				var wg sync.WaitGroup
				wg.Go(func() { c.disturb(ctx, other) })
				calmed = func() { stop(); wg.Wait() }
				defer calmed()
			}
			o.through(t, s)
			calmed()
			s.result(t).same(t, want)
			s.once(t)
		})
	}
}

// locks holds the database's one lock now and then.
func locks(ctx context.Context, d *db.DB) {
	for ctx.Err() == nil {
		_ = d.InTx(ctx, func(ctx context.Context) error {
			if _, err := d.ExecContext(ctx, "UPDATE settings SET value = value"); err != nil {
				return err
			}
			time.Sleep(100 * time.Millisecond)
			return nil
		})
		time.Sleep(20 * time.Millisecond)
	}
}

// ends ends every connection to the database five times.
func ends(ctx context.Context, d *db.DB) {
	for range 5 {
		if ctx.Err() != nil {
			return
		}
		_, _ = d.ExecContext(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
		time.Sleep(50 * time.Millisecond)
	}
}
