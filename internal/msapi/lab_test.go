package msapi_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"partnerguard/internal/msapi"
	"partnerguard/internal/msapi/msapitest"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
)

const (
	samAgent = "sam-agent@contoso.com"
	admin    = "ravi.menon@contoso.com"
	panelApp = "5a1e3c1f-6f0b-4c56-8f39-2d7c7a3b9e10"
	redirect = "http://localhost:8400/callback"
)

// lab is a running partner cloud and a client of it.
type lab struct {
	testing.TB
	s     *partnercloud.Server
	i     partnercloud.Info
	cloud msapi.Cloud
	c     *msapi.Client

	mu     sync.Mutex
	waited []time.Duration
}

func newLab(t testing.TB, change ...func(*msapi.Options)) *lab {
	t.Helper()
	s, err := partnercloud.Start(t.Context(), partnercloud.Options{Unthrottled: true, NoLag: true, Days: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	l := &lab{TB: t, s: s, i: s.Info()}
	l.cloud = cloudOf(l.i)
	o := msapi.Options{Transport: s.Transport(), Now: s.World.Clock.Now, Wait: func(ctx context.Context, d time.Duration) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.waited = append(l.waited, d)
		return ctx.Err()
	}}
	for _, f := range change {
		f(&o)
	}
	l.c = msapi.New(o)
	return l
}

func cloudOf(i partnercloud.Info) msapi.Cloud {
	c := msapi.Commercial()
	c.Name, c.Authority, c.Graph, c.PartnerCenter, c.ARM = "partner-cloud", i.Login, i.Graph, i.PartnerCenter, i.ARM
	return c
}

func (l *lab) app() msapi.App {
	l.Helper()
	for _, a := range l.i.Apps {
		if a.ClientID == panelApp {
			c, err := msapi.NewSecret(secret.New(a.ClientSecret), time.Time{})
			if err != nil {
				l.Fatal(err)
			}
			return msapi.App{ClientID: panelApp, Credential: c}
		}
	}
	l.Fatal("the panel is not among the apps")
	return msapi.App{}
}

func (l *lab) person(upn string) msapitest.Person {
	p := msapitest.Person{UPN: upn}
	l.s.World.Read(func(s *world.State) {
		u := s.Home(upn).UserByName(upn)
		p.Password, _ = s.SeededPassword(u)
		if m := u.Method(world.MethodTOTP); m != nil {
			key := s.TOTPSecret(u, m)
			p.Code = func() string {
				_, _ = l.s.World.Clock.Jump(31 * time.Second) // no step is taken twice
				code, err := totp.GenerateCode(key, l.s.World.Clock.Now())
				if err != nil {
					l.Fatal(err)
				}
				return code
			}
		}
	})
	return p
}

// code signs a person in and gives the code and its verifier.
func (l *lab) code(upn string, change ...func(*msapi.AuthorizeRequest)) msapi.RedeemRequest {
	l.Helper()
	verifier, state := token.Verifier(), token.State()
	r := msapi.AuthorizeRequest{
		Cloud: l.cloud, ClientID: panelApp, Tenant: l.i.Tenant.ID, Redirect: redirect, Resource: l.cloud.PartnerCenterResource,
		State: state, Nonce: token.Nonce(), Challenge: token.Challenge(verifier), Mode: "query", Prompt: "login", AMR: "mfa", MaxAge: 10 * time.Minute,
	}
	for _, f := range change {
		f(&r)
	}
	where, err := l.c.AuthorizeURL(r)
	if err != nil {
		l.Fatal(err)
	}
	b := msapitest.NewBrowser(l, l.s.Transport(), l.i.Login).Open(where).SignIn(l.person(upn))
	if b.Left == nil || b.Left.Query().Get("code") == "" || b.Left.Query().Get("state") != state.Reveal() {
		l.Fatalf("no code arrived: left for %v, %d %s", b.Left, b.Status, b.Page[max(0, strings.Index(b.Page, "<main>")):])
	}
	return msapi.RedeemRequest{Cloud: l.cloud, App: l.app(), Tenant: l.i.Tenant.ID, Code: secret.New(b.Left.Query().Get("code")), Verifier: verifier, Redirect: redirect, Resource: r.Resource, Scope: r.Scope}
}

func (l *lab) consent(upn string) *msapi.Grant {
	l.Helper()
	g, err := l.c.Redeem(l.Context(), l.code(upn))
	if err != nil {
		l.Fatal(err)
	}
	return g
}

func (l *lab) refresh(tenant string, rt secret.Text, scope string) (*msapi.Grant, error) {
	return l.c.Refresh(l.Context(), msapi.RefreshRequest{Cloud: l.cloud, App: l.app(), Tenant: tenant, Refresh: rt, Scope: scope})
}

func (l *lab) customer(domain string) string {
	l.Helper()
	var id string
	l.s.World.Read(func(s *world.State) {
		if c := s.PartnerTenant().CustomerOf(domain); c != nil {
			id = c.TenantID
		}
	})
	if id == "" {
		l.Fatalf("no customer %s", domain)
	}
	return id
}

// rsaKey is one key for all tests: making one is slow.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

func certificate(t testing.TB, key *rsa.PrivateKey, from, until time.Time) *x509.Certificate {
	t.Helper()
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: from, NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
