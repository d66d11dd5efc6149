//go:build browser

package e2e

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"

	"partnerguard/internal/app"
	"partnerguard/internal/labtest"
	"partnerguard/internal/mfa/register"
	"partnerguard/internal/mfa/selftest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
	"partnerguard/internal/trail"
)

// method is what the portal's people see of our provider.
const method = "Contoso desk"

// desk is a house that is the MFA provider of its cloud, and one person of it.
type desk struct {
	*house
	who   labtest.Person
	key   string   // of their authenticator app, in base32
	codes []string // for recovery, not used yet
}

// newDesk has an installation registered with the cloud as an administrator does it: by a
// plan that is written, read again and applied.
func newDesk(t *testing.T) *desk {
	t.Helper()
	lab := labtest.Start(t)
	d := &desk{house: houseOf(t, lab, lab.Now, func(h *house) {
		if _, _, err := h.in.ConnectLab(t.Context()); err != nil { // what reads the log
			t.Fatal(err)
		}
		a, err := h.in.SAM.Store.App(t.Context(), labtest.PanelApp)
		if err != nil {
			t.Fatal(err)
		}
		c, err := h.in.SAM.Capture()
		if err != nil {
			t.Fatal(err)
		}
		lab.Connect(c, capture.Request{Name: "registrar", Cloud: h.in.Cloud, App: a, Features: []capture.Feature{capture.ExternalMFA}}, labtest.Admin)
	}), who: lab.Person(labtest.NoMFA)}
	d.register(t)
	return d
}

func (d *desk) register(t *testing.T) {
	t.Helper()
	const by = "registrar"
	p, err := d.in.ExternalPlan(t.Context(), app.ExternalAsk{Connection: by, Name: method})
	if err != nil {
		t.Fatal(err)
	}
	p.Name = "Contoso"
	text, err := p.YAML()
	if err != nil {
		t.Fatal(err)
	}
	if p, err = register.Read("plan.yaml", text); err != nil {
		t.Fatal(err)
	}
	if _, _, err = d.in.ExternalApply(t.Context(), by, p); err != nil {
		t.Fatal(err)
	}
	checks, err := d.in.ExternalSelftest(t.Context(), "", by)
	if err != nil || slices.ContainsFunc(checks, func(c selftest.Check) bool { return c.Result == selftest.Bad }) {
		t.Fatalf("the self-test: %v %+v", err, checks)
	}
	if _, err := d.in.SAM.Store.Remove(t.Context(), by); err != nil { // kept for registering alone
		t.Fatal(err)
	}
}

// code is a passcode of the person's app, of a step that was not used.
func (d *desk) code(t *testing.T) string {
	t.Helper()
	d.lab.In(t).Jump(31 * time.Second)
	return d.shown(t)
}

// shown is the passcode that their app shows now.
func (d *desk) shown(t *testing.T) string {
	t.Helper()
	code, err := totp.GenerateCode(d.key, d.lab.Now())
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// arrive waits until the browser is somewhere, over pages that send themselves.
func arrive(t *testing.T, p *tab, what, script string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(40 * time.Millisecond) {
		if ok, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](`document.readyState === "complete" && Boolean(`+script+`)`)); err == nil && ok {
			return
		}
	}
	t.Fatalf("%s: never, at %s\n%.2500s", what, eval[string](t, p, `return location.href`), text(t, p))
}

const (
	atUs   = `location.pathname.startsWith("/mfa/challenge/")`
	atEnd  = `document.querySelector("button[value=leave]") || location.pathname === "/"`
	atFail = `document.querySelector("main").innerText.includes("AADSTS")`
)

// knock signs a person in to the cloud's portal by keyboard, up to our page.
func (d *desk) knock(t *testing.T, ctx context.Context) *tab {
	t.Helper()
	p := open(t, ctx, d.lab.Info.Portal+"/signin?mfa=1&return=/", 1280, "light")
	d.pass(t, p)
	return p
}

// pass is name and password at the authority, and the choice of our method there.
func (d *desk) pass(t *testing.T, p *tab) {
	t.Helper()
	if here(t, p) == "account" {
		enter(t, p, `input[autocomplete~="username"]`, d.who.UPN)
	}
	if here(t, p) == "password" {
		enter(t, p, `input[autocomplete="current-password"]`, d.who.Password)
	}
	d.choose(t, p)
}

func (d *desk) choose(t *testing.T, p *tab) {
	t.Helper()
	arrive(t, p, "the method is offered", `document.querySelector("button[value^='external:']")`)
	snap(t, p, "mfa-choice")
	if err := chromedp.Do(p.ctx, chromedp.Focus(`button[value^="external:"]`), chromedp.KeyEvent("\r")); err != nil {
		t.Fatal(err)
	}
	arrive(t, p, "our page", atUs)
}

// home goes on from where the cloud has our word to the portal's first page.
func (d *desk) home(t *testing.T, p *tab) {
	t.Helper()
	arrive(t, p, "the cloud takes our word", atEnd)
	if path(t, p) != "/" {
		follow(t, p, `const e = document.querySelector("button[value=leave]"); e?.click(); return e`)
		arrive(t, p, "the portal", `location.pathname === "/"`)
	}
	says(t, p, "MFA claim", "present", "pwd, mfa")
}

// typed answers the page's one field by keyboard.
func typed(t *testing.T, p *tab, code string) {
	t.Helper()
	enter(t, p, `main input[name="code"]`, code)
}

// forget makes the browser one that nobody knows.
func forget(t *testing.T, p *tab) {
	t.Helper()
	if _, err := chromedp.Call(p.ctx, network.ClearBrowserCookies, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
}

// authenticator gives the tab a security key that verifies its user.
func authenticator(t *testing.T, p *tab) webauthn.AuthenticatorID {
	t.Helper()
	if _, err := chromedp.Call(p.ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	r, err := chromedp.Call(p.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportUsb, HasResidentKey: true, HasUserVerification: true,
		IsUserVerified: true, AutomaticPresenceSimulation: true}})
	if err != nil {
		t.Fatal(err)
	}
	return r.AuthenticatorID
}

// granted gives the methods in an access token of the browser that is signed in.
func (d *desk) granted(t *testing.T, p *tab) []string {
	t.Helper()
	got := make(chan url.Values, 1)
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/callback" {
			got <- r.URL.Query()
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!DOCTYPE html><title>app</title><main><h1>Signed in</h1></main>"))
	}))
	defer back.Close()
	where := strings.Replace(back.URL, "127.0.0.1", "localhost", 1) + "/callback"
	verifier := token.Verifier()
	to, err := d.lab.API.AuthorizeURL(msapi.AuthorizeRequest{Cloud: d.lab.Cloud, ClientID: labtest.PanelApp, Tenant: d.lab.Info.Tenant.ID, Redirect: where,
		Resource: d.lab.Cloud.PartnerCenterResource, State: token.State(), Nonce: token.Nonce(), Challenge: token.Challenge(verifier), Mode: "query",
		AMR: "mfa"})
	if err != nil {
		t.Fatal(err)
	}
	visit(t, p, to)
	arrive(t, p, "the application", `location.pathname === "/callback"`)
	g, err := d.lab.API.Redeem(t.Context(), msapi.RedeemRequest{Cloud: d.lab.Cloud, App: d.lab.App(labtest.PanelApp), Tenant: d.lab.Info.Tenant.ID,
		Code: secret.New((<-got).Get("code")), Verifier: verifier, Redirect: where, Resource: d.lab.Cloud.PartnerCenterResource})
	if err != nil {
		t.Fatal(err)
	}
	return methods(t, g.Access)
}

// actions are the newest entries of the trail, by what they record.
func (d *desk) actions(t *testing.T, action string) []trail.Entry {
	t.Helper()
	f, err := d.in.Trail.Search(t.Context(), trail.Query{Action: action, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	return f.Entries
}

// excuse forgives what the browser says of answers that were to be refused.
func excuse(t *testing.T, p *tab, status string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	was := len(p.errors)
	p.errors = slices.DeleteFunc(p.errors, func(s string) bool { return strings.Contains(s, "status of "+status) })
	if len(p.errors) == was {
		t.Errorf("nothing was refused with %s", status)
	}
}

// looks says of the page the browser is on that it fits and has no faults, on a phone and
// on a desk, in light and dark.
func looks(t *testing.T, p *tab, name, script string) {
	t.Helper()
	for _, width := range []int64{1280, 360} {
		for _, scheme := range []string{"dark", "light"} {
			shape(t, p, width, scheme)
			for _, s := range eval[[]string](t, p, overflowIn) {
				t.Errorf("%s, %d wide, %s: sideways overflow: %s", name, width, scheme, s)
			}
			for _, s := range eval[[]string](t, p, contrast) {
				t.Errorf("%s, %d wide, %s: contrast: %s", name, width, scheme, s)
			}
			if out := faults(t, p, script); out != "" {
				t.Errorf("%s, %d wide, %s: axe-core: %s", name, width, scheme, out)
			}
			keep(t, p, name+"-"+strconv.FormatInt(width, 10)+"-"+scheme)
		}
	}
	shape(t, p, 1280, "light")
}
