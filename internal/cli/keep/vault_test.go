package keep

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
)

// vaultBench runs vault commands over a database and key file of its own.
type vaultBench struct {
	t      *testing.T
	dir    string
	master string
}

func newVaultBench(t *testing.T) *vaultBench {
	dir := t.TempDir()
	if _, err := vault.MakeKeyFile(filepath.Join(dir, "key")); err != nil {
		t.Fatal(err)
	}
	return &vaultBench{t: t, dir: dir, master: "file:" + filepath.Join(dir, "key")}
}

func (b *vaultBench) open(ctx context.Context) (vaultParts, error) {
	d, err := db.Open(ctx, filepath.Join(b.dir, "x.db"))
	if err != nil {
		return vaultParts{}, err
	}
	return vaultParts{DB: d, Close: d.Close, Options: vault.Options{Now: time.Now}, Master: func(spec string) (vault.Master, error) {
		if spec == "" {
			spec = b.master
		}
		return vault.ParseMaster(spec, vault.Env{})
	}}, nil
}

// run gives what a command printed, its error and the exit code.
//
//lint:ignore ST1008 the exit code follows from the error
func (b *vaultBench) run(args ...string) (string, error, int) {
	b.t.Helper()
	var out, errs bytes.Buffer
	env := &kit.Env{Stdout: &out, Stderr: &errs, Now: time.Now, Getenv: func(string) string { return "" }}
	cmd := newVault(env, b.open)
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err := cmd.ExecuteContext(b.t.Context())
	if errs.Len() > 0 {
		b.t.Errorf("%v wrote on standard error, which is no terminal: %s", args, &errs)
	}
	return out.String(), err, problem.ExitCode(err)
}

func (b *vaultBench) must(args ...string) string {
	b.t.Helper()
	out, err, _ := b.run(args...)
	if err != nil {
		b.t.Fatalf("%v: %v", args, err)
	}
	return out
}

func (b *vaultBench) vault(do func(*vault.Vault, *db.DB)) {
	b.t.Helper()
	p, err := b.open(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	defer p.Close()
	m, err := p.Master("")
	if err != nil {
		b.t.Fatal(err)
	}
	v, err := vault.Open(b.t.Context(), p.DB, m, p.Options)
	if err != nil {
		b.t.Fatal(err)
	}
	do(v, p.DB)
}

func TestVaultCommands(t *testing.T) {
	t.Parallel()
	b := newVaultBench(t)
	if out := b.must("status"); !strings.Contains(out, "no vault in") {
		t.Error(out)
	}
	if _, err, code := b.run("rotate"); code != 1 || !strings.Contains(err.Error(), "no vault") {
		t.Errorf("rotating made a vault: %v", err)
	}
	ref := func(n string) vault.Ref { return vault.Ref{Purpose: "refresh-token", Owner: n} }
	b.vault(func(v *vault.Vault, _ *db.DB) {
		for _, n := range []string{"a", "b", "c"} {
			if err := v.Put(t.Context(), ref(n), secret.New("MARKED "+n)); err != nil {
				t.Fatal(err)
			}
		}
	})
	var all strings.Builder
	must := func(args ...string) string {
		t.Helper()
		out := b.must(args...)
		all.WriteString(out)
		return out
	}
	for _, tt := range []struct {
		args string
		want []string
	}{
		{"status", []string{"master key  key:", "3 secrets  seals", "3  refresh-token"}},
		{"status --locked", []string{"master key  key:", "not opened"}},
		{"check", []string{"3 sealed secrets, every one opens"}},
		{"rotate", []string{"3 secrets sealed again", "one key is left"}},
		{"rotate --resume", []string{"0 secrets sealed again"}},
	} {
		out := must(strings.Fields(tt.args)...)
		for _, w := range tt.want {
			if !strings.Contains(out, w) {
				t.Errorf("%s: no %q in\n%s", tt.args, w, out)
			}
		}
	}
	var st vault.Status
	if err := json.Unmarshal([]byte(must("status", "--output", "json")), &st); err != nil || !st.Opened || len(st.Keys) != 1 || st.Keys[0].Rows != 3 {
		t.Errorf("%+v %v", st, err)
	}

	backup := filepath.Join(b.dir, "backup")
	if out := must("backup", "--out", backup); !strings.Contains(out, "3 secrets written") {
		t.Error(out)
	}
	second := filepath.Join(b.dir, "second")
	if out := must("key", "--out", second); !strings.HasPrefix(out, "key:") {
		t.Error(out)
	}
	if _, err, code := b.run("key", "--out", second); code != 2 {
		t.Errorf("overwritten: %v", err)
	}
	if out := must("master", "--to", "file:"+second); !strings.Contains(out, "was key:") {
		t.Error(out)
	}
	// The old key is refused, and status still shows what is wanted.
	out, err, code := b.run("status")
	if code != 1 || !strings.Contains(err.Error(), "wants the master key key:") || !strings.Contains(out, "not opened") ||
		!strings.Contains(out, "3  refresh-token") {
		t.Errorf("%d %v\n%s", code, err, out)
	}
	first := b.master
	b.master = "file:" + second
	must("check")
	if _, err, code := b.run("restore", "--from", backup, "--key", first); code != 2 || !strings.Contains(err.Error(), "has 3 secrets") {
		t.Errorf("%v", err)
	}
	if _, err, code := b.run("restore", "--from", backup, "--replace"); code != 1 || !strings.Contains(err.Error(), "wants the master key") {
		t.Errorf("%v", err)
	}
	if out := must("restore", "--from", backup, "--replace", "--key", first); !strings.Contains(out, "3 secrets of") ||
		!strings.Contains(out, "3 secrets that stood there before removed") || !strings.Contains(out, "wants the backup's master key") {
		t.Error(out)
	}
	b.master = first
	must("check")

	// Damage.
	b.vault(func(_ *vault.Vault, d *db.DB) {
		if _, err := d.ExecContext(t.Context(), `UPDATE vault_rows SET sealed = substr(sealed, 1, length(sealed) - 1) WHERE owner = 'b'`); err != nil {
			t.Fatal(err)
		}
	})
	out, err, code = b.run("check")
	if code != 3 || !strings.Contains(out, "refresh-token/b/") || !strings.Contains(out, "1 of 3 sealed secrets damaged") ||
		!strings.Contains(err.Error(), "1 sealed secret does not open") {
		t.Errorf("%d %v\n%s", code, err, out)
	}
	out, err, code = b.run("rotate")
	if code != 1 || !strings.Contains(out, "2 secrets sealed again") || !strings.Contains(out, "refresh-token/b/") ||
		!strings.Contains(err.Error(), "the old key stays") {
		t.Errorf("%d %v\n%s", code, err, out)
	}
	b.vault(func(v *vault.Vault, _ *db.DB) {
		if err := v.Put(t.Context(), ref("b"), secret.New("MARKED again")); err != nil {
			t.Fatal(err)
		}
	})
	if out := must("rotate", "--resume"); !strings.Contains(out, "one key is left") {
		t.Error(out)
	}
	// Gone altogether: brought back.
	if err := os.Remove(filepath.Join(b.dir, "x.db")); err != nil {
		t.Fatal(err)
	}
	if out := must("restore", "--from", backup); !strings.Contains(out, "3 secrets of") {
		t.Error(out)
	}
	must("check")
	if strings.Contains(all.String(), "MARKED") {
		t.Error("a secret was printed")
	}
}

func TestVaultUsage(t *testing.T) {
	t.Parallel()
	b := newVaultBench(t)
	for _, args := range []string{"what", "status x", "backup", "backup --out -", "restore", "master", "key", "check --output xml"} {
		_, err, code := b.run(strings.Fields(args)...)
		if code == 0 || code != 2 && args != "check --output xml" || code == 2 && problem.HintOf(err) == "" {
			t.Errorf("%s: %d %v", args, code, err)
		}
	}
	b.vault(func(*vault.Vault, *db.DB) {})
	_, err, code := b.run("master", "--to", "passphrase:hunter2hunter2")
	if code != 2 || strings.Contains(err.Error()+problem.HintOf(err), "hunter2") {
		t.Errorf("%v", err)
	}
}
