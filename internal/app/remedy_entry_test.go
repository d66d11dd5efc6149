//go:build !judge

package app_test

import (
	"bytes"
	"context"
	"errors"
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
	"partnerguard/internal/remedy/run"
	"partnerguard/internal/sam/capture"
)

// TestWayInDisabledSince: a Global Administrator who was disabled after the last collecting is no
// way in: a plan whose gate passed then is refused at the moment it is applied.
func TestWayInDisabledSince(t *testing.T) {
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
	p, gates, err := r.Plan(find.Goal{ID: "legacy-blocked", Stages: []remedy.Stage{remedy.All}})
	must(err)
	for _, g := range gates {
		for i := range g.Findings {
			if f := &g.Findings[i]; f.Refuses() && f.Acceptable {
				p.Accepted = append(p.Accepted, remedy.Acceptance{Finding: f.ID, By: "ada", Why: "the lab's own", Until: now.AddDate(0, 1, 0)})
			}
		}
	}
	_, err = d.s.SignPlan(ctx, p)
	must(err)
	var raw bytes.Buffer
	must(p.Write(&raw))
	var ways []remedy.Way
	for _, g := range gates {
		ways = g.Ways
	}
	if len(ways) < 2 {
		t.Fatalf("ways in: %+v", ways)
	}
	for _, w := range ways[1:] {
		d.Graph("PATCH", "/v1.0/users/"+w.ID, `{"accountEnabled":false}`)
	}
	_, err = d.s.Remedy.Apply(ctx, raw.Bytes(), "")
	shut, is := errors.AsType[*run.Shut](err)
	if !is {
		t.Fatalf("%d of %d ways in are disabled, and the plan is applied: %v", len(ways)-1, len(ways), err)
	}
	for _, f := range shut.Gate.Findings {
		if f.Kind == remedy.LocksOut && strings.Contains(f.Text, "it is disabled") {
			return
		}
	}
	t.Errorf("%+v", shut.Gate.Findings)
}
