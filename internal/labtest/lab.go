package labtest

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"partnerguard/internal/claim"
	"partnerguard/internal/db"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/partnercloud/scenario"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault"
)

// People and apps of the default scenario.
const (
	SAMAgent = "sam-agent@contoso.com"                // signs in with MFA for integrations
	NoMFA    = "nomfa@contoso.com"                    // has a password alone
	Admin    = "ravi.menon@contoso.com"               // a Global Administrator
	PanelApp = "5a1e3c1f-6f0b-4c56-8f39-2d7c7a3b9e10" // Contoso Control Panel
	Callback = "http://localhost:8400/callback"       // one of its redirect URIs
)

// Lab is a partner cloud that ends with the test.
type Lab struct {
	testing.TB
	Server *partnercloud.Server
	Info   partnercloud.Info
	Cloud  msapi.Cloud
	API    *msapi.Client // asks once, and never waits
}

// Start starts a partner cloud with a day of history, without limits and lag
// unless change says otherwise.
func Start(t testing.TB, change ...func(*partnercloud.Options)) *Lab {
	t.Helper()
	o := partnercloud.Options{Unthrottled: true, NoLag: true, Days: 1}
	for _, f := range change {
		f(&o)
	}
	s, err := partnercloud.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	l := &Lab{TB: t, Server: s, Info: s.Info(), Cloud: msapi.Commercial()}
	l.Cloud.Name, l.Cloud.Authority, l.Cloud.Graph, l.Cloud.PartnerCenter, l.Cloud.ARM =
		"partner-cloud", l.Info.Login, l.Info.Graph, l.Info.PartnerCenter, l.Info.ARM
	l.API = l.Client(func(o *msapi.Options) {
		o.Tries, o.Wait = 1, func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	})
	return l
}

// MayRevoke starts the cloud with a [PanelApp] that may revoke sessions.
func MayRevoke(t testing.TB) func(*partnercloud.Options) {
	t.Helper()
	return May(t, "User.RevokeSessions.All")
}

// May starts the cloud with a [PanelApp] that has further permissions of Graph.
func May(t testing.TB, permissions ...string) func(*partnercloud.Options) {
	t.Helper()
	const may = "IdentityRiskyUser.Read.All, "
	was := string(scenario.Default())
	text := strings.Replace(was, may, may+strings.Join(permissions, ", ")+", ", 1)
	path := filepath.Join(t.TempDir(), "scenario.yaml")
	if text == was || os.WriteFile(path, []byte(text), 0o600) != nil {
		t.Fatal("the scenario is another")
	}
	return func(o *partnercloud.Options) { o.Scenario = path }
}

// Client makes another client of the cloud.
func (l *Lab) Client(change ...func(*msapi.Options)) *msapi.Client {
	began := l.Now()
	o := msapi.Options{Transport: l.Server.Transport(), Now: l.Now, Mono: func() time.Duration { return l.Now().Sub(began) }}
	for _, f := range change {
		f(&o)
	}
	c := msapi.New(o)
	l.Cleanup(c.Close)
	return c
}

// Now is the cloud's time.
func (l *Lab) Now() time.Time { return l.Server.World.Clock.Now() }

// Jump moves the cloud's clock.
func (l *Lab) Jump(d time.Duration) {
	l.Helper()
	if _, err := l.Server.World.Clock.Jump(d); err != nil {
		l.Fatal(err)
	}
}

// In is the same cloud for another test, such as a subtest, to which failures go.
func (l *Lab) In(t testing.TB) *Lab { out := *l; out.TB = t; return &out }

// Edit changes the partner's tenant, whose settings are read anew.
func (l *Lab) Edit(f func(*world.State, *world.Tenant)) {
	l.Helper()
	if err := l.Server.World.Do(func(s *world.State) error {
		t := s.PartnerTenant()
		f(s, t)
		s.Touch(t)
		s.Dirty()
		return nil
	}); err != nil {
		l.Fatal(err)
	}
}

// Graph asks the cloud's Graph as the one who runs it, past every permission.
func (l *Lab) Graph(method, path, body string) {
	l.Helper()
	c := control.GraphCall{Method: method, Path: path}
	if body != "" {
		c.Body = json.RawMessage(body)
	}
	a, err := control.Dial(l.Info.Control, l.Info.ControlSecret).Graph(l.Context(), c)
	if err != nil || a.Status >= 300 {
		l.Fatalf("%s %s: %d %v %s", method, path, a.Status, err, a.Body)
	}
}

// Redirect makes an address the only redirect URI of an app.
func (l *Lab) Redirect(app, where string) {
	l.Helper()
	l.Graph("PATCH", "/v1.0/applications(appId='"+app+"')", `{"web":{"redirectUris":["`+where+`"]}}`)
}

// Secret is the secret of one of the cloud's apps; zero where it has none.
func (l *Lab) Secret(id string) (s secret.Text) {
	l.Server.World.Read(func(st *world.State) {
		if _, a := st.App(id); a != nil && len(a.Passwords) > 0 {
			s = secret.New(st.SeededSecret(id))
		}
	})
	return s
}

// Register makes [PanelApp] known to a store with its secret.
func (l *Lab) Register(with interface {
	AddRegistration(context.Context, sam.Registration, secret.Text) (sam.Registration, error)
}) {
	l.Helper()
	r := sam.Registration{ClientID: PanelApp, Tenant: l.Info.Tenant.ID, Name: "panel", Kind: msapi.ClientSecret, Created: l.Now()}
	if _, err := with.AddRegistration(l.Context(), r, l.Secret(PanelApp)); err != nil {
		l.Fatal(err)
	}
}

// App is one of the cloud's apps with its secret, or a public client where it has
// none.
func (l *Lab) App(id string) msapi.App {
	l.Helper()
	text := l.Secret(id)
	if text.IsZero() {
		return msapi.App{ClientID: id, Credential: msapi.NewPublic()}
	}
	c, err := msapi.NewSecret(text, time.Time{})
	if err != nil {
		l.Fatal(err)
	}
	return msapi.App{ClientID: id, Credential: c}
}

// Person is one of the cloud's people, with password and codes.
func (l *Lab) Person(upn string) Person {
	l.Helper()
	p := Person{UPN: upn}
	l.Server.World.Read(func(s *world.State) {
		u := s.Home(upn).UserByName(upn)
		p.Password, _ = s.SeededPassword(u)
		m := u.Method(world.MethodTOTP)
		if m == nil {
			return
		}
		key := s.TOTPSecret(u, m)
		p.Code = func() string {
			_, _ = l.Server.World.Clock.Jump(31 * time.Second) // no step is taken twice
			code, err := totp.GenerateCode(key, l.Now())
			if err != nil {
				l.Fatal(err)
			}
			return code
		}
	})
	return p
}

// Browser is a browser without script before the cloud's pages.
func (l *Lab) Browser() *Browser {
	return NewBrowser(l, l.Server.Transport(), l.Info.Login)
}

// Leave walks the sign-in that begins at where, at whatever name of the cloud, as
// one of its people, and gives where the browser left for. Where it stays, the page
// it is on is sent with press, names and values.
func (l *Lab) Leave(where, upn string, press ...string) *url.URL {
	l.Helper()
	u, err := url.Parse(where)
	if err != nil {
		l.Fatal(err)
	}
	b := NewBrowser(l, l.Server.Transport(), u.Scheme+"://"+u.Host).Open(where).SignIn(l.Person(upn))
	if b.Left == nil && len(press) > 0 {
		b.Press(press...)
	}
	if b.Left == nil {
		l.Fatalf("the browser did not leave: %d %s", b.Status, b.Page[max(0, strings.Index(b.Page, "<main>")):])
	}
	return b.Left
}

// Code signs a person in with MFA, for Partner Center unless change says
// otherwise, and gives what redeems the code.
func (l *Lab) Code(app, upn string, change ...func(*msapi.AuthorizeRequest)) msapi.RedeemRequest {
	l.Helper()
	verifier, state := token.Verifier(), token.State()
	r := msapi.AuthorizeRequest{
		Cloud: l.Cloud, ClientID: app, Tenant: l.Info.Tenant.ID, Redirect: Callback, Resource: l.Cloud.PartnerCenterResource,
		State: state, Nonce: token.Nonce(), Challenge: token.Challenge(verifier), Mode: "query", Prompt: "login", AMR: "mfa", MaxAge: 10 * time.Minute,
	}
	for _, f := range change {
		f(&r)
	}
	where, err := l.API.AuthorizeURL(r)
	if err != nil {
		l.Fatal(err)
	}
	q := l.Leave(where, upn).Query()
	if q.Get("code") == "" || q.Get("state") != state.Reveal() {
		l.Fatalf("no code arrived: %v", q)
	}
	return msapi.RedeemRequest{Cloud: l.Cloud, App: l.App(app), Tenant: r.Tenant, Code: secret.New(q.Get("code")),
		Verifier: verifier, Redirect: r.Redirect, Resource: r.Resource, Scope: r.Scope}
}

// Grant is a consent of a person to an app, with MFA; change is [Lab.Code]'s.
func (l *Lab) Grant(app, upn string, change ...func(*msapi.AuthorizeRequest)) *msapi.Grant {
	l.Helper()
	g, err := l.API.Redeem(l.Context(), l.Code(app, upn, change...))
	if err != nil {
		l.Fatal(err)
	}
	return g
}

// Connect has c take a person's consent for the partner's own panel, and gives the
// connection. r names app and cloud, and what shall be otherwise; press is
// [Lab.Leave]'s.
func (l *Lab) Connect(c *capture.Capture, r capture.Request, upn string, press ...string) sam.Connection {
	l.Helper()
	r.Model, r.Tenant, r.Redirect = cmp.Or(r.Model, sam.CSP), cmp.Or(r.Tenant, l.Info.Tenant.Domain), cmp.Or(r.Redirect, Callback)
	r.Actor = cmp.Or(r.Actor, "local:test")
	b, err := c.Begin(l.Context(), r)
	if err != nil {
		l.Fatal(err)
	}
	cb, err := capture.ParseCallback(l.Leave(b.URL, upn, press...).RawQuery)
	if err != nil {
		l.Fatal(err)
	}
	done, err := c.Complete(l.Context(), cb)
	if err != nil {
		l.Fatal(err)
	}
	return done.Connection
}

// Captured is what a capture of a person's consent to [PanelApp] would keep, with
// whatever its tokens prove of MFA.
func (l *Lab) Captured(upn string, g *msapi.Grant) sam.Captured {
	t := claim.Inspect(g.Access)
	return sam.Captured{
		Model: sam.CSP, Cloud: l.Cloud, Tenant: l.Info.Tenant.ID, Domain: l.Info.Tenant.Domain, ClientID: PanelApp, Account: upn, ObjectID: t.ObjectID,
		Scopes: map[string][]string{l.Cloud.PartnerCenterResource: {"user_impersonation"}}, Proof: t.MFA(claim.Options{}),
		AuthTime: claim.Inspect(g.ID).AuthTime, At: g.At, Refresh: g.Refresh,
	}
}

// Customer is the tenant id of a customer of the partner.
func (l *Lab) Customer(domain string) (id string) {
	l.Helper()
	l.Server.World.Read(func(s *world.State) {
		if c := s.PartnerTenant().CustomerOf(domain); c != nil {
			id = c.TenantID
		}
	})
	if id == "" {
		l.Fatalf("no customer %s", domain)
	}
	return id
}

// Keep opens a trail and a vault over d, by the cloud's time. change may say what
// else the vault works with.
func (l *Lab) Keep(d *db.DB, change ...func(*vault.Options)) (*trail.Trail, *vault.Vault) {
	l.Helper()
	t, err := trail.Open(l.Context(), d, trail.Options{Now: l.Now})
	if err != nil {
		l.Fatal(err)
	}
	key := filepath.Join(l.TempDir(), "key")
	if _, err := vault.MakeKeyFile(key); err != nil {
		l.Fatal(err)
	}
	o := vault.Options{Now: l.Now, Record: t, Actor: "local:test"}
	for _, f := range change {
		f(&o)
	}
	v, err := vault.Open(l.Context(), d, vault.NewKeyFile(key), o)
	if err != nil {
		l.Fatal(err)
	}
	return t, v
}
