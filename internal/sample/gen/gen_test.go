package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The embedded files are what the generator writes today. Compressed files are
// compared by content: the compressor may change with Go.
func TestExportsAreGenerated(t *testing.T) {
	t.Parallel()
	want := files()
	err := filepath.WalkDir("../exports", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel("../exports", path)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		w, ok := want[name]
		if !ok {
			t.Errorf("%s is not of the generator", name)
			return nil
		}
		delete(want, name)
		got, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if strings.HasSuffix(name, ".gz") {
			got, w = inflate(t, got), inflate(t, w)
		}
		if !bytes.Equal(got, w) {
			t.Errorf("%s is stale: run go generate ./internal/sample", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range want {
		t.Errorf("%s is missing: run go generate ./internal/sample", name)
	}
}

func TestGeneratorRepeats(t *testing.T) {
	t.Parallel()
	a, b := files(), files()
	for name := range a {
		if !bytes.Equal(a[name], b[name]) {
			t.Errorf("%s differs between two runs", name)
		}
	}
}

func inflate(t *testing.T, b []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
