package renew_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/sam/renew"
)

// Many renewers at once, of several processes: one renews, the others leave it
// alone, and nothing is lost.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := newLab(t, d)
		l.bare()
		c := l.connect()
		var wg sync.WaitGroup
		results := make(chan renew.Outcome, 16)
		for range 8 {
			r, err := renew.New(renew.Deps{Store: l.store, Authority: l.api, Record: l.trail, Now: l.now, Pace: 1000})
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() {
				res, err := r.Once(t.Context(), c.ID)
				if err != nil {
					t.Error(err)
					return
				}
				results <- res.Outcome
			})
		}
		wg.Wait()
		close(results)
		count := map[renew.Outcome]int{}
		for o := range results {
			count[o]++
		}
		if count[renew.Renewed] < 1 || count[renew.Renewed]+count[renew.Busy] != 8 || events(t, d) != count[renew.Renewed] {
			t.Errorf("%v, %d events", count, events(t, d))
		}
		if got := l.find(c.ID); got.Generation != int64(1+count[renew.Renewed]) || l.once(c.ID).Outcome != renew.Renewed {
			t.Errorf("generation %d after %v", got.Generation, count)
		}
	})
}

// A renewer whose lease ran out while it waited for the answer does not
// overwrite what another stored meanwhile.
func TestFence(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		late := &gated{asked: make(chan bool), goOn: make(chan bool)}
		l := newLab(t, d, func(x *renew.Deps) { late.Authority = x.Authority })
		l.bare()
		c := l.connect()
		slow, err := renew.New(renew.Deps{Store: l.store, Authority: late, Record: l.trail, Now: l.now})
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan renew.Result, 1)
		go func() {
			res, err := slow.Once(t.Context(), c.ID)
			if err != nil {
				t.Error(err)
			}
			done <- res
		}()
		<-late.asked
		if res := l.once(c.ID); res.Outcome != renew.Busy {
			t.Errorf("while it is leased: %+v", res)
		}
		l.Jump(3 * time.Minute)
		if res := l.once(c.ID); res.Outcome != renew.Renewed || res.Connection.Generation != 2 {
			t.Errorf("after the lease: %+v", res)
		}
		newest, err := l.store.Token(t.Context(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		close(late.goOn)
		if res := <-done; res.Outcome != renew.Busy || res.Connection.Generation != 2 {
			t.Errorf("the late one: %+v", res)
		}
		if h, err := l.store.Token(t.Context(), c.ID); err != nil || !h.Current.Equal(newest.Current) || events(t, d) != 1 {
			t.Errorf("the late one overwrote it (%v), %d events", err, events(t, d))
		}
	})
}

// gated answers when it is told to.
type gated struct {
	msapi.Authority
	asked, goOn chan bool
}

func (g *gated) Refresh(ctx context.Context, r msapi.RefreshRequest) (*msapi.Grant, error) {
	out, err := g.Authority.Refresh(ctx, r)
	g.asked <- true
	<-g.goOn
	return out, err
}

// A clock that jumps causes one renewal and no storm, and no wait for a future
// that was none.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := newLab(t, d)
		l.bare()
		c := l.connect()
		sweep := func(step string, want int) {
			t.Helper()
			n := 0
			for range 3 {
				if err := l.r.Due(t.Context(), func(r renew.Result) {
					n++
					if r.Outcome != renew.Renewed {
						t.Errorf("%s: %+v %+v", step, r, r.Connection.Trouble)
					}
				}); err != nil {
					t.Fatal(err)
				}
			}
			if n != want {
				t.Errorf("%s: renewed %d times, want %d", step, n, want)
			}
			if got := l.find(c.ID); got.RenewAfter.Sub(l.now()) > 8*day || got.RenewAfter.Before(l.now()) {
				t.Errorf("%s: next in %s", step, got.RenewAfter.Sub(l.now()))
			}
		}
		sweep("at first", 0)
		l.off(400 * day)
		sweep("our clock jumps a year ahead", 1)
		l.off(0)
		sweep("and comes back", 1)
		l.off(-30 * day)
		sweep("our clock jumps a month back", 1)
		l.off(-30*day - time.Hour)
		sweep("an hour back is no matter", 0)
		l.off(0)
		sweep("and comes back", 1)
		if _, err := l.r.Forecast(t.Context(), c.ID); err != nil {
			t.Error(err)
		}
	})
}

// When ctx ends in the middle nothing is said of the connection, and it is free.
func TestCancelled(t *testing.T) {
	t.Parallel()
	late := &gated{asked: make(chan bool, 1), goOn: make(chan bool, 1)}
	l := newLab(t, dbtest.SQLite(t), func(d *renew.Deps) { late.Authority, d.Authority = d.Authority, late })
	l.bare()
	c := l.connect()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-late.asked; cancel(); late.goOn <- true }()
	if _, err := l.r.Once(ctx, c.ID); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if got := l.find(c.ID); got.Trouble != nil || got.Generation != 1 {
		t.Errorf("%+v", got)
	}
	go func() { <-late.asked; late.goOn <- true }()
	if res := l.once(c.ID); res.Outcome != renew.Renewed {
		t.Errorf("%+v", res)
	}
}
