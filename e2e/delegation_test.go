//go:build browser

package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"partnerguard/internal/app"
	"partnerguard/internal/collect"
	"partnerguard/internal/delegation/move"
	"partnerguard/internal/entra"
	"partnerguard/internal/labtest"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/partnercloud/world"
)

// mover is a house that moves two customers to less: one whose relationship Microsoft's
// transition made, and one with DAP.
type mover struct {
	*house
	run    string            // the plan
	offers map[string]string // relationships, by domain
	roles  []string          // of the new assignment at the first customer
}

// A customer of Microsoft's transition and one with DAP come to least privilege, stage by
// stage: their administrators approve in the browser, a probe fails and keeps the second stage
// back, and it goes on when that is mended. What each part does the next one finds.
func TestDelegation(t *testing.T) {
	lab := labtest.Start(t, func(o *partnercloud.Options) { *o = partnercloud.Options{NoLag: true, Unthrottled: true} })
	m := &mover{house: houseOf(t, lab, lab.Now, func(h *house) {
		h.judge(t)
		h.read(t)
	}), offers: map[string]string{}}
	for _, f := range []func(*testing.T){m.before, m.plan, m.fails, m.mended, m.second, m.after} {
		if f(t); t.Failed() {
			return
		}
	}
}

const (
	transition = "proseware.example"
	dap        = "fabrikam.example"
	theirs     = "it@" + transition // who may answer offers, and nothing else
)

// read collects the two customers and the partner, and judges them.
func (h *house) read(t *testing.T) {
	t.Helper()
	ask := collect.Ask{Now: true, Busy: func(collect.Tenant) {}}
	for _, domain := range []string{transition, dap} {
		id := h.lab.Customer(domain)
		if _, err := h.in.Collect.Round(t.Context(), id, ask); err != nil {
			t.Fatal(err)
		}
		if err := h.in.KeepDays(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.in.Collect.Round(t.Context(), h.lab.Info.Tenant.ID, ask); err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.in.KeepRound(t.Context(), h.lab.Info.Tenant.ID); err != nil {
		t.Fatal(err)
	}
}

// ways opens the page of who can become Global Administrator at a customer.
func (m *mover) ways(t *testing.T, domain, name string, words ...string) {
	p := open(t, m.operator(t), m.public+"/delegation/paths?tenant="+m.lab.Customer(domain), 1440, "light")
	says(t, p, words...)
	looks(t, p, name, axe(t))
	picture(t, p, name, 1440, 900)
}

func (m *mover) before(t *testing.T) {
	m.ways(t, dap, "delegation-before", "DAP", "can become Global Administrator at Fabrikam")
}

// plan has a plan made by what was seen, with two roles pinned, and done up to its first stage.
func (m *mover) plan(t *testing.T) {
	for role, why := range map[string]string{entra.RoleDirectoryReaders: "opens a customer's pages", entra.RoleServiceSupportAdministrator: "tickets"} {
		if _, err := m.in.Mover.Pin(t.Context(), move.Pin{Role: role, Reason: why}); err != nil {
			t.Fatal(err)
		}
	}
	p, err := m.in.DelegationPlan(t.Context(), app.DelegationPlanAsk{Customers: []string{dap, transition}, Drop: true, Stages: []int{50, 100}})
	if err != nil {
		t.Fatal(err)
	}
	if p.Customers[0].Name != "Proseware" || p.Customers[0].Change != move.Replace || p.Customers[1].DAP != move.DAPRemove {
		t.Fatalf("the plan: %+v", p.Customers)
	}
	run, err := m.in.DelegationApply(t.Context(), p, 0)
	if err != nil {
		t.Fatal(err)
	}
	m.run, m.roles = run.ID, p.Customers[0].Groups[0].Roles
	m.goOn(t, transition, move.Inviting)
	if s := m.state(t, dap); s.State != move.Waiting {
		t.Errorf("the second stage is %s", s.State)
	}
}

// approve opens an invitation's link as a person, and answers it with the keyboard alone.
func (m *mover) approve(t *testing.T, domain, upn, name string) {
	t.Helper()
	i, err := m.in.Mover.Invite(t.Context(), m.lab.Customer(domain))
	if err != nil {
		t.Fatal(err)
	}
	m.offers[domain] = i.Relationship
	p := open(t, m.stranger(t), i.Link, 1280, "light")
	arrive(t, p, "the sign-in", `document.querySelector('input[autocomplete~="username"]')`)
	answerPages(t, p, m.lab.In(t).Person(upn), func(string) {})
	arrive(t, p, "the offer", `document.querySelector("form.answer")`)
	says(t, p, i.Title, "Contoso", "Directory Readers", "730 days", "waits for your answer")
	if name != "" {
		looks(t, p, name, axe(t))
		snap(t, p, name)
	}
	for range 20 {
		if eval[string](t, p, `return document.activeElement.value ?? ""`) == "accept" {
			break
		}
		if err := chromedp.Do(p.ctx, chromedp.KeyEvent(kb.Tab)); err != nil {
			t.Fatal(err)
		}
	}
	if err := chromedp.Do(p.ctx, chromedp.KeyEvent(kb.Enter)); err != nil {
		t.Fatal(err)
	}
	arrive(t, p, "the answer", `!document.querySelector("form.answer")`)
	says(t, p, "accepted")
}

// fails has somebody take a role away by hand before the new access is proved to do alone: the
// plan stops, the next stage does not begin, and the old relationship is there still.
func (m *mover) fails(t *testing.T) {
	m.approve(t, transition, theirs, "delegation-offer")
	m.goOn(t, transition, move.Easing)
	m.edit(t, entra.RoleDirectoryReaders)
	m.goOn(t, transition, move.Held)
	s := m.status(t)
	if s.State != move.Stopped || !strings.Contains(s.Why, "the probe of Proseware") {
		t.Errorf("the plan is %s: %s", s.State, s.Why)
	}
	if s := m.state(t, dap); s.State != move.Waiting {
		t.Errorf("the second stage is %s", s.State)
	}
	m.lab.Edit(func(_ *world.State, te *world.Tenant) {
		for r := range te.Relationships.All() {
			if r.Name == "MLT_Proseware" && r.StatusAt(m.lab.Now()) != "active" {
				t.Errorf("the old relationship is %s", r.StatusAt(m.lab.Now()))
			}
		}
	})
}

// edit changes behind our back which roles the new assignment gives.
func (m *mover) edit(t *testing.T, roles ...string) {
	t.Helper()
	m.lab.Edit(func(_ *world.State, te *world.Tenant) {
		r := *te.Relationships.Get(m.offers[transition])
		r.Assignments = slices.Clone(r.Assignments)
		if len(r.Assignments) != 1 {
			t.Fatalf("%d groups have the new relationship", len(r.Assignments))
		}
		r.Assignments[0].Roles = roles
		te.Relationships.Put(&r)
	})
}

// mended gives the role back; the plan goes on, ends the old relationship, and begins its
// second stage.
func (m *mover) mended(t *testing.T) {
	m.edit(t, m.roles...)
	if _, err := m.in.Mover.Resume(t.Context(), m.run, ""); err != nil {
		t.Fatal(err)
	}
	m.goOn(t, transition, move.Done)
	m.goOn(t, dap, move.Inviting)
}

// second is the customer with DAP: its administrator approves, and DAP goes.
func (m *mover) second(t *testing.T) {
	m.approve(t, dap, "admin@"+dap, "")
	m.goOn(t, dap, move.Done)
	if s := m.status(t); s.State != move.Over {
		t.Errorf("the plan is %s: %s", s.State, s.Why)
	}
}

// after reads everything again: the pages say what there is now.
func (m *mover) after(t *testing.T) {
	m.read(t)
	m.ways(t, dap, "delegation-after", "Fabrikam")
	p := open(t, m.operator(t), m.public+"/delegation", 1440, "light")
	for _, row := range listed(t, p, "delegation?q=fabrikam") {
		if row["dap"] == "in place" {
			t.Errorf("there is DAP still: %v", row)
		}
	}
	looks(t, p, "delegation-list", axe(t))
}

func (m *mover) status(t *testing.T) move.Status {
	t.Helper()
	list, err := m.in.Mover.Status(t.Context(), m.run)
	if err != nil || len(list) != 1 {
		t.Fatal(err, list)
	}
	return list[0]
}

func (m *mover) state(t *testing.T, domain string) move.Move {
	t.Helper()
	id := m.lab.Customer(domain)
	for _, x := range m.status(t).Moves {
		if x.Customer == id {
			return x
		}
	}
	t.Fatalf("%s is not moved", domain)
	return move.Move{}
}

// goOn lets time pass until a customer has come to a state.
func (m *mover) goOn(t *testing.T, domain string, want move.State) {
	t.Helper()
	for range 40 {
		if err := m.in.Mover.Now(t.Context(), m.run, true, nil); err != nil {
			t.Fatal(err)
		}
		x := m.state(t, domain)
		if x.State == want {
			return
		}
		if x.State == move.Held && want != move.Held {
			t.Fatalf("%s is held: %s", domain, x.Why)
		}
		if x.State != move.Inviting || want != move.Inviting {
			m.lab.In(t).Jump(4 * time.Minute)
		}
	}
	x := m.state(t, domain)
	t.Fatalf("%s is %s, and never %s: %s", domain, x.State, want, x.Why)
}
