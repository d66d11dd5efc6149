package archive_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/archive/archivetest"
	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
)

// inStore is a rig over an object store whose days a test chooses.
func inStore(t *testing.T, d *db.DB, s *archivetest.Store) *rig {
	t.Helper()
	r := open(t, d)
	a, err := archive.Open(archive.Deps{DB: d, Trail: r.trail, Bucket: s.Bucket(), Now: func() time.Time { return r.now }})
	if err != nil {
		t.Fatal(err)
	}
	r.Archive = a
	return r
}

func (r *rig) filled() *archive.Writer {
	r.Helper()
	w, err := r.Begin(tenant)
	if err != nil {
		r.Fatal(err)
	}
	if err := w.Add(page("users", "r1", 0, strings.Repeat(`{"value":[1]}`, 1000))); err != nil {
		r.Fatal(err)
	}
	return w
}

// nothing wants no segment, no entry and no fault; left is how many interrupted
// writes are told.
func (r *rig) nothing(left int) {
	r.Helper()
	if s := r.segments(archive.Query{}); len(s) != 0 {
		r.Errorf("%+v", s)
	}
	if h, err := r.trail.Head(r.Context()); err != nil || h.Seq != 0 {
		r.Error(h, err)
	}
	got := r.verify()
	told := 0
	for _, f := range got.Findings {
		if f.Kind == archive.Interrupted {
			told++
		}
	}
	if got.Err() != nil || told != left {
		r.Errorf("%d told, not %d: %+v", told, left, got)
	}
}

// Whatever the store does, a segment is there whole or not at all, and what could not
// be taken away is told and taken away later.
func TestStoreOnBadDays(t *testing.T) {
	t.Parallel()
	down := errors.New("down")
	for name, c := range map[string]struct {
		fails []string // operations
		as    error
		left  int
	}{
		"write":                       {[]string{"write"}, down, 0},
		"close":                       {[]string{"close"}, down, 0},
		"an answer that was lost":     {[]string{"close"}, archivetest.ErrLate, 0},
		"all of it":                   {[]string{"write", "close", "delete"}, down, 1},
		"lost, and then it is down":   {[]string{"close", "delete"}, archivetest.ErrLate, 1},
		"close, and then it is down":  {[]string{"close", "delete"}, down, 1},
		"attributes, which none asks": {[]string{"attributes"}, down, -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				var bad atomic.Bool
				s := &archivetest.Store{Fail: func(_ context.Context, op, _ string) error {
					if bad.Load() && slices.Contains(c.fails, op) {
						return c.as
					}
					return nil
				}}
				r := inStore(t, d, s)
				bad.Store(true)
				_, err := r.filled().Commit(t.Context(), nil)
				if c.left < 0 {
					if err != nil {
						t.Error(err)
					}
					return
				}
				if !errors.Is(err, problem.Unavailable) || problem.HintOf(err) == "" {
					t.Error(err)
				}
				bad.Store(false)
				r.nothing(c.left)
				if _, err := r.Clean(t.Context()); err != nil {
					t.Error(err)
				}
				r.nothing(c.left) // it is not old yet
				r.now = r.now.Add(24 * time.Hour)
				if n, err := r.Clean(t.Context()); err != nil || n != c.left {
					t.Error(n, err)
				}
				if r.nothing(0); len(s.Keys()) != 0 {
					t.Error(s.Keys())
				}
				if _, err := r.filled().Commit(t.Context(), nil); err != nil { // and then it works
					t.Error(err)
				}
				r.holds(1)
			})
		})
	}
}

// A store that does not answer ends with the context, and nothing stays.
func TestSlowStore(t *testing.T) {
	t.Parallel()
	var slow atomic.Bool
	s := &archivetest.Store{Fail: func(ctx context.Context, op, _ string) error {
		if slow.Load() && op == "write" {
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}}
	r := inStore(t, dbtest.SQLite(t), s)
	slow.Store(true)
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if _, err := r.filled().Commit(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	slow.Store(false)
	r.nothing(0)
}

// A commit that the trail refuses takes the object away again.
func TestTrailRefuses(t *testing.T) {
	t.Parallel()
	s := &archivetest.Store{}
	r := inStore(t, dbtest.SQLite(t), s)
	a, err := archive.Open(archive.Deps{DB: r.db, Trail: refusing{r.trail}, Bucket: s.Bucket()})
	if err != nil {
		t.Fatal(err)
	}
	w, err := a.Begin(tenant)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Add(page("users", "r1", 0, "{}")); err != nil {
		t.Fatal(err)
	}
	ran := false
	_, err = w.Commit(t.Context(), func(ctx context.Context) error {
		ran = true
		return r.db.SetSetting(ctx, "cursor", "1")
	})
	if err == nil || !ran {
		t.Error(err, ran)
	}
	if v, err := r.db.Setting(t.Context(), "cursor"); v != "" || err != nil {
		t.Errorf("the cursor moved: %q %v", v, err)
	}
	if r.nothing(0); len(s.Keys()) != 0 {
		t.Error(s.Keys())
	}
}

type refusing struct{ archive.Log }

func (refusing) Record(context.Context, audit.Event) error { return errors.New("no") }

// Where a temporary file cannot be made, a page that needs one is refused in words.
func TestNoRoomForTemporaryFiles(t *testing.T) {
	r := open(t, dbtest.SQLite(t))
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "gone"))
	w, err := r.Begin(tenant)
	if err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 10<<20)
	for i, x := 0, uint32(1); i < len(noise); i++ {
		x = x*1664525 + 1013904223
		noise[i] = byte(x >> 24)
	}
	err = w.Add(page("users", "r1", 0, string(noise)))
	if !errors.Is(err, problem.Limit) || !strings.Contains(problem.HintOf(err), "TMPDIR") {
		t.Error(err)
	}
	if _, err := w.Commit(t.Context(), nil); err == nil {
		t.Error("what is not whole was committed")
	}
	r.nothing(0)
}

// A folder that cannot be written to, such as one of another user, is told.
func TestFolderThatIsNone(t *testing.T) {
	t.Parallel()
	r := open(t, dbtest.SQLite(t))
	if err := os.WriteFile(r.dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := r.filled().Commit(t.Context(), nil); !errors.Is(err, problem.Unavailable) {
		t.Error(err)
	}
}
