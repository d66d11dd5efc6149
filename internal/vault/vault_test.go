package vault

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/audit"
	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// newKey makes a key file and gives its path.
func newKey(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vault.key")
	if _, err := MakeKeyFile(path); err != nil {
		t.Fatal(err)
	}
	return path
}

type bench struct {
	*Vault
	book *audittest.Recorder
	key  string
}

// lend opens a vault in d under a key of its own.
func lend(t testing.TB, d *db.DB) bench {
	t.Helper()
	b := bench{book: &audittest.Recorder{}, key: newKey(t)}
	b.Vault = reopen(t, d, NewKeyFile(b.key), b.book)
	return b
}

func reopen(t testing.TB, d *db.DB, m Master, r audit.Recorder) *Vault {
	t.Helper()
	v, err := Open(t.Context(), d, m, Options{Now: func() time.Time { return noon }, Record: r})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func put(t testing.TB, v *Vault, r Ref, s string) {
	t.Helper()
	if err := v.Put(t.Context(), r, secret.New(s)); err != nil {
		t.Fatal(err)
	}
}

// want fails unless the vault gives s at r.
func want(t testing.TB, v *Vault, r Ref, s string) {
	t.Helper()
	got, err := v.Get(t.Context(), r)
	if err != nil {
		t.Errorf("%s: %v", r, err)
	} else if got.Reveal() != s {
		t.Errorf("%s holds another secret", r)
	}
}

func refresh(owner string) Ref { return Ref{Purpose: "refresh-token", Owner: owner, Name: "current"} }

func TestPutGetDelete(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := lend(t, d)
		ctx := t.Context()
		long := strings.Repeat("x", MaxSecret)
		put(t, b.Vault, refresh("a"), "one")
		put(t, b.Vault, refresh("b"), long)
		put(t, b.Vault, Ref{Purpose: "app-key"}, "three")
		put(t, b.Vault, refresh("a"), "two")
		again := reopen(t, d, NewKeyFile(b.key), nil)
		for _, v := range []*Vault{b.Vault, again} {
			want(t, v, refresh("a"), "two")
			want(t, v, refresh("b"), long)
			want(t, v, Ref{Purpose: "app-key"}, "three")
			for _, r := range []Ref{refresh("c"), {Purpose: "refresh-token", Owner: "a"}, {Purpose: "x", Owner: "a", Name: "current"}} {
				if _, err := v.Get(ctx, r); !errors.Is(err, problem.NotFound) || errors.Is(err, ErrDamaged) {
					t.Errorf("%s: %v", r, err)
				}
			}
		}
		for range 2 {
			if err := b.Delete(ctx, refresh("a")); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := again.Get(ctx, refresh("a")); !errors.Is(err, problem.NotFound) {
			t.Error(err)
		}
		if n := len(b.book.Of(audit.VaultCreated)); n != 1 {
			t.Errorf("the making of the vault was recorded %d times", n)
		}
	})
}

// Rows change with the caller's own.
func TestCallersTransaction(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := lend(t, d)
		ctx := t.Context()
		put(t, b.Vault, refresh("kept"), "old")
		stop := errors.New("stop")
		err := d.InTx(ctx, func(ctx context.Context) error {
			if err := b.Put(ctx, refresh("new"), secret.New("n")); err != nil {
				return err
			}
			if err := b.Put(ctx, refresh("kept"), secret.New("new")); err != nil {
				return err
			}
			if got, err := b.Get(ctx, refresh("kept")); err != nil || got.Reveal() != "new" {
				t.Errorf("within the transaction: %v", err)
			}
			if err := b.Delete(ctx, refresh("kept")); err != nil {
				return err
			}
			return stop
		})
		if !errors.Is(err, stop) {
			t.Fatal(err)
		}
		want(t, b.Vault, refresh("kept"), "old")
		if _, err := b.Get(ctx, refresh("new")); !errors.Is(err, problem.NotFound) {
			t.Errorf("a transaction that was undone left a secret: %v", err)
		}
	})
}

func TestRefused(t *testing.T) {
	t.Parallel()
	b := lend(t, dbtest.SQLite(t))
	ctx := t.Context()
	tests := map[string]struct {
		ref    Ref
		secret string
		kind   problem.Kind
	}{
		"no purpose":        {Ref{Owner: "a"}, "s", problem.Internal},
		"long name":         {Ref{Purpose: "p", Name: strings.Repeat("n", MaxName+1)}, "s", problem.Limit},
		"line break":        {Ref{Purpose: "p", Name: "a\nb"}, "s", problem.BadInput},
		"zero byte":         {Ref{Purpose: "p", Owner: "a\x00b"}, "s", problem.BadInput},
		"not UTF-8":         {Ref{Purpose: "p\xff"}, "s", problem.BadInput},
		"an empty secret":   {refresh("a"), "", problem.Internal},
		"too long a secret": {refresh("a"), strings.Repeat("s", MaxSecret+1), problem.Limit},
	}
	for name, tt := range tests {
		if err := b.Put(ctx, tt.ref, secret.New(tt.secret)); !errors.Is(err, tt.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n, err := countRows(ctx, b.db, nil); n != 0 || err != nil {
		t.Errorf("%d rows kept (%v)", n, err)
	}
}

// No two names give the same associated data.
func TestNamesDoNotRunTogether(t *testing.T) {
	t.Parallel()
	seen := map[string]Ref{}
	for _, r := range []Ref{{"ab", "c", "d", ""}, {"a", "bc", "d", ""}, {"a", "b", "cd", ""}, {"abc", "", "d", ""}, {"abcd", "", "", ""},
		{"ab", "cd", "", ""}, {"a", "b/c", "d", ""}, {"a", "b", "c/d", ""}, {"a", "b", "c", "d"}, {"a", "b", "", "cd"}} {
		if other, ok := seen[string(rowData(r))]; ok {
			t.Errorf("%+v and %+v are bound alike", r, other)
		}
		seen[string(rowData(r))] = r
	}
}

// spoil runs a statement against the database behind the vault's back.
func spoil(t testing.TB, d *db.DB, query string, args ...any) {
	t.Helper()
	r, err := d.ExecContext(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := r.RowsAffected(); n == 0 {
		t.Fatalf("%s changed nothing", query)
	}
}

func sealedAt(t testing.TB, d *db.DB, r Ref) []byte {
	t.Helper()
	b, err := getRow(t.Context(), d, r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDamagedRows(t *testing.T) {
	t.Parallel()
	set := `UPDATE vault_rows SET sealed = $1 WHERE owner = $2`
	flip := func(i int) func(b, _ []byte) []byte {
		return func(b, _ []byte) []byte {
			if i < 0 {
				i += len(b)
			}
			b[i] ^= 1
			return b
		}
	}
	tests := map[string]struct {
		change func(b, other []byte) []byte
		reason string
	}{
		"version":        {flip(0), "unknown format"},
		"tink's prefix":  {flip(1), "key that this vault does not have"},
		"key id":         {flip(5), "key that this vault does not have"},
		"nonce":          {flip(6), "changed"},
		"body":           {flip(35), "changed"},
		"tag":            {flip(-1), "changed"},
		"last byte gone": {func(b, _ []byte) []byte { return b[:len(b)-1] }, "changed"},
		"a byte more":    {func(b, _ []byte) []byte { return append(b, 0) }, "changed"},
		"cut short":      {func(b, _ []byte) []byte { return b[:overhead-1] }, "cut short"},
		"empty":          {func([]byte, []byte) []byte { return []byte{} }, "cut short"},
		"another row's":  {func(_, other []byte) []byte { return other }, "another row's"},
		"enormous":       {func(b, _ []byte) []byte { return append(b, make([]byte, 4<<20)...) }, "longer than"},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := lend(t, d)
		ctx := t.Context()
		put(t, b.Vault, refresh("good"), "good")
		for name, tt := range tests {
			r := refresh(name)
			put(t, b.Vault, r, "marked secret")
			spoil(t, d, set, tt.change(sealedAt(t, d, r), sealedAt(t, d, refresh("good"))), name)
			_, err := b.Get(ctx, r)
			if !errors.Is(err, ErrDamaged) || errors.Is(err, problem.NotFound) || !strings.Contains(err.Error(), r.String()) ||
				!strings.Contains(err.Error(), tt.reason) {
				t.Errorf("%s: %v", name, err)
			}
			want(t, b.Vault, refresh("good"), "good")
		}
		if n := len(b.book.Of(audit.VaultDamaged)); n != len(tests) {
			t.Errorf("%d damaged rows recorded, want %d", n, len(tests))
		}
		if _, err := b.Get(ctx, refresh("body")); !errors.Is(err, ErrDamaged) {
			t.Error(err)
		}
		if n := len(b.book.Of(audit.VaultDamaged)); n != len(tests) {
			t.Error("a damaged row was recorded twice within the hour")
		}
		put(t, b.Vault, refresh("body"), "new") // heals
		want(t, b.Vault, refresh("body"), "new")
	})
}

// Two rows whose sealed bytes were swapped: both are found out.
func TestSwappedRows(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	b := lend(t, d)
	put(t, b.Vault, refresh("a"), "a")
	put(t, b.Vault, refresh("b"), "b")
	x, y := sealedAt(t, d, refresh("a")), sealedAt(t, d, refresh("b"))
	spoil(t, d, `UPDATE vault_rows SET sealed = $1 WHERE owner = 'a'`, y)
	spoil(t, d, `UPDATE vault_rows SET sealed = $1 WHERE owner = 'b'`, x)
	for _, o := range []string{"a", "b"} {
		if _, err := b.Get(t.Context(), refresh(o)); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", o, err)
		}
	}
	// A row moved to another name by its key columns.
	put(t, b.Vault, refresh("c"), "c")
	spoil(t, d, `UPDATE vault_rows SET owner = 'd' WHERE owner = 'c'`)
	if _, err := b.Get(t.Context(), refresh("d")); !errors.Is(err, ErrDamaged) {
		t.Errorf("a row under another name opened: %v", err)
	}
}

// The record of a damaged row goes through the caller's transaction: another
// one would wait for it.
func TestDamagedWithinATransaction(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	b := lend(t, d)
	put(t, b.Vault, refresh("a"), "a")
	spoil(t, d, `UPDATE vault_rows SET sealed = $1`, []byte("x"))
	var joined bool
	b.rec = &audittest.Recorder{Each: func(ctx context.Context, _ audit.Event) error { joined = d.Tx(ctx) != nil; return nil }}
	err := d.InTx(t.Context(), func(ctx context.Context) error {
		_, err := b.Get(ctx, refresh("a"))
		if !joined {
			t.Error("the event does not join the transaction")
		}
		return err
	})
	if !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
}

// Many open an empty database at once: one vault comes of it.
func TestOpenAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		key, rec := newKey(t), &audittest.Recorder{}
		var wg sync.WaitGroup
		all := make([]*Vault, 6)
		for i := range all {
			wg.Go(func() {
				v, err := Open(t.Context(), d, NewKeyFile(key), Options{Record: rec})
				if err != nil {
					t.Error(err)
					return
				}
				all[i] = v
				if err := v.Put(t.Context(), refresh(string(rune('a'+i))), secret.New("s")); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if t.Failed() {
			return
		}
		for i := range all {
			for j := range all {
				want(t, all[i], refresh(string(rune('a'+j))), "s")
			}
		}
		if n := len(rec.Of(audit.VaultCreated)); n != 1 {
			t.Errorf("made %d times", n)
		}
	})
}

func TestWrongMasterKey(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := lend(t, d)
		put(t, b.Vault, refresh("a"), "a")
		before := dump(t, d)
		_, err := Open(t.Context(), d, NewKeyFile(newKey(t)), Options{Record: b.book})
		w, ok := errors.AsType[*WrongMaster](err)
		if !ok || !errors.Is(err, ErrWrongMaster) || w.Want == w.Given || !strings.Contains(err.Error(), w.Want) || !strings.Contains(err.Error(), w.Given) ||
			problem.HintOf(err) == "" {
			t.Errorf("%v", err)
		}
		if diff := cmp.Diff(before, dump(t, d)); diff != "" {
			t.Errorf("a wrong key changed something:\n%s", diff)
		}
	})
}

// dump is everything the vault keeps.
func dump(t testing.TB, d *db.DB) []any {
	t.Helper()
	s, err := readKeyset(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := page(t.Context(), d, nil, nil, 1000)
	if err != nil {
		t.Fatal(err)
	}
	out := []any{s}
	for _, r := range rows {
		out = append(out, r.Ref, r.sealed)
	}
	return out
}

func TestDamagedKeyset(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"keyset":          `UPDATE vault_keyset SET keyset = substr(keyset, 1, length(keyset) - 1)`,
		"empty keyset":    `UPDATE vault_keyset SET keyset = substr(keyset, 1, 0)`,
		"data key":        `UPDATE vault_keyset SET wrapped = substr(wrapped, 2)`,
		"vault's name":    `UPDATE vault_keyset SET vault = 'v-other'`,
		"gone":            `DELETE FROM vault_keyset`,
		"enormous":        `UPDATE vault_keyset SET keyset = zeroblob(10000000)`,
		"enormous params": `UPDATE vault_keyset SET master_params = hex(zeroblob(10000000))`,
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := dbtest.SQLite(t)
			b := lend(t, d)
			put(t, b.Vault, refresh("a"), "a")
			spoil(t, d, text)
			_, err := Open(t.Context(), d, NewKeyFile(b.key), Options{})
			if !errors.Is(err, ErrDamaged) || !strings.Contains(problem.HintOf(err), "restore") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestMain(m *testing.M) {
	if os.Getenv("VAULT_TEST_CHILD") != "" {
		child()
		return
	}
	os.Exit(m.Run())
}
