package onboard_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/sam/onboard"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault/vaulttest"
)

// watch is a clock that a test sets.
type watch struct{ at atomic.Int64 }

func newWatch() *watch {
	w := &watch{}
	w.at.Store(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC).UnixMicro())
	return w
}

func (w *watch) Now() time.Time        { return time.UnixMicro(w.at.Load()).UTC() }
func (w *watch) jump(by time.Duration) { w.at.Add(by.Microseconds()) }

const (
	partner = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21"
	client  = "5a1e3c1f-6f0b-4c56-8f39-2d7c7a3b9e10"
	week    = 7 * 24 * time.Hour
)

func invited() onboard.Invitation {
	return onboard.Invitation{Tenant: partner, ClientID: client, Name: "contoso", Features: []capture.Feature{capture.Customers}, MadeBy: "local:test"}
}

func mustMake(t *testing.T, s *onboard.Store, life time.Duration) (onboard.Invitation, secret.Text) {
	t.Helper()
	i, link, err := s.Make(t.Context(), invited(), life)
	if err != nil {
		t.Fatal(err)
	}
	return i, link
}

func use(ctx context.Context, s *onboard.Store, d *db.DB, id string) error {
	return d.InTx(ctx, func(ctx context.Context) error { return s.Use(ctx, id, "c-1") })
}

// An invitation opens until it is used, withdrawn or over, and by its link alone.
func TestInvitation(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		clock := newWatch()
		s := onboard.NewStore(d, vaulttest.Open(t, d), clock.Now)
		made, link := mustMake(t, s, week)
		got, err := s.Open(t.Context(), link)
		if diff := cmp.Diff(made, got); err != nil || diff != "" {
			t.Fatalf("%v %s", err, diff)
		}
		for name, text := range map[string]string{
			"none": "", "its id": made.ID, "cut": link.Reveal()[1:], "longer": link.Reveal() + "x", "huge": strings.Repeat("a", 1<<20),
			"a quote": "' OR 1=1 --", "a zero": "\x00",
		} {
			if _, err := s.Open(t.Context(), secret.New(text)); !errors.Is(err, problem.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		// The link is not in the database.
		var n int
		if err := d.QueryRowContext(t.Context(), "SELECT count(*) FROM invitations WHERE hash = $1 OR id = $1 OR name = $1", link.Reveal()).
			Scan(&n); err != nil || n != 0 {
			t.Errorf("the link is kept: %d %v", n, err)
		}
		if err := use(t.Context(), s, d, made.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Open(t.Context(), link); !errors.Is(err, problem.NotFound) {
			t.Errorf("a used one opens: %v", err)
		}
		if err := s.Withdraw(t.Context(), made.ID); !errors.Is(err, problem.NotFound) {
			t.Errorf("a used one is withdrawn: %v", err)
		}
		list, err := s.List(t.Context())
		if err != nil || len(list) != 1 || list[0].Connection != "c-1" || list[0].UsedAt.IsZero() {
			t.Errorf("%+v %v", list, err)
		}
	})
}

func TestWithdrawn(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := onboard.NewStore(d, vaulttest.Open(t, d), newWatch().Now)
		i, link := mustMake(t, s, week)
		if err := s.Withdraw(t.Context(), i.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Open(t.Context(), link); !errors.Is(err, problem.NotFound) {
			t.Errorf("it opens: %v", err)
		}
		// Somebody was at the sign-in meanwhile: nothing is kept.
		if err := use(t.Context(), s, d, i.ID); !errors.Is(err, problem.NotFound) {
			t.Errorf("it is used: %v", err)
		}
		if err := s.Withdraw(t.Context(), i.ID); !errors.Is(err, problem.NotFound) {
			t.Errorf("twice: %v", err)
		}
	})
}

// Lives and clocks.
func TestInvitationLife(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		v := vaulttest.Open(t, d)
		for name, c := range map[string]struct {
			life, jump time.Duration
			opens      bool
		}{
			"at once":                  {week, 0, true},
			"just before the end":      {week, week - time.Second, true},
			"at the end":               {week, week, false},
			"long after":               {week, 100 * week, false},
			"clock set back a little":  {onboard.Longest, -time.Minute, true},
			"clock set back for years": {week, -100 * week, false},
			"the longest at once":      {onboard.Longest, 0, true},
		} {
			clock := newWatch()
			s := onboard.NewStore(d, v, clock.Now)
			_, link := mustMake(t, s, c.life)
			clock.jump(c.jump)
			if _, err := s.Open(t.Context(), link); (err == nil) != c.opens {
				t.Errorf("%s: %v", name, err)
			}
		}
		s := onboard.NewStore(d, v, newWatch().Now)
		for _, life := range []time.Duration{0, -time.Hour, onboard.Longest + 1} {
			if _, _, err := s.Make(t.Context(), invited(), life); !errors.Is(err, problem.Usage) {
				t.Errorf("%s: %v", life, err)
			}
		}
	})
}

// Of many answers at once one is taken.
func TestUsedOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := onboard.NewStore(d, vaulttest.Open(t, d), newWatch().Now)
		i, _ := mustMake(t, s, week)
		var wg sync.WaitGroup
		var taken atomic.Int32
		for range 16 {
			wg.Go(func() {
				switch err := use(t.Context(), s, d, i.ID); {
				case err == nil:
					taken.Add(1)
				case !errors.Is(err, problem.NotFound):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if taken.Load() != 1 {
			t.Errorf("taken %d times", taken.Load())
		}
		// What fails later in the same transaction uses nothing up.
		j, link := mustMake(t, s, week)
		stop := errors.New("stop")
		if err := d.InTx(t.Context(), func(ctx context.Context) error {
			if err := s.Use(ctx, j.ID, "c-2"); err != nil {
				return err
			}
			return stop
		}); !errors.Is(err, stop) {
			t.Fatal(err)
		}
		if _, err := s.Open(t.Context(), link); err != nil {
			t.Errorf("a consent that was not kept used it up: %v", err)
		}
	})
}
