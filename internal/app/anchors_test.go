package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/config"
	"partnerguard/internal/trail"
	"partnerguard/internal/trail/anchor"
)

// Every kind of anchor that settings name is made, without reading a secret; and
// what is wrong with a secret is said without it.
func TestAnchorsOfTheSettings(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("geheim\nzwei\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := `anchors:
  - file: ` + dir + `/checkpoints
  - syslog: udp://127.0.0.1:9
  - {mail: 'smtps://127.0.0.1:9', from: a@b.example, to: [c@b.example], user: u, secret: 'file:SECRET'}
  - {azureBlob: 'https://127.0.0.1:9/account/c/p', secret: 'file:SECRET'}
  - {s3: 'https://127.0.0.1:9/b/p', region: x, accessKey: A, secret: 'file:SECRET'}
  - {s3: 'https://127.0.0.1:9/b/q', region: x}
`
	path := filepath.Join(dir, "settings.yaml")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "SECRET", secret)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, v := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		t.Setenv(v, "")
	}
	c, err := config.Load(config.Source{File: path, Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	list, err := anchor.NewKeeper(anchor.Deps{Config: &c.Anchor}).Anchors()
	if err != nil {
		t.Fatal(err)
	}
	wants := []struct{ name, words string }{
		{"file:" + dir + "/checkpoints", ""}, {"syslog:udp://127.0.0.1:9", ""},
		{"mail:smtps://127.0.0.1:9 to c@b.example", "does not hold one line"},
		{"azureBlob:https://127.0.0.1:9/account/c/p", "does not hold one line"},
		{"s3:https://127.0.0.1:9/b/p", "does not hold one line"},
		{"s3:https://127.0.0.1:9/b/q", "there is no key"},
	}
	if len(list) != len(wants) {
		t.Fatalf("%d anchors", len(list))
	}
	for i, w := range wants {
		if list[i].Name() != w.name {
			t.Errorf("%s; want %s", list[i].Name(), w.name)
		}
		if w.words == "" {
			continue
		}
		_, err := list[i].Send(t.Context(), &trail.Sending{Checkpoint: trail.Checkpoint{Origin: "o", Size: 1}, At: time.Now()})
		if err == nil || !strings.Contains(err.Error(), w.words) || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: %v", w.name, err)
		}
	}
}
