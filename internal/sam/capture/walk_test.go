package capture_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/claim"
	"partnerguard/internal/labtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud/gate"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/secret"
)

func main(page string) string { return page[max(0, strings.Index(page, "<main>")):] }

// The whole walk: a listener, a browser with a one-time passcode, the page at
// its end, what is kept and what the trail says.
func TestConnect(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	var end *http.Response
	var text string
	lo, err := l.c.Listen(t.Context(), l.request())
	if err != nil {
		t.Fatal(err)
	}
	if u, _ := url.Parse(lo.URL); u.Query().Get("amr_values") != "mfa" || u.Query().Get("prompt") != "login" || u.Query().
		Get("code_challenge_method") != "S256" || u.Query().Get("nonce") == "" || !strings.Contains(u.Path, "/oauth2/authorize") {
		t.Errorf("the address: %s", u.Path)
	}
	w := l.Browser().Open(lo.URL).SignIn(l.Person(samAgent))
	if w.Left == nil {
		t.Fatalf("the browser did not leave: %s", main(w.Page))
	}
	if end, err = http.Get(w.Left.String()); err != nil {
		t.Fatal(err)
	}
	raw, _ := io.ReadAll(end.Body)
	_ = end.Body.Close()
	text = string(raw)
	if at := end.Request.URL; at.RawQuery != "" || !strings.HasPrefix(at.Path, "/signed-in/") {
		t.Errorf("the code stays in the address bar: %s", at.Path)
	}
	if !strings.Contains(text, `<bdi>contoso.com</bdi> <span class="id">`+l.i.Tenant.ID) {
		t.Errorf("the tenant has no name: %s", text)
	}
	done, err := lo.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if end.StatusCode != http.StatusOK || !strings.Contains(text, "<h1>Connected</h1>") || !strings.Contains(text, samAgent) ||
		strings.Contains(text, "<script") {
		t.Errorf("the page: %d %s", end.StatusCode, text)
	}
	if p := end.Header.Get("Content-Security-Policy"); !strings.HasPrefix(p, "default-src 'none'") || end.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers: %v", end.Header)
	}
	kept := l.shelf.all()
	if len(kept) != 1 {
		t.Fatalf("%d kept", len(kept))
	}
	k := kept[0]
	if k.Tenant != l.i.Tenant.ID || k.Account != samAgent || k.ClientID != panelApp || k.Domain != "contoso.com" || k.Name != "" ||
		k.Proof.Answer != claim.Proven || !slices.Contains(k.Proof.By, "pwd") {
		t.Errorf("kept: %+v", k)
	}
	if now := l.Now(); now.Sub(k.AuthTime) > 5*time.Minute || k.AuthTime.After(now) {
		t.Errorf("auth time %s at %s", k.AuthTime, now)
	}
	if got := k.Scopes[l.cloud.ARMResource]; !slices.Equal(got, []string{"user_impersonation"}) {
		t.Errorf("ARM scopes: %v", got)
	}
	if len(done.Difference.Missing) != 0 || !slices.Contains(done.Difference.More[l.cloud.GraphResource], "PartnerSecurity.ReadWrite.All") {
		t.Errorf("difference: %+v", done.Difference)
	}
	// What was kept works.
	if _, err := l.msapi.Refresh(t.Context(), msapi.RefreshRequest{Cloud: l.cloud, App: l.App(panelApp), Tenant: l.i.Tenant.ID, Refresh: k.Refresh,
		Scope: l.cloud.PartnerCenterResource + "/.default"}); err != nil {
		t.Errorf("the kept token: %v", err)
	}
	if d := cmp.Diff([]string{"connection.consented done "}, told(l.trail)); d != "" {
		t.Error(d)
	}
	for _, s := range []string{k.Refresh.Reveal(), w.Left.Query().Get("code"), w.Left.Query().Get("state")} {
		if strings.Contains(text, s) {
			t.Error("the page holds a secret")
		}
	}
	if res, err := http.Get(w.Left.String()); err == nil {
		_ = res.Body.Close()
		t.Error("the listener still answers")
	}
}

// Without MFA at the end nothing is kept: a person whose account cannot do it,
// and one who took amr_values out of the address.
func TestWithoutMFA(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	b, err := l.c.Begin(t.Context(), l.request(func(r *capture.Request) { r.Redirect = "http://localhost:8400/callback" }))
	if err != nil {
		t.Fatal(err)
	}
	// Asked for MFA, the person cannot get past registration.
	if w := l.Browser().Open(b.URL).SignIn(l.Person(nomfa)); w.Left != nil && w.Left.Query().Get("code") != "" {
		t.Error("a person without MFA got a code although MFA was demanded")
	}
	_, err = l.c.Complete(t.Context(), l.answer(strings.Replace(b.URL, "amr_values=mfa", "", 1), nomfa))
	if cause(err) != capture.NoMFA || len(l.shelf.all()) != 0 || problem.HintOf(err) == "" {
		t.Errorf("%v, kept %d", err, len(l.shelf.all()))
	}
	if d := cmp.Diff([]string{"connection.refused refused no mfa"}, told(l.trail)); d != "" {
		t.Error(d)
	}
	// A check says what it finds and keeps nothing.
	b, err = l.c.Begin(t.Context(), l.request(func(r *capture.Request) {
		r.App, r.Check, r.Redirect = l.App(toolApp), true, "http://localhost:8400/"
	}))
	if err != nil {
		t.Fatal(err)
	}
	done, err := l.c.Complete(t.Context(), l.answer(strings.Replace(b.URL, "amr_values=mfa", "", 1), nomfa))
	if err != nil || done.Verdict.Answer != claim.NotProven || done.Access.IsZero() || len(l.shelf.all()) != 0 {
		t.Errorf("check: %+v %v", done.Verdict, err)
	}
}

// A vendor's app in an invited partner's tenant: the invitation binds tenant
// and browser.
func TestInvitedPartner(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	invite := func(r *capture.Request) {
		r.App, r.Model, r.Bind, r.Tenant = l.App(vendor), sam.CPV, true, "contoso.com"
		r.Features = nil
	}
	b, err := l.c.Begin(t.Context(), l.request(func(r *capture.Request) { r.Redirect = "http://localhost:8400/callback" }, invite))
	if err != nil {
		t.Fatal(err)
	}
	w := l.Browser().Open(b.URL).SignIn(l.Person(labtest.Admin))
	if strings.Contains(w.Page, `value="consent"`) || w.Left == nil { // an administrator consents for the tenant
		w.Press("do", "consent", "accept", "1")
	}
	if w.Left == nil {
		t.Fatalf("the browser did not leave: %s", main(w.Page))
	}
	cb, err := capture.ParseCallback(w.Left.RawQuery)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.c.Complete(t.Context(), cb); cause(err) != capture.OtherTab {
		t.Errorf("without the cookie: %v", err)
	}
	cb.Binding = secret.New("another")
	if _, err := l.c.Complete(t.Context(), cb); cause(err) != capture.OtherTab {
		t.Errorf("with another's cookie: %v", err)
	}
	cb.Binding = b.Binding
	done, err := l.c.Complete(t.Context(), cb)
	if err != nil || done.Tenant != l.i.Tenant.ID || l.shelf.all()[0].Model != sam.CPV {
		t.Fatalf("%+v %v", done, err)
	}
	if _, err := l.c.Complete(t.Context(), cb); cause(err) != capture.Replayed {
		t.Errorf("a second time: %v", err)
	}
}

// Answers that are late, replayed, forged, declined, mixed up, of another
// account, or for a code that somebody else made.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*capture.Request)
		twist  func(l *lab, cb *capture.Callback)
		want   capture.Cause
		stays  bool // the right answer still works afterwards
	}{
		"forged state":   {nil, func(_ *lab, cb *capture.Callback) { cb.State = secret.New(strings.Repeat("0", 64)) }, capture.Forged, true},
		"state cut":      {nil, func(_ *lab, cb *capture.Callback) { cb.State = secret.New(cb.State.Reveal()[:63]) }, capture.Forged, true},
		"late":           {nil, func(l *lab, _ *capture.Callback) { l.Jump(capture.Life) }, capture.Late, false},
		"another issuer": {nil, func(_ *lab, cb *capture.Callback) { cb.Issuer = "https://login.evil.example/" }, capture.Authority, false},
		"forged code":    {nil, func(_ *lab, cb *capture.Callback) { cb.Code = secret.New("0.AAAA") }, capture.Declined, false},
		"declined":       {nil, func(_ *lab, cb *capture.Callback) { cb.Code, cb.Err = secret.Text{}, "access_denied" }, capture.Declined, false},
		"consent declined": {nil, func(_ *lab, cb *capture.Callback) { cb.Code, cb.Err, cb.AADSTS = secret.Text{}, "access_denied", 65004 }, capture.Declined,
			false},
		"another account": {func(r *capture.Request) { r.Account, r.Hint = "mia.lindqvist@contoso.com", samAgent }, nil,
			capture.Account, false},
		"the code of another sign-in (injection)": {nil, func(l *lab, cb *capture.Callback) { cb.Code = l.walk(samAgent).Code }, capture.Declined, false},
		"a wrong secret": {func(r *capture.Request) {
			bad, _ := msapi.NewSecret(secret.New("wrong"), time.Time{})
			r.App = msapi.App{ClientID: panelApp, Credential: bad}
		}, nil, capture.Declined, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			var change []func(*capture.Request)
			if c.change != nil {
				change = append(change, c.change)
			}
			cb := l.walk(samAgent, change...)
			right := cb
			if c.twist != nil {
				c.twist(l, &cb)
			}
			_, err := l.c.Complete(t.Context(), cb)
			if got := cause(err); got != c.want || len(l.shelf.all()) != 0 {
				t.Errorf("%q: %v, kept %d", got, err, len(l.shelf.all()))
			}
			if d := cmp.Diff([]string{"connection.refused refused " + string(c.want)}, told(l.trail)); d != "" {
				t.Error(d)
			}
			if _, err := l.c.Complete(t.Context(), right); (err == nil) != c.stays {
				t.Errorf("the right answer afterwards: %v", err)
			}
		})
	}
}

// What goes wrong on the way is no refusal, and what cannot be recorded or kept
// is not kept.
func TestTrouble(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	cb := l.walk(samAgent)
	f, err := l.s.Gate.Inject(gate.Fault{Service: gate.Login, Kind: gate.Cut, Method: http.MethodPost})
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.c.Complete(t.Context(), cb)
	l.s.Gate.Clear(f.ID)
	if cause(err) != "" || err == nil || len(l.shelf.all()) != 0 {
		t.Errorf("cut: %v", err)
	}
	l.trail.Fail(io.ErrClosedPipe)
	if _, err := l.c.Complete(t.Context(), l.walk(samAgent)); err == nil || len(l.shelf.all()) != 0 {
		t.Errorf("an unrecorded consent: %v, kept %d", err, len(l.shelf.all()))
	}
	l.trail.Fail(nil)
	// The other resources can wait: the consent is kept, and the note says what
	// is not known.
	cb = l.walk(samAgent)
	if _, err := l.s.Gate.Inject(gate.Fault{Service: gate.Login, Kind: gate.Error503, PathPrefix: "/" + l.i.Tenant.ID + "/oauth2/v2.0/token"}); err != nil {
		t.Fatal(err)
	}
	done, err := l.c.Complete(t.Context(), cb)
	if err != nil || len(done.Notes) != 2 || len(l.shelf.all()) != 1 {
		t.Errorf("%v %v", done.Notes, err)
	}
}

// The listener bears what is not the answer: other paths, methods, names,
// forged answers, and then still takes the right one, by a form too.
func TestListener(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"query", "form_post"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			lo, err := l.c.Listen(t.Context(), l.request(func(r *capture.Request) { r.Mode = mode }))
			if err != nil {
				t.Fatal(err)
			}
			base := "http://" + lo.Door.Host
			form := "application/x-www-form-urlencoded"
			for name, c := range map[string]struct {
				method, where, host, origin, kind, body string
				want                                    int
			}{
				"another path":    {"GET", "/favicon.ico", "", "", "", "", 404},
				"a longer path":   {"GET", "/callback/x?state=a&code=b", "", "", "", "", 404},
				"an encoded path": {"GET", "/%63allback?state=a&code=b", "", "", "", "", 404},
				"another name":    {"GET", "/callback?state=a&code=b", "evil.example", "", "", "", 421},
				"another method":  {"PUT", "/callback?state=a&code=b", "", "", "", "", 405},
				"the other mode":  {map[string]string{"query": "POST", "form_post": "GET"}[mode], "/callback?state=a&code=b", "", "", form, "", 405},
				"nothing":         {map[string]string{"query": "GET", "form_post": "POST"}[mode], "/callback", "", "", form, "", 400},
				"forged": {map[string]string{"query": "GET", "form_post": "POST"}[mode], "/callback?state=a&code=b", "", "", form, "state=a&code=b",
					400},
				"twice": {map[string]string{"query": "GET", "form_post": "POST"}[mode], "/callback?state=a&code=b&code=c", "", "", form,
					"state=a&state=b&code=b", 400},
			} {
				r, err := http.NewRequest(c.method, base+c.where, strings.NewReader(c.body))
				if err != nil {
					t.Fatal(err)
				}
				if c.host != "" {
					r.Host = c.host
				}
				r.Header.Set("Content-Type", c.kind)
				res, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Fatal(name, err)
				}
				_ = res.Body.Close()
				if res.StatusCode != c.want {
					t.Errorf("%s: %d, want %d", name, res.StatusCode, c.want)
				}
			}
			w := l.Browser().Open(lo.URL).SignIn(l.Person(samAgent))
			var res *http.Response
			if mode == "query" {
				res, err = http.Get(w.Left.String())
			} else {
				if strings.Contains(w.Action(), "/common/") || !strings.HasPrefix(w.Action(), base) {
					t.Fatalf("the form goes to %s", w.Action())
				}
				r, _ := http.NewRequest("POST", w.Action(), strings.NewReader(w.Fields().Encode()))
				r.Header.Set("Content-Type", form)
				r.Header.Set("Origin", "https://evil.example")
				if res, err := http.DefaultClient.Do(r); err != nil || res.StatusCode != 403 {
					t.Errorf("a form from elsewhere: %v %v", res, err)
				}
				res, err = http.PostForm(w.Action(), w.Fields())
			}
			if err != nil || res.StatusCode != 200 {
				t.Fatal(res, err)
			}
			_ = res.Body.Close()
			if _, err := lo.Wait(t.Context()); err != nil || len(l.shelf.all()) != 1 {
				t.Errorf("%v, kept %d", err, len(l.shelf.all()))
			}
		})
	}
}

// Nobody comes back, or the program is ended.
func TestListenerGivesUp(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ctx, cancel := context.WithCancel(t.Context())
	shown := ""
	_, err := l.c.Run(ctx, l.request(), func(string) error { return io.EOF }, func(u string, opened bool) {
		if shown = u; opened {
			t.Error("it says that a browser was opened")
		}
		cancel()
	})
	if err != context.Canceled || shown == "" {
		t.Errorf("%v, shown %q", err, shown)
	}
	w := l.Browser().Open(shown).SignIn(l.Person(samAgent))
	cb, err := capture.ParseCallback(w.Left.RawQuery)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.c.Complete(t.Context(), cb); cause(err) != capture.Forged {
		t.Errorf("an answer to what was given up: %v", err)
	}
}
