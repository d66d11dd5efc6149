package consent_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/db"
	"partnerguard/internal/labtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/sam/consent"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault/vaulttest"
)

const (
	samAgent = "sam-agent@contoso.com"
	panelApp = "5a1e3c1f-6f0b-4c56-8f39-2d7c7a3b9e10"
	redirect = "http://localhost:8400/callback"
)

// lab is a partner cloud with a connection, and the customers where the
// connection's account may consent.
type lab struct {
	*labtest.Lab
	s       *partnercloud.Server
	cloud   msapi.Cloud
	msapi   *msapi.Client
	app     msapi.App
	refresh secret.Text
	center  *msapi.PartnerCenter
	trail   *audittest.Recorder
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
	rig := labtest.Start(t, func(p *partnercloud.Options) { o.NoLag, o.Days = true, 1; *p = o })
	i := rig.Info
	l := &lab{Lab: rig, s: rig.Server, cloud: rig.Cloud, trail: &audittest.Recorder{}, intents: consent.NewIntents(d, vaulttest.Open(t, d))}
	pass := func(ctx context.Context, d time.Duration) error { l.pass(d); return ctx.Err() }
	l.msapi = rig.Client(func(o *msapi.Options) { o.Wait = pass })
	l.app, l.refresh = l.App(panelApp), l.Grant(panelApp, samAgent).Refresh
	var err error
	if l.center, err = l.msapi.PartnerCenter(l.cloud, i.Tenant.ID, func(ctx context.Context) (secret.Text, error) {
		g, err := l.msapi.Refresh(ctx, msapi.RefreshRequest{Cloud: l.cloud, App: l.app, Tenant: i.Tenant.ID, Refresh: l.refresh,
			Scope: l.cloud.PartnerCenterResource + "/.default"})
		if err != nil {
			return secret.Text{}, err
		}
		return g.Access, nil
	}); err != nil {
		t.Fatal(err)
	}
	if l.svc, err = consent.New(consent.Deps{Access: l, Intents: l.intents, Record: l.trail, Now: l.Now, Wait: pass}); err != nil {
		t.Fatal(err)
	}
	l.wanted = consent.WantedFor(l.cloud, []capture.Feature{capture.Accounts, capture.Policies, capture.Azure, capture.Delegation})
	l.o = consent.Options{
		Connection: sam.Connection{ID: "c-1", Tenant: i.Tenant.ID, ClientID: panelApp, Cloud: l.cloud}, Center: l.center, Wanted: l.wanted, Name: "Panel",
		Actor: "local:test",
	}
	return l
}

// pass lets the cloud's clock go on instead of waiting: its limits refill by it.
func (l *lab) pass(d time.Duration) {
	if d > 0 {
		_, _ = l.s.World.Clock.Jump(d)
	}
}

func (l *lab) customer(domain string) string { l.Helper(); return l.Customer(domain) }

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
