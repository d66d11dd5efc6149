package judge

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/automation"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/cli/kit/kittest"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
)

func TestAutomation(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	kept := false
	command := func(env *kit.Env) *cobra.Command {
		return newAutomation(env, func(context.Context) (*automation.Store, func() error, error) {
			if !kept {
				return nil, nil, problem.New(problem.NotFound, "nothing is kept here")
			}
			s, err := automation.New(automation.Deps{DB: d, Now: func() time.Time { return time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC) }})
			return s, func() error { return nil }, err
		})
	}
	run := func(code int, args ...string) (string, string) {
		t.Helper()
		out, errs, got := kittest.Run(t, strings.NewReader(""), command, append([]string{"automation"}, args...)...)
		if got != code || strings.Contains(out+errs, "\x1b") {
			t.Fatalf("%v: exit %d\n%s\n%s", args, got, out, errs)
		}
		return out, errs
	}
	// Without anything the sample is shown, and it cannot be changed.
	out, _ := run(0)
	for _, want := range []string{"embedded sample partner", "svc-billing@contoso.com", "scanner@contoso.com", "a program holds the password", "to do:"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if !strings.Contains(out, "\n  auto-") || !strings.Contains(out, "the sample is not kept") {
		t.Errorf("no ids, or nothing says that the sample is not kept:\n%s", out)
	}
	if _, errs := run(1, "set", "auto-x", "--owner", "Ada"); !strings.Contains(errs, "nothing is kept here") {
		t.Error(errs)
	}

	kept = true
	folder, _ := filepath.Abs("../../sample/exports")
	out, _ = run(0, "--from", folder, "--output", "json")
	var view automation.View
	if err := json.Unmarshal([]byte(out), &view); err != nil || len(view.Items) == 0 || view.Sample || !view.Stored ||
		len(view.Changes.New) != len(view.Items) {
		t.Fatalf("%v %s", err, out)
	}
	id := view.Items[0].ID
	if out, _ := run(0, "set", id, "--owner", "Ada", "--state", "planned"); out != id+": planned, owner Ada\n" {
		t.Error(out)
	}
	out, _ = run(0)
	if !strings.Contains(out, id+", owner Ada") || strings.Contains(out, "embedded sample") {
		t.Errorf("what is kept is not shown:\n%s", out)
	}
	if out, _ := run(0, "--output", "csv"); !strings.Contains(out, ",planned,Ada,") {
		t.Error(out)
	}
	if out, _ := run(0, "--from", folder); !strings.Contains(out, "owner Ada") || strings.Contains(out, " new,") {
		t.Errorf("read twice:\n%s", out)
	}
	for _, c := range []struct {
		args []string
		code int
		say  string
	}{
		{[]string{"set", id}, 2, "nothing to set"},
		{[]string{"set"}, 2, "takes one id"},
		{[]string{"set", id, "--state", "verified-gone"}, 2, "must be one of found, planned, moved"},
		{[]string{"set", "auto-x", "--state", "moved"}, 1, "no item has the id"},
		{[]string{"exports"}, 2, "--from exports"},
		{[]string{"--from", "nowhere"}, 1, "nowhere"},
		{[]string{"--since", "2026-02-01", "--until", "2026-01-01"}, 2, "is not before"},
		{[]string{"--from", filepath.Join(folder, "entra", "users.json")}, 1, "no sign-in is in the input"},
	} {
		if _, errs := run(c.code, c.args...); !strings.Contains(errs, c.say) {
			t.Errorf("%v: %s", c.args, errs)
		}
	}
}
