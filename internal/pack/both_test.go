package pack_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"

	"partnerguard/internal/pack"
	"partnerguard/internal/pack/form"
	"partnerguard/internal/pack/packtest"
)

// small builds the small verifier, once.
var small = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "pack-verify-*")
	if err != nil {
		return "", err
	}
	out := filepath.Join(dir, "verify")
	build := exec.Command("go", "build", "-o", out, ".")
	build.Dir = filepath.Join("..", "..", "verify")
	text, err := build.CombinedOutput()
	if err != nil {
		err = errors.New(string(text))
	}
	return out, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := small(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

var faultForm = regexp.MustCompile(`(?m)^FAULT ([a-z]+): ([^:]+): (.*)$`)

// bySmall runs the small verifier over a file, and gives what it finds.
func bySmall(t testing.TB, path string, args ...string) (faults []form.Fault, out string) {
	t.Helper()
	program, err := small()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := exec.Command(program, append(args, path)...).CombinedOutput()
	out = string(raw)
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 3) {
		t.Fatalf("%v: %s", err, out)
	}
	for _, m := range faultForm.FindAllStringSubmatch(out, -1) {
		faults = append(faults, form.Fault{Check: form.Check(m[1]), Where: m[2], What: m[3]})
	}
	if (err != nil) != (len(faults) > 0) {
		t.Fatalf("it ends with %v and finds %v: %s", err, faults, out)
	}
	return faults, out
}

// byBoth verifies bytes by both verifiers, and gives which checks found something.
func byBoth(t testing.TB, raw []byte, trust form.Trust, judge pack.Judging, args ...string) (large, little []form.Fault) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pack.zip")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := pack.VerifyFile(context.Background(), path, trust, judge, nil)
	if err != nil {
		t.Fatal(err)
	}
	little, _ = bySmall(t, path, args...)
	return r.Faults, little
}

// has says that a check found something.
func has(list []form.Fault, c form.Check) bool {
	return slices.ContainsFunc(list, func(f form.Fault) bool { return f.Check == c })
}

// TestSmallVerifier has packs of each kind verified by the small verifier too.
func TestSmallVerifier(t *testing.T) {
	t.Parallel()
	for name, change := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw, key := made(t, change)
			large, little := byBoth(t, raw, form.Trust{Key: verifier(t, key)}, packtest.Count, "--key", key)
			if len(large) > 0 || len(little) > 0 {
				t.Errorf("large: %v; small: %v", large, little)
			}
			large, little = byBoth(t, raw, form.Trust{}, packtest.Count)
			if len(large) > 0 || len(little) > 0 {
				t.Errorf("without a key: large: %v; small: %v", large, little)
			}
			if bytes.Contains(raw, []byte("vault that is none")) {
				t.Error("the key of the salts is in it")
			}
		})
	}
}
