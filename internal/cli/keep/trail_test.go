package keep

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/audit"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
	"partnerguard/internal/trail"
)

func TestTrailCommands(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	tr, err := trail.Open(t.Context(), d, trail.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []audit.Event{
		{At: time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC), Action: audit.TokenIssued, Outcome: audit.Done, Actor: "mtls:billing", Tenant: "t1",
			Details: map[string]string{"resource": "graph"}},
		{At: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC), Action: audit.TokenRefused, Outcome: audit.Refused, Actor: "mtls:\x1b[31mred",
			Reason: "not allowed"},
	} {
		if err := tr.Record(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) (string, error) {
		var out, errs bytes.Buffer
		env := &kit.Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Getenv: func(string) string { return "" }, Now: time.Now}
		cmd := newTrail(env, func(context.Context, trailNeed) (trailParts, error) {
			return trailParts{Trail: tr, Anchors: func() ([]trail.Anchor, error) { return nil, nil }, Close: func() error { return nil },
				Verifiers: func(context.Context) ([]note.Verifier, error) { return nil, nil }}, nil
		})
		cmd.SetArgs(args)
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		err := cmd.ExecuteContext(t.Context())
		return out.String() + errs.String(), err
	}
	file := filepath.Join(t.TempDir(), "trail.jsonl")
	for _, c := range []struct {
		args, want, not string
	}{
		{"list", "mtls:billing", "\x1b"},
		{"list --outcome refused", "not allowed", "billing"},
		{"list --until 2026-11-01", "token.issued", "token.refused"},
		{"list --actor nobody", "no entry matches", "token"},
		{"list --limit 1", "--before 2", "billing"},
		{"list --output json --action token.issued", `"actor": "mtls:billing"`, "refused"},
		{"verify", "the trail holds: 2 entries", "does not"},
		{"export --out " + file, "head: entry 2", ""},
		{"verify --from " + file, "the trail holds: 2 entries", "does not"},
		{"verify --output json", `"entries": 2`, "bad"},
	} {
		out, err := run(strings.Fields(c.args)...)
		if err != nil || !strings.Contains(out, c.want) || c.not != "" && strings.Contains(out, c.not) {
			t.Errorf("trail %s: %v\n%s", c.args, err, out)
		}
	}
	for args, code := range map[string]int{
		"list --limit 0": 2, "verify --head xyz": 2, "export --after 9": 2, "lst": 2, "verify extra": 2,
		"verify --from " + file + "x": 1, "verify --head " + strings.Repeat("0", 64): 3, "verify --from " + file + " --head " + strings.Repeat("0", 64): 3,
	} {
		if out, err := run(strings.Fields(args)...); problem.ExitCode(err) != code {
			t.Errorf("trail %s: exit %d, want %d: %v\n%s", args, problem.ExitCode(err), code, err, out)
		}
	}
	if _, err := d.Exec("UPDATE trail_pages SET entries = replace(entries, 'billing', 'killing')"); err != nil {
		t.Fatal(err)
	}
	out, err := run("verify")
	if problem.ExitCode(err) != 3 || !strings.Contains(out, "does not hold at entry 1") {
		t.Errorf("a changed trail: %v\n%s", err, out)
	}
	if _, err := run("export", "--out", file+"2"); problem.ExitCode(err) != 1 {
		t.Errorf("export of a changed trail: %v", err)
	} else if _, err := os.Stat(file + "2"); err == nil {
		t.Error("half an export was left under its name")
	}
}
