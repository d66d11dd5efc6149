package app_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/app"
	"partnerguard/internal/problem"
	"partnerguard/internal/trail"
)

// files are all files below a folder, by name and size.
func files(t *testing.T, dir string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			list = append(list, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

// To look makes nothing: no database where there is none, no key where nothing is
// sealed, no entry of an older database, no file.
func TestLook(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	if _, err := app.Look(t.Context(), p.options(false)); !errors.Is(err, problem.NotFound) {
		t.Errorf("nothing there: %v", err)
	}
	if got := files(t, p.dir); len(got) > 0 {
		t.Errorf("it made %v", got)
	}
	d, err := app.OpenData(t.Context(), p.options(false)) // a database without a vault
	if err == nil {
		err = d.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.Look(t.Context(), p.options(false)); !errors.Is(err, problem.NotFound) {
		t.Errorf("nothing sealed: %v", err)
	}
	if _, err := os.Stat(p.key()); err == nil {
		t.Error("it made a key")
	}
	s := p.must(false)
	register(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// The database becomes older than this machine saw it.
	seen, err := filepath.Glob(filepath.Join(p.dir, "data", "seen-*.json"))
	if err != nil || len(seen) != 1 {
		t.Fatal(seen, err)
	}
	was := `{"seq":99,"hash":"x","at":"2026-11-01T00:00:00Z"}`
	if err := os.WriteFile(seen[0], []byte(was), 0o600); err != nil {
		t.Fatal(err)
	}
	before := files(t, p.dir)
	for range 3 {
		i, err := app.Look(t.Context(), p.options(false))
		if err != nil {
			t.Fatal(err)
		}
		ids, err := i.SAM.AppIDs(t.Context())
		if err != nil || len(ids) != 1 {
			t.Errorf("apps: %v, %v", ids, err)
		}
		f, err := i.Trail.Search(t.Context(), trail.Query{Action: "database.*", Limit: 10})
		if err != nil || len(f.Entries) > 0 {
			t.Errorf("it recorded %v, %v", f.Entries, err)
		}
		if err := i.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got := files(t, p.dir); !slices.Equal(got, before) {
		t.Errorf("files before %v, after %v", before, got)
	}
	if b, err := os.ReadFile(seen[0]); err != nil || string(b) != was {
		t.Errorf("what was seen is %s, %v", b, err)
	}
}

// One database has one memory, however its folder is spelt: a link to it, or with
// a detour; and that of a program of before is taken over.
func TestSeenHoweverSpelt(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s := p.must(false)
	register(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(p.dir, "link")
	if err := os.Symlink(filepath.Join(p.dir, "data"), link); err != nil {
		t.Fatal(err)
	}
	for _, data := range []string{link, filepath.Join(p.dir, "data") + "/../data"} {
		s, err := p.open(false, "data", data)
		if err == nil {
			err = s.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen, err := filepath.Glob(filepath.Join(p.dir, "data", "seen-*.json")); err != nil || len(seen) != 1 {
		t.Errorf("memories: %v, %v", seen, err)
	}
}

// A look holds the database to what this machine saw of it also by a memory that a
// program of before named, and to whose it is.
func TestLookIsNotFooled(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s := p.must(false)
	register(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	data, link := filepath.Join(p.dir, "data"), filepath.Join(p.dir, "link")
	if err := os.Symlink(data, link); err != nil {
		t.Fatal(err)
	}
	seen, err := filepath.Glob(filepath.Join(data, "seen-*.json"))
	if err != nil || len(seen) != 1 {
		t.Fatal(seen, err)
	}
	sum := sha256.Sum256([]byte(filepath.Join(link, "partnerguard.db")))
	older := filepath.Join(data, "seen-"+hex.EncodeToString(sum[:6])+".json")
	err = errors.Join(os.Remove(seen[0]), os.WriteFile(older, []byte(`{"seq":99,"hash":"x","at":"2026-11-01T00:00:00Z"}`), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	i, err := app.Look(t.Context(), p.options(false, "data", link))
	if err != nil {
		t.Fatal(err)
	}
	if notes := strings.Join(i.Notes(), " "); !strings.Contains(notes, "had 99") {
		t.Errorf("it does not see that the database is older: %q", notes)
	}
	if err := i.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(older); err != nil {
		t.Errorf("to look moved the memory: %v", err)
	}
	if s, err := p.open(false, "data", link); err != nil || !strings.Contains(strings.Join(s.Notes(), " "), "had 99") {
		t.Errorf("opened: %v", err)
	}
	if _, err := os.Stat(seen[0]); err != nil {
		t.Errorf("the memory was not taken over: %v", err)
	}
	other := newPlace(t) // a real one where the local cloud's would be
	s, err = other.open(false, "data", filepath.Join(other.dir, "data", app.LabName))
	if err != nil {
		t.Fatal(err)
	}
	register(t, s)
	if _, err := app.Look(t.Context(), other.options(true, "cloud", app.LabName)); !errors.Is(err, problem.Usage) {
		t.Errorf("another's database: %v", err)
	}
}
