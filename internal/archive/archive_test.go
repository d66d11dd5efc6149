package archive_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/trail"
)

const tenant = "11111111-2222-3333-4444-555555555555"

var day = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// rig is an archive in a folder, with its database and trail.
type rig struct {
	*testing.T
	*archive.Archive
	db    *db.DB
	trail *trail.Trail
	dir   string
	now   time.Time
}

func open(t *testing.T, d *db.DB) *rig {
	t.Helper()
	r := &rig{T: t, db: d, dir: filepath.Join(t.TempDir(), "archive"), now: day}
	var err error
	if r.trail, err = trail.Open(t.Context(), d, trail.Options{}); err != nil {
		t.Fatal(err)
	}
	r.Archive, err = archive.Open(archive.Deps{DB: d, Trail: r.trail, Dir: r.dir, Now: func() time.Time { return r.now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// page makes a page of a resource.
func page(resource, run string, n int, body string) archive.Page {
	return archive.Page{
		Tenant: tenant, Resource: resource, Run: run, Number: n, Request: "GET /v1.0/" + resource, Status: 200,
		At: day.Add(time.Duration(n) * time.Second), RequestID: fmt.Sprint("request-", n), Body: []byte(body),
	}
}

// keep commits a segment of one whole run.
func (r *rig) keep(resource string, bodies ...string) archive.Segment {
	r.Helper()
	w, err := r.Begin(tenant)
	if err != nil {
		r.Fatal(err)
	}
	run := archive.NewRun(r.now)
	for i, b := range bodies {
		if err := w.Add(page(resource, run, i, b)); err != nil {
			r.Fatal(err)
		}
	}
	if err := w.End(archive.Run{ID: run, Tenant: tenant, Resource: resource, Way: "whole", Ended: r.now, Whole: true, Pages: len(bodies)}); err != nil {
		r.Fatal(err)
	}
	s, err := w.Commit(r.Context(), nil)
	if err != nil {
		r.Fatal(err)
	}
	return s
}

// files lists what lies in the archive's folder.
func (r *rig) files() (out []string) {
	_ = filepath.WalkDir(r.dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			out = append(out, path)
		}
		return nil
	})
	return out
}

func (r *rig) segments(q archive.Query) (out []archive.Segment) {
	r.Helper()
	for s, err := range r.Segments(r.Context(), q) {
		if err != nil {
			r.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

func TestKept(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := open(t, d)
		big := `{"value":[` + strings.Repeat(`{"id":"0123456789"},`, 300_000) + `{}]}`
		s := r.keep("users", `{"value":[1]}`, "", big, "\x00not json\n\n")
		if s.Seq == 0 || s.Pages != 4 || s.Runs[0].End == nil || !s.Runs[0].End.Whole {
			t.Errorf("%+v", s)
		}
		if got := r.segments(archive.Query{Tenant: tenant, Resource: "users"}); len(got) != 1 || got[0].SHA256 != s.SHA256 || got[0].Seq != s.Seq {
			t.Fatalf("%+v", got)
		}
		if got := r.segments(archive.Query{Resource: "groups"}); len(got) != 0 {
			t.Errorf("%+v", got)
		}
		var bodies []string
		ends := 0
		err := r.Read(t.Context(), s, func(p *archive.Page) error {
			if p.RequestID != fmt.Sprint("request-", p.Number) || !p.At.Equal(day.Add(time.Duration(p.Number)*time.Second)) {
				t.Errorf("%+v", p)
			}
			bodies = append(bodies, string(p.Body))
			return nil
		}, func(e *archive.Run) error { ends += e.Pages; return nil })
		if err != nil || ends != 4 || len(bodies) != 4 || bodies[2] != big || bodies[3] != "\x00not json\n\n" {
			t.Error(err, ends, len(bodies))
		}
		if f := r.files(); len(f) != 1 {
			t.Errorf("%v", f)
		} else if info, err := os.Stat(f[0]); err != nil || info.Mode().Perm() != 0o600 || info.Size() != s.Size {
			t.Error(info.Mode(), err)
		}
		found, err := r.trail.Search(t.Context(), trail.Query{})
		if err != nil || len(found.Entries) != 1 || found.Entries[0].Seq != s.Seq || found.Entries[0].Details["sha256"] != s.SHA256 {
			t.Errorf("%+v %v", found, err)
		}
	})
}

func TestTransactionIsOne(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := open(t, d)
		no := errors.New("no")
		w, err := r.Begin(tenant)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Add(page("users", "r1", 0, "{}")); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Commit(t.Context(), func(ctx context.Context) error { return no }); !errors.Is(err, no) {
			t.Error(err)
		}
		if f := r.files(); len(f) != 0 {
			t.Errorf("left behind: %v", f)
		}
		h, err := r.trail.Head(t.Context())
		if err != nil || h.Seq != 0 || len(r.segments(archive.Query{})) != 0 {
			t.Error(h, err)
		}
		if w, err = r.Begin(tenant); err != nil {
			t.Fatal(err)
		}
		ran := 0
		if _, err := w.Commit(t.Context(), func(context.Context) error { ran++; return nil }); err != nil || ran != 1 {
			t.Error(err, ran)
		}
	})
}
