//go:build unix

package intake

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
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
