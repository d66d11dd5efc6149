package db_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
)

// places are an SQLite file and a PostgreSQL database where nothing is yet.
func places(t *testing.T, test func(t *testing.T, at string)) {
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); test(t, filepath.Join(t.TempDir(), "new", "x.db")) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); test(t, dbtest.PostgresURL(t)) })
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func who(t *testing.T, at string) string {
	t.Helper()
	d, err := db.Open(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	return must(d.Setting(t.Context(), "who"))
}

func newest(t *testing.T) int64 {
	t.Helper()
	return must(dbtest.SQLite(t).Schema(t.Context()))
}

func TestStage(t *testing.T) {
	t.Parallel()
	places(t, func(t *testing.T, at string) {
		ctx := t.Context()
		stage := func(value string) *db.Stage {
			t.Helper()
			s, err := db.NewStage(ctx, at, 1) // the oldest
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(s.Raise(ctx), s.SetSetting(ctx, "who", value)); err != nil {
				t.Fatal(err)
			}
			if has := must(s.Schema(ctx)); has != newest(t) {
				t.Fatalf("schema %d", has)
			}
			return s
		}
		s := stage("given up")
		if _, err := db.NewStage(ctx, at, 1); !errors.Is(err, problem.Conflict) {
			t.Errorf("two at once: %v", err)
		}
		if err := s.Drop(ctx); err != nil {
			t.Fatal(err)
		}
		if err := db.Free(ctx, at); err != nil {
			t.Errorf("nobody is there: %v", err)
		}
		s = stage("first")
		if aside, err := s.Install(ctx, time.Unix(0, 0)); err != nil || aside != "" {
			t.Fatal(aside, err)
		}
		if got := who(t, at); got != "first" {
			t.Errorf("in place is %q", got)
		}
		// While another has it open nothing is put over it.
		other, err := db.Open(ctx, at)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Free(ctx, at); !errors.Is(err, problem.Conflict) {
			t.Errorf("it is in use: %v", err)
		}
		s = stage("second")
		if _, err := s.Install(ctx, time.Unix(1, 0)); !errors.Is(err, problem.Conflict) {
			t.Errorf("over one in use: %v", err)
		}
		if err := s.Drop(ctx); err != nil {
			t.Fatal(err)
		}
		if got := must(other.Setting(ctx, "who")); got != "first" {
			t.Errorf("the other reads %q", got)
		}
		_ = other.Close()
		s = stage("third")
		aside, err := s.Install(ctx, time.Unix(2, 0))
		if err != nil || aside == "" {
			t.Fatal(aside, err)
		}
		if got := who(t, at); got != "third" {
			t.Errorf("in place is %q", got)
		}
		if !strings.Contains(at, "://") {
			if got := who(t, aside); got != "first" {
				t.Errorf("aside is %q", got)
			}
			list := must(filepath.Glob(at + "*"))
			list = slices.DeleteFunc(list, func(name string) bool { return strings.HasSuffix(name, ".lock") }) // whose the place is
			if len(list) != 2 {
				t.Errorf("there are %v", list)
			}
		} else if got := who(t, at+"&search_path="+aside); got != "first" {
			t.Errorf("aside is %q", got)
		}
		if _, err := db.NewStage(ctx, at, 99999); !errors.Is(err, problem.BadInput) || !strings.Contains(err.Error(), "newer") {
			t.Errorf("a newer schema: %v", err)
		}
		if _, err := db.NewStage(ctx, at, 9); !errors.Is(err, problem.BadInput) {
			t.Errorf("a schema that never was: %v", err)
		}
	})
}

// TestStageOverNoDatabase: what cannot be read is kept aside with its journals.
func TestStageOverNoDatabase(t *testing.T) {
	t.Parallel()
	at := filepath.Join(t.TempDir(), "x.db")
	for _, more := range []string{"", "-wal", "-shm"} {
		if err := os.WriteFile(at+more, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := must(db.NewStage(t.Context(), at, newest(t)))
	if err := s.SetSetting(t.Context(), "who", "me"); err != nil {
		t.Fatal(err)
	}
	aside, err := s.Install(t.Context(), time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	if got := who(t, at); got != "me" {
		t.Errorf("in place is %q", got)
	}
	if raw, err := os.ReadFile(aside); err != nil || !strings.HasPrefix(string(raw), "no database") {
		t.Errorf("aside is %.20q %v", raw, err)
	}
}

// TestRows: what one database has the other takes, whatever the values are.
func TestRows(t *testing.T) {
	t.Parallel()
	lite, pg := dbtest.SQLite(t), dbtest.Postgres(t)
	ctx := t.Context()
	a, err := lite.Tables(ctx)
	if err != nil || len(a) < 15 {
		t.Fatal(len(a), err)
	}
	b, err := pg.Tables(ctx)
	if err != nil || len(b) != len(a) {
		t.Fatal(len(b), err)
	}
	for i := range a {
		if !a[i].Same(b[i]) || a[i].Check() != nil {
			t.Errorf("%+v is %+v", a[i], b[i])
		}
	}
	told := db.Table{Name: "told", Columns: []db.Column{{"key", db.Text}, {"at", db.Integer}}}
	proofs := db.Table{Name: "trail_proofs", Columns: []db.Column{{"anchor", db.Text}, {"size", db.Integer}, {"at", db.Integer}, {"note", db.Text},
		{"proof", db.Blob}}}
	want := [][]any{
		{"", int64(-1), int64(9223372036854775807), "ä\n\"\\\u2028", []byte{0, 255}},
		{"x'; DROP TABLE told; --", int64(-9223372036854775808), int64(0), strings.Repeat("y", 600_000), []byte{}},
	}
	for _, d := range []*db.DB{lite, pg} {
		for range 2 { // it takes the place of what stands there
			if err := d.InTx(ctx, func(ctx context.Context) error { return fill(ctx, d, proofs, want) }); err != nil {
				t.Fatal(err)
			}
		}
		var got [][]any
		err := d.Snapshot(ctx, func(ctx context.Context) error {
			return d.Rows(ctx, proofs, func(v []any) error { got = append(got, append([]any{}, v...)); return nil })
		})
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", d.Dialect, err, diff)
		}
		if _, err := d.Fill(ctx, told); !errors.Is(err, problem.Internal) {
			t.Errorf("outside of a transaction: %v", err)
		}
	}
	for _, bad := range []db.Table{{}, {Name: "a b", Columns: told.Columns}, {Name: "told"}, {Name: "told", Columns: []db.Column{{"at; --", db.Text}}},
		{Name: "told", Columns: []db.Column{{"at", "real"}}}, {Name: "told", Columns: []db.Column{{"at", db.Text}, {"at", db.Text}}}} {
		if err := lite.Rows(ctx, bad, nil); err == nil {
			t.Errorf("%+v was read", bad)
		}
	}
}

func fill(ctx context.Context, d *db.DB, t db.Table, rows [][]any) error {
	f, err := d.Fill(ctx, t)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, r := range rows {
		if err := f.Put(ctx, r); err != nil {
			return err
		}
	}
	if f.Count != int64(len(rows)) {
		return fmt.Errorf("%d rows", f.Count)
	}
	return nil
}

// TestSnapshot: writers go on, and are not seen.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		_ = d.SetSetting(ctx, "n", "1")
		err := d.Snapshot(ctx, func(in context.Context) error {
			if v := must(d.Setting(in, "n")); v != "1" {
				t.Error(v)
			}
			if err := d.SetSetting(ctx, "n", "2"); err != nil {
				return err
			}
			if v := must(d.Setting(in, "n")); v != "1" {
				t.Errorf("the snapshot sees %s", v)
			}
			return d.Snapshot(in, nil)
		})
		if !errors.Is(err, problem.Internal) {
			t.Errorf("a snapshot within one: %v", err)
		}
		if v := must(d.Setting(ctx, "n")); v != "2" {
			t.Error(v)
		}
	})
}
