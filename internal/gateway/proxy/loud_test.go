package proxy

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

type locked struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

// TestFailuresAreLoggedOnce: however often somebody asks for an upstream that is dead, the
// log does not grow with it.
func TestFailuresAreLoggedOnce(t *testing.T) {
	t.Parallel()
	var out locked
	g := newRig(t, func(d *Deps) { d.Log = slog.New(slog.NewTextHandler(&out, nil)) })
	g.to(nil).Close()
	for range 20 {
		res, err := http.Get("http://" + g.at + "/x")
		if err != nil || res.StatusCode != http.StatusBadGateway {
			t.Fatal(res, err)
		}
		_ = res.Body.Close()
	}
	out.mu.Lock()
	defer out.mu.Unlock()
	if n := strings.Count(out.String(), "could not be passed on"); n != 1 {
		t.Errorf("%d lines of log", n)
	}
	var l loud
	now := time.Now()
	for n, want := range []bool{true, false, false} {
		if _, due := l.due(failure{"a", 502}, now); due != want {
			t.Errorf("line %d: %v", n, due)
		}
	}
	if more, due := l.due(failure{"a", 502}, now.Add(loudEvery)); !due || more != 2 {
		t.Errorf("later: %d more, %v", more, due)
	}
	if _, due := l.due(failure{"a", 504}, now); !due {
		t.Error("another failure is not told")
	}
}
