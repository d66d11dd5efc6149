package app

import (
	"bytes"
	"compress/gzip"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/mapped"
)

// TestReadInPlaceIsTheSame holds the reading of large plain files where the kernel keeps
// them to the one that copies them, and that of large packed ones ahead.
func TestReadInPlaceIsTheSame(t *testing.T) {
	list := logOf(9000, 21)
	lines := strings.Join(list, "\n")
	if len(lines) < mapped.Least+mapped.Least/4 {
		t.Fatalf("%d bytes are not mapped", len(lines))
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte(lines))
	_ = w.Close()
	long := strings.Replace(list[1], `"padding":"`, `"padding":"`+strings.Repeat("x", 3<<20), 1)
	for name, text := range map[string]string{
		"lines": lines, "ended": lines + "\n", "BOM": "\ufeff" + lines, "CRLF": strings.ReplaceAll(lines, "\n", "\r\n"),
		"blank lines": "\n\n" + strings.ReplaceAll(lines, "\n", "\n \n"),
		"cut":         lines[:len(lines)-100], "a long line": strings.Join(slices.Insert(slices.Clone(list), 700, long), "\n"),
		"broken lines": strings.Join(slices.Insert(slices.Clone(list), 5000, `{"id":`, `[1]`, ``, `"x"`, "{\"id\":\"\x00\"}"), "\n"),
		"array behind": lines + "\n[" + list[0] + "]\n", "packed.gz": packed.String(),
	} {
		path := filepath.Join(t.TempDir(), "in.json"+filepath.Ext(name))
		writeText(t, path, text)
		for _, cores := range []int{1, 3} {
			before := runtime.GOMAXPROCS(cores)
			got := samePaths(t, name, path)
			runtime.GOMAXPROCS(before)
			if !strings.Contains(got.Seen, "signIn") {
				t.Errorf("%s: no sign-ins in %s", name, got.Seen)
			}
		}
	}
}
