//go:build browser

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The file, the script and the commands of docs/gateway-walk.md fit each other: the token
// that it gets is refused by the route that it writes, for the reason that it names.
func TestGatewayWalk(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("Node is not installed")
		}
		t.Skip("Node is not installed")
	}
	text, err := os.ReadFile("../docs/gateway-walk.md")
	if err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs("../docs/walk/gateway.mjs")
	if err != nil {
		t.Fatal(err)
	}
	_, file, _ := strings.Cut(string(text), "```yaml\n")
	file, _, _ = strings.Cut(file, "```")
	dir := t.TempDir()
	bin := filepath.Join(dir, "partnerguard")
	if out, err := exec.Command("go", "build", "-o", bin, "../cmd/partnerguard").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	run := filepath.Join(dir, "run")
	for name, value := range map[string]string{"XDG_RUNTIME_DIR": run, "XDG_DATA_HOME": filepath.Join(dir, "data"),
		"XDG_CONFIG_HOME": filepath.Join(dir, "config"), "PARTNERGUARD": bin} {
		t.Setenv(name, value)
	}
	if err := os.MkdirAll(run, 0o700); err != nil {
		t.Fatal(err)
	}
	server := exec.Command(bin, "cloud", "--port", "0", "--quiet")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Process.Signal(os.Interrupt); _ = server.Wait() }()
	do := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %q: %v\n%s", filepath.Base(name), args, err, out)
		}
		return string(out)
	}
	for range 200 {
		if exec.Command(bin, "cloud", "info").Run() == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	do("node", script, "prepare")
	for name, data := range map[string]string{"gateway.yaml": file, "billing.txt": do("node", script, "token", "billing")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := do(bin, "gateway", "check", "--config", "gateway.yaml", "--url", "http://localhost:8480/", "--token", "billing.txt")
	for _, want := range []string{"route      orders", "reason     single-factor", "because    amr is pwd, without mfa", "svc-billing@contoso.com"} {
		if !strings.Contains(got, want) {
			t.Errorf("it never says %q:\n%s", want, got)
		}
	}
	if s, err := os.Stat(filepath.Join(dir, "panel.secret")); err != nil || s.Mode().Perm() != 0o600 {
		t.Errorf("the secret's file: %v %v", s, err)
	}
}
