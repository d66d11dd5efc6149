package capture_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"partnerguard/internal/audit"
	"partnerguard/internal/msapi"
	"partnerguard/internal/msapi/msapitest"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/secret"
)

const (
	samAgent = "sam-agent@contoso.com"
	nomfa    = "nomfa@contoso.com"
	panelApp = "5a1e3c1f-6f0b-4c56-8f39-2d7c7a3b9e10"
	vendor   = "9b7d5f31-2e4c-4a68-8c0f-d1e2f3a4b5c6"
	toolApp  = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
	redirect = "http://localhost/callback"
)

// shelf keeps consents in memory and objects to what no store would take. It
// can fail after its audit event, which must then be gone too.
type shelf struct {
	mu    sync.Mutex
	kept  []sam.Captured
	fails error
}

// InTx undoes what was kept when do fails.
func (s *shelf) InTx(ctx context.Context, do func(context.Context) error) error {
	before := len(s.all())
	err := do(ctx)
	if err != nil {
		s.mu.Lock()
		s.kept = s.kept[:before]
		s.mu.Unlock()
	}
	return err
}

func (s *shelf) Keep(_ context.Context, c sam.Captured) (sam.Connection, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Refresh.IsZero() || c.Tenant == "" || c.Account == "" || c.ObjectID == "" || c.ClientID == "" || c.Proof.Answer != "proven" {
		return sam.Connection{}, errors.New("the consent is not whole")
	}
	if s.fails != nil {
		return sam.Connection{}, s.fails
	}
	con := sam.Connection{ID: "c-1", Name: c.Name, Tenant: c.Tenant, ClientID: c.ClientID, Account: c.Account, Scopes: c.Scopes}
	s.kept = append(s.kept, c)
	return con, nil
}

func (s *shelf) all() []sam.Captured {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]sam.Captured(nil), s.kept...)
}

// trail remembers events.
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

func (r *trail) actions() (out []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		out = append(out, string(e.Action)+" "+string(e.Outcome)+" "+e.Details["cause"])
	}
	return out
}

type lab struct {
	testing.TB
	s     *partnercloud.Server
	i     partnercloud.Info
	cloud msapi.Cloud
	msapi *msapi.Client
	shelf *shelf
	trail *trail
	c     *capture.Capture
}

func newLab(t testing.TB) *lab {
	t.Helper()
	s, err := partnercloud.Start(t.Context(), partnercloud.Options{Unthrottled: true, NoLag: true, Days: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	l := &lab{TB: t, s: s, i: s.Info(), cloud: msapi.Commercial(), shelf: &shelf{}, trail: &trail{}}
	l.cloud.Name, l.cloud.Authority, l.cloud.Graph, l.cloud.PartnerCenter, l.cloud.ARM = "partner-cloud", l.i.Login, l.i.Graph, l.i.PartnerCenter, l.i.ARM
	l.msapi = msapi.New(msapi.Options{Transport: s.Transport(), Now: s.World.Clock.Now, Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
	if l.c, err = capture.New(capture.Deps{Entra: l.msapi, Keeper: l.shelf, Record: l.trail, Now: s.World.Clock.Now}); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *lab) app(id string) msapi.App {
	l.Helper()
	if id == toolApp {
		return msapi.App{ClientID: id, Credential: msapi.NewPublic()}
	}
	var text string
	l.s.World.Read(func(s *world.State) { text = s.SeededSecret(id) })
	c, err := msapi.NewSecret(secret.New(text), time.Time{})
	if err != nil {
		l.Fatal(err)
	}
	return msapi.App{ClientID: id, Credential: c}
}

func (l *lab) request(change ...func(*capture.Request)) capture.Request {
	l.Helper()
	r := capture.Request{
		Model: sam.CSP, Cloud: l.cloud, App: l.app(panelApp), Tenant: l.i.Tenant.ID, Redirect: redirect, Actor: "local:test",
		Features: []capture.Feature{capture.SignIns, capture.Policies, capture.Azure},
	}
	for _, f := range change {
		f(&r)
	}
	return r
}

func (l *lab) person(upn string) msapitest.Person {
	l.Helper()
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

func (l *lab) browser() *msapitest.Browser {
	return msapitest.NewBrowser(l, l.s.Transport(), l.i.Login)
}

// walk begins a sign-in and walks it to the answer.
func (l *lab) walk(upn string, change ...func(*capture.Request)) capture.Callback {
	l.Helper()
	b, err := l.c.Begin(l.Context(), l.request(func(r *capture.Request) { r.Redirect = "http://localhost:8400/callback" }, func(r *capture.Request) {
		for _, f := range change {
			f(r)
		}
	}))
	if err != nil {
		l.Fatal(err)
	}
	return l.answer(b.URL, upn)
}

func (l *lab) answer(where, upn string) capture.Callback {
	l.Helper()
	w := l.browser().Open(where).SignIn(l.person(upn))
	if w.Left == nil {
		l.Fatalf("the browser did not leave: %d\n%s", w.Status, main(w.Page))
	}
	cb, err := capture.ParseCallback(w.Left.RawQuery)
	if err != nil {
		l.Fatal(err)
	}
	return cb
}

func cause(err error) capture.Cause {
	var no *capture.Refusal
	if errors.As(err, &no) {
		return no.Cause
	}
	return ""
}
