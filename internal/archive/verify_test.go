package archive_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"partnerguard/internal/archive"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/trail"
)

func (r *rig) verify() *archive.Report {
	r.Helper()
	out, err := r.Verify(r.Context(), r.trail, archive.Verifying{})
	if err != nil {
		r.Fatal(err)
	}
	return out
}

func (r *rig) holds(segments int) {
	r.Helper()
	if got := r.verify(); got.Err() != nil || got.Segments != segments || len(got.Findings) > 0 {
		r.Errorf("%+v %v", got, got.Err())
	}
}

// one verifies and wants one finding, of a kind, which names something.
func (r *rig) one(kind, names string) {
	r.Helper()
	got := r.verify()
	if len(got.Findings) != 1 || got.Findings[0].Kind != kind || !strings.Contains(got.Findings[0].Words, names) || got.Err() == nil {
		r.Errorf("want %s that names %s, got %+v, %v", kind, names, got.Findings, got.Err())
	}
}

func (r *rig) path(s archive.Segment) string {
	return filepath.Join(r.dir, filepath.FromSlash(s.Object))
}

func (r *rig) read(path string) []byte {
	r.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		r.Fatal(err)
	}
	return b
}

func (r *rig) write(path string, b []byte) {
	r.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		r.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		r.Fatal(err)
	}
}

// Every byte of an object counts: whichever is changed, the segment is named, and
// of most what it is.
func TestEveryByte(t *testing.T) {
	t.Parallel()
	r := open(t, dbtest.SQLite(t))
	s := r.keep("users", `{"value":[{"id":"a"}]}`, `{"value":[]}`)
	r.holds(1)
	whole := r.read(r.path(s))
	placed := 0
	for i := range whole {
		b := bytes.Clone(whole)
		b[i] ^= 1 << (i % 8)
		r.write(r.path(s), b)
		got := r.verify()
		if got.Segments != 0 || len(got.Findings) != 1 || got.Findings[0].Kind != archive.Changed || got.Findings[0].Segment != s.Name || got.Err() == nil {
			t.Fatalf("byte %d: %+v", i, got)
		}
		if strings.Contains(got.Findings[0].Words, "between bytes") {
			placed++
		}
	}
	if placed < 50 {
		t.Errorf("only %d bytes were placed", placed)
	}
	for n := range whole {
		r.write(r.path(s), whole[:n])
		r.one(archive.Changed, fmt.Sprint("it has ", n, " bytes"))
	}
	r.write(r.path(s), append(bytes.Clone(whole), 0))
	r.one(archive.Changed, s.Name)
	r.write(r.path(s), whole)
	r.holds(1)
}

func TestVerifyNames(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := open(t, d)
		a, b := r.keep("users", `{"value":[1]}`), r.keep("groups", `{"value":[2]}`)
		r.holds(2)
		pa, pb := r.path(a), r.path(b)
		wa, wb := r.read(pa), r.read(pb)
		restore := func() { r.write(pa, wa); r.write(pb, wb); r.holds(2) }

		if err := os.Remove(pa); err != nil {
			t.Fatal(err)
		}
		r.one(archive.Missing, a.Name)
		restore()

		r.write(pa, wb)
		r.one(archive.Changed, "was put in its place: it is that of "+b.Name)
		restore()

		strange := filepath.Join(filepath.Dir(pa), "strange.pgseg")
		r.write(strange, wa)
		r.one(archive.Added, "strange.pgseg")
		if err := os.Remove(strange); err != nil {
			t.Fatal(err)
		}
		other := filepath.Join(r.dir, "notes.txt")
		r.write(other, []byte("x"))
		r.one(archive.Added, "notes.txt")
		if err := os.Remove(other); err != nil {
			t.Fatal(err)
		}
		restore()

		for what, change := range map[string][2]string{
			"sha256": {"UPDATE archive_segments SET sha256 = 'x' WHERE name = $1", "UPDATE archive_segments SET sha256 = '" + a.SHA256 + "' WHERE name = $1"},
			"tenant": {"UPDATE archive_segments SET tenant = 'x' WHERE name = $1", "UPDATE archive_segments SET tenant = '" + a.Tenant + "' WHERE name = $1"},
			"policy": {"UPDATE archive_segments SET removed = 7 WHERE name = $1", "UPDATE archive_segments SET removed = 0 WHERE name = $1"},
		} {
			t.Log(what)
			for i, sql := range change {
				if _, err := d.ExecContext(t.Context(), sql, a.Name); err != nil {
					t.Fatal(err)
				}
				if i == 0 {
					r.one(archive.Row, a.Name)
				}
			}
		}
		r.holds(2)
		if _, err := d.ExecContext(t.Context(), "UPDATE archive_segments SET name = 'forged' WHERE name = $1", a.Name); err != nil {
			t.Fatal(err)
		}
		got := r.verify()
		if len(got.Findings) != 2 || got.Findings[0].Kind != archive.Row || got.Findings[1].Kind != archive.Row {
			t.Errorf("%+v", got.Findings)
		}
	})
}

// A tree that was put back to an older state does not fit a checkpoint that was
// kept elsewhere, and the objects that came after it are named.
func TestOlderTree(t *testing.T) {
	t.Parallel()
	r := open(t, dbtest.SQLite(t))
	r.keep("users", `{"value":[1]}`)
	old := filepath.Join(t.TempDir(), "old.db")
	if _, err := r.db.ExecContext(t.Context(), "VACUUM INTO '"+old+"'"); err != nil {
		t.Fatal(err)
	}
	late := r.keep("users", `{"value":[1,2]}`)
	head, err := r.trail.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d, err := db.Open(t.Context(), old)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	tr, err := trail.Open(t.Context(), d, trail.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a, err := archive.Open(archive.Deps{DB: d, Trail: tr, Dir: r.dir})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	got, err := a.Verify(t.Context(), tr, archive.Verifying{})
	if err != nil || len(got.Findings) != 1 || got.Findings[0].Kind != archive.Added || got.Findings[0].Object != late.Object {
		t.Errorf("%+v %v", got, err)
	}
	whole, err := tr.Verify(t.Context(), &head.Hash)
	if err != nil || whole.Err() == nil {
		t.Errorf("the older trail holds the newer head: %+v %v", whole, err)
	}
}

// A copy is compared with an exported trail, without the database.
func TestVerifyCopy(t *testing.T) {
	t.Parallel()
	r := open(t, dbtest.SQLite(t))
	a := r.keep("users", `{"value":[1]}`)
	r.keep("groups", `{"value":[2]}`)
	var text bytes.Buffer
	if _, err := r.trail.Export(t.Context(), &text, 0); err != nil {
		t.Fatal(err)
	}
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(r.dir)); err != nil {
		t.Fatal(err)
	}
	check := func() *archive.Report {
		l := archive.NewLedger()
		tr, err := trail.ReadExport(bytes.NewReader(text.Bytes()), nil, nil, func(e *trail.Entry) error { l.Add(e); return nil })
		if err != nil || tr.Err() != nil {
			t.Fatal(err, tr.Err())
		}
		got, err := archive.VerifyCopy(t.Context(), copied, l, archive.Verifying{})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := check(); got.Err() != nil || got.Segments != 2 {
		t.Errorf("%+v", got)
	}
	if err := os.Remove(filepath.Join(copied, filepath.FromSlash(a.Object))); err != nil {
		t.Fatal(err)
	}
	if got := check(); len(got.Findings) != 1 || got.Findings[0].Kind != archive.Missing || got.Findings[0].Segment != a.Name {
		t.Errorf("%+v", got)
	}
}
