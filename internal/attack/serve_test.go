package attack

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/trail"
)

// diary is a log that many write.
type diary struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (d *diary) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.b.Write(p)
}

func (d *diary) count(word string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Count(d.b.String(), word)
}

// until waits for something that a job does.
func until(t *testing.T, what string, most time.Duration, note func() string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(most); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it did not happen: %s: %s", what, note())
		}
	}
}

// TestServeAnchors: serve sends checkpoints by itself; a place that cannot be
// reached is a gap, recorded and told once, and its end too.
func TestServeAnchors(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	h := build(t, c, t.TempDir(), "")
	away := filepath.Join(h.dir, "anchor")
	h.ok(os.Rename(away, away+"-away"))
	later := func() { // a checkpoint is due again
		_, err := c.s.World.Clock.Jump(time.Hour)
		h.ok(err)
	}
	later()
	var log diary
	o := h.options()
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	s, err := app.Open(t.Context(), o)
	h.ok(err)
	closed := false
	defer func() {
		if !closed {
			h.ok(s.Close())
		}
	}()
	ctx := t.Context()
	recorded := func(action string) int {
		f, err := s.Trail.Search(ctx, trail.Query{Action: action, Limit: 100})
		h.ok(err)
		return len(f.Entries)
	}
	gaps, ends := recorded("trail.gap"), recorded("trail.gap-ended")
	h.ok(s.Trail.Record(ctx, started)) // something new
	_, err = s.Serve(ctx, app.ServeOptions{})
	h.ok(err)
	until(t, "a gap is told", 10*time.Second, log.text, func() bool { return log.count("cannot be reached") == 1 })
	until(t, "a gap is recorded", 10*time.Second, log.text, func() bool { return recorded("trail.gap") == gaps+1 })
	for range 3 { // as the job does each time
		_, err := s.Keeper.Send(ctx, false)
		h.ok(err)
	}
	if log.count("cannot be reached") != 1 || recorded("trail.gap") != gaps+1 {
		t.Errorf("told %d times, recorded %d times", log.count("cannot be reached"), recorded("trail.gap")-gaps)
	}
	h.ok(os.Rename(away+"-away", away))
	before, err := os.ReadFile(filepath.Join(away, "checkpoints"))
	h.ok(err)
	if whole() { // on schedule, which is not shorter than a minute
		until(t, "it is sent again", 3*time.Minute, log.text, func() bool { return log.count("is reached again") == 1 })
	} else if _, err := s.Keeper.Send(ctx, false); err != nil {
		t.Fatal(err)
	}
	until(t, "its end is recorded", 10*time.Second, log.text, func() bool { return recorded("trail.gap-ended") > ends })
	if log.count("is reached again") != 1 || recorded("trail.gap-ended") != ends+1 {
		t.Errorf("its end is told %d times, recorded %d times", log.count("is reached again"), recorded("trail.gap-ended")-ends)
	}
	after, err := os.ReadFile(filepath.Join(away, "checkpoints"))
	h.ok(err)
	if len(after) <= len(before) {
		t.Error("the anchor has no newer checkpoint")
	}
	closed = true
	h.ok(s.Close())
	// The next process sends at its start.
	later()
	s2, err := app.Open(ctx, h.options())
	h.ok(err)
	h.ok(s2.Trail.Record(ctx, started))
	_, err = s2.Serve(ctx, app.ServeOptions{})
	h.ok(err)
	defer func() { h.ok(s2.Close()) }()
	until(t, "a checkpoint is sent", 10*time.Second, log.text, func() bool {
		now, err := os.ReadFile(filepath.Join(away, "checkpoints"))
		return err == nil && len(now) > len(after)
	})
}

func (d *diary) text() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.b.String()
}
