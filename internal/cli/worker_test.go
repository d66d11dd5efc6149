package cli_test

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/cli"
	"partnerguard/internal/db/dbtest"
)

// heard is what a command says, read while it says it.
type heard struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.b.Write(p)
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.b.String()
}

// TestWorkersShareAPostgres is a day of two workers over one PostgreSQL database: they
// come, are shown, are backed up under, keep a restore away, and end.
func TestWorkersShareAPostgres(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	env := map[string]string{"HOME": dir, "PARTNERGUARD_DATABASE": dbtest.PostgresURL(t), "XDG_RUNTIME_DIR": filepath.Join(dir, "run")}
	start := func(ctx context.Context, out *heard, args ...string) int {
		return cli.Main(ctx, cli.Env{Args: args, Stdin: strings.NewReader(""), Stdout: out, Stderr: out, Getenv: func(n string) string { return env[n] }})
	}
	run := func(want int, args ...string) string {
		t.Helper()
		var out heard
		if code := start(t.Context(), &out, args...); code != want {
			t.Errorf("%v: exit code %d, want %d\n%s", args, code, want, out.String())
		}
		return out.String()
	}
	type process struct {
		out  heard
		end  context.CancelFunc
		code chan int
	}
	var both []*process
	for range 2 {
		p := &process{code: make(chan int, 1)}
		ctx, end := context.WithCancel(t.Context())
		p.end = end
		go func() { p.code <- start(ctx, &p.out, "worker", "--worker-listen", "127.0.0.1:0", "--concurrency", "2") }()
		for stop := time.Now().Add(30 * time.Second); !strings.Contains(p.out.String(), "partnerguard works; its health is at http://127.0.0.1:"); {
			if time.Now().After(stop) {
				t.Fatalf("no worker: %s", p.out.String())
			}
			time.Sleep(20 * time.Millisecond)
		}
		both = append(both, p)
	}
	if said := run(0, "db", "status"); strings.Count(said, "worked by    process ") != 2 || !strings.Contains(said, "PostgreSQL ") {
		t.Errorf("two workers:\n%s", said)
	}
	file := filepath.Join(dir, "whole.backup")
	run(0, "db", "backup", file)
	if said := run(1, "db", "restore", file, "--replace", "--offline"); !strings.Contains(said, "is in use") || !strings.Contains(said, "every worker") {
		t.Errorf("a restore under workers:\n%s", said)
	}
	run(0, "db", "migrate") // it is current: nothing to be done, whoever works
	run(0, "db", "check")
	for i, p := range both {
		p.end()
		select {
		case code := <-p.code:
			if code != 0 {
				t.Errorf("worker %d ended with %d:\n%s", i, code, p.out.String())
			}
		case <-time.After(3 * time.Minute):
			t.Fatalf("worker %d does not end", i)
		}
	}
	if said := run(0, "db", "status"); !strings.Contains(said, "worked by    nobody") {
		t.Errorf("after their end:\n%s", said)
	}
	run(0, "db", "restore", file, "--replace", "--offline")
}
