package app_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/config"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
)

// place is an installation's folder.
type place struct {
	t   *testing.T
	dir string
}

func newPlace(t *testing.T) place { return place{t, t.TempDir()} }

func (p place) key() string { return filepath.Join(p.dir, "conf", "key") }

// options are those of a command with the settings given, names and values.
func (p place) options(lab bool, pairs ...string) app.Options {
	p.t.Helper()
	flags := map[string]string{"data": filepath.Join(p.dir, "data"), "master-key": "file:" + p.key()}
	env := map[string]string{"HOME": p.dir}
	for i := 0; i+1 < len(pairs); i += 2 {
		if strings.HasPrefix(pairs[i], "PARTNERGUARD_") {
			env[pairs[i]] = pairs[i+1]
		} else {
			flags[pairs[i]] = pairs[i+1]
		}
	}
	getenv := func(name string) string { return env[name] }
	c, err := config.Load(config.Source{Flags: flags, Getenv: getenv})
	if err != nil {
		p.t.Fatal(err)
	}
	o := app.Options{Config: c, Actor: "local:test", Now: time.Now, Getenv: getenv}
	if lab {
		o.Lab = &app.Lab{Info: &partnercloud.Info{Login: "https://localhost:1"}, Clock: func(context.Context) (time.Time, error) {
			return time.Now().
				Add(time.Hour), nil
		}}
	}
	return o
}

func (p place) open(lab bool, pairs ...string) (*app.Installation, error) {
	p.t.Helper()
	s, err := app.Open(p.t.Context(), p.options(lab, pairs...))
	if err == nil {
		p.t.Cleanup(func() { _ = s.Close() })
	}
	return s, err
}

func (p place) must(lab bool, pairs ...string) *app.Installation {
	p.t.Helper()
	s, err := p.open(lab, pairs...)
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

func register(t *testing.T, s *app.Installation) {
	t.Helper()
	r := sam.Registration{ClientID: "5a1e3c1f-6f0b-4c56-8f39-2d7c7a3b9e10", Tenant: "contoso.com", Kind: msapi.ClientSecret, Created: s.Now()}
	if _, err := s.SAM.AddRegistration(t.Context(), r, secret.New("Secret-of-this-test-1")); err != nil {
		t.Fatal(err)
	}
}

// Which cloud it is: a laboratory takes the place of an installation by itself
// only where nothing was ever put into one.
func TestWhichCloud(t *testing.T) {
	t.Parallel()
	real := func(t *testing.T, p place) { register(t, p.must(false)) }
	for name, c := range map[string]struct {
		before func(*testing.T, place)
		lab    bool
		pairs  []string
		wants  string
		fails  error
	}{
		"nothing at all":                     {wants: "public"},
		"a partner cloud runs":               {lab: true, wants: app.LabName},
		"it runs, and a real one is there":   {before: real, lab: true, wants: "public"},
		"it runs, only the steps were shown": {before: func(_ *testing.T, p place) { p.must(false) }, lab: true, wants: app.LabName},
		"it runs, the database is damaged": {before: func(t *testing.T, p place) {
			if err := errors.Join(os.MkdirAll(filepath.Join(p.dir, "data"), 0o700), os.WriteFile(filepath.Join(p.dir, "data", "partnerguard.db"),
				bytes.Repeat([]byte("x"), 5000), 0o600)); err != nil {
				t.Fatal(err)
			}
		}, lab: true, fails: problem.BadInput},
		"it runs, and something unknown is kept": {before: func(t *testing.T, p place) {
			s := p.must(false)
			for _, q := range []string{"CREATE TABLE of_a_later_feature (id TEXT)", "INSERT INTO of_a_later_feature VALUES ('x')"} {
				if _, err := s.DB.Exec(q); err != nil {
					t.Fatal(err)
				}
			}
		}, lab: true, wants: "public"},
		"named":                     {before: real, lab: true, pairs: []string{"cloud", app.LabName}, wants: app.LabName},
		"a real one is named":       {lab: true, pairs: []string{"cloud", "usgov"}, wants: "usgov"},
		"named by the older word":   {lab: true, pairs: []string{"cloud", "commercial"}, wants: "public"},
		"named, and none runs":      {pairs: []string{"cloud", app.LabName}, fails: problem.NotFound},
		"a lab before, none runs":   {before: func(t *testing.T, p place) { register(t, p.must(true)) }, wants: "public"},
		"a lab before, and it runs": {before: func(t *testing.T, p place) { register(t, p.must(true)) }, lab: true, wants: app.LabName},
		"a lab is named, with a server": {lab: true, pairs: []string{"cloud", app.LabName, "PARTNERGUARD_DATABASE", "postgres://nobody@localhost:1/none"},
			wants: app.LabName},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			if c.before != nil {
				c.before(t, p)
			}
			s, err := p.open(c.lab, c.pairs...)
			if c.fails != nil {
				if !errors.Is(err, c.fails) {
					t.Errorf("%v, want %v", err, c.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if s.Cloud.Name != c.wants || s.Lab() != (c.wants == app.LabName) {
				t.Errorf("%s, want %s", s.Cloud.Name, c.wants)
			}
			if ahead := time.Until(s.Now()) > 30*time.Minute; ahead != s.Lab() {
				t.Errorf("the clock is the partner cloud's: %v", ahead)
			}
		})
	}
}

// A database that is shared is never the laboratory's choice, and neither kind
// opens the other's.
func TestKindsDoNotMix(t *testing.T) {
	t.Parallel()
	refused := func(t *testing.T, err error) {
		t.Helper()
		if !errors.Is(err, problem.Usage) || !strings.Contains(err.Error(), "belongs to") || problem.HintOf(err) == "" {
			t.Errorf("%v", err)
		}
	}
	t.Run("the laboratory's for a real one", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t)
		register(t, p.must(true))
		_, err := p.open(false, "cloud", "commercial", "data", filepath.Join(p.dir, "data", app.LabName))
		refused(t, err)
	})
	t.Run("a real one for the laboratory", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t)
		p.must(false, "data", filepath.Join(p.dir, "data", app.LabName))
		_, err := p.open(true, "cloud", app.LabName)
		refused(t, err)
	})
	t.Run("a server", func(t *testing.T) {
		t.Parallel()
		p, url := newPlace(t), dbtest.PostgresURL(t)
		s := p.must(true, "PARTNERGUARD_DATABASE", url) // a lab runs
		if s.Lab() {
			t.Error("a shared database is the laboratory's")
		}
		if _, err := os.Stat(filepath.Join(p.dir, "data")); err == nil {
			t.Error("a folder was made beside a server")
		}
	})
	t.Run("looking", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t)
		if kept, err := app.Kept(t.Context(), p.options(false)); kept || err != nil {
			t.Errorf("%v %v", kept, err)
		}
		if list, err := os.ReadDir(p.dir); err != nil || len(list) != 0 {
			t.Errorf("looking made %v", list)
		}
		p.must(false)
		if kept, err := app.Kept(t.Context(), p.options(false)); !kept || err != nil {
			t.Errorf("%v %v", kept, err)
		}
	})
}

// The key file is made once, for a vault that is not there yet.
func TestKeyFile(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s := p.must(false)
	register(t, s)
	if n := s.Notes(); len(n) != 1 || !strings.Contains(n[0], p.key()) || !strings.Contains(n[0], "keep a copy") {
		t.Errorf("%v", n)
	}
	first, err := os.ReadFile(p.key())
	if err != nil {
		t.Fatal(err)
	}
	if i, err := os.Stat(p.key()); err != nil || i.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", i.Mode(), err)
	}
	if n := p.must(false).Notes(); len(n) != 0 {
		t.Errorf("the second time: %v", n)
	}
	if again, err := os.ReadFile(p.key()); err != nil || !bytes.Equal(first, again) {
		t.Error("the key file changed")
	}
	if err := os.Remove(p.key()); err != nil {
		t.Fatal(err)
	}
	gone := func(why string) {
		t.Helper()
		if _, err := p.open(false); err == nil {
			t.Errorf("%s: it opens without its key", why)
		}
		if _, err := os.Stat(p.key()); err == nil {
			t.Errorf("%s: another key was made", why)
		}
	}
	gone("the key is gone")
	d, err := db.Open(t.Context(), filepath.Join(p.dir, "data", "partnerguard.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.ExecContext(t.Context(), "DELETE FROM vault_keyset"); err != nil {
		t.Fatal(err)
	}
	gone("the keyset is gone too")
	if err := os.WriteFile(p.key(), first, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := p.open(false); err == nil {
		t.Error("sealed secrets without a keyset: a new vault was made over them")
	}
}

// Of many that start at once over nothing, all open one vault under one key.
func TestStartsAtOnce(t *testing.T) {
	t.Parallel()
	for range 10 {
		p := newPlace(t)
		o := p.options(false)
		if d, err := db.Open(t.Context(), filepath.Join(p.dir, "data", "partnerguard.db")); err != nil || d.Close() != nil {
			t.Fatal(err)
		}
		start := make(chan struct{})
		var wg sync.WaitGroup
		var mu sync.Mutex
		made := 0
		for range 8 {
			wg.Go(func() {
				<-start
				s, err := app.Open(context.Background(), o)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				made += len(s.Notes())
				mu.Unlock()
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		close(start)
		wg.Wait()
		if made != 1 {
			t.Errorf("the key was made %d times", made)
		}
	}
}

// Nothing that was given is in the clear in what an installation wrote.
func TestNothingInTheClear(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s := p.must(false)
	mark := "Mark-" + token.Text().Reveal()
	r := sam.Registration{ClientID: "5a1e3c1f-6f0b-4c56-8f39-2d7c7a3b9e10", Tenant: "contoso.com", Kind: msapi.ClientSecret, Created: s.Now()}
	for range 3 { // also what was replaced
		if _, err := s.SAM.AddRegistration(t.Context(), r, secret.New(mark)); err != nil {
			t.Fatal(err)
		}
	}
	look := func(when string) {
		t.Helper()
		files := 0
		err := filepath.WalkDir(p.dir, func(path string, e os.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			files++
			b, err := os.ReadFile(path)
			if bytes.Contains(b, []byte(mark)) {
				t.Errorf("%s: %s holds the secret", when, path)
			}
			if i, ierr := e.Info(); ierr == nil && i.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s: %s may be read by others: %v", when, path, i.Mode())
			}
			return err
		})
		if err != nil || files < 2 {
			t.Errorf("%d files: %v", files, err)
		}
	}
	look("while open")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	look("closed")
}
