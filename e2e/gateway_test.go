//go:build browser

package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/gateway"
	gatewayanswer "partnerguard/internal/gateway/answer"
	"partnerguard/internal/gateway/assert"
	"partnerguard/internal/gateway/guard"
	"partnerguard/internal/gateway/proxy"
	"partnerguard/internal/gateway/session"
	"partnerguard/internal/gateway/verify"
	"partnerguard/internal/labtest"
	"partnerguard/internal/partnercloud/world"
)

// ordersAPI is an API of the partner's own in the default scenario.
const ordersAPI = "b3e7a1d5-64c2-4f08-9d3b-0e5a7c91f2d8"

// labKeys gives the partner cloud's keys for any authority.
type labKeys struct{ *labtest.Lab }

func (k labKeys) Keys(ctx context.Context, _ gateway.Authority, kid string) (jose.JSONWebKeySet, error) {
	return k.API.Keys(ctx, k.Cloud, k.Info.Tenant.ID, kid)
}

// gate is a gateway in front of a sample tool, at the partner cloud.
type gate struct {
	*labtest.Lab
	at    string // http://localhost:PORT
	take  func(rule string)
	tool  *httptest.Server
	heard []session.Event
}

// gatewayOf serves a gateway with one route; rule is its further lines.
func gatewayOf(t *testing.T, lab *labtest.Lab, rule string) *gate {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	g := &gate{Lab: lab, at: "http://" + strings.Replace(l.Addr().String(), "127.0.0.1", "localhost", 1)}
	g.tool = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(w, "<!DOCTYPE html><html lang=en><title>Tool</title><main><h1>The tool</h1><p>user=%s mfa=%s</p></main>",
			r.Header.Get("X-Partnerguard-User"), r.Header.Get("X-Partnerguard-MFA"))
	}))
	t.Cleanup(g.tool.Close)
	lab.Redirect(labtest.PanelApp, g.at+"/.partnerguard/callback")
	d := dbtest.SQLite(t)
	_, v := lab.Keep(d)
	box, err := session.NewBox(t.Context(), v, d)
	must(err)
	var judge *guard.Guard
	m, err := session.New(session.Deps{Seal: box, Entra: lab.API, Table: func() *gateway.Table { return judge.Table() }, Now: lab.Now, Lab: true,
		SignIn: func(context.Context) (session.SignIn, error) {
			return session.SignIn{App: lab.App(labtest.PanelApp), Cloud: lab.Cloud, Tenant: lab.Info.Tenant.ID, Name: lab.Info.Tenant.Domain}, nil
		},
		Record: func(_ context.Context, e session.Event) error { g.heard = append(g.heard, e); return nil }})
	must(err)
	verifier := verify.New(verify.Deps{Keys: labKeys{lab}, Leeway: time.Minute, Now: lab.Now})
	judge, err = guard.New(guard.Deps{Verifier: verifier, Sessions: m})
	must(err)
	told, err := assert.New(assert.Deps{Now: lab.Now})
	must(err)
	p, err := proxy.New(proxy.Deps{Judge: judge, Assert: told, Answer: gatewayanswer.Options{Authority: lab.Cloud.Authority, SignIn: true},
		Own: m.Handler(), Now: lab.Now})
	must(err)
	n := uint64(0)
	g.take = func(rule string) {
		t.Helper()
		n++
		text := "version: 1\nlisten: [{at: 127.0.0.1:1}]\nauthorities: [{cloud: public}]\ntenants: [" + lab.Info.Tenant.ID + "]\nsignIn: {app: " +
			labtest.PanelApp + ", secret: x}\nroutes:\n  - name: tool\n    host: localhost\n    upstream: " + g.tool.URL +
			"\n    callers: [browser, api]\n    audiences: [\"api://" + ordersAPI + "\", " + ordersAPI + "]\n" + rule
		f, err := gateway.Read([]byte(text), gateway.Names{Now: lab.Now()})
		must(err)
		table := f.Compile(n)
		must(verifier.Turn(n, []gateway.Authority{{Name: "lab", Cloud: "public", Issuers: gateway.CloudIssuers(lab.Cloud.Authority, lab.Cloud.Issuers)}}))
		judge.Take(table)
		must(p.Take(table))
	}
	g.take(rule)
	srv := &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close(); <-done })
	return g
}

// Report mode lets a single-factor sign-in through and says so; then it is enforced, the
// person steps up with TOTP, is at the tool; an hour later is asked again; and signs out.
func TestGatewayStepUp(t *testing.T) {
	lab := labtest.Start(t)
	lab.Edit(func(_ *world.State, te *world.Tenant) { te.Policies = world.Table[world.Document, *world.Document]{} }) // nobody asks for MFA
	soon := lab.Now().Add(7 * 24 * time.Hour).Format("2006-01-02")
	g := gatewayOf(t, lab, "    mfa: {maxAge: 1h}\n    mode: report\n    next: [{mode: enforce, from: "+soon+"}]\n")
	who := lab.Person(labtest.Admin)
	p := open(t, browser(t, lab.Info.SPKI), g.at+"/.partnerguard/sign-in?to=/work", 1280, "light")
	if at := answerPages(t, p, who, func(string) {}); at != "page: The tool" || path(t, p) != "/work" || !strings.Contains(text(t, p), "mfa=false") {
		t.Fatalf("in report mode it ended at %q: %s", at, text(t, p))
	}
	visit := func(to string) string {
		t.Helper()
		if err := chromedp.Do(p.ctx, chromedp.Navigate(g.at+to), chromedp.WaitReady("h1")); err != nil {
			t.Fatal(err)
		}
		return here(t, p)
	}
	if at := visit("/.partnerguard/"); at != "page: What is asked for here" || !strings.Contains(text(t, p), soon) ||
		!strings.Contains(text(t, p), "would be refused") {
		t.Fatalf("%q: %s", at, text(t, p))
	}
	fits(t, p, "gateway-announcement")
	g.take("    mfa: {maxAge: 1h}\n    mode: enforce\n")
	for _, step := range []struct{ says, name string }{{"does not prove MFA", "gateway-step-up"}, {"older than 1 hour", "gateway-too-old"}} {
		if at := visit("/work"); at != "form: Prove that it is you" || !strings.Contains(text(t, p), step.says) {
			t.Fatalf("%q: %s", at, text(t, p))
		}
		fits(t, p, step.name)
		enter(t, p, "", "")
		if at := answerPages(t, p, who, func(string) {}); at != "page: The tool" || !strings.Contains(text(t, p), "mfa=true") {
			t.Fatalf("it ended at %q: %s", at, text(t, p))
		}
		for range 4 { // used, so that it does not idle
			lab.Jump(16 * time.Minute)
			visit("/")
		}
	}
	if at := visit("/.partnerguard/sign-out"); at != "form: Sign out" {
		t.Fatalf("%q", at)
	}
	fits(t, p, "gateway-sign-out")
	enter(t, p, "", "")
	if at := here(t, p); at != "form: Sign in" || !strings.Contains(text(t, p), "signed out here") {
		t.Fatalf("%q: %s", at, text(t, p))
	}
	fits(t, p, "gateway-signed-out")
	if c := eval[string](t, p, `return document.cookie`); c != "" {
		t.Errorf("a script sees %q", c)
	}
	if err := chromedp.Do(p.ctx, chromedp.Navigate(g.at+"/.partnerguard/nothing"), chromedp.WaitReady("h1")); err != nil {
		t.Fatal(err)
	}
	fits(t, p, "gateway-nothing")
}
