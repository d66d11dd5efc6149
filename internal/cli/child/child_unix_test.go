//go:build unix

package child

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestGivenLast: a folder goes to another user after all that is in it, so that
// he cannot put a link to a file of ours in a path's way.
func TestGivenLast(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "given")
	for _, d := range []string{dir, filepath.Join(dir, "ca")} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(d, "file"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list, err := inside(dir)
	if err != nil || len(list) != 4 || list[3] != dir {
		t.Fatalf("%v %v", list, err)
	}
	for i, path := range list[:3] {
		if slices.Index(list, filepath.Dir(path)) < i {
			t.Errorf("%s comes after its folder", path)
		}
	}
	if _, err := inside(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
