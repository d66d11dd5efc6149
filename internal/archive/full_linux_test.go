package archive_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"partnerguard/internal/archive"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
)

const fullDisk = "ARCHIVE_TEST_FULL"

// On a disk that is full a commit fails in words, nothing half-done stays, and once
// there is room it works. The test runs itself again where it may mount a small disk.
func TestFullDisk(t *testing.T) {
	if os.Getenv(fullDisk) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFullDisk$", "-test.v")
		cmd.Env = append(os.Environ(), fullDisk+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		}
		out, err := cmd.CombinedOutput()
		if strings.Contains(string(out), "no small disk") || err != nil && len(out) == 0 {
			t.Skipf("NOT TESTED: no disk may be mounted here: %v %s", err, out)
		}
		if err != nil || !strings.Contains(string(out), "--- PASS: TestFullDisk") {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	r := open(t, dbtest.SQLite(t))
	if err := os.Mkdir(r.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", r.dir, "tmpfs", 0, "size=128k"); err != nil {
		t.Skip("NOT TESTED: no small disk", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(r.dir, syscall.MNT_DETACH) })
	ballast := r.dir + "/ballast"
	if err := os.WriteFile(ballast, make([]byte, 100<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	noise := make([]byte, 64<<10)
	for i, x := 0, uint32(1); i < len(noise); i++ {
		x = x*1664525 + 1013904223
		noise[i] = byte(x >> 24)
	}
	commit := func() error {
		w, err := r.Begin(tenant)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Add(page("users", "r1", 0, string(noise))); err != nil {
			t.Fatal(err)
		}
		_, err = w.Commit(t.Context(), nil)
		return err
	}
	if err := commit(); !errors.Is(err, problem.Unavailable) || !errors.Is(err, syscall.ENOSPC) || problem.HintOf(err) == "" {
		t.Errorf("%v", err)
	}
	if f := r.files(); len(f) != 1 {
		t.Errorf("left behind: %v", f)
	}
	if s := r.segments(archive.Query{}); len(s) != 0 {
		t.Errorf("%+v", s)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := commit(); err != nil {
		t.Error(err)
	}
	r.holds(1)
}
