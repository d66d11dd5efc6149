package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"
	cdx "github.com/CycloneDX/cyclonedx-go"
)

var moment = time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)

// TestDebVersion: what apt takes for newer has to be newer.
func TestDebVersion(t *testing.T) {
	t.Parallel()
	ascending := []string{"v0.0.0-20261120060000-3f1d6f0c9e21", "v0.0.0-20261121060000-1f1d6f0c9e21", "v0.1.0-rc.1", "v0.1.0",
		"v0.1.1-0.20261122060000-aaaaaaaaaaaa", "v0.1.1"}
	for i, v := range ascending {
		if got := debVersion(v); strings.ContainsAny(got, "-v") {
			t.Errorf("%s: %s", v, got)
		}
		if i == 0 {
			continue
		}
		if _, err := exec.LookPath("dpkg"); err != nil {
			t.Skip("NOTE: there is no dpkg: the order was NOT checked")
		}
		if err := exec.Command("dpkg", "--compare-versions", debVersion(ascending[i-1]), "lt", debVersion(v)).Run(); err != nil {
			t.Errorf("%s is not before %s", debVersion(ascending[i-1]), debVersion(v))
		}
	}
}

// TestBOM: every module that Go recorded in a program is in its bill of materials.
// The program is this test.
func TestBOM(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "x.cdx.json")
	if err := writeBOM(to, self, moment); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	var b cdx.BOM
	if err := json.Unmarshal(text, &b); err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.ReadFile(self)
	if err != nil || len(info.Deps) == 0 {
		t.Fatal(err)
	}
	purls := map[string]bool{}
	for _, c := range *b.Components {
		purls[c.PackageURL] = true
	}
	for _, m := range info.Deps {
		if !purls["pkg:golang/"+m.Path+"@"+strings.ReplaceAll(m.Version, "+", "%2B")] {
			t.Errorf("%s %s is missing", m.Path, m.Version)
		}
	}
	if len(purls) != len(info.Deps)+1 || b.Metadata.Timestamp != "2026-11-20T06:00:00Z" || b.SpecVersion != cdx.SpecVersion1_6 || b.SerialNumber != "" {
		t.Errorf("%d of %d and the standard library; %+v", len(purls), len(info.Deps), b.Metadata)
	}
}

// TestArchivesAreOfTheFilesAlone: neither the builder's clock nor his umask is in them.
func TestArchivesAreOfTheFilesAlone(t *testing.T) {
	t.Parallel()
	var made [2][]byte
	for i, p := range []platform{{"linux", "amd64"}, {"windows", "amd64"}} {
		for n, mode := range []os.FileMode{0o600, 0o755} {
			dir := t.TempDir()
			s := &stage{dir: filepath.Join(dir, "stage"), moment: moment}
			for _, name := range []string{"partnerguard", "doc/a.md", "packaging/never"} {
				if err := os.MkdirAll(filepath.Join(s.dir, filepath.Dir(name)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(s.dir, name), []byte("text of "+name), mode); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.archive(filepath.Join(dir, "out"), "partnerguard_1", p); err != nil {
				t.Fatal(err)
			}
			found, _ := filepath.Glob(filepath.Join(dir, "out.*"))
			if len(found) != 1 {
				t.Fatal(found)
			}
			b, err := os.ReadFile(found[0])
			if err != nil {
				t.Fatal(err)
			}
			made[n] = b
		}
		if !bytes.Equal(made[0], made[1]) {
			t.Errorf("%d %s: two archives of the same files differ", i, p)
		}
	}
}

// TestSign: a signature verifies with the public key, and not over other sums; a key
// is never made over another, nor where it would be committed.
func TestSign(t *testing.T) {
	dir := t.TempDir()
	password := filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte("correct horse battery\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(passwordVar, password)
	key := filepath.Join(dir, "release.key")
	if err := makeKey(key); err != nil {
		t.Fatal(err)
	}
	if err := makeKey(key); !os.IsExist(err) {
		t.Errorf("over a key: %v", err)
	}
	if err := makeKey("../release.key"); err == nil || !strings.Contains(err.Error(), "git repository") {
		t.Errorf("in the repository: %v", err)
	}
	text, err := os.ReadFile(key)
	if err != nil || !minisign.IsEncrypted(text) {
		t.Errorf("the key is not sealed (%v)", err)
	}
	sums := filepath.Join(dir, "SHA256SUMS")
	if err := os.WriteFile(sums, []byte("00  a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sign(sums, key, "partnerguard v1"); err != nil {
		t.Fatal(err)
	}
	public, err := minisign.PublicKeyFromFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	signature, err := os.ReadFile(sums + ".minisig")
	if err != nil {
		t.Fatal(err)
	}
	if !minisign.Verify(public, []byte("00  a\n"), signature) || minisign.Verify(public, []byte("00  b\n"), signature) {
		t.Errorf("the signature is of other sums")
	}
	if err := os.WriteFile(password, []byte("another password\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sign(sums, key, "x"); err == nil {
		t.Error("signed with a wrong password")
	}
	if err := os.WriteFile(password, []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := makeKey(filepath.Join(dir, "other.key")); err == nil {
		t.Error("a short password")
	}
}
