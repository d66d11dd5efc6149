package archive_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"gocloud.dev/blob/memblob"

	"partnerguard/internal/archive"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
)

// The place is reached or not, and what no backup has is told with where it is.
func TestHealth(t *testing.T) {
	t.Parallel()
	r := open(t, dbtest.SQLite(t))
	if err := r.Ready(t.Context()); err != nil {
		t.Errorf("nothing was kept yet: %v", err)
	}
	if _, err := os.Stat(r.dir); err == nil {
		t.Error("a question made the folder")
	}
	if what, where, err := r.Apart(t.Context()); what != "" || where != "" || err != nil {
		t.Errorf("%q %q %v", what, where, err)
	}
	r.keep("users", `{"value":[]}`)
	if what, where, err := r.Apart(t.Context()); err != nil || what == "" || !strings.HasPrefix(where, r.dir+", 1 of ") {
		t.Errorf("%q %q %v", what, where, err)
	}
	if err := errors.Join(os.RemoveAll(r.dir), os.WriteFile(r.dir, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, at := range []struct {
		place string
		fails bool
	}{{"", true}, {"file://" + r.dir, true}, {"file://" + t.TempDir(), false}} {
		a, err := archive.Open(archive.Deps{DB: r.db, Trail: r.trail, Dir: r.dir, Config: &archive.Config{Place: at.place}})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Ready(t.Context()); errors.Is(err, problem.Unavailable) != at.fails {
			t.Errorf("%q: %v", at.place, err)
		}
	}
	bucket := memblob.OpenBucket(nil)
	away, err := archive.Open(archive.Deps{DB: r.db, Trail: r.trail, Bucket: bucket})
	if err != nil {
		t.Fatal(err)
	}
	if err := away.Ready(t.Context()); err != nil {
		t.Errorf("it is there: %v", err)
	}
	if err := bucket.Close(); err != nil {
		t.Fatal(err)
	}
	if err := away.Ready(t.Context()); err != nil {
		t.Errorf("asked again at once: %v", err)
	}
	away, err = archive.Open(archive.Deps{DB: r.db, Trail: r.trail, Bucket: bucket})
	if err != nil {
		t.Fatal(err)
	}
	if err := away.Ready(t.Context()); !errors.Is(err, problem.Unavailable) {
		t.Errorf("it is closed: %v", err)
	}
	for place, want := range map[string]string{"s3://pages?region=eu-central-1&prefix=pg/": "s3://pages", "azblob://pages": "azblob://pages",
		"file:///srv/x": "/srv/x"} {
		a, err := archive.Open(archive.Deps{DB: r.db, Trail: r.trail, Config: &archive.Config{Place: place}})
		if err != nil || a.Where() != want {
			t.Errorf("%s: %s, %v", place, a.Where(), err)
		}
	}
}
