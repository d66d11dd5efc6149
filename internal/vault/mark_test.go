package vault

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/secret"
)

var testBook = &Book{Table: "registrations", Version: 1, Key: []string{"client_id"}, Columns: []string{"sealed", "waiting", "body"}}

func marking(t *testing.T, d *db.DB) (*Vault, func(id, body string)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if _, err := MakeKeyFile(path); err != nil {
		t.Fatal(err)
	}
	v, err := Open(t.Context(), d, NewKeyFile(path), Options{Books: []*Book{testBook}})
	if err != nil {
		t.Fatal(err)
	}
	return v, func(id, body string) {
		t.Helper()
		mark, err := v.Mark(t.Context(), testBook, id, "", "", body)
		if err == nil {
			_, err = d.ExecContext(t.Context(), "INSERT INTO registrations (client_id, sealed, waiting, body, mark) VALUES ($1, '', '', $2, $3)", id, body,
				mark)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func forgedRows(t *testing.T, v *Vault) []string {
	t.Helper()
	c, err := v.Check(t.Context(), nil)
	if err != nil || int(c.Forged) != len(c.Damaged) {
		t.Fatalf("%+v %v", c, err)
	}
	var out []string
	for _, x := range c.Damaged {
		out = append(out, x.Name)
	}
	return out
}

// A mark fits one row, as it was written, under a key of the vault; rotation
// carries it to the new key, and what does not fit is named and not vouched for.
func TestMarks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		v, put := marking(t, d)
		ctx := t.Context()
		for _, id := range []string{"a", "b", "c"} {
			put(id, "body of "+id)
		}
		if bad := forgedRows(t, v); bad != nil {
			t.Fatal(bad)
		}
		if _, err := d.ExecContext(ctx, "UPDATE registrations SET body = 'other' WHERE client_id = 'b'"); err != nil {
			t.Fatal(err)
		}
		if _, err := d.ExecContext(ctx, "UPDATE registrations SET mark = (SELECT mark FROM registrations WHERE client_id = 'a') WHERE client_id = "+
			"'c'"); err != nil {
			t.Fatal(err)
		}
		if bad := forgedRows(t, v); strings.Join(bad, " ") != "b c" {
			t.Errorf("forged: %v", bad)
		}
		if err := v.Rotate(ctx); err != nil {
			t.Fatal(err)
		}
		p, err := v.Reseal(ctx, 10)
		if err != nil || !p.Done || p.Left != 2 || p.OldKeys != 1 || len(p.Damaged) != 2 {
			t.Fatalf("forged rows hold the old key back: %+v %v", p, err)
		}
		if bad := forgedRows(t, v); strings.Join(bad, " ") != "b c" {
			t.Errorf("rotation vouches for forged rows: %v", bad)
		}
		if _, err := d.ExecContext(ctx, "DELETE FROM registrations WHERE client_id <> 'a'"); err != nil {
			t.Fatal(err)
		}
		if p, err = v.Reseal(ctx, 10); err != nil || !p.Retired {
			t.Fatalf("%+v %v", p, err)
		}
		if bad := forgedRows(t, v); bad != nil {
			t.Errorf("after the old key is gone: %v", bad)
		}
	})
}

// The parts of a row do not run together, and its version counts.
func TestMarksAreOfOneRow(t *testing.T) {
	t.Parallel()
	k := []byte("key")
	seen := map[string]bool{}
	b := *testBook
	other := b
	other.Version = 2
	table := b
	table.Table = "invitations"
	for _, x := range []struct {
		b *Book
		v []any
	}{
		{&b, []any{"ab", "c", "", ""}}, {&b, []any{"a", "bc", "", ""}}, {&b, []any{"a", "b", "c", ""}}, {&b, []any{"a", "", "bc", ""}},
		{&other, []any{"ab", "c", "", ""}}, {&table, []any{"ab", "c", "", ""}}, {&b, []any{"ab", int64(99), "", ""}},
	} {
		s, err := x.b.sum(k, x.v)
		if err != nil || seen[string(s)] {
			t.Errorf("%v %v: %v", x.b, x.v, err)
		}
		seen[string(s)] = true
	}
	if _, err := b.sum(k, []any{"a"}); err == nil {
		t.Error("a row with too few values was marked")
	}
}

// A secret opens for what it was bound to alone, also after a rotation.
func TestBound(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		v, _ := marking(t, d)
		ctx := t.Context()
		r := Ref{Purpose: "refresh-token", Owner: "c", Name: "1", Bound: Bound("tenant", "app")}
		if err := v.Put(ctx, r, secret.New("s")); err != nil {
			t.Fatal(err)
		}
		if err := v.Rotate(ctx); err != nil {
			t.Fatal(err)
		}
		if p, err := v.Reseal(ctx, 10); err != nil || !p.Retired {
			t.Fatalf("%+v %v", p, err)
		}
		if s, err := v.Get(ctx, r); err != nil || s.Reveal() != "s" {
			t.Error(err)
		}
		for _, bound := range []string{"", Bound("tenant", "other"), Bound("tenantapp"), Bound("tenant", "app", "")} {
			to := r
			to.Bound = bound
			if _, err := v.Get(ctx, to); !errors.Is(err, ErrDamaged) {
				t.Errorf("opened for %q: %v", bound, err)
			}
		}
		// What it says to be bound to, edited in the row.
		if _, err := d.ExecContext(ctx, "UPDATE vault_rows SET sealed = $1 WHERE owner = 'c'", edited(t, d)); err != nil {
			t.Fatal(err)
		}
		to := r
		to.Bound = Bound("tenant", "apq")
		if _, err := v.Get(ctx, to); !errors.Is(err, ErrDamaged) {
			t.Errorf("an edited binding opened: %v", err)
		}
	})
}

func edited(t *testing.T, d *db.DB) []byte {
	t.Helper()
	var b []byte
	if err := d.QueryRowContext(t.Context(), "SELECT sealed FROM vault_rows WHERE owner = 'c'").Scan(&b); err != nil {
		t.Fatal(err)
	}
	b[len(b)-3] = 'q'
	return b
}

// legacy makes the vault one from before marks, as an older program left it.
func legacy(t *testing.T, v *Vault) {
	t.Helper()
	s, k, err := v.readAndOpen(t.Context(), v.currentMaster())
	if err != nil {
		t.Fatal(err)
	}
	next := s
	next.Generation++
	next.Legacy = true
	if next, err = wrap(t.Context(), next, k.handle, v.currentMaster()); err != nil {
		t.Fatal(err)
	}
	if ok, err := swapKeyset(t.Context(), v.db, s, next); err != nil || !ok {
		t.Fatal(ok, err)
	}
	if _, err := v.load(t.Context(), v.db); err != nil {
		t.Fatal(err)
	}
}

// Rows from before marks are trusted once; a change of keys before does not
// count as that, and removing marks does not bring the moment back.
func TestTrustOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		v, put := marking(t, d)
		ctx := t.Context()
		put("a", "body")
		if err := v.Put(ctx, Ref{Purpose: "p"}, secret.New("s")); err != nil {
			t.Fatal(err)
		}
		legacy(t, v)
		blank := func() {
			t.Helper()
			if _, err := d.ExecContext(ctx, "UPDATE registrations SET mark = substr(mark, 1, 0)"); err != nil {
				t.Fatal(err)
			}
		}
		blank()
		if err := v.Rotate(ctx); err != nil || !v.Unmarked() {
			t.Fatalf("a rotation is not the first trust: %v", err)
		}
		calls := 0
		trust := func() error {
			return v.Trust(ctx, func(ctx context.Context, within *Vault) error {
				calls++
				s, err := within.Get(ctx, Ref{Purpose: "p"})
				if err != nil {
					return err
				}
				return within.Put(ctx, Ref{Purpose: "p", Bound: Bound("x")}, s)
			})
		}
		if err := trust(); err != nil || calls != 1 || v.Unmarked() || forgedRows(t, v) != nil {
			t.Fatalf("%v, %d calls, %v", err, calls, forgedRows(t, v))
		}
		if _, err := v.Get(ctx, Ref{Purpose: "p", Bound: Bound("x")}); err != nil {
			t.Error(err)
		}
		blank()
		if err := trust(); err != nil || calls != 1 || len(forgedRows(t, v)) != 1 {
			t.Errorf("trusted twice: %v, %d calls", err, calls)
		}
	})
}

// BenchmarkMark is the mark of a row as long as a connection's, made and held.
func BenchmarkMark(b *testing.B) {
	k := &keys{primary: 1, marks: map[uint32][]byte{1: make([]byte, 32)}}
	values := []any{"c-yeqwcntq2ug6kzll", "", "", strings.Repeat("x", 2000)}
	for b.Loop() {
		mark, err := k.mark(testBook, values)
		if err == nil {
			err = k.fits(testBook, mark, values)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
