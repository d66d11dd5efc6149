package kit

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/partnercloud"
	"partnerguard/internal/problem"
)

func TestControlFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, FolderName+"x", "control.json")
	info := &partnercloud.Info{Control: "127.0.0.1:1", ControlSecret: "mark-secret"}
	release, err := WriteControl(path, info, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" {
		if stat, err := os.Stat(path); err != nil || stat.Mode().Perm() != 0o600 {
			t.Errorf("mode %v %v", stat.Mode(), err)
		}
		if stat, err := os.Stat(filepath.Dir(path)); err != nil || stat.Mode().Perm() != 0o700 {
			t.Errorf("folder %v %v", stat.Mode(), err)
		}
	}
	// Nobody answers there any more.
	_, err = (&CloudControl{File: path}).Attach(t.Context(), &Env{})
	if !errors.Is(err, problem.NotFound) || !strings.Contains(err.Error(), "no partner cloud answers") || problem.HintOf(err) == "" ||
		strings.Contains(err.Error(), "mark-secret") {
		t.Errorf("stale: %v", err)
	}
	// Another took its place: that one's file stays.
	if _, err := WriteControl(path, &partnercloud.Info{Control: "127.0.0.1:2", ControlSecret: "other"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	release()
	if c, err := ReadControl(path); err != nil || c.Secret != "other" {
		t.Errorf("the other's file: %v", err)
	}
	for name, text := range map[string]string{"empty": "", "junk": "{", "no secret": `{"address":"127.0.0.1:1"}`, "huge": `{"address":"` +
		strings.Repeat("a", maxControl) + `"}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadControl(path); !errors.Is(err, problem.BadInput) || problem.HintOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(path, link); err == nil {
		if _, err := ReadControl(link); !errors.Is(err, problem.BadInput) {
			t.Errorf("a link: %v", err)
		}
	}
	if os.Getuid() == 0 { // root alone can make a file of somebody else
		if err := errors.Join(os.WriteFile(path, []byte(`{"address":"127.0.0.1:1","secret":"theirs"}`), 0o600), os.Chown(path, 1, 1)); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadControl(path); !errors.Is(err, problem.BadInput) || !strings.Contains(err.Error(), "is not yours") {
			t.Errorf("somebody else's: %v", err)
		}
	}
	if runtime.GOOS != "windows" {
		open := filepath.Join(dir, FolderName+"open")
		if err := errors.Join(os.Mkdir(open, 0o700), os.Chmod(open, 0o777)); err != nil {
			t.Fatal(err)
		}
		if _, err := WriteControl(filepath.Join(open, "control.json"), info, time.Now()); !errors.Is(err, problem.BadInput) {
			t.Errorf("a folder open to all: %v", err)
		}
	}
	none := &Env{Getenv: func(name string) string { return map[string]string{"XDG_RUNTIME_DIR": t.TempDir()}[name] }}
	if _, err := new(CloudControl).Attach(t.Context(), none); !errors.Is(err, problem.NotFound) ||
		!strings.Contains(problem.HintOf(err), "partnerguard cloud") {
		t.Errorf("none: %v", err)
	}
}
