//go:build !judge

package pages_test

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/pages"
	"partnerguard/internal/remedy/run"
	"partnerguard/internal/screen"
	"partnerguard/internal/screen/screentest"
)

const account = "22222222-2222-2222-2222-222222222222"

// fake gives runs, and remembers what was done to them by whom.
type fake struct {
	list  []run.Status
	actor string
	did   *[]string
}

func (f *fake) Status(_ context.Context, id string) (out []run.Status, _ error) {
	for _, s := range f.list {
		if strings.HasPrefix(s.ID, id) {
			out = append(out, s)
		}
	}
	if len(out) == 0 && id != "" {
		return nil, problem.New(problem.NotFound, "no plan was applied as %q", id)
	}
	return out, nil
}

func (f *fake) note(what string) (run.Run, error) {
	*f.did = append(*f.did, f.actor+" "+what)
	return run.Run{}, nil
}

func (f *fake) Approve(_ context.Context, id string) (run.Run, error) { return f.note("approve " + id) }
func (f *fake) Stop(_ context.Context, id, why string) (run.Run, error) {
	return f.note("stop " + id + " " + why)
}
func (f *fake) Rollback(_ context.Context, id, why string) (run.Run, error) {
	return f.note("back " + id + " " + why)
}
func (f *fake) Second(_ context.Context, id, finding string) (run.Run, error) {
	return f.note("second " + id + " " + finding)
}
func (f *fake) Confirm(_ context.Context, id string, _ int) (run.Run, error) {
	return f.note("confirm " + id)
}
func (f *fake) as(actor string) pages.Actor { g := *f; g.actor = actor; return &g }

func rig() (*screentest.House, *fake, *pages.Pages) {
	now := screentest.Now
	policy := remedy.Object(`{"conditions":{"applications":{"includeApplications":["All"]},"clientAppTypes":["all"],` +
		`"users":{"excludeUsers":["` + account + `"],"includeUsers":["All"]}},` +
		`"displayName":"MFA <script>","grantControls":{"builtInControls":["mfa"],"operator":"OR"},"state":"enabled"}`)
	step := remedy.Step{N: 1, Do: remedy.Create, Kind: remedy.Policy, Name: "MFA <script>", Text: "Ask everybody for multifactor authentication", After: policy,
		Staged: true, Undo: remedy.Removes, Traps: []string{"Microsoft takes one request a second"}}
	person := remedy.Step{N: 2, Do: remedy.Ask, Kind: remedy.Person, Text: "Switch app passwords off", Undo: remedy.ByPerson,
		Task: &remedy.Task{Do: []string{"Open the service settings of MFA", "Choose not to allow app passwords"}}}
	mine := remedy.Step{N: 3, Do: remedy.Update, Kind: remedy.PerUserMFA, ID: account, Name: "Grace Hopper", Text: "Switch per-user MFA of Grace Hopper off",
		Before: remedy.Object(`{"perUserMfaState":"enforced"}`), After: remedy.Object(`{"perUserMfaState":"disabled"}`), Undo: remedy.Restores}
	plan := &remedy.Plan{Stages: []remedy.Stage{remedy.ReportOnly, remedy.Pilot, "10%", remedy.All}, Steps: []remedy.Step{step, person, mine}}
	gate := &remedy.Gate{Stage: remedy.Pilot, Ways: []remedy.Way{{}, {}}, Findings: []remedy.Finding{
		{ID: "0a1b2c3d", Kind: remedy.Breaks, Subject: "Grace Hopper", SubjectID: account, Text: "signs in by IMAP, and would not any more",
			WaysOut: []string{"a mail client with modern authentication"}, Acceptable: true},
		{ID: "2a1b2c3d", Kind: remedy.LocksOut, Text: "Grace Hopper alone could still get in"},
		{ID: "1a1b2c3d", Kind: remedy.Unknown, Text: "who has a registered method is not known", Settles: "userRegistrationDetails"}}}
	plan.Gate = &remedy.Gate{Stage: remedy.All, Findings: []remedy.Finding{{ID: "3a1b2c3d", Kind: remedy.Breaks, Subject: "Grace Hopper", SubjectID: account,
		Text: "Grace Hopper signs in by POP, and would not any more", Acceptable: true}}}
	plan.Accepted = []remedy.Acceptance{{Finding: "3a1b2c3d", By: "Ada Lovelace", Why: "a new client on Monday", Until: now.AddDate(0, 1, 0)}}
	r := run.Run{ID: "r-7k2m9q4x", Plan: strings.Repeat("ab", 32), Goal: "mfa-every-sign-in", Tenant: screentest.Tenants[0].ID, Name: "Contoso Cloud Partners",
		State: run.Stopped, Stage: remedy.Pilot, Upto: remedy.All, Why: "Grace Hopper failed, which the rehearsal did not foretell",
		Applied: now.Add(-80 * time.Hour),
		Actor:   "local:ada", Signer: "guard.example/trail", Shut: gate, Past: []run.Passage{
			{Stage: remedy.ReportOnly, Began: now.Add(-80 * time.Hour), Done: now.Add(-80 * time.Hour), Ended: now.Add(-8 * time.Hour)},
			{Stage: remedy.Pilot, Began: now.Add(-8 * time.Hour), Done: now.Add(-8 * time.Hour)}},
		Proof: []remedy.Answer{{Question: "mfa-every-sign-in", Before: "gap", After: "proved", Closed: 12},
			{Question: "legacy-blocked", Before: "gap", After: "gap"}},
		Findings: []run.Surprise{{ID: "4a1b2c3d", Stage: remedy.Pilot, Effect: remedy.Effect{Account: account, Name: "Grace Hopper", App: "Azure Portal",
			Client: "Browser", Result: "failure", Count: 3}}}}
	wait := run.Run{ID: "w-1", Plan: strings.Repeat("cd", 32), Goal: "legacy-blocked", Tenant: screentest.Tenants[1].ID, Name: "Fabrikam", State: run.Waiting,
		Upto: remedy.All, Applied: now.Add(-time.Hour), Actor: "local:ada", Second: []string{"nobody signed the plan"}}
	did := []string{}
	f := &fake{did: &did, list: []run.Status{
		{Run: r, File: plan, Next: "Grace Hopper failed, which the rehearsal did not foretell; accept it by name, or take the plan back", Steps: []run.Progress{
			{Seq: 1, Stage: remedy.ReportOnly, State: run.Done, Step: step, Words: "as Grace Hopper wanted"},
			{Seq: 2, Stage: remedy.Pilot, State: run.Asked, Step: person},
			{Seq: 3, Stage: remedy.Pilot, State: run.Failed, Step: mine, Words: "Grace Hopper cannot be changed"}}},
		{Run: wait, File: plan, Next: "a second person reads the plan and approves it"}}}
	p := &pages.Pages{Runs: f, As: f.as}
	h := screentest.Of(p.Screens()...)
	h.Viewer = screentest.Viewer()
	return h, f, p
}

// TestLeft: what a run that was taken back left is shown with why and with the way on, wants
// a person in the list, and names nobody to whoever may not see people.
func TestLeft(t *testing.T) {
	h, f, _ := rig()
	s := &f.list[0]
	s.State, s.Why, s.Next = run.Undone, "taken back by local:ada", `2 objects were not taken back: per-user MFA "Grace Hopper" (Grace Hopper changed it)`
	s.Steps[0].State = run.NotTaken
	s.Steps[2].State = run.Stays
	s.Left = []run.Leftover{{Step: 3, Kind: remedy.PerUserMFA, ID: account, Name: "Grace Hopper", Why: "Grace Hopper changed it since",
		Settle: "it stays as it is"},
		{Step: 1, Kind: remedy.Policy, Name: "MFA <script>", Why: "somebody else changed it since",
			Settle: "look at it; by hand: partnerguard remedy rollback r --print FILE"}}
	if list := h.HTML(t, "/remedy"); !strings.Contains(list, "2 not taken back") || !strings.Contains(list, "2 plans wait for a person") {
		t.Error("the list does not say that a person has to look")
	}
	one := h.HTML(t, "/remedy/plan?run=r-7k2")
	for _, want := range []string{"Not taken back", "2 objects were not taken back", "Grace Hopper changed it since", "somebody else changed it since",
		"partnerguard remedy rollback r --print FILE", `action="/remedy/plan/confirm"`, "It is as it should be", "Take it back once more"} {
		if !strings.Contains(one, want) {
			t.Errorf("the plan has no %q", want)
		}
	}
	h.Shoot(t, "remedy-left", "/remedy/plan?run=r-7k2")
	h.Viewer.Rights = slices.DeleteFunc(screen.Rights(), func(r screen.Right) bool { return r == screen.SeePeople })
	for _, address := range []string{"/remedy", "/remedy/plan?run=r-7k2"} {
		if one := h.HTML(t, address); strings.Contains(one, "Grace") || strings.Contains(one, account) || !strings.Contains(one, "not taken back") {
			t.Errorf("%s: a person is shown, or nothing", address)
		}
	}
	s.Steps[0].State, s.Left = run.Stays, s.Left[:1]
	h.Viewer = screentest.Viewer()
	if one := h.HTML(t, "/remedy/plan?run=r-7k2"); strings.Contains(one, "once more") {
		t.Error("it can be taken back once more, and there is nothing to try")
	}
}

// TestSeconds: what one person accepted and another has to can be accepted on the page by
// another, and not by the same; who may not see people is told of it without names.
func TestSeconds(t *testing.T) {
	h, f, _ := rig()
	s := &f.list[0]
	yes := func(finding, by string) run.Yes {
		return run.Yes{Plan: s.Plan, Acceptance: remedy.Acceptance{Finding: finding, By: by, Why: "Grace gets a new device",
			Until: screentest.Now.AddDate(0, 1, 0)}}
	}
	s.Seconds = []run.Yes{yes("0a1b2c3d", "local:ben"), yes("4a1b2c3d", "local:ADA"), yes("no-evidence:pilot", "local:ben")}
	one := h.HTML(t, "/remedy/plan?run=r-7k2")
	if n := strings.Count(one, `action="/remedy/plan/second"`); n != 2 {
		t.Errorf("it can be accepted by a second person %d times", n)
	}
	for _, want := range []string{"Waits for a second person", `name="finding" value="0a1b2c3d"`, `value="no-evidence:pilot"`, "Accepted by local:ben until",
		"Grace gets a new device", "signs in by IMAP", "It waits for another person than you."} {
		if !strings.Contains(one, want) {
			t.Errorf("the plan has no %q", want)
		}
	}
	if strings.Contains(one, `name="finding" value="4a1b2c3d"`) {
		t.Error("whoever accepted it is asked for the second yes")
	}
	h.Shoot(t, "remedy-second", "/remedy/plan?run=r-7k2")
	h.Viewer.Rights = slices.DeleteFunc(screen.Rights(), func(r screen.Right) bool { return r == screen.SeePeople || r == screen.Approve })
	one = h.HTML(t, "/remedy/plan?run=r-7k2")
	if strings.Contains(one, "Grace") || strings.Contains(one, "plan/second") || !strings.Contains(one, "local:ben") {
		t.Error("a person is shown, or somebody may accept who may not")
	}
}

func TestPages(t *testing.T) {
	h, _, _ := rig()
	list := h.HTML(t, "/remedy")
	for _, want := range []string{"mfa-every-sign-in", "stopped", "waits for a yes", "2 plans", "/remedy/plan?run=w-1"} {
		if !strings.Contains(list, want) {
			t.Errorf("the list has no %q", want)
		}
	}
	one := h.HTML(t, "/remedy/plan?run=r-7k2&row=1")
	for _, want := range []string{"What is next", "Gate before pilot", "breaks", "Grace Hopper", "a mail client with modern authentication", "gap before",
		"12 accounts closed", "report-only", "passed", "to come", "users it is for: all", "multifactor authentication", "Take it back", "0a1b2c3d",
		"Accepted by name",
		"accepted by Ada Lovelace until", "Surprises", "3 sign-ins · stage pilot · id 4a1b2c3d", "/remedy/plan/rollback?run=r-7k2m9q4x"} {
		if !strings.Contains(one, want) {
			t.Errorf("the plan has no %q", want)
		}
	}
	if strings.Contains(one, "<script>") && strings.Contains(one, "MFA <script>") {
		t.Error("a name is written as it is")
	}
	if strings.Contains(one, `action="/remedy/plan/rollback"`) || strings.Contains(one, `action="/remedy/plan/stop"`) {
		t.Error("it is taken back or stopped without being asked why")
	}
	if strings.Contains(one, `action="/remedy/plan/approve"`) {
		t.Error("it can be approved though it does not wait for that")
	}
	if two := h.HTML(t, "/remedy/plan?run=w-1"); !strings.Contains(two, `action="/remedy/plan/approve"`) || !strings.Contains(two, "to come") ||
		!strings.Contains(two, "nobody signed the plan") {
		t.Error("it cannot be approved")
	}
	h.Shoot(t, "remedy", "/remedy")
	h.Shoot(t, "remedy-plan", "/remedy/plan?run=r-7k2&row=1")
	h.Shoot(t, "remedy-wait", "/remedy/plan?run=w-1")
	(&screentest.House{Screens: (&pages.Pages{Runs: &fake{}, As: nil}).Screens()}).Shoot(t, "remedy-none", "/remedy")
}

// TestDrifted: a page names the command that says what was changed since, and not the sum that is kept of it.
func TestDrifted(t *testing.T) {
	h, f, _ := rig()
	f.list[0].State, f.list[0].Drifted = run.Ended, strings.Repeat("6ca9", 16)
	if one := h.HTML(t, "/remedy/plan?run=r-7k2"); !strings.Contains(one, "partnerguard remedy drift r-7k2m9q4x") || strings.Contains(one, "6ca96ca9") {
		t.Error("the plan does not say what to do about what was changed since")
	}
}

// TestWhoSees: who is limited to other tenants finds nothing and does nothing; who may not see
// people sees none, in no part of the page and no export.
func TestWhoSees(t *testing.T) {
	h, f, p := rig()
	h.Viewer.Customers = []string{screentest.Tenants[1].ID}
	if list := h.HTML(t, "/remedy"); strings.Contains(list, "Contoso") || strings.Contains(list, "r-7k2") || !strings.Contains(list, "Fabrikam") {
		t.Error("a tenant that is not theirs is shown")
	}
	for _, address := range []string{"/remedy/plan?run=r-7k2", "/remedy/plan?run=nothing", "/remedy/plan"} {
		if _, _, err := h.Load(t.Context(), address); err == nil || strings.Contains(err.Error(), "applied as") {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, act := range p.Screens()[1].Acts {
		ask := &screen.Ask{Viewer: h.Viewer}
		if _, err := act.Handle(t.Context(), ask, url.Values{"run": {"r-7k2m9q4x"}, "step": {"2"}, "finding": {"0a1b2c3d"}}); err == nil {
			t.Errorf("%s is done to a tenant that is not theirs", act.Name)
		}
		if _, err := act.Handle(t.Context(), ask, url.Values{"run": {"w"}, "step": {"2"}, "reason": {"why"}, "finding": {"0a1b2c3d"}}); err != nil {
			t.Errorf("%s: %v", act.Name, err)
		}
	}
	want := []string{"local:ada approve w-1", "local:ada second w-1 0a1b2c3d", "local:ada stop w-1 why", "local:ada back w-1 why", "local:ada confirm w-1"}
	if !slices.Equal(*f.did, want) {
		t.Errorf("%v", *f.did)
	}
	h.Viewer.Customers = nil
	h.Viewer.Rights = slices.DeleteFunc(screen.Rights(), func(r screen.Right) bool { return r == screen.SeePeople })
	for _, address := range []string{"/remedy", "/remedy/plan?run=r-7k2", "/remedy/plan?run=r-7k2&row=1", "/remedy/plan?run=r-7k2&row=3",
		"/remedy/plan?run=w-1"} {
		if one := h.HTML(t, address); strings.Contains(one, "Grace") || strings.Contains(one, account) {
			t.Errorf("%s: a person is shown", address)
		}
	}
}

func TestLists(t *testing.T) {
	_, _, p := rig()
	screentest.HoldLists(t, p.Screens())
}
