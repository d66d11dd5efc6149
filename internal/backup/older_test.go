package backup

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
)

// TestOlder: a backup of an older schema goes into that schema, which is then raised;
// one that says another schema than it has goes nowhere.
func TestOlder(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	old, err := db.NewStage(ctx, filepath.Join(t.TempDir(), "old.db"), 12) // of before the table told
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = old.Drop(ctx) })
	r := newRig(t, old.DB)
	for i := range 5 {
		if err := r.act(ctx, i); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "b")
	b, err := WriteFile(ctx, file, r.key, r.source())
	if err != nil || b.Schema != 12 {
		t.Fatal(b.Schema, err)
	}
	for name, at := range map[string]string{"sqlite": filepath.Join(t.TempDir(), "x.db"), "postgres": dbtest.PostgresURL(t)} {
		st, err := db.NewStage(ctx, at, b.Schema)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := load(ctx, file, r.key, st.DB); err != nil {
			t.Fatal(name, err)
		}
		if err := st.Raise(ctx); err != nil {
			t.Fatal(name, err)
		}
		if _, err := st.Install(ctx, time.Unix(0, 0)); err != nil {
			t.Fatal(name, err)
		}
		d, err := db.Open(ctx, at)
		if err != nil {
			t.Fatal(err)
		}
		n, err := d.Count(ctx, db.Table{Name: "vault_rows", Columns: []db.Column{{Name: "name", Kind: db.Text}}})
		if has, verr := d.Schema(ctx); verr != nil || has <= 12 || n != 5 || err != nil {
			t.Errorf("%s: schema %d, %d rows, %v %v", name, has, n, err, verr)
		}
		_ = d.Close()
	}
	d := dbtest.SQLite(t)
	lie := r.source()
	describe := lie.Describe
	lie.Describe = func(ctx context.Context, m *Manifest) error { m.Schema = 13; return describe(ctx, m) }
	if _, err := WriteFile(ctx, file, r.key, lie); err != nil {
		t.Fatal(err)
	}
	if _, err := load(ctx, file, r.key, d); !errors.Is(err, problem.BadInput) || !strings.Contains(err.Error(), "is not the one of schema 13") {
		t.Errorf("of 12 into 13: %v", err)
	}
	if n, err := d.Count(ctx, db.Table{Name: "vault_rows", Columns: []db.Column{{Name: "name", Kind: db.Text}}}); err != nil || n != 0 {
		t.Errorf("%d rows stay, %v", n, err)
	}
}

// full is a disk with so much room.
type full struct{ room int }

func (f *full) Write(b []byte) (int, error) {
	if len(b) > f.room {
		n := f.room
		f.room = 0
		return n, syscall.ENOSPC
	}
	f.room -= len(b)
	return len(b), nil
}

// TestDiskFull: wherever the disk is full, it is said.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t, dbtest.SQLite(t)), t.Context()
	for i := range 20 {
		if err := r.act(ctx, i); err != nil {
			t.Fatal(err)
		}
	}
	var whole bytes.Buffer
	if err := Write(ctx, &whole, r.source()); err != nil {
		t.Fatal(err)
	}
	for room := 0; room < whole.Len()-64; room += 997 { // one is a few bytes longer or shorter than another
		if err := Write(ctx, &full{room}, r.source()); !problem.DiskFull(err) {
			t.Fatalf("%d of %d bytes: %v", room, whole.Len(), err)
		}
	}
}
