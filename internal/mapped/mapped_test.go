//go:build unix

package mapped_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"partnerguard/internal/mapped"
)

func TestFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	content := bytes.Repeat([]byte("0123456789abcdef"), mapped.Least/8)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Seek(7, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	b := mapped.File(f)
	if b == nil || !bytes.Equal(b.Rest(), content[7:]) {
		t.Fatal("not mapped as it is")
	}
	b.Release(b.Rest()[100:100_000])
	b.Release(b.Rest()[:100])
	b.Release(b.Rest()[100_000 : len(b.Rest())-10])
	b.Release(b.Rest()[len(b.Rest())-10:])
	b.Release(nil)
	if !bytes.Equal(b.Rest(), content[7:]) {
		t.Error("what was released reads otherwise")
	}
	if rest, err := io.ReadAll(f); err != nil || len(rest) > 0 {
		t.Errorf("%d bytes behind it, %v", len(rest), err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	// What is near the end, small, a pipe or a folder is read as ever.
	if _, err := f.Seek(int64(len(content)-9), io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if mapped.File(f) != nil {
		t.Error("nine bytes were mapped")
	}
	if rest, err := io.ReadAll(f); err != nil || len(rest) != 9 {
		t.Errorf("%d bytes, %v", len(rest), err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if mapped.File(r) != nil {
		t.Error("a pipe was mapped")
	}
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if mapped.File(dir) != nil {
		t.Error("a folder was mapped")
	}
}
