//go:build browser

package e2e

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"partnerguard/internal/collect"
	"partnerguard/internal/fraud/contain"
	frauddesk "partnerguard/internal/fraud/desk"
	"partnerguard/internal/labtest"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/partnercloud/control"
)

// burgled is a house one of whose customers is attacked.
type burgled struct {
	*house
	customer, alert, run string
	began                time.Time
}

// The walk of docs/fraud-walk.md: our own eyes see an attack hours before Microsoft's alert; the
// alert's page says what speaks for fraud; a second person approves the plan by the keyboard
// alone; what was made stops; Microsoft is answered; the report tells of it. What each part does
// the next one finds.
func TestFraud(t *testing.T) {
	lab := labtest.Start(t, func(o *partnercloud.Options) { *o = partnercloud.Options{NoLag: true, Unthrottled: true} })
	b := &burgled{customer: lab.Customer("fabrikam.example")}
	b.house = houseOf(t, lab, lab.Now, func(h *house) {
		h.judge(t)
		h.reads(t, b.customer)
	})
	for _, f := range []func(*testing.T){b.eyes, b.alerted, b.looked, b.approved, b.answered, b.reported} {
		if f(t); t.Failed() {
			return
		}
	}
}

// reads collects a customer, and judges it.
func (h *house) reads(t *testing.T, customer string) {
	t.Helper()
	if _, err := h.in.Collect.Round(t.Context(), customer, collect.Ask{Now: true, Busy: func(collect.Tenant) {}}); err != nil {
		t.Fatal(err)
	}
	if err := h.in.KeepDays(t.Context(), customer); err != nil {
		t.Fatal(err)
	}
}

// eyes has the attack begin, and sees it by the logs of the first two hours.
func (b *burgled) eyes(t *testing.T) {
	b.began = b.lab.Now()
	asked := control.Dial(b.lab.Info.Control, b.lab.Info.ControlSecret)
	if _, err := asked.Stories(t.Context(), &control.StoryAsk{Name: "mine", Customer: "fabrikam.example"}); err != nil {
		t.Fatal(err)
	}
	b.lab.In(t).Jump(2 * time.Hour)
	b.reads(t, b.customer)
	seen, err := b.in.Eyes(t.Context())
	if err != nil || len(seen.Findings) != 1 {
		t.Fatalf("%v %+v", err, seen)
	}
	if took := seen.Findings[0].Detected.Sub(b.began); took > time.Hour {
		t.Errorf("it was seen after %s", took)
	}
}

// alerted reads Microsoft's alert, and what it is about.
func (b *burgled) alerted(t *testing.T) {
	b.lab.In(t).Jump(3*time.Hour + 32*time.Minute)
	if _, err := b.in.Fraud.Pull(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := b.in.Fraud.List(t.Context(), frauddesk.Filter{Open: true, Customer: b.customer, NoTests: true, Since: b.began})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d alerts: %v", len(list), err)
	}
	b.alert = list[0].ID
	if _, err := b.in.Inquiry.Take(t.Context(), b.alert, "local:test"); err != nil {
		t.Fatal(err)
	}
}

func (b *burgled) page() string { return "/fraud/case?alert=" + b.alert }

// looked looks at the alert's page, at all widths and in both themes.
func (b *burgled) looked(t *testing.T) {
	p := open(t, b.operator(t), b.public+b.page(), 1440, "light")
	says(t, p, "Fabrikam", "For fraud", "was given a right in Azure (Owner)", "Not known", "left", "No plan was applied")
	looks(t, p, "fraud-case", axe(t))
}

// approved has a plan applied here, and approved by a second person, who uses no mouse.
func (b *burgled) approved(t *testing.T) {
	plan, err := b.in.Contain.Plan(t.Context(), contain.Ask{Alert: b.alert})
	if err != nil {
		t.Fatal(err)
	}
	run, err := b.in.Contain.Apply(t.Context(), plan)
	if err != nil || run.State != contain.Waiting {
		t.Fatalf("%s: %v", run.State, err)
	}
	b.run = run.ID
	p := b.person(t, labtest.Admin, "/fraud")
	visit(t, p, b.page())
	says(t, p, run.ID, "waiting", "can be taken back")
	press := `document.activeElement.innerText?.trim() === "Approve these steps"`
	for range 80 {
		if eval[bool](t, p, "return "+press) {
			break
		}
		if err := chromedp.Do(p.ctx, chromedp.KeyEvent(kb.Tab)); err != nil {
			t.Fatal(err)
		}
	}
	if !eval[bool](t, p, "return "+press) {
		t.Fatal("the keyboard does not come to it")
	}
	if err := chromedp.Do(p.ctx, chromedp.KeyEvent(kb.Enter)); err != nil {
		t.Fatal(err)
	}
	arrive(t, p, "the approval", `document.body.innerText.includes("it is done from now on")`)
	picture(t, p, "fraud-case", 1440, 900)
	shape(t, p, 390, "dark")
	picture(t, p, "fraud-phone", 390, 900)
	if err := b.in.Contain.Now(t.Context(), b.run, time.Hour, func(ctx context.Context, d time.Duration) error {
		b.lab.In(t).Jump(d)
		return ctx.Err()
	}); err != nil {
		t.Fatal(err)
	}
	list, err := b.in.Contain.Status(t.Context(), b.run)
	if err != nil || list[0].State != contain.Over {
		t.Fatalf("%v %+v", err, list)
	}
	for i := range list[0].Steps { // at accounts the connection has no right, which the plan said
		if s := &list[0].Steps[i]; s.State != contain.Done && (s.State != contain.Failed || s.Step.Have == "yes") {
			t.Errorf("%s of %s is %s: %s", s.Step.Kind, s.Step.Name, s.State, s.Words)
		}
	}
	if v := list[0].Verified; v == nil || len(v.Running)+len(v.New) != 0 {
		t.Errorf("a look afterwards: %+v", v)
	}
}

// answered tells Microsoft, by the page, what it was.
func (b *burgled) answered(t *testing.T) {
	p := open(t, b.operator(t), b.public+b.page(), 360, "dark")
	press(t, p, "It was fraud")
	follow(t, p, `const e = document.querySelector("main form[method=post] button"); e?.click(); return e`)
	if err := b.in.Fraud.Send(t.Context(), b.alert); err != nil {
		t.Fatal(err)
	}
	c, err := b.in.Fraud.Get(t.Context(), b.alert)
	if err != nil || c.Answer == nil || c.Answer.State != frauddesk.Sent {
		t.Errorf("%v %+v", err, c)
	}
}

// reported is the report, which tells what was done.
func (b *burgled) reported(t *testing.T) {
	p := open(t, b.operator(t), b.public+b.page(), 1280, "light")
	looks(t, p, "fraud-over", axe(t))
	got := ask(t, p, http.MethodGet, "/fraud/case/report?alert="+b.alert+"&for=insurer", "")
	if got.Status != http.StatusOK || !strings.Contains(got.Body, "deallocateMachine") {
		t.Errorf("%d %.300s", got.Status, got.Body)
	}
}
