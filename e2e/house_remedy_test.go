//go:build browser

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/labtest"
	"partnerguard/internal/partner"
	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/find"
	"partnerguard/internal/sam/capture"
)

// apply plans for a goal by what was collected, takes upon itself what breaks, and applies
// the plan up to report-only by an administrator's own connection. It gives the run's id.
func (h *house) apply(t *testing.T, goal string) string {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err, problem.HintOf(err))
		}
	}
	if _, err := h.in.SAM.Connection(ctx, "remedy"); err != nil {
		registered, err := h.in.SAM.Store.App(ctx, labtest.PanelApp)
		must(err)
		c, err := h.in.SAM.Capture()
		must(err)
		h.lab.Connect(c, capture.Request{Name: "remedy", Cloud: h.in.Cloud, App: registered, Features: []capture.Feature{capture.Remedy}}, labtest.Admin)
	}
	own, err := h.in.Collect.Meet(ctx)
	must(err)
	now := h.lab.Now()
	r, err := app.Remedy(ctx, app.RemedyAsk{Tenant: own.ID, By: "local:test", Actor: labtest.Admin, Question: app.Question{AsOf: now, Now: now,
		Cloud: partner.Public}, Reading: app.Reading{From: []string{app.FromArchive + own.ID}, AsOf: now, Since: now.AddDate(0, 0, -30),
		Until: now.Add(time.Second), Archive: func(ctx context.Context, x app.Archived) (fs.FS, error) { return h.in.Shown(ctx, x) }}}, nil)
	must(err)
	p, gates, err := r.Plan(find.Goal{ID: goal, Stages: []remedy.Stage{remedy.ReportOnly, "10%", remedy.All}})
	must(err)
	for _, g := range gates {
		for i := range g.Findings {
			if f := &g.Findings[i]; f.Refuses() && f.Acceptable {
				p.Accepted = append(p.Accepted, remedy.Acceptance{Finding: f.ID, By: "Ada Lovelace", Why: "replaced on Monday", Until: now.AddDate(0, 1, 0)})
			}
		}
	}
	_, err = h.in.SignPlan(ctx, p)
	must(err)
	var raw bytes.Buffer
	must(p.Write(&raw))
	one, err := h.in.Remedy.Apply(ctx, raw.Bytes(), remedy.ReportOnly)
	must(err)
	h.on(t, one.ID)
	return one.ID
}

// on does what can be done of a run now; the served console has no workers in these tests.
func (h *house) on(t *testing.T, id string) {
	t.Helper()
	if err := h.in.Remedy.Now(t.Context(), id, 30*time.Second, func(ctx context.Context, d time.Duration) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(min(d, time.Second)):
			return nil
		}
	}); err != nil {
		t.Fatal(err, problem.HintOf(err))
	}
}

// made are the names of those Conditional Access policies in the cloud that a plan made.
func (h *house) made(t *testing.T) (names []string) {
	t.Helper()
	a, err := control.Dial(h.lab.Info.Control, h.lab.Info.ControlSecret).Graph(t.Context(),
		control.GraphCall{Method: http.MethodGet, Path: "/v1.0/identity/conditionalAccess/policies"})
	var in struct {
		Value []struct {
			Name string `json:"displayName"`
		}
	}
	if err = errors.Join(err, json.Unmarshal(a.Body, &in)); err != nil {
		t.Fatal(err)
	}
	for _, p := range in.Value {
		if strings.HasPrefix(p.Name, "Partner baseline") {
			names = append(names, p.Name)
		}
	}
	return names
}

// remedy goes through the pages Remedy as a person does: nothing was applied yet; then a
// plan is watched in report-only; they read what it changes and what stands against it, stop
// it, and take it back, each with a reason; and the cloud has nothing of it any more.
func (h *house) remedy(t *testing.T, who context.Context) {
	p := open(t, who, h.public+"/remedy", 1440, "light")
	says(t, p, "No plan was applied", "partnerguard remedy list")
	id := h.apply(t, "legacy-blocked")
	if len(h.made(t)) == 0 {
		t.Fatal("nothing was made in the cloud")
	}
	visit(t, p, h.public+"/remedy")
	says(t, p, "legacy-blocked", "watched", "report-only")
	if rows := listed(t, p, "remedy"); len(rows) != 1 || rows[0]["id"] != id {
		t.Fatalf("the list has %v", rows)
	}
	to(t, p, `#rows th a[href*="/remedy/plan?run="]`)
	if at := path(t, p); at != "/remedy/plan" {
		t.Fatalf("the plan is at %s", at)
	}
	says(t, p, "What is next", "Proof before and after", "Gate before report-only", "Stages", "sign-ins were seen", "Signed by")
	eval[bool](t, p, `document.querySelector("#rows a.exp").click(); return true`)
	until(t, p, "a step opens in place", `document.querySelector("tr.more") && location.search.includes("row=")`)
	says(t, p, "What changes", "grant controls: block access")
	alone(t, p, h.public)

	said := func(act, button, reason string, words ...string) {
		t.Helper()
		press(t, p, button)
		if at := path(t, p); at != "/remedy/plan/"+act || len(h.made(t)) == 0 {
			t.Fatalf("%s was done without a question: %s", act, at)
		}
		fill(t, p, "reason", reason)
		press(t, p, button)
		says(t, p, words...)
	}
	said("stop", "Stop", "the drill", "nothing more is begun", "stopped")
	said("rollback", "Take it back", "the drill is over", "being taken back")
	h.on(t, id)
	visit(t, p, h.public+"/remedy/plan?run="+id)
	says(t, p, "taken back", "nothing is left to do", "undone")
	if left := h.made(t); len(left) > 0 {
		t.Errorf("the cloud still has %v", left)
	}
	h.apply(t, "mfa-every-sign-in") // one that stands, for whoever looks at the pages after this
}

// practices goes from the list to one that a person answers for, and gives their word.
func (h *house) practices(t *testing.T, who context.Context) {
	p := open(t, who, h.public+"/practices", 1440, "light")
	says(t, p, "Of 38 practices", "P15", "P38")
	if rows := listed(t, p, "practices"); len(rows) != 38 {
		t.Errorf("there are %d practices", len(rows))
	}
	visit(t, p, h.public+"/practices/one?id=P26")
	says(t, p, "unknown", "partnerguard attest --requirement P26")
	alone(t, p, h.public)
}

// packs makes a pack by the page's form, and takes the file.
func (h *house) packs(t *testing.T, who context.Context) {
	p := open(t, who, h.public+"/packs", 1440, "light")
	says(t, p, "No pack was made yet", "The key that packs are signed by")
	now := h.lab.Now()
	fill(t, p, "from", now.AddDate(0, 0, -20).Format(time.DateOnly), "to", now.Format(time.DateOnly), "reader", "insurer", "evidence", "deciding")
	press(t, p, "Make a pack")
	says(t, p, "The pack is being made", "insurer")
	at := h.public + "/packs?ask=" + eval[string](t, p, `return new URLSearchParams(location.search).get("ask")`)
	for end := time.Now().Add(time.Minute); !strings.Contains(text(t, p), "Made."); visit(t, p, at) { // sooner than it asks by itself
		if time.Sleep(200 * time.Millisecond); time.Now().After(end) {
			t.Fatalf("the pack is never made:\n%.2000s", text(t, p))
		}
	}
	to(t, p, `main a[href*="/packs?pack="]`)
	says(t, p, "insurer", "deciding")
	href := eval[string](t, p, `return document.querySelector("main a[href*='/packs/file']").getAttribute("href")`)
	if got := ask(t, p, http.MethodGet, href, ""); got.Status != http.StatusOK || !strings.HasPrefix(got.Body, "PK") {
		t.Errorf("the file: %d %.40q", got.Status, got.Body)
	}
	alone(t, p, h.public)
}
