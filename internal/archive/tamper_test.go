package archive_test

import (
	"testing"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
)

// What readings are found by is held to the object: a row that hides a reading, or
// says that one was whole, is named though its hashes fit.
func TestRowAgainstObject(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := open(t, d)
		s := r.keep("users", `{"value":[1]}`)
		r.keep("groups", `{"value":[2]}`)
		for _, change := range []string{
			"parts = '[]'", "parts = replace(parts, '\"whole\":true', '\"whole\":false')", "parts = replace(parts, 'users', 'other')",
			"first = first + 1", "last = last - 1000000", "bytes = bytes + 1",
		} {
			var parts string
			var first, last, bytes int64
			if err := d.QueryRowContext(t.Context(), "SELECT parts, first, last, bytes FROM archive_segments WHERE name = $1",
				s.Name).Scan(&parts, &first, &last, &bytes); err != nil {
				t.Fatal(err)
			}
			if _, err := d.ExecContext(t.Context(), "UPDATE archive_segments SET "+change+" WHERE name = $1", s.Name); err != nil {
				t.Fatal(err)
			}
			t.Log(change)
			r.one(archive.Row, s.Name)
			if _, err := d.ExecContext(t.Context(), "UPDATE archive_segments SET parts = $1, first = $2, last = $3, bytes = $4 WHERE name = $5",
				parts, first, last, bytes, s.Name); err != nil {
				t.Fatal(err)
			}
		}
		r.holds(2)
	})
}

// Files that the folder does not list as objects are named too.
func TestUnlisted(t *testing.T) {
	t.Parallel()
	r := open(t, dbtest.SQLite(t))
	s := r.keep("users", `{"value":[1]}`)
	r.write(r.path(s)+".attrs", []byte("{}"))
	r.one(archive.Added, s.Object+".attrs")
}

// A forged row of a write that was interrupted takes no object of a segment along.
func TestForgedPending(t *testing.T) {
	t.Parallel()
	r := open(t, dbtest.SQLite(t))
	s := r.keep("users", `{"value":[1]}`)
	if _, err := r.db.ExecContext(t.Context(), "INSERT INTO archive_pending (name, object, at, size, sha256) VALUES ('forged', $1, 0, 1, 'x')",
		s.Object); err != nil {
		t.Fatal(err)
	}
	r.now = r.now.Add(24 * time.Hour)
	if _, err := r.Clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.holds(1)
}
