package labtest

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"partnerguard/internal/db"
	"partnerguard/internal/msapi"
	"partnerguard/internal/msapi/msapitest"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault"
)

// People and apps of the default scenario.
const (
	SAMAgent = "sam-agent@contoso.com"                // signs in with MFA for integrations
	NoMFA    = "nomfa@contoso.com"                    // has a password alone
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

// Client makes another client of the cloud.
func (l *Lab) Client(change ...func(*msapi.Options)) *msapi.Client {
	o := msapi.Options{Transport: l.Server.Transport(), Now: l.Now}
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

// App is one of the cloud's apps with its secret, or a public client where it has
// none.
func (l *Lab) App(id string) msapi.App {
	l.Helper()
	var text string
	l.Server.World.Read(func(s *world.State) { text = s.SeededSecret(id) })
	if text == "" {
		return msapi.App{ClientID: id, Credential: msapi.NewPublic()}
	}
	c, err := msapi.NewSecret(secret.New(text), time.Time{})
	if err != nil {
		l.Fatal(err)
	}
	return msapi.App{ClientID: id, Credential: c}
}

// Person is one of the cloud's people, with password and codes.
func (l *Lab) Person(upn string) msapitest.Person {
	l.Helper()
	p := msapitest.Person{UPN: upn}
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
func (l *Lab) Browser() *msapitest.Browser {
	return msapitest.NewBrowser(l, l.Server.Transport(), l.Info.Login)
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
	b := l.Browser().Open(where).SignIn(l.Person(upn))
	if b.Left == nil || b.Left.Query().Get("code") == "" || b.Left.Query().Get("state") != state.Reveal() {
		l.Fatalf("no code arrived: left for %v, %d %s", b.Left, b.Status, b.Page[max(0, strings.Index(b.Page, "<main>")):])
	}
	return msapi.RedeemRequest{Cloud: l.Cloud, App: l.App(app), Tenant: r.Tenant, Code: secret.New(b.Left.Query().Get("code")),
		Verifier: verifier, Redirect: r.Redirect, Resource: r.Resource, Scope: r.Scope}
}

// Grant is a consent of a person to an app, with MFA.
func (l *Lab) Grant(app, upn string) *msapi.Grant {
	l.Helper()
	g, err := l.API.Redeem(l.Context(), l.Code(app, upn))
	if err != nil {
		l.Fatal(err)
	}
	return g
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
