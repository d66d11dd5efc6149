package app

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"partnerguard/internal/problem"
)

// TestKeepFollowing: a process that stays sees the partner cloud's clock jump,
// keeps the last offset once that cloud is gone, and ends when it is told to.
func TestKeepFollowing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &clock{now: time.Now}
		var mu sync.Mutex // guards what the cloud says, and how often it was asked
		ahead, gone, asked := time.Hour, error(nil), 0
		says := func(by time.Duration, err error) { mu.Lock(); defer mu.Unlock(); ahead, gone = by, err }
		times := func() int { mu.Lock(); defer mu.Unlock(); return asked }
		lab := &Lab{Clock: func(context.Context) (time.Time, error) {
			mu.Lock()
			defer mu.Unlock()
			asked++
			return time.Now().Add(ahead), gone
		}}
		if err := c.follow(t.Context(), lab); err != nil || !c.Now().Equal(time.Now().Add(time.Hour)) {
			t.Fatal(c.Now(), err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { c.keepFollowing(ctx, lab); close(ended) }()
		offset := func() time.Duration { // once it had time to look
			time.Sleep(3 * time.Second)
			synctest.Wait()
			return time.Until(c.Now())
		}
		for _, jump := range []time.Duration{91 * 24 * time.Hour, -24 * time.Hour, 0} {
			if says(jump, nil); offset() != jump {
				t.Errorf("%v, after a jump to %v", time.Until(c.Now()), jump)
			}
		}
		says(5*time.Hour, io.EOF)
		if d := offset(); d != 0 {
			t.Errorf("%v from a cloud that is gone", d)
		}
		if says(5*time.Hour, nil); offset() != 5*time.Hour {
			t.Error("it does not look again")
		}
		stop()
		<-ended
		if n := times(); offset() != 5*time.Hour || times() != n {
			t.Error("it was told to end, and looks on")
		}
		if says(0, io.EOF); !errors.Is(c.follow(t.Context(), lab), io.EOF) {
			t.Error("a cloud that is gone has a clock")
		}
	})
}

// TestScratch: what does not fit in memory goes to a file that nobody finds,
// and that is gone when it is closed.
func TestScratch(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	empty := func(when string) {
		t.Helper()
		if list, err := os.ReadDir(dir); err != nil || len(list) != 0 {
			t.Errorf("%s: %v %v", when, list, err)
		}
	}
	f, err := scratch{}.Create()
	if err != nil {
		t.Fatal(err)
	}
	empty("while open")
	want := []byte("rows")
	got := make([]byte, len(want))
	if _, err := f.WriteAt(want, 1000); err != nil {
		t.Error(err)
	}
	if _, err := f.ReadAt(got, 1000); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%q %v", got, err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	// Where open files are not unlinked, closing removes it.
	file, err := os.CreateTemp("", "named-*")
	if err != nil {
		t.Fatal(err)
	}
	n := named{file}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	empty("closed")
	if err := n.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closed twice: %v", err)
	}
	t.Setenv("TMPDIR", dir+"/none")
	if _, err := (scratch{}).Create(); !errors.Is(err, problem.Limit) || !strings.Contains(problem.HintOf(err), "TMPDIR") {
		t.Errorf("no folder: %v (%s)", err, problem.HintOf(err))
	}
}
