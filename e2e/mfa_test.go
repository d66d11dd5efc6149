//go:build browser

package e2e

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"partnerguard/internal/collect"
	"partnerguard/internal/labtest"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/secret"
)

// Our provider of External MFA in a browser, from the invitation to the claim and the log.
// What each part does to the person the next one finds.
func TestMFA(t *testing.T) {
	d := newDesk(t)
	link := d.invited(t, d.operator(t), labtest.NoMFA)
	with := open(t, d.stranger(t), link, 1280, "light") // the browser with their security key
	ok := t.Run("enrol", func(t *testing.T) { d.enrol(t, with, link) }) &&
		t.Run("passcode", d.byPasscode) && t.Run("key", func(t *testing.T) { d.byKey(t, with) })
	if !ok {
		return
	}
	t.Run("log", d.log)
	t.Run("wrong", d.wrong)
	t.Run("recovery code, without a script", d.recovery)
	t.Run("temporary pass", d.twoGive)
	t.Run("late", d.late)
	t.Run("not me", d.notMe)
	t.Run("rolled keys", d.rolled)
}

// methods are those that an access token names.
func methods(t *testing.T, access secret.Text) []string {
	t.Helper()
	var claims struct {
		AMR []string `json:"amr"`
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(access.Reveal(), ".")[1])
	if err == nil {
		err = json.Unmarshal(raw, &claims)
	}
	if err != nil {
		t.Fatal("the access token cannot be read")
	}
	return claims.AMR
}

// invited is the address of an invitation that the help desk makes in the console.
func (d *desk) invited(t *testing.T, who context.Context, upn string) string {
	t.Helper()
	p := open(t, who, d.public+"/factors", 1280, "light")
	press(t, p, "Invite")
	object := ""
	d.lab.Edit(func(s *world.State, te *world.Tenant) { object = te.UserByName(upn).ID })
	fill(t, p, "tenant-id", d.lab.Info.Tenant.ID, "object", object, "login", upn, "name", "No Method")
	press(t, p, "Invite")
	_, rest, ok := strings.Cut(text(t, p), "shown once: ")
	if !ok {
		t.Fatalf("no invitation: %.800s", text(t, p))
	}
	return strings.Fields(rest)[0]
}

// enrol sets up an app and a security key, as the person who was invited.
func (d *desk) enrol(t *testing.T, p *tab, link string) {
	authenticator(t, p)
	says(t, p, labtest.NoMFA, "local:test")
	press(t, p, "This is me")
	to(t, p, `a[href$="add=app"]`)
	d.key = strings.ReplaceAll(eval[string](t, p, `return document.querySelector(".secret code").innerText`), " ", "")
	typed(t, p, "000000")
	says(t, p, "not")
	typed(t, p, d.code(t))
	says(t, p, "is set up", "recovery codes")
	d.codes = eval[[]string](t, p, `return [...document.querySelectorAll(".codes code")].map(e => e.innerText)`)
	if len(d.codes) != 10 {
		t.Fatalf("%d recovery codes", len(d.codes))
	}
	to(t, p, `main nav a`)
	to(t, p, `a[href$="add=key"]`)
	fill(t, p, "label", "Blue key")
	snap(t, p, "mfa-key")
	if err := chromedp.Do(p.ctx, chromedp.Focus(`form[data-key] button`), chromedp.KeyEvent("\r")); err != nil {
		t.Fatal(err)
	}
	arrive(t, p, "the key is set up", `document.querySelector("h1").innerText === "Blue key is set up"`)
	to(t, p, `main nav a`)
	says(t, p, "Blue key", "Authenticator app", "10 codes left")
	excuse(t, p, "403")
	alone(t, p, d.public)
	again := open(t, d.stranger(t), link, 1280, "light")
	if strings.Contains(text(t, again), "This is me") {
		t.Error("an invitation is good twice")
	}
}

// byPasscode signs in to the portal with a passcode, by keyboard.
func (d *desk) byPasscode(t *testing.T) {
	p := d.knock(t, d.stranger(t))
	to(t, p, `a[href="?use=totp"]`)
	says(t, p, "Contoso", labtest.NoMFA, "Microsoft Entra ID", "127.0.0.1", "UTC", "This was not me", "not a Microsoft page")
	snap(t, p, "mfa-challenge")
	looks(t, p, "mfa-passcode", axe(t))
	d.keyboardAsks(t, p)
	typed(t, p, d.code(t))
	d.home(t, p)
	snap(t, p, "mfa-claim")
	if amr := d.granted(t, p); !slices.Contains(amr, "mfa") {
		t.Errorf("the token's methods are %v", amr)
	}
}

// byKey signs in with the security key.
func (d *desk) byKey(t *testing.T, p *tab) {
	forget(t, p)
	visit(t, p, d.lab.Info.Portal+"/signin?mfa=1&return=/")
	d.pass(t, p)
	says(t, p, "Use your security key")
	if err := chromedp.Do(p.ctx, chromedp.Focus(`form[data-key] button`), chromedp.KeyEvent("\r")); err != nil {
		t.Fatal(err)
	}
	d.home(t, p)
	if amr := d.granted(t, p); !slices.Contains(amr, "mfa") {
		t.Errorf("the token's methods are %v", amr)
	}
	if e := d.actions(t, "mfa.answered"); len(e) == 0 || e[0].Details["amr"] != "fido" {
		t.Errorf("the trail: %+v", e)
	}
}

// log finds the sign-in in the cloud's log, as it was collected.
func (d *desk) log(t *testing.T) {
	d.lab.In(t).Jump(20 * time.Minute)
	own, err := d.in.Collect.Meet(t.Context())
	if err == nil { // the server reads by itself, too
		_, err = d.in.Collect.Round(t.Context(), own.ID, collect.Ask{Now: true, Only: []string{"signIns.interactiveUser"}, Busy: func(collect.Tenant) {}})
	}
	if err == nil {
		_, _, err = d.in.KeepRound(t.Context(), d.lab.Info.Tenant.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	p := open(t, d.operator(t), d.public+"/signins?q=nomfa", 1440, "light")
	at := ""
	for _, row := range listed(t, p, "signins?q=nomfa") {
		if row["success"] == true && row["app"] == "Microsoft Partner Center" {
			at, _ = row["id"].(string)
		}
	}
	if at == "" {
		t.Fatal("the log has no sign-in to the portal")
	}
	visit(t, p, d.public+"/signins?q=nomfa&row="+at)
	says(t, p, "external provider", method)
	clip := eval[cdppage.Viewport](t, p, `const r = document.querySelector("form.tools").getBoundingClientRect();
		return {x: r.left - 24, y: r.top + scrollY - 24, width: innerWidth - r.left + 24, height: 800, scale: 1}`)
	part(t, p, "mfa-row", clip)
}
