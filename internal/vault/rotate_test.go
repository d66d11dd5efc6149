package vault

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

func resealAll(t testing.TB, v *Vault, batch int) (calls int, last Progress) {
	t.Helper()
	for range 1000 {
		calls++
		p, err := v.Reseal(t.Context(), batch)
		if err != nil {
			t.Fatal(err)
		}
		if p.Sealed > batch {
			t.Fatalf("a batch of %d sealed %d", batch, p.Sealed)
		}
		if p.Done {
			return calls, p
		}
	}
	t.Fatal("re-sealing does not end")
	return
}

func TestRotateAndReseal(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := lend(t, d)
		ctx := t.Context()
		const n = 150
		for i := range n {
			put(t, b.Vault, refresh(fmt.Sprint(i)), fmt.Sprint("secret ", i))
		}
		other := reopen(t, d, NewKeyFile(b.key), nil) // a second process, not told of anything
		first := b.cached().primary
		if err := b.Rotate(ctx); err != nil {
			t.Fatal(err)
		}
		if err := b.Rotate(ctx); !errors.Is(err, problem.Usage) {
			t.Errorf("a second rotation beside the first: %v", err)
		}
		want(t, b.Vault, refresh("3"), "secret 3") // the old key opens
		put(t, b.Vault, refresh("new"), "new")
		want(t, other, refresh("new"), "new")
		put(t, other, refresh("new2"), "new2")
		st, err := b.Status(ctx)
		if err != nil || len(st.Keys) != 2 || !st.Keys[0].Seals || st.Keys[0].Rows != 2 || st.Keys[1].ID != first || st.Keys[1].Rows != n {
			t.Fatalf("%+v %v", st, err)
		}
		p, err := b.Reseal(ctx, 70)
		if err != nil || p.Sealed != 70 || p.Left != n-70 || p.Done || p.Retired || p.OldKeys != 1 {
			t.Fatalf("%+v %v", p, err)
		}
		calls, p := resealAll(t, other, 30) // another process goes on
		if calls != 3 || !p.Retired || p.Left != 0 || p.OldKeys != 0 {
			t.Errorf("%d calls, %+v", calls, p)
		}
		for _, v := range []*Vault{b.Vault, other, reopen(t, d, NewKeyFile(b.key), nil)} {
			for i := range n {
				want(t, v, refresh(fmt.Sprint(i)), fmt.Sprint("secret ", i))
			}
			if k, err := v.load(ctx, d); err != nil || k.ids[first] || len(k.ids) != 1 {
				t.Errorf("the old key is still there: %v", err)
			}
		}
		if p, err := b.Reseal(ctx, 10); err != nil || !p.Done || p.Sealed != 0 || p.Retired {
			t.Errorf("with nothing to do: %+v %v", p, err)
		}
		if n := len(b.book.Of(audit.VaultRotated)); n != 1 {
			t.Errorf("recorded %d times", n)
		}
		if err := b.Rotate(ctx); err != nil { // and once more
			t.Error(err)
		}
	})
}

// Damaged rows under the old key hold it back, are named, and do not keep the
// others from being sealed again, however many stand before them.
func TestResealPassesDamagedRows(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := lend(t, d)
		for i := range 40 {
			put(t, b.Vault, refresh(fmt.Sprintf("%02d", i)), "s")
		}
		var bad []Ref
		for i := range 20 {
			r := refresh(fmt.Sprintf("%02d", i))
			x := sealedAt(t, d, r)
			x[len(x)-1] ^= 1
			spoil(t, d, `UPDATE vault_rows SET sealed = $1 WHERE owner = $2`, x, r.Owner)
			bad = append(bad, r)
		}
		if err := b.Rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, p := resealAll(t, b.Vault, 7)
		if p.Retired || p.Left != 20 || p.OldKeys != 1 || len(p.Damaged) != 20 || p.Damaged[0] != bad[0] {
			t.Errorf("%+v", p)
		}
		for i := range 20 {
			if i%2 == 0 {
				put(t, b.Vault, bad[i], "healed")
			} else if err := b.Delete(t.Context(), bad[i]); err != nil {
				t.Fatal(err)
			}
		}
		if _, p = resealAll(t, b.Vault, 7); !p.Retired {
			t.Errorf("%+v", p)
		}
		want(t, b.Vault, refresh("39"), "s")
	})
}

// A writer puts a newer secret between the reading and the sealing of a row.
func TestResealDoesNotOverwriteNewer(t *testing.T) {
	t.Parallel()
	d := dbtest.Postgres(t) // on SQLite a writer cannot get in between
	b := lend(t, d)
	put(t, b.Vault, refresh("a"), "old")
	other := reopen(t, d, NewKeyFile(b.key), nil)
	if err := b.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.spy = func(q querier) querier {
		return hook{q, func(text string) error {
			if len(text) > 17 && text[:17] == "UPDATE vault_rows" {
				b.spy = nil
				put(t, other, refresh("a"), "newer")
			}
			return nil
		}}
	}
	resealAll(t, b.Vault, 10)
	want(t, b.Vault, refresh("a"), "newer")
}

// hook calls before each statement.
type hook struct {
	querier
	before func(text string) error
}

func (h hook) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	if err := h.before(text); err != nil {
		return nil, err
	}
	return h.querier.ExecContext(ctx, text, args...)
}

func (h hook) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	if err := h.before(text); err != nil {
		return nil, err
	}
	return h.querier.QueryContext(ctx, text, args...)
}

// QueryRowContext cannot fail before; the statements that it serves only read.
func (h hook) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	if h.before(text) != nil {
		ctx, stop := context.WithCancel(ctx)
		stop()
		return h.querier.QueryRowContext(ctx, text, args...)
	}
	return h.querier.QueryRowContext(ctx, text, args...)
}

// A writer of another process is inside a transaction with a secret under the
// old key while that key is about to be removed: removal waits and sees it.
func TestOldKeyStaysForAnOpenTransaction(t *testing.T) {
	t.Parallel()
	d := dbtest.Postgres(t)
	b := lend(t, d)
	other := reopen(t, d, NewKeyFile(b.key), nil)
	ctx := t.Context()
	written, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		err := d.InTx(ctx, func(ctx context.Context) error {
			err := other.Put(ctx, refresh("late"), secret.New("late"))
			close(written)
			<-release
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-written
	var rotated atomic.Bool
	wg.Go(func() {
		if err := b.Rotate(ctx); err != nil {
			t.Error(err)
		}
		rotated.Store(true)
		resealAll(t, b.Vault, 10)
	})
	// Wait until the rotation stands in the queue for the keyset's row.
	for {
		var n int
		if err := d.QueryRowContext(ctx, `SELECT count(*) FROM pg_locks WHERE NOT granted`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n > 0 || rotated.Load() {
			break
		}
	}
	if rotated.Load() {
		t.Error("the keys changed under an open transaction")
	}
	close(release)
	wg.Wait()
	want(t, b.Vault, refresh("late"), "late")
	want(t, other, refresh("late"), "late")
}

// A row comes back under the old key, from a copy of the table, after the rows
// were counted and before the key is removed: it stays.
func TestOldKeyStaysForARowThatComesBack(t *testing.T) {
	t.Parallel()
	d := dbtest.Postgres(t)
	b := lend(t, d)
	put(t, b.Vault, refresh("a"), "a")
	old := sealedAt(t, d, refresh("a"))
	if err := b.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.spy = func(q querier) querier {
		return hook{q, func(text string) error {
			if strings.HasPrefix(text, "UPDATE vault_keyset") {
				b.spy = nil
				spoil(t, d, `UPDATE vault_rows SET sealed = $1`, old)
			}
			return nil
		}}
	}
	p, err := b.Reseal(t.Context(), 10)
	if err != nil || p.Retired || p.Done || p.Left != 1 || p.OldKeys != 1 {
		t.Errorf("%+v %v", p, err)
	}
	want(t, b.Vault, refresh("a"), "a")
	if _, p = resealAll(t, b.Vault, 10); !p.Retired {
		t.Errorf("%+v", p)
	}
	want(t, b.Vault, refresh("a"), "a")
}

// Writers, rotations, re-sealings and master changes of several processes at
// once: every secret that was put is there, the last one of each.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		key := newKey(t)
		open := func() *Vault { return reopen(t, d, NewKeyFile(key), nil) }
		first := open()
		var writers, rotators sync.WaitGroup
		stop := make(chan struct{})
		for range 2 {
			v := open()
			rotators.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					if err := v.Rotate(t.Context()); err != nil && !errors.Is(err, problem.Usage) && !errors.Is(err, errMoved) {
						t.Errorf("rotate: %v", err)
						return
					}
					if _, err := v.Reseal(t.Context(), 10); err != nil && !errors.Is(err, errMoved) {
						t.Errorf("reseal: %v", err)
						return
					}
				}
			})
		}
		const per, rounds = 6, 25
		for w := range 4 {
			v := open()
			writers.Go(func() {
				for i := range rounds {
					for j := range per {
						r, s := refresh(fmt.Sprint(w, "-", j)), fmt.Sprint(w, j, i)
						if err := v.Put(t.Context(), r, secret.New(s)); err != nil {
							t.Errorf("put: %v", err)
							return
						}
						if got, err := v.Get(t.Context(), r); err != nil || got.Reveal() != s {
							t.Errorf("get: %v", err)
							return
						}
					}
				}
			})
		}
		writers.Wait()
		// Where the machine starved the rotators beside the writers they catch up.
		for first.cached().generation < 4 && !t.Failed() {
			if _, err := first.load(t.Context(), first.q()); err != nil {
				t.Fatal(err)
			}
		}
		close(stop)
		rotators.Wait()
		resealAll(t, first, 100)
		for w := range 4 {
			for j := range per {
				want(t, first, refresh(fmt.Sprint(w, "-", j)), fmt.Sprint(w, j, rounds-1))
			}
		}
	})
}

func TestChangeMaster(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := lend(t, d)
		ctx := t.Context()
		put(t, b.Vault, refresh("a"), "a")
		other := reopen(t, d, NewKeyFile(b.key), nil)
		next := newKey(t)
		if err := b.ChangeMaster(ctx, NewKeyFile(next)); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(ctx, d, NewKeyFile(b.key), Options{}); !errors.Is(err, ErrWrongMaster) {
			t.Errorf("the old master still opens: %v", err)
		}
		want(t, reopen(t, d, NewKeyFile(next), nil), refresh("a"), "a")
		// A process from before works on, until the keys change.
		put(t, other, refresh("b"), "b")
		want(t, b.Vault, refresh("b"), "b")
		if err := other.Rotate(ctx); !errors.Is(err, ErrWrongMaster) {
			t.Errorf("rotated with the wrong master: %v", err)
		}
		if err := b.Rotate(ctx); err != nil {
			t.Fatal(err)
		}
		if err := other.Put(ctx, refresh("c"), secret.New("c")); !errors.Is(err, ErrWrongMaster) {
			t.Errorf("a process with the old master sealed under an old key: %v", err)
		}
		want(t, b.Vault, refresh("b"), "b")
		if n := len(b.book.Of(audit.VaultMasterChanged)); n != 1 {
			t.Errorf("recorded %d times", n)
		}
	})
}

// wrapOnly can wrap and cannot unwrap, as a key whose unwrapKey is not allowed.
type wrapOnly struct{ Master }

func (wrapOnly) Unwrap(context.Context, string, Slot) ([]byte, error) {
	return nil, problem.New(problem.BadInput, "not allowed")
}

func TestAMasterThatCannotUnwrapIsRefused(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	b := lend(t, d)
	put(t, b.Vault, refresh("a"), "a")
	if err := b.ChangeMaster(t.Context(), wrapOnly{NewKeyFile(newKey(t))}); err == nil {
		t.Error("a master that cannot unwrap was taken")
	}
	want(t, reopen(t, d, NewKeyFile(b.key), nil), refresh("a"), "a")
}

// A record that fails undoes what it would have told of.
func TestNothingUnrecorded(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	b := lend(t, d)
	before := dump(t, d)
	b.book.Fail(errors.New("no room"))
	if err := b.Rotate(t.Context()); err == nil {
		t.Error("rotated")
	}
	if err := b.ChangeMaster(t.Context(), NewKeyFile(newKey(t))); err == nil {
		t.Error("changed the master")
	}
	if fmt.Sprint(before) != fmt.Sprint(dump(t, d)) {
		t.Error("something changed without a record")
	}
}
