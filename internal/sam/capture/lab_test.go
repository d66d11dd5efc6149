package capture_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/labtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/capture"
)

const (
	samAgent = labtest.SAMAgent
	nomfa    = labtest.NoMFA
	panelApp = labtest.PanelApp
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

// told is "action outcome cause" of what was recorded, in order.
func told(r *audittest.Recorder) (out []string) {
	for _, e := range r.Events() {
		out = append(out, string(e.Action)+" "+string(e.Outcome)+" "+e.Details["cause"])
	}
	return out
}

type lab struct {
	*labtest.Lab
	s     *partnercloud.Server
	i     partnercloud.Info
	cloud msapi.Cloud
	msapi *msapi.Client
	shelf *shelf
	trail *audittest.Recorder
	c     *capture.Capture
}

func newLab(t testing.TB) *lab {
	t.Helper()
	rig := labtest.Start(t)
	l := &lab{Lab: rig, s: rig.Server, i: rig.Info, cloud: rig.Cloud, shelf: &shelf{}, trail: &audittest.Recorder{}}
	l.msapi = l.Client(func(o *msapi.Options) {
		o.Wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	})
	var err error
	if l.c, err = capture.New(capture.Deps{Entra: l.msapi, Keeper: l.shelf, Record: l.trail, Now: l.Now}); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *lab) request(change ...func(*capture.Request)) capture.Request {
	l.Helper()
	r := capture.Request{
		Model: sam.CSP, Cloud: l.cloud, App: l.App(panelApp), Tenant: l.i.Tenant.ID, Redirect: redirect, Actor: "local:test",
		Features: []capture.Feature{capture.SignIns, capture.Policies, capture.Azure},
	}
	for _, f := range change {
		f(&r)
	}
	return r
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
	cb, err := capture.ParseCallback(l.Leave(where, upn).RawQuery)
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
