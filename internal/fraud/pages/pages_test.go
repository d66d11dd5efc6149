//go:build !judge

package pages_test

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/fraud"
	"partnerguard/internal/fraud/contain"
	"partnerguard/internal/fraud/desk"
	"partnerguard/internal/fraud/inquiry"
	"partnerguard/internal/fraud/inquiry/inquirytest"
	"partnerguard/internal/fraud/pages"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/screen/screentest"
)

const other = "33333333-0000-4000-8000-000000000003"

// fakeDesk remembers what was done.
type fakeDesk struct {
	list []desk.Case
	did  []string
}

func (d *fakeDesk) Get(_ context.Context, id string) (*desk.Case, error) {
	for i := range d.list {
		if strings.HasPrefix(d.list[i].ID, id) {
			return &d.list[i], nil
		}
	}
	return nil, problem.New(problem.NotFound, "no alert is called %q", id)
}

func (d *fakeDesk) List(_ context.Context, f desk.Filter) (out []desk.Case, _ error) {
	for _, c := range d.list {
		if !f.Open || c.Open() {
			out = append(out, c)
		}
	}
	return out, nil
}

func (d *fakeDesk) Assign(_ context.Context, id, to, actor string) (*desk.Case, error) {
	d.did = append(d.did, "assign "+id+" "+to+" "+actor)
	return nil, nil //nolint:nilnil // nobody looks
}

func (d *fakeDesk) Note(_ context.Context, id, text, actor string) (*desk.Case, error) {
	d.did = append(d.did, "note "+id+" "+text+" "+actor)
	return nil, nil //nolint:nilnil // nobody looks
}

func (d *fakeDesk) Answer(_ context.Context, id string, r fraud.Reason, actor string) error {
	d.did = append(d.did, "answer "+id+" "+string(r)+" "+actor)
	return nil
}

type fakeInquiry struct {
	t *inquiry.Timeline
	d *fakeDesk
}

func (q *fakeInquiry) Timeline(context.Context, string) (*inquiry.Timeline, error) { return q.t, nil }

func (q *fakeInquiry) Ask(_ context.Context, id, actor string) error {
	q.d.did = append(q.d.did, "ask "+id+" "+actor)
	return nil
}

// caseOf is an alert of a customer's, detected some time ago.
func caseOf(id, tenant, name, who string, ago time.Duration, now time.Time) desk.Case {
	al := inquirytest.Alert()
	al.ID, al.Customer, al.CustomerName, al.Detected, al.Name = id, tenant, name, now.Add(-ago), "Virtual machines are mining"
	return desk.Case{Alert: al, Assignee: who, Seen: al.Detected.Add(4 * time.Minute), Read: now, Clock: desk.Clock{DueGoal: al.Detected.Add(time.Hour),
		Due: al.Detected.Add(24 * time.Hour), Left: 24*time.Hour - ago, Running: true}}
}

// rig is a console with pages over an attack and some more.
func rig(t *testing.T) (*screentest.House, *fakeDesk, *pages.Pages) {
	t.Helper()
	now := inquirytest.Night.Add(10 * time.Hour)
	d := &fakeDesk{list: []desk.Case{caseOf("alert-1", inquirytest.Customer, "Northwind", "Ada Byrne", 3*time.Hour, now),
		caseOf("over-2", other, "Litware", "", 31*time.Hour, now), caseOf("done-3", other, "Adatum", "", 5*24*time.Hour, now)}}
	d.list[0].Notes = []desk.Note{{At: now.Add(-time.Hour), By: "oidc:ada", Text: "Called N. Vance at 10:15: the machines are not theirs."}}
	d.list[2].Status, d.list[2].Reason, d.list[2].ResolvedAt = fraud.Resolved, fraud.Legitimate, d.list[2].Detected.Add(3*time.Hour)
	al := d.list[0].Alert
	reads := inquirytest.Whole()
	reads[6].State, reads[6].Needs, reads[6].Why = inquiry.ReadRefused, "Entra ID P2", "the tenant has no Entra ID P2"
	tl := inquirytest.Fold(t, inquirytest.Attack(), inquiry.Options{Alert: al, Known: d.list[0].Seen, Now: now, Reads: reads, Done: []inquiry.Done{
		{At: now.Add(-time.Hour), By: "oidc:ada", What: "noted: called", Private: true}}}, inquirytest.AsItIs)
	p := &pages.Pages{Desk: d, Inquiry: &fakeInquiry{t: tl, d: d}, Now: func() time.Time { return now },
		Report: func(_ context.Context, alert, who, actor string) ([]byte, error) {
			d.did = append(d.did, "report "+alert+" "+who+" "+actor)
			return []byte("<!DOCTYPE html>"), nil
		},
		Runs: func(context.Context, string) ([]contain.Status, error) {
			step := contain.Step{Kind: "deallocateMachine", Name: "m00", Stops: "one machine stops; its disks stay", Undo: true}
			return []contain.Status{{Run: contain.Run{ID: "cr-1", State: contain.Waiting, Actor: "oidc:ada", Applied: now.Add(-time.Hour), Why: "for a second person"},
				Steps: []contain.Progress{{Run: "cr-1", Seq: 1, State: contain.Ready, Step: step}}}}, nil
		},
		Approve: func(_ context.Context, run, actor string) error {
			d.did = append(d.did, "approve "+run+" "+actor)
			return nil
		}}
	h := screentest.Of(p.Screens()...)
	h.Now = now
	h.Viewer = screentest.Viewer()
	h.Tenants = []screen.Tenant{{ID: inquirytest.Customer, Name: "Northwind Traders"}, {ID: other, Name: "Litware"}}
	return h, d, p
}

// The list begins with what to answer until when, and each alert has its clock.
func TestList(t *testing.T) {
	t.Parallel()
	h, _, _ := rig(t)
	html := h.HTML(t, "/fraud")
	for _, want := range []string{"The average of 30 days is", "over by 7 h 00 min", "21 h", "Ada Byrne", "nobody has it", "Northwind Traders", "Take it"} {
		if !strings.Contains(html, want) {
			t.Errorf("the list does not say %q", want)
		}
	}
	h.Viewer.Customers = []string{inquirytest.Customer}
	html = h.HTML(t, "/fraud")
	for _, no := range []string{"Litware", "over-2", "The average of 30 days"} {
		if strings.Contains(html, no) {
			t.Errorf("who is limited to another customer reads %q", no)
		}
	}
	h.Shoot(t, "fraud", "/fraud")
}

// One alert has everything on it, and nothing for who may not know of it.
func TestCase(t *testing.T) {
	t.Parallel()
	h, _, _ := rig(t)
	html := h.HTML(t, "/fraud/case?alert=alert-1")
	for _, want := range []string{"things speak", "was given a right in Azure (Owner)", "Settled by:", "it may begin here", "Called N. Vance", "Approve these steps", "one machine stops",
		"Report for the police", "needs Entra ID P2", "Answer Microsoft", "partnerguard fraud contain alert-1 --plan", `class="nar"`, "pool.mine.example"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	h.Shoot(t, "fraud-case", "/fraud/case?alert=alert-1")
	h.Viewer.Customers = []string{other}
	if _, err := h.Render(t.Context(), "/fraud/case?alert=alert-1"); err == nil || strings.Contains(err.Error(), "Northwind") {
		t.Errorf("who is limited to another customer reads it: %v", err)
	}
	h.Viewer.Customers, h.Viewer.Rights = nil, []screen.Right{screen.SeeAlerts}
	for _, no := range []string{"Answer Microsoft</button>", "Approve these steps", "Take it"} {
		if strings.Contains(h.HTML(t, "/fraud/case?alert=alert-1"), no) {
			t.Errorf("who may only look is shown %q", no)
		}
	}
}

// Acts are done for whoever asks, of their customers alone.
func TestActs(t *testing.T) {
	t.Parallel()
	h, d, p := rig(t)
	acts := map[string]screen.Act{}
	for _, s := range p.Screens() {
		for _, a := range s.Acts {
			acts[a.Name] = a
		}
	}
	a := &screen.Ask{Viewer: h.Viewer, Now: h.Now}
	do := func(name string, pairs ...string) error {
		f := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			f.Set(pairs[i], pairs[i+1])
		}
		act := acts[name]
		form, err := act.Check(f)
		if err != nil {
			return err
		}
		_, err = act.Handle(t.Context(), a, form)
		return err
	}
	who := h.Viewer.Actor
	for _, x := range []struct{ name, field, value, want string }{
		{"note", "text", "they are not theirs", "note alert-1 they are not theirs " + who}, {"hand", "to", "Bo", "assign alert-1 Bo " + who},
		{"answer", "reason", "fraud", "answer alert-1 fraud " + who}, {"approve", "run", "cr-1", "approve cr-1 " + who},
	} {
		if err := do(x.name, "alert", "alert-1", x.field, x.value); err != nil || !slices.Contains(d.did, x.want) {
			t.Errorf("%s: %v, done %v", x.name, err, d.did)
		}
	}
	if err := do("inquire", "alert", "alert-1"); err != nil || !slices.Contains(d.did, "ask alert-1 "+who) {
		t.Errorf("inquire: %v %v", err, d.did)
	}
	n := len(d.did)
	for name, pairs := range map[string][]string{"answer": {"alert", "alert-1"}, "approve": {"alert", "alert-1", "run", "cr-of-another"}, "note": {"alert", "alert-1", "text", " "}} {
		if err := do(name, pairs...); err == nil {
			t.Errorf("%s is done with %v", name, pairs)
		}
	}
	if err := do("answer", "alert", "alert-1", "reason", "whatever"); err == nil {
		t.Error("an answer that is none is taken")
	}
	h.Viewer.Customers = []string{other}
	for name, pairs := range map[string][]string{"take": nil, "hand": {"to", "x"}, "note": {"text", "x"}, "inquire": nil, "answer": {"reason", "fraud"}, "approve": {"run", "cr-1"}} {
		if err := do(name, append(pairs, "alert", "alert-1")...); err == nil {
			t.Errorf("%s is done by who may not know of it", name)
		}
	}
	if len(d.did) != n {
		t.Errorf("something was done: %v", d.did[n:])
	}
	if acts["approve"].Do != screen.Approve || acts["answer"].Do != screen.DoAlerts {
		t.Error("an act asks for another right")
	}
}

// Lists hold hostile texts.
func TestHostile(t *testing.T) {
	t.Parallel()
	_, _, p := rig(t)
	screentest.HoldLists(t, p.Screens())
}
