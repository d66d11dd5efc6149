//go:build !judge

package app_test

import (
	"bytes"
	"context"
	"io/fs"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/collect"
	"partnerguard/internal/labtest"
	"partnerguard/internal/partner"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/find"
	"partnerguard/internal/remedy/gate"
	"partnerguard/internal/remedy/run"
	"partnerguard/internal/sam/capture"
)

// TestRemedyLive: a plan for what is not met, made of the archive and signed, is done in its
// stages against the partner cloud by a connection with the feature's permissions alone: the
// gate reads what is there, the evidence is what the cloud's own log says, the proof at the
// end is over what was written; and it is taken back.
func TestRemedyLive(t *testing.T) {
	t.Parallel()
	d := newDesk(t, labtest.May(t, "Policy.ReadWrite.ConditionalAccess", "Policy.ReadWrite.SecurityDefaults", "Application.Read.All",
		"Group.ReadWrite.All"))
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err, problem.HintOf(err))
		}
	}
	a, err := d.s.SAM.Store.App(ctx, labtest.PanelApp)
	must(err)
	c, err := d.s.SAM.Capture()
	must(err)
	d.Lab.Connect(c, capture.Request{Name: "panel", Cloud: d.s.Cloud, App: a, Features: append(app.Collecting(), capture.Remedy)}, labtest.Admin)
	tenant, err := d.s.Collect.Meet(ctx)
	must(err)
	read := func() {
		t.Helper()
		_, err := d.s.Collect.Round(ctx, tenant.ID, collect.Ask{Now: true, Busy: func(collect.Tenant) {}})
		must(err)
	}
	read()

	now := d.Now()
	ask := app.RemedyAsk{Tenant: tenant.ID, By: "local:ada", Question: app.Question{AsOf: now, Now: now, Cloud: partner.Public},
		Reading: app.Reading{From: []string{app.FromArchive + tenant.ID}, AsOf: now, Since: now.AddDate(0, 0, -30), Until: now.Add(time.Second),
			Archive: func(ctx context.Context, x app.Archived) (fs.FS, error) { return d.s.Shown(ctx, x) }}}
	r, err := app.Remedy(ctx, ask, nil)
	must(err)
	p, gates, err := r.Plan(find.Goal{ID: "legacy-blocked", Stages: []remedy.Stage{remedy.ReportOnly, remedy.All}})
	must(err)
	p.Wait = remedy.Wait{ReportOnly: 2 * time.Hour, SignIns: 1}
	for _, g := range gates {
		for i := range g.Findings {
			if f := &g.Findings[i]; f.Refuses() && f.Acceptable {
				p.Accepted = append(p.Accepted, remedy.Acceptance{Finding: f.ID, By: "ada", Why: "the lab's own", Until: now.AddDate(0, 1, 0)})
			}
		}
	}
	by, err := d.s.SignPlan(ctx, p)
	must(err)
	var raw bytes.Buffer
	must(p.Write(&raw))
	one, err := d.s.Remedy.Apply(ctx, raw.Bytes(), "")
	if shut, is := err.(*run.Shut); is {
		for _, f := range shut.Gate.Findings {
			t.Log(f.ID, f.Kind, f.Text, f.Acceptable, f.Accepted != nil)
		}
	}
	must(err)
	if one.State != run.Running || one.Signer != by {
		t.Fatalf("%s, signed by %q: %s", one.State, one.Signer, one.Why)
	}
	drive := func(want run.State, looks int) run.Status {
		t.Helper()
		for range looks {
			next, err := d.s.Remedy.Do(ctx, one.ID)
			must(err)
			if next.IsZero() {
				break
			}
			wait := max(next.Sub(d.Now()), time.Second)
			if d.Jump(wait); wait >= time.Minute { // what it waits for comes by reading
				read()
			}
		}
		list, err := d.s.Remedy.Status(ctx, one.ID)
		must(err)
		if list[0].State != want {
			for _, x := range list[0].Steps {
				t.Log(x.Seq, x.Stage, x.Step.Text, x.State, x.Words)
			}
			t.Fatalf("%s at %s: %s", list[0].State, list[0].Stage, list[0].Why)
		}
		return list[0]
	}
	s := drive(run.Ended, 200)
	if len(s.Past) != 2 || s.Past[0].Log == nil || s.Past[0].Log.SignIns == 0 {
		t.Errorf("the evidence of report-only: %+v", s.Past[0])
	}
	question, proved := gate.QuestionOf("legacy-authentication"), false
	for _, x := range s.Proof {
		proved = proved || x.Question == question && x.After == "proved"
	}
	if !proved {
		t.Errorf("%s is not proved: %+v %s", question, s.Proof, s.Why)
	}
	list, err := d.s.Remedy.Drift(ctx, "")
	must(err)
	for _, x := range list {
		if x.Away() {
			t.Errorf("%+v", x)
		}
	}
	_, err = d.s.Remedy.Rollback(ctx, one.ID, "the test is over")
	must(err)
	if s = drive(run.Undone, 200); strings.Contains(s.Why, "not as it was") {
		t.Error(s.Why)
	}
}
