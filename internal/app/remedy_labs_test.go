//go:build !judge

package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/app"
	"partnerguard/internal/collect"
	"partnerguard/internal/labtest"
	"partnerguard/internal/partner"
	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/find"
	"partnerguard/internal/remedy/run"
	"partnerguard/internal/sam/capture"
)

// labs is an installation beside one partner cloud, whose tenant is made another one after
// the other.
type labs struct {
	*desk
	tenant  string
	control *control.Client
}

func newLabs(t *testing.T) *labs {
	t.Helper()
	d := newDesk(t, labtest.May(t, "Policy.ReadWrite.ConditionalAccess", "Policy.ReadWrite.SecurityDefaults", "Application.Read.All",
		"Group.ReadWrite.All", "RoleManagement.ReadWrite.Directory"))
	l := &labs{desk: d, control: control.Dial(d.Info.Control, d.Info.ControlSecret)}
	a, err := d.s.SAM.Store.App(t.Context(), labtest.PanelApp)
	l.ok(err)
	c, err := d.s.SAM.Capture()
	l.ok(err)
	d.Lab.Connect(c, capture.Request{Name: "panel", Cloud: d.s.Cloud, App: a, Features: append(app.Collecting(), capture.Remedy, capture.RemedyApps)},
		labtest.Admin)
	tenant, err := d.s.Collect.Meet(t.Context())
	l.ok(err)
	l.tenant = tenant.ID
	l.read() // while the account still gets in: some tenants let nobody in any more
	return l
}

// in is the same for a subtest.
func (l *labs) in(t *testing.T) *labs {
	out, d := *l, *l.desk
	d.Lab = l.Lab.In(t)
	out.desk = &d
	return &out
}

func (l *labs) ok(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err, problem.HintOf(err))
	}
}

// The lists of what plans change, and what of them the API sets by itself.
const (
	policies = "/beta/identity/conditionalAccess/policies"
	places   = "/v1.0/identity/conditionalAccess/namedLocations"
)

var (
	lists    = []string{policies, places, "/v1.0/policies/authenticationStrengthPolicies", "/v1.0/groups", "/v1.0/roleManagement/directory/roleAssignments"}
	ones     = []string{"/v1.0/policies/identitySecurityDefaultsEnforcementPolicy", "/v1.0/policies/authenticationMethodsPolicy"}
	byItself = []string{"modifiedDateTime", "@odata.context", "lastModifiedDateTime"}
)

// ask asks the cloud as the one who runs it.
func (l *labs) ask(method, path, body string) json.RawMessage {
	l.Helper()
	c := control.GraphCall{Method: method, Path: path}
	if body != "" {
		c.Body = json.RawMessage(body)
	}
	a, err := l.control.Graph(l.Context(), c)
	if err != nil || a.Status >= 300 {
		l.Fatalf("%s %s: %d %v %s", method, path, a.Status, err, a.Body)
	}
	return a.Body
}

// list are the objects of a list as the API writes them, by id.
func (l *labs) list(path string) map[string]string {
	l.Helper()
	var page struct{ Value []json.RawMessage }
	l.ok(json.Unmarshal(l.ask("GET", path, ""), &page))
	out := map[string]string{}
	for _, raw := range page.Value {
		var is struct{ ID, PrincipalID, RoleDefinitionID string }
		l.ok(json.Unmarshal(raw, &is))
		if is.PrincipalID != "" { // it is made again, and its id is another then
			out[is.PrincipalID+"/"+is.RoleDefinitionID] = strings.Replace(l.plain(raw), is.ID, "ID", 1)
			continue
		}
		out[is.ID] = l.plain(raw)
	}
	return out
}

// plain is an object without what the API sets by itself. Lists of ids and words are sets, whose
// order means nothing: what a plan writes is written sorted.
func (l *labs) plain(raw json.RawMessage) string {
	l.Helper()
	var m map[string]any
	l.ok(json.Unmarshal(raw, &m))
	for _, name := range byItself {
		delete(m, name)
	}
	b, err := json.Marshal(asSets(m))
	l.ok(err)
	return string(b)
}

// settings are all that plans change, byte for byte, by path.
func (l *labs) settings() map[string]string {
	l.Helper()
	out := map[string]string{}
	for _, path := range lists {
		for id, o := range l.list(path) {
			out[path+"/"+id] = o
		}
	}
	for _, path := range ones {
		out[path] = l.plain(l.ask("GET", path, ""))
	}
	for _, upn := range labPeople {
		path := "/beta/users/" + upn + "/authentication/requirements"
		out[path] = l.plain(l.ask("GET", path, ""))
	}
	return out
}

// clear takes away what worlds set, and what the cloud began with: of what the log applied the
// audit log says that it was deleted. A run that a world before left is taken back.
func (l *labs) clear() {
	l.Helper()
	runs, err := l.s.Remedy.Status(l.Context(), "")
	l.ok(err)
	for i := range runs {
		if runs[i].State.Over() {
			continue
		}
		_, err := l.s.Remedy.Rollback(l.Context(), runs[i].ID, "the next tenant begins")
		l.ok(err)
		l.drive(runs[i].ID, run.Undone)
	}
	for id := range l.list(policies) {
		l.ask("DELETE", policies+"/"+id, "")
	}
	for id, o := range l.list(places) {
		if strings.Contains(o, `"isTrusted":true`) {
			l.ask("PATCH", places+"/"+id, `{"@odata.type":"#microsoft.graph.ipNamedLocation","isTrusted":false}`)
		}
		l.ask("DELETE", places+"/"+id, "")
	}
	l.ask("PATCH", ones[0], `{"isEnabled":false}`)
	for _, upn := range labPeople {
		l.perUser(upn, "disabled")
	}
}

func (l *labs) perUser(upn, state string) {
	l.Helper()
	l.ask("PATCH", "/beta/users/"+upn+"/authentication/requirements", `{"perUserMfaState":"`+state+`"}`)
}

// read collects once, and gives what is found in it.
func (l *labs) read() *app.Remedies {
	l.Helper()
	_, err := l.s.Collect.Round(l.Context(), l.tenant, collect.Ask{Now: true, Busy: func(collect.Tenant) {}})
	l.ok(err)
	now := l.Now()
	r, err := app.Remedy(l.Context(), app.RemedyAsk{Tenant: l.tenant, By: "local:ada", Actor: labtest.Admin,
		Question: app.Question{AsOf: now, Now: now, Cloud: partner.Public},
		Reading: app.Reading{From: []string{app.FromArchive + l.tenant}, AsOf: now, Since: now.AddDate(0, 0, -30), Until: now.Add(time.Second),
			Archive: func(ctx context.Context, x app.Archived) (fs.FS, error) { return l.s.Shown(ctx, x) }}}, nil)
	l.ok(err)
	if lack := r.Settings().PoliciesLack; len(lack) > 0 {
		l.Errorf("policies were not read: %q", lack)
	}
	return r
}

// answers are all that is said of the settings: each question's proof, each requirement's
// verdict.
func answers(t testing.TB, r *app.Remedies) map[string]string {
	t.Helper()
	out := map[string]string{}
	e := access.Compile(r.Settings())
	for _, q := range access.Questions() {
		p, err := e.Prove(q)
		if err != nil {
			t.Fatal(err)
		}
		out["question "+q.Name] = string(p.Verdict)
	}
	for i := range r.Report.Requirements {
		q := &r.Report.Requirements[i]
		out[q.ID] = string(q.Verdict)
	}
	return out
}

// tally is what became of the plans of a world.
type tally struct{ planned, gated, applied, proved, back, again, refused int }

// aim is one plan of a world: what for, and what is said of it.
type aim struct {
	goal    find.Goal
	choice  find.Choice
	alike   []find.Choice // requirements that the same changes meet
	plan    *remedy.Plan
	gates   []*remedy.Gate
	changes string
}

// aims are the plans for what is not met, the first way of each; equal changes are done once.
func (l *labs) aims(w *labWorld, r *app.Remedies) (out []aim) {
	l.Helper()
	had := map[string]bool{}
	add := func(goal find.Goal, c find.Choice) {
		goal.Stages = w.stages
		p, gates, err := r.Plan(goal)
		if err != nil {
			l.Errorf("%s: no plan for %s: %v", w.name, goal.ID+goal.Preset, err)
			return
		}
		var text strings.Builder
		for i := range p.Steps {
			s := &p.Steps[i]
			fmt.Fprintf(&text, "%s %s %s %s\n", s.Do, s.Kind, s.ID, strings.ReplaceAll(string(s.After), p.ID, ""))
		}
		for i := range out {
			if out[i].changes == text.String() {
				out[i].alike = append(out[i].alike, c)
				return
			}
		}
		out = append(out, aim{goal: goal, choice: c, plan: p, gates: gates, changes: text.String()})
	}
	for _, c := range r.List() {
		if c.Goal != "" && !had[c.Requirement] {
			had[c.Requirement] = true
			add(find.Goal{ID: c.Goal, Variant: c.Changes}, c)
		}
	}
	for _, g := range w.goals {
		add(g, find.Choice{Requirement: g.ID + g.Preset})
	}
	return out
}

// world lives through one tenant: for each thing that is not met a plan, its gates, its
// stages, the proof, and the way back.
func (l *labs) world(w *labWorld, most int) (n tally) {
	l.Helper()
	l.clear()
	w.set(l)
	l.Jump(time.Minute) // a reading takes a log up to its own moment: what went before is told in it
	first := l.read()
	was, settings := answers(l, first), l.settings()
	for i, a := range l.aims(w, first) {
		if most > 0 && i >= most {
			break
		}
		n.planned++
		if reason := never(a.gates); reason != "" {
			n.refused++
			l.Logf("%s: %s is refused: %s", w.name, a.choice.Requirement, reason)
			if want := refusedEverywhere[a.choice.Requirement]; !shutBefore(&a, reason) && (want == "" || !strings.Contains(reason, want)) {
				l.Errorf("%s: the plan for %s, that we made, is refused: %s", w.name, a.choice.Requirement, reason)
			}
			continue
		}
		n.gated++
		l.one(w, &a, &n, settings)
		after := answers(l, l.read())
		for name, verdict := range was {
			if after[name] != verdict {
				l.Errorf("%s: taken back, %s was %s and is %s", w.name, name, verdict, after[name])
			}
		}
		if l.Failed() {
			return n
		}
	}
	l.Logf("%s: %d planned, %d refused, %d through their gates, %d applied, %d proved, %d empty again, %d taken back", w.name, n.planned, n.refused,
		n.gated, n.applied, n.proved, n.again, n.back)
	return n
}

// one applies a plan in its stages, proves it, looks for what is left to do, and takes it back.
func (l *labs) one(w *labWorld, a *aim, n *tally, settings map[string]string) {
	l.Helper()
	p := a.plan
	p.Wait = remedy.Wait{}
	yes := map[string]bool{}
	for _, g := range a.gates {
		for i := range g.Findings {
			if f := &g.Findings[i]; f.Refuses() && !yes[f.ID] {
				yes[f.ID] = true
				p.Accepted = append(p.Accepted, remedy.Acceptance{Finding: f.ID, By: "ada", Why: "the lab's own", Until: l.Now().AddDate(0, 1, 0)})
			}
		}
	}
	_, err := l.s.SignPlan(l.Context(), p)
	l.ok(err)
	var raw bytes.Buffer
	l.ok(p.Write(&raw))
	one, err := l.s.Remedy.Apply(l.Context(), raw.Bytes(), "")
	l.ok(err)
	if one.State == run.Waiting {
		_, err = l.s.Remedy.As("local:ben").Approve(l.Context(), one.ID)
		l.ok(err)
	}
	s := l.drive(one.ID, run.Ended)
	n.applied++
	if l.proved(w, a, &s) {
		n.proved++
	}
	if l.nothingLeft(w, a) {
		n.again++
	}
	_, err = l.s.Remedy.Rollback(l.Context(), one.ID, "the test is over")
	l.ok(err)
	l.drive(one.ID, run.Undone)
	n.back++
	is := l.settings()
	for path, o := range settings {
		if is[path] != o {
			l.Errorf("%s: %s\n was %s\n is  %s", w.name, path, o, is[path])
		}
	}
	for path := range is {
		if _, had := settings[path]; !had {
			l.Errorf("%s: %s was not there", w.name, path)
		}
	}
}

// proved holds a plan to what was claimed for it: by the proof over what was written, and by the
// verdict over what is read anew. It says whether what it is for is met.
func (l *labs) proved(w *labWorld, a *aim, s *run.Status) bool {
	l.Helper()
	is := map[string]string{}
	for _, x := range s.Proof {
		is[x.Question] = x.After
	}
	met := true
	for _, c := range append([]find.Choice{a.choice}, a.alike...) {
		if c.Question == "" {
			continue
		}
		if got, asked := is[c.Question]; asked && got != c.After {
			l.Errorf("%s: the plan for %s claims that %s is %s, and it is %q", w.name, c.Requirement, c.Question, c.After, got)
		}
		met = met && c.After == string(access.Proved)
	}
	return met
}

// nothingLeft reads anew: what was claimed is proved, a second plan has no step, and nothing is
// offered for what the settings decide by now, whatever the log of days before still counts
// against it: that is said instead.
func (l *labs) nothingLeft(w *labWorld, a *aim) bool {
	l.Helper()
	r := l.read()
	said := answers(l, r)
	for _, c := range append([]find.Choice{a.choice}, a.alike...) {
		if c.After == string(access.Proved) && said["question "+c.Question] != c.After {
			l.Errorf("%s: read anew after the plan for %s, %s is %s", w.name, c.Requirement, c.Question, said["question "+c.Question])
		}
	}
	if a.choice.Question != "" && a.choice.After != string(access.Proved) {
		return false
	}
	p, _, err := r.Plan(a.goal)
	if err != nil && !errors.Is(err, problem.NotFound) {
		l.Errorf("%s: a second plan for %s: %v", w.name, a.choice.Requirement, err)
	}
	for i := range steps(p, err) {
		if s := &p.Steps[i]; s.Do != remedy.Ask {
			l.Errorf("%s: a second plan for %s has still to do: %s\n from %s\n to   %s", w.name, a.choice.Requirement, s.Text, s.Before, s.After)
		}
	}
	for _, c := range r.List() {
		met := func(x find.Choice) bool {
			return x.Requirement == c.Requirement && (x.Question == "" || x.After == string(access.Proved))
		}
		if !met(a.choice) && !slices.ContainsFunc(a.alike, met) {
			continue
		}
		if c.Goal != "" || c.Settled && c.Until.IsZero() && c.Task == "" {
			l.Errorf("%s: %s is offered after it was done: %+v", w.name, c.Requirement, c)
		}
	}
	return true
}

// drive lets time pass until a run is where it is to be. A surprise is taken upon oneself.
func (l *labs) drive(id string, want run.State) run.Status {
	l.Helper()
	var s run.Status
	for range 300 {
		next, err := l.s.Remedy.Do(l.Context(), id)
		l.ok(err)
		if next.IsZero() {
			break
		}
		l.Jump(min(max(next.Sub(l.Now()), time.Second), time.Hour))
	}
	list, err := l.s.Remedy.Status(l.Context(), id)
	l.ok(err)
	if s = list[0]; s.State != want {
		for _, x := range s.Steps {
			l.Log(x.Seq, x.Stage, x.Step.Text, x.State, x.Words)
		}
		if s.Shut != nil {
			for _, f := range s.Shut.Findings {
				l.Log(f.ID, f.Kind, f.Text, f.Acceptable, f.Accepted != nil)
			}
		}
		l.Fatalf("%s at %s: %s", s.State, s.Stage, s.Why)
	}
	return s
}

// TestRemedyLabs: on more than thirty lab tenants a plan for each requirement that is not met and
// that settings decide, through its gates, in stages against the partner cloud: what was claimed is
// proved over what was written and over what is read anew, a second plan is empty, and taken back the
// settings are the first, byte for byte but for the moments of change and the order in sets, and so is all that is said of
// them. In short one plan of a few of them; PARTNERGUARD_REMEDY=whole is all.
func TestRemedyLabs(t *testing.T) {
	t.Parallel()
	all := labWorlds(t)
	if len(all) < 30 {
		t.Errorf("%d tenants", len(all))
	}
	whole, most, shards := os.Getenv("PARTNERGUARD_REMEDY") == "whole", 0, (len(all)+2)/3 // an archive that grows is read anew each time
	if !whole {
		most, shards = 1, 1
		all = slices.DeleteFunc(all, func(w labWorld) bool { return !w.heart })
		if testing.Short() {
			all = all[:1]
		}
	}
	if only := os.Getenv("PARTNERGUARD_REMEDY_ONLY"); only != "" {
		all = slices.DeleteFunc(all, func(w labWorld) bool { return !strings.Contains(w.name, only) })
	}
	for shard := range shards {
		t.Run(fmt.Sprint(shard), func(t *testing.T) {
			t.Parallel()
			l := newLabs(t)
			var sum tally
			worlds := 0
			for i := range all {
				if i%shards != shard {
					continue
				}
				t.Run(all[i].name, func(t *testing.T) {
					n := l.in(t).world(&all[i], most)
					sum.planned, sum.gated, sum.applied, sum.proved = sum.planned+n.planned, sum.gated+n.gated, sum.applied+n.applied, sum.proved+n.proved
					sum.back, sum.again, sum.refused = sum.back+n.back, sum.again+n.again, sum.refused+n.refused
					if n.proved > 0 {
						worlds++
					}
				})
			}
			t.Logf("%d tenants in which a plan was proved: %+v", worlds, sum)
		})
	}
}
