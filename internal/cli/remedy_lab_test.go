package cli_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/cli"
	"partnerguard/internal/labtest"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/run"
)

// TestRemedyInTheLab: by the command line alone a person connects, plans for what is not
// met, accepts what breaks by name, applies the plan through its stages while people go on
// signing in, takes a surprise upon themselves, and takes it back.
func TestRemedyInTheLab(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for the limits of an API")
	}
	t.Parallel()
	h := newHouse(t)
	must := func(want int, line ...string) string { // 3 is well too where a plan is applied: it stopped
		t.Helper()
		run := h.run
		if line[0] == "remedy" {
			run = h.byEnvironment
		}
		out, errs, code := run(line...)
		if code != want && !(code == 3 && line[1] == "apply") {
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
	line := []string{"remedy", "check", plan, "--from", "archive:", "--actor", labtest.Admin, "--by", "Ada Lovelace", "--why", "replaced on Monday",
		"--until", time.Now().AddDate(0, 10, 0).Format(time.DateOnly)}
	line = append(line, h.toAccept(plan)...)
	must(0, line...)
	raw, err := os.ReadFile(plan)
	if err != nil || !strings.Contains(string(raw), "signature:") {
		t.Fatal("what was accepted is not signed anew", err)
	}
	must(0, "remedy", "apply", plan, "--yes", "--wait", "5s")
	state := func() run.Status {
		t.Helper()
		var in struct{ Runs []run.Status }
		out, errs, code := h.byEnvironment("remedy", "status", "--output", "json")
		if err := json.Unmarshal([]byte(out), &in); code != 0 || err != nil || len(in.Runs) != 1 {
			t.Fatal(code, err, out, errs)
		}
		return in.Runs[0]
	}
	s := state()
	for range 10 {
		if s.State == run.Ended {
			break
		}
		if s.State == run.Stopped { // by a surprise: the log of one day may not have everybody
			for _, f := range s.Findings {
				must(0, "remedy", "approve", s.ID, "--accept", f.ID, "--why", "replaced on Monday")
			}
			must(0, "remedy", "apply", plan, "--yes", "--wait", "5s")
		}
		must(0, "cloud", "clock", "+8d", "--people")
		must(0, "collect", "--now", "--tenant", "partner")
		must(0, "remedy", "apply", plan, "--yes", "--wait", "5s")
		s = state()
	}
	if s.State != run.Ended || len(s.Past) != 3 || s.Proof[0].After != "proved" {
		t.Fatal(must(0, "remedy", "status", s.ID, "--asked"))
	}
	must(0, "remedy", "rollback", s.ID, "--reason", "the drill is over", "--wait", "10s")
	if s = state(); s.State != run.Undone {
		t.Error(must(0, "remedy", "status", s.ID, "--asked"))
	}
}

// toAccept are the flags that accept what a plan's gates want accepted.
func (h *house) toAccept(plan string) (flags []string) {
	h.Helper()
	out, errs, code := h.byEnvironment("remedy", "check", plan, "--from", "archive:", "--actor", labtest.Admin, "--output", "json")
	var said struct{ Gates []*remedy.Gate }
	if err := json.Unmarshal([]byte(out), &said); err != nil || code != 3 {
		h.Fatal(code, err, errs)
	}
	for _, g := range said.Gates {
		for i := range g.Findings {
			if f := &g.Findings[i]; f.Refuses() && f.Acceptable {
				flags = append(flags, "--accept", f.ID)
			}
		}
	}
	if len(flags) == 0 {
		h.Fatal("nothing is to be accepted")
	}
	return flags
}

// byEnvironment runs a command line whose installation is named by the environment: what
// judges from an archive has not all of its flags.
func (h *house) byEnvironment(args ...string) (stdout, stderr string, code int) {
	h.Helper()
	var out, errs bytes.Buffer
	e := h.env(&out, &errs, args...)
	e.Args = args
	e.Getenv = func(name string) string {
		return map[string]string{"XDG_RUNTIME_DIR": h.dir, "PARTNERGUARD_CLOUD_CONTROL": h.control(), "PARTNERGUARD_DATA": h.dir,
			"PARTNERGUARD_MASTER_KEY": "file:" + filepath.Join(h.dir, "key"), "PARTNERGUARD_CLOUD": "partner-cloud"}[name]
	}
	code = cli.Main(h.Context(), e)
	return out.String(), errs.String(), code
}
