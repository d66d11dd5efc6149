package gate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"partnerguard/internal/access"
	"partnerguard/internal/rehearse"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/gate"
)

func look(t rapid.TB, in gate.Input) *remedy.Gate {
	t.Helper()
	g, err := gate.Look(in)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func idsOf(g *remedy.Gate) (out []string) {
	for i := range g.Findings {
		out = append(out, g.Findings[i].ID+" "+string(g.Findings[i].Kind)+" "+g.Findings[i].Text)
	}
	slices.Sort(out)
	return out
}

// scanners is a plan that breaks the scanner, which somebody may accept.
func scanners(t testing.TB) *remedy.Plan {
	return plan(create(t, policy("", "New", "enabled", onlySync, `"clientAppTypes":["exchangeActiveSync","other"]`, `"block"`)))
}

// TestAccept: a named consequence that is accepted no longer refuses, and changes nothing
// else; one that has ended, or of nobody, counts for nothing, and a lock-out never does.
func TestAccept(t *testing.T) {
	g := look(t, input(scanners(t)))
	at := slices.IndexFunc(g.Findings, func(f remedy.Finding) bool { return f.Kind == remedy.Breaks })
	if g.Passed || at < 0 || len(g.Findings[at].WaysOut) == 0 || g.Findings[at].SignIns != 30 {
		t.Fatalf("nobody breaks:\n%s", said(g))
	}
	id := g.Findings[at].ID
	yes := remedy.Acceptance{Finding: id, By: "Ada", Why: "replaced on Monday", Until: now.Add(time.Hour)}
	for _, c := range []struct {
		change func(*remedy.Acceptance)
		passes bool
	}{{func(*remedy.Acceptance) {}, true}, {func(a *remedy.Acceptance) { a.Until = now }, false}, {func(a *remedy.Acceptance) { a.By = "" }, false},
		{func(a *remedy.Acceptance) { a.Why = "" }, false}, {func(a *remedy.Acceptance) { a.Finding = "00000000" }, false}} {
		p, a := scanners(t), yes
		c.change(&a)
		p.Accepted = []remedy.Acceptance{a}
		after := look(t, input(p))
		if after.Passed != c.passes || !slices.Equal(idsOf(after), idsOf(g)) {
			t.Errorf("%+v: passes %v:\n%s", a, after.Passed, said(after))
		}
	}
	for name, c := range lockOuts(t) {
		p := plan(c.steps...)
		g := look(t, input(p))
		for i := range g.Findings {
			p.Accepted = append(p.Accepted, remedy.Acceptance{Finding: g.Findings[i].ID, By: "Mallory", Why: "all is well", Until: now.Add(time.Hour)})
		}
		if never := c.kind == remedy.LocksOut || c.kind == remedy.Conflicts; look(t, input(p)).Passed && never {
			t.Errorf("%s: everything accepted, and it passes", name)
		}
	}
}

// TestNothingOpens: a plan that only adds MFA opens nothing, whatever it adds, to whomever,
// and at every stage.
func TestNothingOpens(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		users := rapid.SampledFrom([]string{everybody, onlySync, gentle, `"includeRoles":["` + ga + `"]`, `"includeUsers":["GuestsOrExternalUsers"]`,
			`"includeUsers":["` + ben + `"]`, `"includeGroups":["` + bgGroup + `"]`}).Draw(r, "users")
		more := rapid.SampledFrom([]string{"", fromHQ, `"signInRiskLevels":["high"]`, `"clientAppTypes":["browser"]`,
			`"platforms":{"includePlatforms":["iOS"]}`}).Draw(r, "more")
		var steps []remedy.Step
		for range rapid.IntRange(1, 3).Draw(r, "n") {
			steps = append(steps, create(t, policy("", "New", "enabled", users, more, `"mfa"`)))
		}
		in := input(plan(steps...))
		in.Stage = rapid.SampledFrom(in.Plan.Stages).Draw(r, "stage")
		for _, f := range look(r, in).Findings {
			if f.Kind == remedy.Opens || f.Kind == remedy.Misses {
				r.Errorf("%s: %s", f.Kind, f.Text)
			}
		}
	})
}

// take takes away something that was known.
var take = map[string]func(*gate.Input){
	"the log":            func(in *gate.Input) { in.History = nil },
	"the actor":          func(in *gate.Input) { in.Actor = "" },
	"licences":           func(in *gate.Input) { in.Licences = gate.Licences{} },
	"whole users":        func(in *gate.Input) { in.Tenant.Whole = false },
	"roles":              func(in *gate.Input) { in.Tenant.RolesKnown = false },
	"groups":             func(in *gate.Input) { in.Tenant.KnownGroups = nil },
	"security defaults":  func(in *gate.Input) { in.Tenant.Defaults = nil },
	"policies":           func(in *gate.Input) { in.Tenant.PoliciesLack = []string{"all policies: GET /policies"} },
	"locations":          func(in *gate.Input) { in.Tenant.LocationsLack = "GET /namedLocations" },
	"people":             func(in *gate.Input) { in.People = nil },
	"who is enabled":     func(in *gate.Input) { in.People[bg1] = gate.Person{Synced: rehearse.KnownNo} },
	"who is cloud-only":  func(in *gate.Input) { in.People[bg1] = gate.Person{Enabled: rehearse.KnownYes} },
	"methods":            func(in *gate.Input) { unknownMethods(in, func(access.Subject) bool { return true }) },
	"methods of one":     func(in *gate.Input) { unknownMethods(in, func(s access.Subject) bool { return s.ID == ada }) },
	"accounts":           func(in *gate.Input) { in.Accounts = map[string]rehearse.Account{} },
	"a break-glass look": func(in *gate.Input) { in.Tenant.Users[0].BreakGlass = false },
}

func unknownMethods(in *gate.Input, of func(access.Subject) bool) {
	for i := range in.Tenant.Users {
		if u := &in.Tenant.Users[i]; of(*u) {
			u.MethodsKnown, u.Methods = false, nil
			in.Accounts[u.ID] = rehearse.Account{Class: "member"}
		}
	}
}

// TestLessKnown: taking something away never opens a gate that was shut.
func TestLessKnown(t *testing.T) {
	for name, c := range lockOuts(t) {
		for what, less := range take {
			in := input(plan(c.steps...))
			less(&in)
			if g, err := gate.Look(in); err != nil || g.Passed {
				t.Errorf("%s, without %s: it passes (%v)", name, what, err)
			}
		}
	}
}

// TestUnknownShuts: a good plan is refused where what decides it is not known, and the
// finding says what settles it.
func TestUnknownShuts(t *testing.T) {
	for what, text := range map[string]string{"the log": "who would break is not known", "the actor": "who applies the plan is not known",
		"licences": "Entra ID P1", "policies": "policies that were not read", "people": "nobody is proved to get in", "methods": "not known"} {
		in := input(plan(create(t, policy("", "New", "enabled", gentle, "", `"mfa"`))))
		take[what](&in)
		g := look(t, in)
		if g.Passed || !strings.Contains(said(g), text) {
			t.Errorf("without %s:\n%s", what, said(g))
		}
	}
}

// TestStableIDs: a finding has the same id when the plan is made anew, and when it counts
// otherwise.
func TestStableIDs(t *testing.T) {
	a, p := look(t, input(scanners(t))), scanners(t)
	p.ID = "deadbeef"
	if b := look(t, input(p)); !slices.Equal(idsOf(a), idsOf(b)) {
		t.Errorf("\n%s\n%s", said(a), said(b))
	}
}

// TestServes: a plan that does not meet what it serves is refused at all, and before that
// is not.
func TestServes(t *testing.T) {
	p := plan(create(t, policy("", "New", "enabled", gentle, "", `"mfa"`)))
	p.Serves = []string{"mfa-every-sign-in"}
	g := look(t, input(p))
	if g.Passed || !strings.Contains(said(g), "misses") || !strings.Contains(said(g), "m5@contoso.example") && !strings.Contains(fmt.Sprint(g.Findings), "m5") {
		t.Errorf("the scanner is left out, and it passes:\n%s", said(g))
	}
	in := input(p)
	in.Stage = remedy.Pilot
	if g := look(t, in); !g.Passed {
		t.Errorf("the pilot is refused:\n%s", said(g))
	}
}

// TestForetold: what a report-only stage is held against is what its policies would do on.
func TestForetold(t *testing.T) {
	in := input(scanners(t))
	in.Stage = remedy.ReportOnly
	groups, err := gate.Foretold(in)
	if err != nil || len(groups) != 1 || groups[0].ID != scanner || !groups[0].Effect.Breaks() {
		t.Errorf("%v, %v", groups, err)
	}
	if g := look(t, in); !g.Passed {
		t.Errorf("a stage that reports is refused:\n%s", said(g))
	}
}

// TestWhoIsNoWay: an administrator whom no policy asks is no way in while it is not known
// what it has registered; a declared break-glass account is.
func TestWhoIsNoWay(t *testing.T) {
	in := input(plan(create(t, policy("", "New", "enabled", `"includeUsers":["`+ben+`"]`, "", `"mfa"`))))
	in.Tenant.Policies = nil
	unknownMethods(&in, func(access.Subject) bool { return true })
	in.Actor = "app:1"
	g := look(t, in)
	if len(g.Ways) != 2 || g.Ways[0].Account != "bg1@contoso.example" || g.Ways[1].Account != "bg2@contoso.example" {
		t.Errorf("ways %v", g.Ways)
	}
	for i := range in.Tenant.Users {
		in.Tenant.Users[i].BreakGlass = false
	}
	if g = look(t, in); g.Passed || len(g.Ways) != 0 {
		t.Errorf("passed %v, ways %v", g.Passed, g.Ways)
	}
}

// TestStageHolds: nobody who is a break-glass account or synchronises is in a stage, even
// when the plan names them.
func TestStageHolds(t *testing.T) {
	p := plan(create(t, policy("", "New", "enabled", gentle, "", `"mfa"`)))
	p.Pilot = []string{bg1, sync, ben}
	p.Stages = []remedy.Stage{remedy.Pilot, "99%", remedy.All}
	text := say(expand(t, p, "", "99%"))
	if strings.Contains(text, `"member":"`+bg1) || strings.Contains(text, `"member":"`+sync) || !strings.Contains(text, `"member":"`+ben) {
		t.Errorf("%s", text)
	}
}

// TestReached: at a later stage the settings are as that stage left them, and groups that
// were made since the directory was read are known all the same.
func TestReached(t *testing.T) {
	p := plan(create(t, policy("", "New", "enabled", gentle, "", `"mfa"`)))
	moves := expand(t, p, "", remedy.Pilot)
	ids := map[string]string{}
	for i := range moves {
		if k := moves[i].Key; k != "" {
			ids[k] = guid('f', i)
		}
	}
	in := input(p)
	live, err := gate.Over(in.Tenant, moves, -1, ids)
	if err != nil {
		t.Fatal(err)
	}
	stale := *live // the policy was read anew, the directory was not
	stale.Users, stale.KnownGroups = in.Tenant.Users, in.Tenant.KnownGroups
	in.Tenant, in.From, in.Stage, in.IDs = &stale, remedy.Pilot, "10%", ids
	if g := look(t, in); !g.Passed {
		t.Errorf("it is refused:\n%s", said(g))
	}
	in.Stage = remedy.All
	if g := look(t, in); !g.Passed || g.Answers[0].Closed == 0 && g.Answers[0].Before != g.Answers[0].After {
		t.Errorf("it is refused:\n%s", said(g))
	}
}

// TestPerhapsOpened: what may be protected today and surely would not be is an opening: not
// knowing where a place is hides none.
func TestPerhapsOpened(t *testing.T) {
	was := policy(devices, "Elsewhere", "enabled", everybody, `"locations":{"includeLocations":["All"],"excludeLocations":["`+guid('c', 9)+`"]}`, `"mfa"`)
	in := input(plan(step(t, remedy.Delete, remedy.Policy, devices, was, "")))
	in.Tenant.Policies = parse(was)
	g := look(t, in)
	if g.Passed || !strings.Contains(said(g), " opens ") {
		t.Errorf("it passes:\n%s", said(g))
	}
}
