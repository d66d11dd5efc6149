package consent_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/msapi"
	"partnerguard/internal/msapi/msapitest"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/sam/consent"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
	"partnerguard/internal/vault/vaulttest"
)

const (
	samAgent = "sam-agent@contoso.com"
	panelApp = "5a1e3c1f-6f0b-4c56-8f39-2d7c7a3b9e10"
	redirect = "http://localhost:8400/callback"
)

type trail struct {
	mu     sync.Mutex
	events []audit.Event
	fails  error
}

func (r *trail) Record(_ context.Context, e audit.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fails != nil {
		return r.fails
	}
	r.events = append(r.events, e)
	return nil
}

func (r *trail) take() (out []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		out = append(out, string(e.Action)+" "+string(e.Outcome))
	}
	r.events = nil
	slices.Sort(out)
	return out
}

// lab is a partner cloud with a connection, and the customers where the
// connection's account may consent.
type lab struct {
	testing.TB
	s       *partnercloud.Server
	cloud   msapi.Cloud
	msapi   *msapi.Client
	app     msapi.App
	refresh secret.Text
	center  *msapi.PartnerCenter
	trail   *trail
	intents consent.Intents
	svc     *consent.Service
	wanted  []consent.Wanted
	o       consent.Options
	mu      sync.Mutex
	asked   int
}

// FreshAccess observes by an exchange of its own each time.
func (l *lab) FreshAccess(ctx context.Context, _, tenant, resource string) ([]string, error) {
	l.mu.Lock()
	l.asked++
	l.mu.Unlock()
	g, err := l.msapi.Refresh(ctx, msapi.RefreshRequest{Cloud: l.cloud, App: l.app, Tenant: tenant, Refresh: l.refresh, Scope: resource + "/.default"})
	if err != nil {
		return nil, err
	}
	return capture.Granted(g, resource), nil
}

func newLab(t testing.TB, d *db.DB, o partnercloud.Options) *lab {
	t.Helper()
	o.NoLag, o.Days = true, 1
	s, err := partnercloud.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	i := s.Info()
	l := &lab{TB: t, s: s, cloud: msapi.Commercial(), trail: &trail{}, intents: consent.NewIntents(d, vaulttest.Open(t, d))}
	l.cloud.Authority, l.cloud.Graph, l.cloud.PartnerCenter, l.cloud.ARM = i.Login, i.Graph, i.PartnerCenter, i.ARM
	pass := func(ctx context.Context, d time.Duration) error { l.pass(d); return ctx.Err() }
	l.msapi = msapi.New(msapi.Options{Transport: s.Transport(), Now: s.World.Clock.Now, Wait: pass})
	var text string
	s.World.Read(func(s *world.State) { text = s.SeededSecret(panelApp) })
	cred, err := msapi.NewSecret(secret.New(text), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	l.app = msapi.App{ClientID: panelApp, Credential: cred}
	l.signIn(i)
	if l.center, err = l.msapi.PartnerCenter(l.cloud, i.Tenant.ID, func(ctx context.Context) (secret.Text, error) {
		g, err := l.msapi.Refresh(ctx, msapi.RefreshRequest{Cloud: l.cloud, App: l.app, Tenant: i.Tenant.ID, Refresh: l.refresh, Scope: l.cloud.PartnerCenterResource + "/.default"})
		if err != nil {
			return secret.Text{}, err
		}
		return g.Access, nil
	}); err != nil {
		t.Fatal(err)
	}
	if l.svc, err = consent.New(consent.Deps{Access: l, Intents: l.intents, Record: l.trail, Now: s.World.Clock.Now, Wait: pass}); err != nil {
		t.Fatal(err)
	}
	l.wanted = consent.WantedFor(l.cloud, []capture.Feature{capture.Accounts, capture.Policies, capture.Azure, capture.Delegation})
	l.o = consent.Options{
		Connection: sam.Connection{ID: "c-1", Tenant: i.Tenant.ID, ClientID: panelApp, Cloud: l.cloud}, Center: l.center, Wanted: l.wanted, Name: "Panel", Actor: "local:test",
	}
	return l
}

// pass lets the cloud's clock go on instead of waiting: its limits refill by it.
func (l *lab) pass(d time.Duration) {
	if d > 0 {
		_, _ = l.s.World.Clock.Jump(d)
	}
}

func (l *lab) signIn(i partnercloud.Info) {
	l.Helper()
	p := msapitest.Person{UPN: samAgent}
	l.s.World.Read(func(s *world.State) {
		u := s.Home(samAgent).UserByName(samAgent)
		p.Password, _ = s.SeededPassword(u)
		key := s.TOTPSecret(u, u.Method(world.MethodTOTP))
		p.Code = func() string {
			_, _ = l.s.World.Clock.Jump(31 * time.Second)
			code, err := totp.GenerateCode(key, l.s.World.Clock.Now())
			if err != nil {
				l.Fatal(err)
			}
			return code
		}
	})
	verifier, state := token.Verifier(), token.State()
	where, err := l.msapi.AuthorizeURL(msapi.AuthorizeRequest{
		Cloud: l.cloud, ClientID: panelApp, Tenant: i.Tenant.ID, Redirect: redirect, Resource: l.cloud.PartnerCenterResource, State: state, Challenge: token.Challenge(verifier), AMR: "mfa",
	})
	if err != nil {
		l.Fatal(err)
	}
	b := msapitest.NewBrowser(l, l.s.Transport(), i.Login).Open(where).SignIn(p)
	if b.Left == nil {
		l.Fatal(b.Page[max(0, strings.Index(b.Page, "<main>")):])
	}
	g, err := l.msapi.Redeem(l.Context(), msapi.RedeemRequest{Cloud: l.cloud, App: l.app, Tenant: i.Tenant.ID, Code: secret.New(b.Left.Query().Get("code")), Verifier: verifier, Redirect: redirect, Resource: l.cloud.PartnerCenterResource})
	if err != nil {
		l.Fatal(err)
	}
	l.refresh = g.Refresh
}

func (l *lab) customer(domain string) (id string) {
	l.Helper()
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

// run runs and gives the rows by domain.
func (l *lab) run(change ...func(*consent.Options)) (map[string]consent.Row, consent.Summary, error) {
	o := l.o
	for _, f := range change {
		f(&o)
	}
	rows := map[string]consent.Row{}
	sum, err := l.svc.Run(l.Context(), o, func(r consent.Row) error { rows[r.Customer.Domain] = r; return nil })
	return rows, sum, err
}

func apply(o *consent.Options) { o.Apply = true }

func only(names ...string) func(*consent.Options) {
	return func(o *consent.Options) { o.Only = names }
}
