package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"partnerguard/internal/labtest"
	"partnerguard/internal/remedy/run"
)

// TestRemedyInTheLab: by the command line alone a person connects, plans for what is not
// met, accepts what breaks by name, has the plan done in all its stages as the clock moves
// and the log is read, and takes it back.
func TestRemedyInTheLab(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for the limits of an API")
	}
	t.Parallel()
	h := newHouse(t)
	must := func(want int, line ...string) string {
		t.Helper()
		out, errs, code := h.run(line...)
		if code != want {
			t.Fatalf("%s: %d\n%s%s", strings.Join(line, " "), code, out, errs)
		}
		return out + errs
	}
	for _, c := range [][]string{{labtest.SAMAgent, "--feature", "customers,forecast,collect"}, {labtest.Admin, "--name", "remedy", "--feature", "remedy"}} {
		if _, out, errs, code := h.connect(c[0], append(c[1:], "--account", c[0])...); code != 0 {
			t.Fatalf("%v: %d\n%s%s", c, code, out, errs)
		}
	}
	must(0, "collect", "--now", "--tenant", "partner")
	plan := filepath.Join(h.dir, "plan.yaml")
	must(0, "remedy", "plan", "legacy-blocked", "--from", "archive:", "--stages", "report-only,10%,all", "--actor", labtest.Admin, "--out", plan)
	said := must(3, "remedy", "check", plan, "--from", "archive:", "--actor", labtest.Admin)
	ids := regexp.MustCompile(`accept ([0-9a-f]{8})`).FindAllStringSubmatch(said, -1)
	t.Log(said)
	if len(ids) == 0 {
		t.Fatal("nothing is to be accepted")
	}
	line := []string{"remedy", "check", plan, "--from", "archive:", "--actor", labtest.Admin, "--by", "Ada Lovelace", "--why", "replaced on Monday", "--until", "2026-12-31"}
	for _, id := range ids {
		line = append(line, "--accept", id[1])
	}
	must(0, line...)
	raw, err := os.ReadFile(plan)
	if err != nil || !strings.Contains(string(raw), "signature:") {
		t.Fatal("what was accepted is not signed anew", err)
	}
	t.Log(must(0, "remedy", "apply", plan, "--yes", "--wait", "5s"))
	state := func() run.Status {
		t.Helper()
		var in struct{ Runs []run.Status }
		out, errs, code := h.run("remedy", "status", "--output", "json")
		if err := json.Unmarshal([]byte(out), &in); code != 0 || err != nil || len(in.Runs) != 1 {
			t.Fatal(code, err, out, errs)
		}
		return in.Runs[0]
	}
	for range 12 {
		s := state()
		t.Log(s.State, s.Stage, s.Why)
		if s.State != run.Running {
			break
		}
		must(0, "cloud", "clock", "+8d")
		must(0, "collect", "--now", "--tenant", "partner", "--resource", "signIns.interactiveUser")
		must(0, "remedy", "apply", plan, "--yes", "--wait", "5s")
	}
	s := state()
	if s.State != run.Ended {
		t.Fatal(must(0, "remedy", "status", s.ID, "--asked"))
	}
	must(0, "remedy", "rollback", s.ID, "--reason", "the drill is over", "--wait", "10s")
	if s = state(); s.State != run.Undone {
		t.Error(must(0, "remedy", "status", s.ID, "--asked"))
	}
}
