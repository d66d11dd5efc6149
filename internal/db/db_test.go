package db_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
)

func TestOneSQLForBoth(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		set := func(ctx context.Context, name, value string) error {
			_, err := d.ExecContext(ctx, "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name,
				value)
			return err
		}
		if err := set(ctx, "a", "1"); err != nil {
			t.Fatal(err)
		}
		if err := d.InTx(ctx, func(ctx context.Context) error { return set(ctx, "a", "2") }); err != nil {
			t.Fatal(err)
		}
		stop := errors.New("stop")
		if err := d.InTx(ctx, func(ctx context.Context) error { return errors.Join(set(ctx, "a", "3"), stop) }); !errors.Is(err, stop) {
			t.Fatal(err)
		}
		var v string
		if err := d.QueryRowContext(ctx, "SELECT value FROM settings WHERE name = $1", "a").Scan(&v); err != nil || v != "2" {
			t.Errorf("%q %v: a failed transaction left something", v, err)
		}
	})
}

// Many writers at once lose nothing.
func TestWritersAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		if _, err := d.ExecContext(ctx, "INSERT INTO settings VALUES ('n', '0')"); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 10 {
					err := d.InTx(ctx, func(ctx context.Context) error {
						_, err := d.ExecContext(ctx, "UPDATE settings SET value = CAST(CAST(value AS integer) + 1 AS text) WHERE name = 'n'")
						return err
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		var v string
		if err := d.QueryRowContext(ctx, "SELECT value FROM settings WHERE name = 'n'").Scan(&v); err != nil || v != "80" {
			t.Errorf("%q %v", v, err)
		}
	})
}

func TestOpen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a ?b#", "x.db")
	for range 2 {
		d, err := db.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Exec("INSERT INTO settings VALUES ('goes', 'x') ON CONFLICT DO NOTHING"); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(dir, "a [?]b#", "*"))
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, f := range files {
			if info, err := os.Stat(f); err != nil || info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s is for others too: %v %v", f, info.Mode(), err)
			}
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, where := range []string{text, dir, "postgres://u:geheim@127.0.0.1:1/x?connect_timeout=2"} {
		_, err := db.Open(t.Context(), where)
		if err == nil || !errors.Is(err, problem.BadInput) || strings.Contains(err.Error(), "geheim") || problem.HintOf(err) == "" {
			t.Errorf("%s: %v", where, err)
		}
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	d, err := db.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)"); err != nil {
		t.Fatal(err)
	}
	_ = d.Close()
	if _, err := db.Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), "newer partnerguard") {
		t.Errorf("%v", err)
	}
}

// Both dialects have the same steps: what is missing in one is found by its
// users only.
func TestMigrationsArePaired(t *testing.T) {
	t.Parallel()
	names := func(dialect string) (out []string) {
		err := filepath.WalkDir("migrations/"+dialect, func(path string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				out = append(out, filepath.Base(path))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if a, b := names("sqlite"), names("postgres"); len(a) == 0 || strings.Join(a, " ") != strings.Join(b, " ") {
		t.Errorf("sqlite has %v, postgres has %v", a, b)
	}
}

// Many that make the same new file ready at once all get it.
func TestOpenAtOnce(t *testing.T) {
	t.Parallel()
	for range 4 {
		path := filepath.Join(t.TempDir(), "new", "partnerguard.db")
		start := make(chan struct{})
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				<-start
				d, err := db.Open(t.Context(), path)
				if err != nil {
					t.Error(err)
					return
				}
				if err := d.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		close(start)
		wg.Wait()
	}
}
