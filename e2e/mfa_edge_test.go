//go:build browser

package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"partnerguard/internal/labtest"
	"partnerguard/internal/partnercloud/world"
)

// wrong answers slow down the browser that gives them, also for a right one.
func (d *desk) wrong(t *testing.T) {
	p := d.knock(t, d.stranger(t))
	to(t, p, `a[href="?use=totp"]`)
	for range 5 {
		typed(t, p, "000000")
		says(t, p, "not right")
	}
	if !eval[bool](t, p, `const e = document.querySelector("[name=code]"); return e.getAttribute("aria-invalid") === "true" &&
		document.getElementById(e.getAttribute("aria-describedby")).getAttribute("role") === "alert" && document.activeElement === e`) {
		t.Error("the field does not say that it was wrong")
	}
	typed(t, p, "000000")
	says(t, p, "no answer is looked at for")
	looks(t, p, "mfa-locked", axe(t))
	typed(t, p, d.shown(t))
	says(t, p, "no answer is looked at for") // whatever it is
	d.lab.In(t).Jump(time.Minute)
	typed(t, p, d.code(t))
	d.home(t, p)
}

// notMe says that it was somebody else, which the help desk sees.
func (d *desk) notMe(t *testing.T) {
	p := d.knock(t, d.stranger(t))
	press(t, p, "This was not me")
	arrive(t, p, "the cloud refuses", atFail)
	says(t, p, "500121", "access_denied")
	desk := open(t, d.operator(t), d.public+"/factors", 1280, "light")
	says(t, desk, "at risk", "somebody may have their password")
}

// late is an answer after Entra ID's five minutes.
func (d *desk) late(t *testing.T) {
	p := d.knock(t, d.stranger(t))
	to(t, p, `a[href="?use=totp"]`)
	d.lab.In(t).Jump(6 * time.Minute)
	typed(t, p, d.code(t))
	says(t, p, "It is too late for this", "five minutes")
	looks(t, p, "mfa-late", axe(t))
	press(t, p, "Back to Microsoft")
	arrive(t, p, "the cloud", `!location.pathname.startsWith("/mfa/")`)
	if e := d.actions(t, "mfa.answered"); len(e) == 0 || !strings.Contains(e[0].Reason, "in time") {
		t.Errorf("the trail: %+v", e[:min(len(e), 1)])
	}
}

// rolled signs with the key that was published as the spare one.
func (d *desk) rolled(t *testing.T) {
	d.lab.In(t).Jump(25 * time.Hour) // Entra ID has read what is published
	if _, early, err := d.in.External.Emergency(t.Context(), "local:test"); err != nil || early {
		t.Fatal(early, err)
	}
	p := d.knock(t, d.stranger(t))
	to(t, p, `a[href="?use=totp"]`)
	typed(t, p, d.code(t))
	d.home(t, p)
}

// recovery takes a code of the paper, once, and without a script on any page.
func (d *desk) recovery(t *testing.T) {
	p := open(t, d.stranger(t), d.lab.Info.Portal+"/signin?mfa=1&return=/", 360, "dark")
	if _, err := chromedp.Call(p.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	again := func() {
		t.Helper()
		arrive(t, p, "the method is offered", `document.querySelector("button[value^='external:']")`)
		follow(t, p, `const e = document.querySelector("button[value^='external:']"); e?.click(); return e`)
		press(t, p, "") // on to us, by the button
		arrive(t, p, "our page", atUs)
		to(t, p, `a[href="?use=recovery"]`)
	}
	enter(t, p, `input[autocomplete~="username"]`, d.who.UPN)
	enter(t, p, `input[autocomplete="current-password"]`, d.who.Password)
	again()
	typed(t, p, d.codes[0])
	press(t, p, "Go on") // and back
	d.home(t, p)
	forget(t, p)
	visit(t, p, d.lab.Info.Portal+"/signin?mfa=1&return=/")
	enter(t, p, `input[autocomplete~="username"]`, d.who.UPN)
	enter(t, p, `input[autocomplete="current-password"]`, d.who.Password)
	again()
	typed(t, p, d.codes[0])
	says(t, p, "not right")
	if d.codes = d.codes[1:]; len(d.codes) != 9 {
		t.Fatal(len(d.codes))
	}
}

// twoGive has one of the help desk ask for a temporary pass and another one give it.
func (d *desk) twoGive(t *testing.T) {
	who := d.operator(t)
	p := open(t, who, d.public+"/roles/give", 1280, "light")
	object := ""
	d.lab.Edit(func(_ *world.State, te *world.Tenant) { object = te.UserByName(labtest.Admin).ID })
	fill(t, p, "kind", "user", "subject", object, "name", labtest.Admin, "role", "help-desk")
	press(t, p, "Give a role")
	row := "/factors?row=" + listed(t, p, "factors")[0]["id"].(string)
	visit(t, p, d.public+row)
	fill(t, p, "what", "pass", "reason", "phone at home; at the desk with a badge")
	follow(t, p, `const e = document.querySelector("form[action*='/factors/ask'] button"); e?.click(); return e`)
	says(t, p, "Another person of the help desk approves")
	press(t, p, "Approve it")
	says(t, p, "cannot approve it")
	second := d.person(t, labtest.Admin, "/factors")
	visit(t, second, d.public+row)
	press(t, second, "Approve it")
	_, rest, ok := strings.Cut(text(t, second), "shown once: ")
	if !ok {
		t.Fatalf("no pass: %.800s", text(t, second))
	}
	guest := d.knock(t, d.stranger(t))
	to(t, guest, `a[href="?use=pass"]`)
	typed(t, guest, strings.Fields(rest)[0])
	d.home(t, guest)
	if e := d.actions(t, "mfa.pass-used"); len(e) != 1 {
		t.Errorf("the pass was used %d times", len(e))
	}
}

// keyboardAsks says that Tab comes by everything on our page, in order, with a focus that
// is seen.
func (d *desk) keyboardAsks(t *testing.T, p *tab) {
	var got []string
	last := -1
	for range 12 {
		at := tabbed(t, p)
		if at.Tag == "BODY" {
			break
		}
		if at.Outline == "none" || at.Index < last {
			t.Errorf("%s %q: outline %s, after %d", at.Tag, at.Text, at.Outline, last)
		}
		last = at.Index
		got = append(got, strings.TrimSpace(at.Tag+" "+at.Text))
	}
	for _, want := range []string{"BUTTON Go on", "A Security key or passkey", "A Recovery codes", "BUTTON This was not me", "BUTTON Cancel"} {
		if !slices.Contains(got, want) {
			t.Errorf("Tab does not come by %s: %q", want, got)
		}
	}
}
