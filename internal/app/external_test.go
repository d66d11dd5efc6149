package app_test

import (
	"context"
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/audit"
	"partnerguard/internal/labtest"
	"partnerguard/internal/mfa"
	"partnerguard/internal/mfa/provider"
	enrol "partnerguard/internal/mfa/register"
	"partnerguard/internal/mfa/selftest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/token"
	"partnerguard/internal/trail"
)

// outcome stands for the pages: it answers each challenge at once.
type outcome struct {
	to mfa.Answerer
	mfa.Outcome
	seen []mfa.Challenge
}

func (o *outcome) Begin(_ context.Context, w http.ResponseWriter, r *http.Request, c mfa.Challenge, payload []byte) error {
	o.seen = append(o.seen, c)
	return o.to.Answer(w, r, c, payload, o.Outcome)
}

// desk is an installation beside a partner cloud that knows its MFA provider.
type desk struct {
	*labtest.Lab
	s    *app.Installation
	pass *outcome
	plan enrol.Plan

	plain bool // go to the authority's pages without TLS
}

// newDesk opens an installation, serves it, and connects as an administrator.
func newDesk(t *testing.T, change ...func(*partnercloud.Options)) *desk {
	t.Helper()
	lab := labtest.Start(t, change...)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := newPlace(t).options(false, "listen", l.Addr().String())
	o.Config.Cloud, o.Now = app.LabName, lab.Now
	o.Lab = &app.Lab{Info: &lab.Info, Clock: func(context.Context) (time.Time, error) { return lab.Now(), nil }}
	o.Dial = func(m msapi.Options) *msapi.Client {
		m.Transport = lab.Server.Transport()
		m.Wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() } // the lab throttles nobody
		return msapi.New(m)
	}
	s, err := app.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	h, err := s.Serve(t.Context(), app.ServeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); _ = s.Close() })
	lab.Register(s.SAM)
	a, err := s.SAM.Store.App(t.Context(), labtest.PanelApp)
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.SAM.Capture()
	if err != nil {
		t.Fatal(err)
	}
	lab.Connect(c, capture.Request{Name: "panel", Cloud: s.Cloud, App: a, Features: []capture.Feature{capture.ExternalMFA}}, labtest.Admin)
	d := &desk{Lab: lab, s: s, pass: &outcome{to: s.External, Outcome: mfa.Outcome{AMR: "otp"}}}
	s.External.Challenge(d.pass)
	return d
}

// way does one sign-in by our provider, from the authority's page to ours and back, and
// gives the page that the authority then shows, or where it let the browser go.
func (d *desk) way(name string) (*labtest.Browser, string) {
	d.Helper()
	verifier := token.Verifier()
	where, err := d.API.AuthorizeURL(msapi.AuthorizeRequest{Cloud: d.Cloud, ClientID: labtest.PanelApp, Tenant: d.Info.Tenant.ID, Redirect: labtest.Callback,
		Resource: d.Cloud.PartnerCenterResource, State: token.State(), Nonce: token.Nonce(), Challenge: token.Challenge(verifier), Mode: "query",
		Prompt: "login",
		AMR:    "mfa"})
	if err != nil {
		d.Fatal(err)
	}
	person, b, wire := d.Person(labtest.NoMFA), d.Browser(), d.Server.Transport()
	if d.plain {
		where, wire = strings.Replace(where, "https://", "http://", 1), http.DefaultTransport
		b = labtest.NewBrowser(d, wire, strings.Replace(d.Info.Login, "https://", "http://", 1))
	}
	b.Open(where)
	b.Press("do", "account", "loginfmt", person.UPN).Press("do", "password", "passwd", person.Password)
	way := regexp.MustCompile(`value="(external:[^"]+)">` + name).FindStringSubmatch(b.Page)
	if way == nil {
		d.Fatalf("the method is not offered: %s", b.Page[max(0, strings.Index(b.Page, "<main>")):])
	}
	b.Press("do", html.UnescapeString(way[1]))
	if !strings.HasPrefix(b.Action(), "http://localhost:") {
		return b, ""
	}
	q, err := http.NewRequestWithContext(d.Context(), http.MethodPost, b.Action(), strings.NewReader(b.Fields().Encode()))
	if err != nil {
		d.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	q.Header.Set("Sec-Fetch-Site", "cross-site")
	page := d.do(http.DefaultClient, q)
	to, form := formOf(page)
	back, err := http.NewRequestWithContext(d.Context(), http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		d.Fatal(err)
	}
	back.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client := &http.Client{Transport: wire, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(back)
	if err != nil {
		d.Fatal(err)
	}
	_ = resp.Body.Close()
	next, err := resp.Location()
	if err != nil {
		d.Fatalf("%d: %v; %v", resp.StatusCode, err, form.Get("error"))
	}
	return b.Open(next.String()), page
}

func (d *desk) do(c *http.Client, q *http.Request) string {
	d.Helper()
	resp, err := c.Do(q)
	if err != nil {
		d.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		d.Fatalf("%d %v %s", resp.StatusCode, err, b)
	}
	return string(b)
}

var (
	postTo    = regexp.MustCompile(`<form id="post" method="post" action="([^"]*)">`)
	postField = regexp.MustCompile(`<input type="hidden" name="([a-z_]+)" value="([^"]*)">`)
)

func formOf(page string) (string, url.Values) {
	out := url.Values{}
	for _, m := range postField.FindAllStringSubmatch(page, -1) {
		out.Set(m[1], html.UnescapeString(m[2]))
	}
	if m := postTo.FindStringSubmatch(page); m != nil {
		return html.UnescapeString(m[1]), out
	}
	return "", out
}

// register makes the plan and applies it.
func (d *desk) register() {
	d.Helper()
	plan, err := d.s.ExternalPlan(d.Context(), app.ExternalAsk{Name: "Desk", Users: []string{labtest.NoMFA}})
	if err != nil {
		d.Fatal(err)
	}
	plan.Name = "Contoso"
	text, err := plan.YAML()
	if err != nil {
		d.Fatal(err)
	}
	if d.plan, err = enrol.Read("plan.yaml", text); err != nil {
		d.Fatalf("%v\n%s", err, text)
	}
	_, before, err := d.s.ExternalLook(d.Context(), "", d.plan)
	if err != nil {
		d.Fatal(err)
	}
	for _, s := range before {
		if s.Act == enrol.Keep {
			d.Errorf("before: %+v", s)
		}
	}
	_, after, err := d.s.ExternalApply(d.Context(), "", d.plan)
	if err != nil {
		d.Fatal(err)
	}
	for _, s := range after {
		if s.Act != enrol.Keep {
			d.Errorf("after: %+v", s)
		}
	}
}

// TestExternalMFA registers our provider with the partner cloud by a connection's
// token, and walks sign-ins through it: what we sign is taken, what we deny is not, and
// rolled keys go on.
func TestExternalMFA(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.register()
	found, steps, err := d.s.ExternalApply(t.Context(), "", d.plan) // again: nothing is left to do
	if err != nil || slices.ContainsFunc(steps, func(s enrol.Step) bool { return s.Act != enrol.Keep }) || found.State != "enabled" {
		t.Errorf("again: %+v %v", steps, err)
	}
	checks, err := d.s.ExternalSelftest(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	var open []string
	for _, c := range checks {
		if c.Result != selftest.Good {
			open = append(open, c.Name)
		}
	}
	if got := strings.Join(open, ", "); got != "reached by Entra ID, a sign-in to its end" {
		t.Errorf("the self-test: %s: %+v", got, checks)
	}
	if b, _ := d.way("Desk"); b.Left == nil && !strings.Contains(b.Page, "Stay signed in?") {
		t.Fatalf("the claim is not taken: %s", b.Page[max(0, strings.Index(b.Page, "<main>")):])
	}
	if c := d.pass.seen[0]; c.Login != labtest.NoMFA || c.Where != "Contoso" || c.Account.Tenant != d.Info.Tenant.ID {
		t.Errorf("%+v", c)
	}
	d.plain = true // as a browser does that does not know the local cloud's CA
	if b, page := d.way("Desk"); !strings.Contains(page, `action="http://localhost:`) || b.Left == nil && !strings.Contains(b.Page, "Stay signed in?") {
		t.Fatalf("without TLS: %s %s", b.Page, page)
	}
	d.plain = false
	d.pass.Outcome = mfa.Outcome{Error: provider.AccessDenied, Why: "the person gave up"}
	if b, _ := d.way("Desk"); b.Left != nil || !strings.Contains(b.Page, "access_denied") {
		t.Errorf("a denial: %v", b.Left)
	}
	d.pass.Outcome = mfa.Outcome{AMR: "fido"}
	if _, _, err := d.s.External.Emergency(t.Context(), "local:test"); err != nil {
		t.Fatal(err)
	}
	if b, _ := d.way("Desk"); b.Left == nil && !strings.Contains(b.Page, "Stay signed in?") {
		t.Errorf("the spare key, which was published all along: %s", b.Page[max(0, strings.Index(b.Page, "<main>")):])
	}
	if _, _, err := d.s.External.Emergency(t.Context(), "local:test"); err != nil {
		t.Fatal(err)
	}
	if b, _ := d.way("Desk"); !strings.Contains(b.Page, "AADSTS50012") {
		t.Errorf("a key that Entra ID has not read yet: %s", b.Page[max(0, strings.Index(b.Page, "<main>")):])
	}
	f, err := d.s.Trail.Search(t.Context(), trail.Query{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range f.Entries {
		got = append(got, string(f.Entries[i].Action))
	}
	for _, want := range []audit.Action{audit.MFARegistered, audit.MFATenantAdded, audit.MFAAsked, audit.MFAAnswered, audit.MFAKeySwitched} {
		if !slices.Contains(got, string(want)) {
			t.Errorf("the trail lacks %s: %v", want, got)
		}
	}
}
