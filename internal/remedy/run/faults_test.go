//go:build !judge

package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
)

func sqlite(t testing.TB) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), filepath.Join(t.TempDir(), "partnerguard.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// enabled are the stages of a plan that has nothing to wait for.
func outright(p *remedy.Plan) { p.Stages, p.Pilot = []remedy.Stage{remedy.All}, nil }

// TestFaults: each kind of fault at each kind of request, in both directions: the plan is done
// and taken back all the same, no policy is there twice, and the settings are as they were.
func TestFaults(t *testing.T) {
	t.Parallel()
	type fault struct {
		name         string
		method, part string
		status       int // 0: the answer is lost, after it was done
	}
	var list []fault
	for _, x := range [][2]string{{"POST", "/conditionalAccess/policies"}, {"POST", "/groups"}, {"POST", "/members/$ref"},
		{"PATCH", "/conditionalAccess/policies/"},
		{"DELETE", "/conditionalAccess/policies/"}, {"DELETE", "/groups/"}, {"GET", "/conditionalAccess/policies/"}} {
		for _, status := range []int{0, 429, 500, 503, 412, 409} {
			if status == 0 && x[0] == "GET" || x[0] == "GET" && status > 400 && status < 420 {
				continue
			}
			list = append(list, fault{fmt.Sprintf("%s %s %d", x[0], x[1], status), x[0], x[1], status})
		}
	}
	for n := range 4 { // four clouds side by side
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, sqlite(t))
			for i, f := range list {
				if i%4 != n || testing.Short() && i%3 != 0 {
					continue
				}
				was := r.settings()
				lost := func(string, string) bool { return false }
				before := once(f.method, f.part, f.status)
				if f.status == 0 {
					hit := once(f.method, f.part, 1)
					before, lost = nil, func(m, path string) bool { return hit(m, path) != 0 }
				}
				r.wire.break_(before, lost)
				raw := r.plan(func(p *remedy.Plan) {
					p.ID = fmt.Sprintf("fault%d", i)
					p.Stages = []remedy.Stage{remedy.Pilot, remedy.All}
				},
					r.newPolicy(f.name))
				run := r.approved(raw, "")
				s := r.drive(r.Runner, run.ID, 600)
				if s.State != Ended {
					t.Fatalf("%s: %s", f.name, s.tell())
				}
				r.once(f.name)
				if f.method == "DELETE" && strings.Contains(f.part, "policies") { // of the way back
					r.wire.break_(before, lost)
				}
				_, err := r.Rollback(t.Context(), run.ID, "the test is over")
				r.ok(err)
				if s = r.drive(r.Runner, run.ID, 600); s.State != Undone {
					t.Fatalf("%s: %s", f.name, s.tell())
				}
				r.wire.break_(nil, nil)
				r.same(was)
				if t.Failed() {
					t.Fatalf("%s: %s", f.name, s.tell())
				}
			}
		})
	}
}

// once wants one policy of a name.
func (r *rig) once(name string) {
	r.Helper()
	var page struct {
		Value []struct {
			Name string `json:"displayName"`
		}
	}
	r.get("/v1.0/identity/conditionalAccess/policies", &page)
	n := 0
	for _, p := range page.Value {
		if p.Name == name {
			n++
		}
	}
	if n != 1 {
		r.Errorf("%d policies are called %s", n, name)
	}
}

// TestSomebodyElse: whoever changes the policy in the middle of the stages is not overwritten,
// neither on the way there nor back, and it is said what is different.
func TestSomebodyElse(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqlite(t))
	run := r.approved(r.plan(nil, r.newPolicy("MFA")), "")
	var s Status
	for range 50 {
		next, err := r.Do(t.Context(), run.ID)
		r.ok(err)
		r.lab.Jump(max(next.Sub(r.lab.Now()), time.Second))
		if s = r.status(run.ID); s.State == Watching {
			break
		}
	}
	id := s.Made["policy-1"]
	r.do("PATCH", "/v1.0/identity/conditionalAccess/policies/"+id, `{"conditions":{"users":{"includeUsers":["All"],"excludeUsers":["`+r.users[0].ID+`"]},`+
		`"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]}}`)
	theirs := r.live(remedy.Policy, id)
	s = r.drive(r.Runner, run.ID, 400)
	if s.State != Stopped || !strings.Contains(s.Why, "somebody else changed it") || !strings.Contains(s.Why, r.users[0].ID) {
		t.Fatal(s.tell())
	}
	if is := r.live(remedy.Policy, id); string(is) != string(theirs) {
		t.Errorf("it was overwritten: %s", is)
	}
	_, err := r.Rollback(t.Context(), run.ID, "the test is over")
	r.ok(err)
	s = r.drive(r.Runner, run.ID, 400)
	if s.State != Undone || s.Steps[0].State != NotTaken || !strings.Contains(s.Steps[0].Words, "somebody else") {
		t.Fatal(s.tell())
	}
	if is := r.live(remedy.Policy, id); string(is) != string(theirs) {
		t.Errorf("it was overwritten on the way back: %s", is)
	}
	r.notWhole(&s, id)
}

// TestSurprise: a failure that the rehearsal did not foretell stops the run by itself; one that
// it did, or that somebody accepts, does not; no log waits for a word; few sign-ins wait.
func TestSurprise(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqlite(t))
	r.effects = []remedy.Effect{{Account: r.users[1].ID, Name: "scanner@partner.example", App: "Exchange", Client: "SMTP", Result: "failure", Count: 3}}
	run := r.approved(r.plan(nil, r.newPolicy("MFA")), remedy.Pilot)
	s := r.drive(r.Runner, run.ID, 50)
	if s.State != Stopped || len(s.Findings) != 1 || !strings.Contains(s.Why, "scanner@partner.example") {
		t.Fatal(s.tell())
	}
	_, err := r.Accept(t.Context(), run.ID, s.Findings[0].ID, "the scanner is replaced on Monday", time.Time{})
	r.ok(err)
	_, err = r.Apply(t.Context(), r.raw(run), remedy.Pilot)
	r.ok(err)
	r.log = remedy.Log{From: r.lab.Now(), To: r.lab.Now().AddDate(1, 0, 0), SignIns: 9}
	if s = r.drive(r.Runner, run.ID, 40); s.State != Watching || !strings.Contains(s.Why, "too few sign-ins") {
		t.Fatal(s.tell())
	}
	r.logErr = problem.New(problem.NotFound, "no sign-in says what Conditional Access did")
	if s = r.drive(r.Runner, run.ID, 4); s.State != Watching || !strings.Contains(s.Why, NoEvidence(remedy.ReportOnly)) {
		t.Fatal(s.tell())
	}
	if _, err := r.Accept(t.Context(), run.ID, "nonsense", "because of it", time.Time{}); !errors.Is(err, problem.NotFound) {
		t.Errorf("%v", err)
	}
	_, err = r.Accept(t.Context(), run.ID, NoEvidence(remedy.ReportOnly), "there is no P1 for the log", time.Time{})
	r.ok(err)
	_, err = r.Accept(t.Context(), run.ID, NoEvidence(remedy.Pilot), "likewise, they are three", time.Time{})
	if err == nil {
		t.Error("a stage that was not begun was accepted")
	}
	s = r.drive(r.Runner, run.ID, 40)
	if s.State != Watching || s.Stage != remedy.Pilot {
		t.Fatal(s.tell())
	}
	r.logErr = nil
	if s = r.drive(r.Runner, run.ID, 40); s.State != Watching || !strings.Contains(s.Why, "too few") || !strings.Contains(s.Why, NoEvidence(remedy.Pilot)) {
		t.Fatal(s.tell())
	}
	r.gate = func(a Ask) (*remedy.Gate, error) { return &remedy.Gate{Passed: true}, nil }
	r.effects = []remedy.Effect{{Account: "somebody-else", App: "Exchange", Client: "Browser", Result: "notApplied", Count: 900}}
	if s = r.drive(r.Runner, run.ID, 60); s.State != Watching || !strings.Contains(s.Why, "too few sign-ins: 0 of") {
		t.Fatal("others' sign-ins are taken for the pilot's: ", s.tell())
	}
	_, err = r.Accept(t.Context(), run.ID, NoEvidence(remedy.Pilot), "they are three, and sign in weekly", time.Time{})
	r.ok(err)
	if s = r.drive(r.Runner, run.ID, 60); s.State != Holding || s.Stage != remedy.Pilot {
		t.Fatal(s.tell())
	}
}

// raw is the plan of a run as its row has it.
func (r *rig) raw(run Run) []byte {
	r.Helper()
	m, err := r.planRow(r.Context(), run.Plan)
	r.ok(err)
	return []byte(m.body)
}

// TestGateShut: a gate that is not passed keeps nothing and asks nothing; one that shuts before
// a later stage stops the run, and opens again once what it says is accepted.
func TestGateShut(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqlite(t))
	finding := remedy.Finding{ID: "0badcafe", Kind: remedy.LocksOut, Text: "only one administrator would get in"}
	shutAt := remedy.ReportOnly
	r.gate = func(a Ask) (*remedy.Gate, error) {
		g := &remedy.Gate{Stage: a.To, Passed: true}
		if a.To == shutAt && !slices.ContainsFunc(a.Plan.Accepted, func(y remedy.Acceptance) bool { return y.Finding == finding.ID }) {
			g.Passed, g.Findings = false, []remedy.Finding{finding}
		}
		return g, nil
	}
	raw := r.plan(nil, r.newPolicy("MFA"))
	_, err := r.Apply(t.Context(), raw, "")
	if shut, is := errors.AsType[*Shut](err); !is || !errors.Is(err, problem.Unmet) || shut.Gate.Findings[0].ID != finding.ID {
		t.Fatalf("%v", err)
	}
	if list, err := r.Status(t.Context(), ""); err != nil || len(list) != 0 || len(r.wire.written()) != 0 {
		t.Fatalf("%v %v", list, err)
	}
	shutAt, finding.Kind, finding.Acceptable = remedy.Pilot, remedy.Breaks, true
	run := r.approved(raw, "")
	s := r.drive(r.Runner, run.ID, 100)
	if s.State != Stopped || s.Shut == nil || !strings.Contains(s.Why, "only one administrator") {
		t.Fatal(s.tell())
	}
	writes := len(r.wire.written())
	_, err = r.Apply(t.Context(), raw, "")
	r.ok(err)
	if s = r.drive(r.Runner, run.ID, 100); s.State != Stopped || len(r.wire.written()) != writes {
		t.Fatal(s.tell())
	}
	_, err = r.Accept(t.Context(), run.ID, finding.ID, "it is the caretaker", time.Time{})
	r.ok(err)
	_, err = r.Apply(t.Context(), raw, "")
	r.ok(err)
	if s = r.drive(r.Runner, run.ID, 400); s.State != Ended {
		t.Fatal(s.tell())
	}
}

// TestSecondPerson: a plan that nobody signed is not begun before another person's yes, and
// not the same one's.
func TestSecondPerson(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqlite(t))
	raw := r.plan(outright, r.newPolicy("MFA"))
	run, err := r.Apply(t.Context(), raw, "")
	r.ok(err)
	if run.State != Waiting {
		t.Fatalf("%s", run.State)
	}
	if s := r.drive(r.Runner, run.ID, 10); s.State != Waiting || len(r.wire.written()) != 0 {
		t.Fatal(s.tell())
	}
	if _, err := r.Approve(t.Context(), run.ID); !errors.Is(err, problem.Forbidden) {
		t.Errorf("the same person: %v", err)
	}
	if _, err := r.Stop(t.Context(), run.ID, "not today"); err != nil {
		t.Error(err)
	}
	if again, err := r.Apply(t.Context(), raw, ""); err != nil || again.State != Waiting {
		t.Errorf("stopped and applied again it is %s, %v", again.State, err)
	}
	_, err = r.as("local:ben").Approve(t.Context(), run.ID)
	r.ok(err)
	if s := r.drive(r.Runner, run.ID, 100); s.State != Ended {
		t.Fatal(s.tell())
	}
	r.config.Approval = approvalAlways
	if why := r.secondFor(&remedy.Plan{Signature: "x"}, "somebody"); len(why) != 1 {
		t.Errorf("%q", why)
	}
}

// TestDrift: what was applied and is no longer so, by kind.
func TestDrift(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqlite(t))
	run := r.approved(r.plan(outright, r.newPolicy("MFA")), "")
	s := r.drive(r.Runner, run.ID, 100)
	list, err := r.Drift(t.Context(), "")
	r.ok(err)
	if s.State != Ended || len(list) != 1 || list[0].State != Same {
		t.Fatalf("%+v %s", list, s.tell())
	}
	id := s.Made["policy-1"]
	r.do("PATCH", "/v1.0/identity/conditionalAccess/policies/"+id, `{"state":"disabled"}`)
	for range 2 { // the second look tells the trail nothing new
		list, err = r.Drift(t.Context(), run.ID)
		r.ok(err)
		if list[0].State != Changed || len(list[0].Words) != 1 {
			t.Fatalf("%+v", list)
		}
	}
	r.do("DELETE", "/v1.0/identity/conditionalAccess/policies/"+id, "")
	list, err = r.Drift(t.Context(), run.ID)
	r.ok(err)
	if list[0].State != Gone {
		t.Fatalf("%+v", list)
	}
	n := 0
	for _, e := range r.trail.Events() {
		if e.Action == audit.RemedyDrifted {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d events tell of drift", n)
	}
	_, err = r.Rollback(t.Context(), run.ID, "the drill")
	r.ok(err)
	if s := r.drive(r.Runner, run.ID, 100); s.State != Undone || s.Drifted != "" {
		t.Errorf("what was taken back is said to be changed since: %q; %s", s.Drifted, s.tell())
	}
}

// TestSlow: what was written shows two minutes later: nothing is asked for twice, nothing is
// taken for somebody else's change.
func TestSlow(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqlite(t))
	was := r.settings()
	type seen struct {
		at  time.Time
		raw json.RawMessage
	}
	copies := map[string][]seen{}
	r.wire.stale = func(path string) (json.RawMessage, bool) {
		if !strings.Contains(path, "/conditionalAccess/policies/") {
			return nil, false
		}
		now := r.lab.Now()
		a, err := r.wire.c.Graph(r.Context(), call(path))
		if err != nil {
			return nil, false
		}
		if a.Status != 200 {
			a.Body = nil
		}
		copies[path] = append(copies[path], seen{now, a.Body})
		var old json.RawMessage
		for _, c := range copies[path] {
			if now.Sub(c.at) >= 2*time.Minute {
				old = c.raw
			}
		}
		return old, true
	}
	run := r.approved(r.plan(nil, r.newPolicy("MFA")), "")
	s := r.drive(r.Runner, run.ID, 2000)
	if s.State != Ended {
		t.Fatal(s.tell())
	}
	if n := strings.Count(strings.Join(r.wire.written(), "\n"), "POST /v1.0/identity/conditionalAccess/policies"); n != 1 {
		t.Errorf("the policy was asked for %d times", n)
	}
	_, err := r.Rollback(t.Context(), run.ID, "the test is over")
	r.ok(err)
	if s = r.drive(r.Runner, run.ID, 2000); s.State != Undone {
		t.Fatal(s.tell())
	}
	r.wire.mu.Lock()
	r.wire.stale = nil
	r.wire.mu.Unlock()
	r.same(was)
}

// TestHand: the printed instructions take a plan back without the tool: each request of the
// text, sent as it stands, and the settings are as they were.
func TestHand(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqlite(t))
	was := r.settings()
	run := r.approved(r.plan(nil, r.newPolicy("MFA")), remedy.Pilot)
	if s := r.drive(r.Runner, run.ID, 400); s.State != Holding {
		t.Fatal(s.tell())
	}
	text, err := r.Instructions(t.Context(), run.ID)
	r.ok(err)
	for _, want := range []string{"breakglass1@partner.example", "Invoke-MgGraphRequest", "https://entra.microsoft.com"} {
		if !strings.Contains(text, want) {
			t.Errorf("nothing says %q", want)
		}
	}
	for _, q := range requestsIn(t, text) {
		a, err := r.wire.c.Graph(t.Context(), q)
		r.ok(err)
		if a.Status >= 300 && a.Status != 404 { // a membership goes with its group
			t.Fatalf("%s %s: %d %s\n%s", q.Method, q.Path, a.Status, a.Body, text)
		}
	}
	r.same(was)
}

// TestOverStays: older rows of a run that was taken back have nothing done again, and a row of
// somebody else's has nothing done at all.
func TestOverStays(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqlite(t))
	run := r.approved(r.plan(outright, r.newPolicy("MFA")), "")
	for _, table := range []string{"remedy_runs", "remedy_steps"} {
		_, err := r.db.ExecContext(t.Context(), "CREATE TABLE old_"+table+" AS SELECT * FROM "+table)
		r.ok(err)
	}
	if s := r.drive(r.Runner, run.ID, 60); s.State != Ended {
		t.Fatal(s.tell())
	}
	_, err := r.Rollback(t.Context(), run.ID, "the test is over")
	r.ok(err)
	r.drive(r.Runner, run.ID, 60)
	for _, table := range []string{"remedy_runs", "remedy_steps"} {
		_, err := r.db.ExecContext(t.Context(), "DELETE FROM "+table)
		r.ok(err)
		_, err = r.db.ExecContext(t.Context(), "INSERT INTO "+table+" SELECT * FROM old_"+table)
		r.ok(err)
	}
	writes := len(r.wire.written())
	if _, err := r.Do(t.Context(), run.ID); !errors.Is(err, problem.Conflict) || len(r.wire.written()) != writes {
		t.Errorf("%v, %q", err, r.wire.written()[writes:])
	}
	for table, change := range map[string]string{"remedy_runs": "state = 'running'", "remedy_plans": "body = body || ' '",
		"remedy_approvals": "actor = 'local:eve'"} {
		two := newRig(t, sqlite(t))
		run := two.approved(two.plan(outright, two.newPolicy("MFA")), "")
		if table == "remedy_runs" {
			change = "body = replace(body, '\"all\"', '\"pilot\"')"
		}
		_, err := two.db.ExecContext(t.Context(), "UPDATE "+table+" SET "+change)
		two.ok(err)
		if _, err := two.Do(t.Context(), run.ID); err == nil || len(two.wire.written()) != 0 {
			t.Errorf("%s: %v, %q", table, err, two.wire.written())
		}
	}
}
