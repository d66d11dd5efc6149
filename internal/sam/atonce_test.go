package sam_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/sam"
	"partnerguard/internal/secret"
)

// Of many renewals at once from one generation exactly one is stored.
func TestRenewedAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, clock := store(t, d)
		id := keep(t, s, captured(1)).ID
		var wg sync.WaitGroup
		won := make(chan string, 8)
		for i := range 8 {
			wg.Go(func() {
				text := fmt.Sprintf("new-%d", i)
				switch _, err := s.Renewed(t.Context(), id, sam.Renewal{From: 1, Used: 1, Refresh: secret.New(text), At: clock.Now()}); {
				case err == nil:
					won <- text
				case !errors.Is(err, sam.ErrMoved):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(won) != 1 {
			t.Fatalf("%d were stored", len(won))
		}
		if cur, prev, gen := held(t, s, id); cur != <-won || prev != "first-token-of-1" || gen != 2 {
			t.Errorf("%q %q %d", cur, prev, gen)
		}
	})
}

// The same account kept many times at once is one connection.
func TestKeepAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := store(t, d)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				c := captured(i % 2)
				if i%2 == 1 {
					c.Name = "named"
				}
				if _, err := s.Keep(t.Context(), c); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		list, err := s.List(t.Context())
		if err != nil || len(list) != 2 || list[0].Generation != 4 || list[1].Generation != 4 || sealedRows(t, d) != 2 {
			t.Errorf("%d connections, %d rows, %v", len(list), sealedRows(t, d), err)
		}
	})
}

// What is written with a change, in one transaction, is kept or undone with it.
func TestTogether(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, clock := store(t, d)
		// note makes a change and writes down the generation beside it.
		note := func(end error, change func(context.Context) (sam.Connection, error)) (c sam.Connection, err error) {
			return c, s.InTx(t.Context(), func(ctx context.Context) error {
				if c, err = change(ctx); err != nil {
					return err
				}
				_, err := d.ExecContext(ctx, "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
					"noted", fmt.Sprint(c.Generation))
				return errors.Join(err, end)
			})
		}
		noted := func() (v string) {
			if err := d.QueryRow("SELECT value FROM settings WHERE name = 'noted'").Scan(&v); err != nil && !errors.Is(err, sql.ErrNoRows) {
				t.Fatal(err)
			}
			return v
		}
		no := errors.New("the trail is full")
		consent := func(ctx context.Context) (sam.Connection, error) { return s.Keep(ctx, captured(1)) }
		if _, err := note(no, consent); !errors.Is(err, no) || noted() != "" || sealedRows(t, d) != 0 {
			t.Errorf("keep: %v, noted %q, %d rows", err, noted(), sealedRows(t, d))
		}
		c, err := note(nil, consent)
		if err != nil || noted() != "1" {
			t.Fatal(err)
		}
		if _, err := note(no, func(ctx context.Context) (sam.Connection, error) {
			return s.Renewed(ctx, c.ID, sam.Renewal{From: 1, Used: 1, Refresh: secret.New("x"), At: clock.Now()})
		}); !errors.Is(err, no) || noted() != "1" {
			t.Errorf("renewed: %v", err)
		}
		if cur, _, gen := held(t, s, c.ID); gen != 1 || cur != "first-token-of-1" || sealedRows(t, d) != 1 {
			t.Errorf("an undone renewal left generation %d", gen)
		}
		if _, err := note(no, func(ctx context.Context) (sam.Connection, error) { return s.Remove(ctx, c.ID) }); !errors.Is(err, no) || sealedRows(t, d) != 1 {
			t.Errorf("removed: %v", err)
		}
	})
}

func TestLease(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, clock := store(t, d)
		id := keep(t, s, captured(1)).ID
		lease := func(who string) bool {
			t.Helper()
			ok, err := s.Lease(t.Context(), id, who, 2*time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			return ok
		}
		due := func() int {
			t.Helper()
			list, err := s.Due(t.Context(), 14*24*time.Hour, 10)
			if err != nil {
				t.Fatal(err)
			}
			return len(list)
		}
		if due() != 0 {
			t.Error("due at once")
		}
		clock.jump(sam.RenewEvery)
		if due() != 1 || !lease("a") || lease("b") || !lease("a") || due() != 0 {
			t.Error("one renewer at a time")
		}
		clock.jump(2*time.Minute - time.Microsecond)
		if lease("b") {
			t.Error("taken over before its end")
		}
		clock.jump(time.Microsecond)
		if due() != 1 || !lease("b") {
			t.Error("a lease whose holder died stays")
		}
		clock.jump(-48 * time.Hour)
		if !lease("c") {
			t.Error("a lease of a future that was none stays")
		}
		if err := s.Release(t.Context(), id, "b"); err != nil || lease("d") {
			t.Error("somebody else's lease was released")
		}
		if err := s.Release(t.Context(), id, "c"); err != nil || !lease("d") {
			t.Error("a released lease stays")
		}
		// The clock was far ahead when the last renewal was planned.
		clock.jump(-300 * 24 * time.Hour)
		if due() != 1 {
			t.Error("a renewal in a future that was none is waited for")
		}
	})
}
