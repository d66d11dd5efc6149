//go:build unix

package fold

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"partnerguard/internal/mapped"
	"partnerguard/internal/signin/read"
)

// A mapped file that is cut while it is read is an error, not the end of the process.
func TestReadLinesOfACutFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "signins.jsonl")
	if err := os.WriteFile(path, lineText(20000), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	head := mapped.File(file)
	if head == nil {
		t.Fatal("not mapped")
	}
	defer head.Close()
	if err := file.Truncate(1 << 20); err != nil {
		t.Fatal(err)
	}
	f := New(Options{})
	defer f.Discard()
	l := read.Lines{Path: path, Head: head.Rest(), Release: head.Release, Workers: 2}
	if _, err := read.ReadLines(t.Context(), file, l, f); !errors.Is(err, read.ErrGone) {
		t.Errorf("%v", err)
	}
}
