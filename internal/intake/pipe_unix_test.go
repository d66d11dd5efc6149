//go:build unix

package intake

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"partnerguard/internal/evidence"
)

// TestPipeInFolder: a pipe met in a folder is listed and never opened, because
// that could wait forever.
func TestPipeInFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	ins, err := Read(context.Background(), Options{}, []string{dir}, &strictSink{t: t})
	if err != nil || account(dir, ins) != "pipe not_recognised\n" {
		t.Errorf("%v %s", err, account(dir, ins))
	}
}

// TestNamedPipe: a pipe that is named is streamed.
func TestNamedPipe(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		done <- os.WriteFile(pipe, []byte(user(1)+"\n"+user(2)), 0o600)
	}()
	s := &strictSink{t: t}
	ins, err := Read(context.Background(), Options{}, []string{pipe}, s)
	if err != nil || len(s.recs) != 2 || ins[0].Status != evidence.Read {
		t.Errorf("%v, %d records, %+v", err, len(s.recs), ins)
	}
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("the writer still waits")
	}
}

// TestPipeWithoutWriter: it ends with a word.
func TestPipeWithoutWriter(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := openWithin(t.Context(), pipe, 50*time.Millisecond)
	if err == nil || osReason(err) != "nobody writes into it" {
		t.Errorf("got %v", err)
	}
}

// TestNobodyWrites: a pipe that is open and silent, by its name or as standard
// input, does not hold a reader that is told to end.
func TestNobodyWrites(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	silent, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _, _ = silent.Close(), w.Close(), r.Close() })
	for _, path := range []string{pipe, "-"} {
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := Read(ctx, Options{Stdin: r}, []string{path}, &strictSink{t: t})
			ended <- err
		}()
		time.Sleep(50 * time.Millisecond)
		stop()
		select {
		case err := <-ended:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", path, err)
			}
		case <-time.After(time.Minute):
			t.Errorf("%s: it still waits", path)
		}
	}
}

// TestBound: what a reader gives comes through whole, in pieces of any size.
func TestBound(t *testing.T) {
	t.Parallel()
	want := strings.Repeat("0123456789", 50_000)
	for _, r := range []io.Reader{strings.NewReader(want), iotest.OneByteReader(strings.NewReader(want[:5000])),
		iotest.DataErrReader(strings.NewReader(want))} {
		got, err := io.ReadAll(Bound(t.Context(), r))
		if err != nil || !strings.HasPrefix(want, string(got)) || len(got) < 5000 {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	}
	if _, err := io.ReadAll(Bound(t.Context(), iotest.ErrReader(io.ErrNoProgress))); !errors.Is(err, io.ErrNoProgress) {
		t.Error(err)
	}
}

// TestLinksOutOfFolder: a link inside a folder that was named leads to nothing
// outside, by whatever way; one within it is followed.
func TestLinksOutOfFolder(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	dir, out := filepath.Join(top, "in"), filepath.Join(top, "out")
	for _, d := range []string{filepath.Join(dir, "sub"), out} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{filepath.Join(dir, "sub", "own.json"), filepath.Join(out, "secret.json")} {
		if err := os.WriteFile(f, []byte(user(1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"absolute": filepath.Join(out, "secret.json"), "relative": "../out/secret.json", "folder": "../out",
		"own": "sub/own.json", "whole": filepath.Join(dir, "sub"), "chain": "relative"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	s := &strictSink{t: t}
	ins, err := Read(context.Background(), Options{}, []string{dir}, s)
	if err != nil || len(s.recs) != 1 {
		t.Errorf("%v, %d records: %s", err, len(s.recs), account(dir, ins))
	}
	for _, in := range ins {
		if n := filepath.Base(in.Path); (n == "absolute" || n == "relative" || n == "folder" || n == "chain") != (in.Status == evidence.Unreadable) {
			t.Errorf("%s: %s", n, in.Status)
		}
	}
}
