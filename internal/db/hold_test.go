package db_test

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
)

// One process works a database in a file; the second is told who does, and the place
// is free again when the first lets go.
func TestHold(t *testing.T) {
	t.Parallel()
	at := filepath.Join(t.TempDir(), "sub", "partnerguard.db")
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	if h, err := db.HeldBy(at); h != nil || err != nil {
		t.Fatal(h, err)
	}
	release, err := db.Hold(at, "serve", now)
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(filepath.Dir(at), "other.db")
	if err := os.WriteFile(at, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(at, link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{at, link} { // by whatever name
		_, err := db.Hold(name, "worker", now)
		if !errors.Is(err, problem.Conflict) || !strings.Contains(err.Error(), `partnerguard "serve"`) ||
			!strings.Contains(err.Error(), "2026-11-29 12:00:00 UTC") || problem.HintOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
		if h, err := db.HeldBy(name); err != nil || h == nil || h.What != "serve" || h.PID != os.Getpid() {
			t.Errorf("%s: %v, %v", name, h, err)
		}
	}
	if info, err := os.Stat(at + ".lock"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the lock file: %v, %v", info, err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	if h, err := db.HeldBy(at); h != nil || err != nil {
		t.Errorf("let go: %v, %v", h, err)
	}
	again, err := db.Hold(at, "worker", now)
	if err != nil {
		t.Fatal(err)
	}
	// What somebody else wrote into the file is not believed, and shown quoted.
	if err := os.WriteFile(at+".lock", []byte("{\"what\":\"\\u001b[31m\\nx\",\"pid\":1}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Hold(at, "serve", now); err == nil || strings.ContainsAny(err.Error(), "\x1b\n") {
		t.Errorf("%q", err)
	}
	if err := errors.Join(os.WriteFile(at+".lock", []byte("nothing"), 0o600), again()); err != nil {
		t.Error(err)
	}
}

// TestHoldChild is the other process of TestHoldKilled.
func TestHoldChild(t *testing.T) {
	at := os.Getenv("PARTNERGUARD_TEST_HOLD")
	if at == "" {
		t.Skip("for TestHoldKilled")
	}
	if _, err := db.Hold(at, "serve", time.Now()); err != nil {
		t.Fatal(err)
	}
	_, _ = os.Stdout.WriteString("held\n")
	time.Sleep(time.Minute)
}

// What a process that was killed held is taken over, though its file is there.
func TestHoldKilled(t *testing.T) {
	t.Parallel()
	at := filepath.Join(t.TempDir(), "partnerguard.db")
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHoldChild$")
	child.Env = append(os.Environ(), "PARTNERGUARD_TEST_HOLD="+at)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "held\n" {
		t.Fatal(line, err)
	}
	if _, err := db.Hold(at, "worker", time.Now()); !errors.Is(err, problem.Conflict) {
		t.Errorf("it lives: %v", err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	if b, err := os.ReadFile(at + ".lock"); err != nil || len(b) == 0 {
		t.Fatalf("the file of the killed one: %q, %v", b, err)
	}
	release, err := db.Hold(at, "worker", time.Now())
	if err != nil {
		t.Fatalf("it was killed: %v", err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
}

// PostgreSQL takes any number.
func TestHoldPostgres(t *testing.T) {
	t.Parallel()
	at := dbtest.PostgresURL(t)
	for range 2 {
		release, err := db.Hold(at, "worker", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = release() }()
	}
}

// A database that another program raised meanwhile is not current.
func TestCurrent(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if err := d.Current(t.Context()); err != nil {
			t.Fatal(err)
		}
		if size, _, err := d.Size(t.Context()); err != nil || size == 0 {
			t.Errorf("size %d, %v", size, err)
		}
		if _, err := d.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, $1)", true); err != nil {
			t.Fatal(err)
		}
		if err := d.Current(t.Context()); !errors.Is(err, problem.Conflict) {
			t.Errorf("a newer schema: %v", err)
		}
	})
}
