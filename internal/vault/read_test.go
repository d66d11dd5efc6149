package vault_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"partnerguard/internal/vault"
)

func TestReadSecret(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	look := func(string) (string, bool) { return dir, true }
	put("cred", "hunter2", 0o644)
	for spec, want := range map[string]string{
		"file:" + put("a", "hunter2\n", 0o600):   "hunter2",
		"file:" + put("b", "hunter2\r\n", 0o600): "hunter2",
		"systemd:cred":                           "hunter2",
	} {
		s, err := vault.ReadSecret(spec, look)
		if err != nil || s.Reveal() != want {
			t.Errorf("%s: %v", spec, err)
		}
	}
	for name, spec := range map[string]string{
		"for others to read": "file:" + put("open", "hunter2", 0o644),
		"empty":              "file:" + put("none", "\n", 0o600),
		"two lines":          "file:" + put("two", "hunter2\nhunter2\n", 0o600),
		"long":               "file:" + put("long", strings.Repeat("hunter2", 1000), 0o600),
		"absent":             "file:" + filepath.Join(dir, "absent"),
		"a folder":           "file:" + dir,
		"the secret itself":  "hunter2",
		"of no kind":         "env:hunter2",
		"out of the folder":  "systemd:../hunter2",
		"nothing":            "file:",
	} {
		_, err := vault.ReadSecret(spec, look)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
