//go:build !judge

package desk

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"

	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/fraud"
	"partnerguard/internal/labtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// ground is the partner cloud, with the ways into it.
type ground struct {
	*labtest.Lab
	graph, shut *msapi.Graph // shut is let in nowhere
	center      *msapi.PartnerCenter
	bearer      func(resource string) msapi.Bearer
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(q *http.Request) (*http.Response, error) { return f(q) }

func newGround(t *testing.T) *ground {
	t.Helper()
	g := &ground{Lab: labtest.Start(t)}
	refresh := g.Grant(labtest.PanelApp, labtest.SAMAgent).Refresh
	g.bearer = func(resource string) msapi.Bearer {
		return func(ctx context.Context) (secret.Text, error) {
			x, err := g.API.Refresh(ctx, msapi.RefreshRequest{Cloud: g.Cloud, App: g.App(labtest.PanelApp), Tenant: g.Info.Tenant.ID, Refresh: refresh,
				Scope: resource + "/.default"})
			if err != nil {
				return secret.Text{}, err
			}
			return x.Access, nil
		}
	}
	var err error
	if g.graph, err = g.API.Graph(g.Cloud, g.Info.Tenant.ID, g.bearer(g.Cloud.GraphResource)); err != nil {
		t.Fatal(err)
	}
	if g.shut, err = g.API.Graph(g.Cloud, g.Info.Tenant.ID, g.bearer(g.Cloud.PartnerCenterResource)); err != nil {
		t.Fatal(err)
	}
	if g.center, err = g.API.PartnerCenter(g.Cloud, g.Info.Tenant.ID, g.bearer(g.Cloud.PartnerCenterResource)); err != nil {
		t.Fatal(err)
	}
	return g
}

// active are the alerts of the world that wait.
func (g *ground) active() (out []*world.Alert) {
	g.Server.World.Read(func(s *world.State) {
		for a := range s.PartnerTenant().Alerts.All() {
			if c := *a; a.Status == "active" && !a.Test {
				out = append(out, &c)
			}
		}
	})
	return out
}

// TestLive: the cloud told by Graph, by Partner Center alone, and by both, is the same; and an
// answer reaches exactly one alert, whichever takes it.
func TestLive(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	ctx := t.Context()
	told := func(c Cloud, both bool, from ...string) []fraud.Alert {
		t.Helper()
		x, err := c.Alerts(ctx, both)
		if err != nil || !slices.Equal(x.From, from) || x.Lost != 0 {
			t.Fatalf("%v from %q, lost %d", err, x.From, x.Lost)
		}
		return fraud.Join(x.List)
	}
	byGraph, shut, both := Live(g.center, g.graph), Live(g.center, g.shut, g.shut), Live(g.center, g.shut, g.graph)
	a, b, c := told(byGraph, false, fraud.Graph), told(shut, false, fraud.Center), told(both, true, fraud.Graph, fraud.Center)
	if len(a) == 0 || len(a) != len(b) || len(a) != len(c) {
		t.Fatalf("%d by Graph, %d by Partner Center, %d by both", len(a), len(b), len(c))
	}
	for i := range c {
		if x := &c[i]; x.GraphID == "" || x.EventID == "" || x.CustomerName == "" || len(x.Linked) != 0 {
			t.Errorf("not one: %+v", x)
		}
	}
	g.Edit(func(s *world.State, t *world.Tenant) { // a second one that waits
		for a := range t.Alerts.All() {
			c := *a
			c.ID, c.EventID, c.Status, c.Test, c.Detected = world.NewGUID(), c.Subscription+"_"+world.NewGUID(), "active", false, s.Clock.Now()
			s.RaiseAlert(&c)
			return
		}
	})
	before := len(g.active())
	for i := range c {
		x := &c[i]
		if !x.Open() || x.Test {
			continue
		}
		only := *x
		if err := shut.Resolve(ctx, &only, fraud.Fraud); err != nil {
			t.Fatal(err)
		}
		if n := len(g.active()); n != before-1 {
			t.Errorf("%d waited, and %d do after one answer", before, n)
		}
		got, err := both.Alert(ctx, &only)
		if err != nil || got.Open() || got.Reason != fraud.Fraud || got.ResolvedBy != labtest.SAMAgent || got.ResolvedAt.IsZero() {
			t.Errorf("%+v %v", got, err)
		}
		break
	}
	// Graph may be read and not written: the event that the alert is takes the answer.
	wire := g.Server.Transport()
	reading, err := g.Client(func(o *msapi.Options) {
		o.Transport = transport(func(q *http.Request) (*http.Response, error) {
			if q.Method == http.MethodPatch {
				return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}, Body: http.NoBody, Request: q}, nil
			}
			return wire.RoundTrip(q)
		})
	}).Graph(g.Cloud, g.Info.Tenant.ID, g.bearer(g.Cloud.GraphResource))
	if err != nil {
		t.Fatal(err)
	}
	if left := g.active(); len(left) > 0 {
		only, err := byGraph.Alert(ctx, &fraud.Alert{GraphID: left[0].ID})
		if err == nil {
			err = Live(g.center, reading).Resolve(ctx, &only, fraud.Ignore)
		}
		if n := len(g.active()); err != nil || n != len(left)-1 {
			t.Errorf("%v, %d waited, and %d do", err, len(left), n)
		}
	}
	if _, err := byGraph.Alert(ctx, &fraud.Alert{GraphID: "11111111-2222-3333-4444-555555555555"}); !errors.Is(err, problem.NotFound) {
		t.Errorf("no such alert: %v", err)
	}
	if err := Live(g.center, g.shut).Resolve(ctx, &fraud.Alert{GraphID: "x"}, fraud.Fraud); !refused(err) && err == nil {
		t.Errorf("let in nowhere: %v", err)
	}
}

// TestLiveFaults: throttled, broken and lost replies on the way: one answer comes.
func TestLiveFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"503 Graph: list", "503 answer", "lost answer"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			g := newGround(t)
			r := newRig(t, dbtest.SQLite(t))
			cloud := &faulty{Cloud: Live(g.center, g.graph), fault: fault}
			d, err := New(Deps{DB: r.db, Marks: r.v, Record: r.trail, Actor: "local:test", Now: g.Now,
				Cloud: func(context.Context) (Cloud, error) { return cloud, nil }})
			r.ok(err)
			_, err = d.Pull(t.Context())
			if fault == "503 Graph: list" {
				if err == nil {
					t.Fatal("it was broken")
				}
				_, err = d.Pull(t.Context())
			}
			r.ok(err)
			id := g.active()[0].ID
			r.ok(d.Answer(t.Context(), id, fraud.Ignore, "local:ana"))
			for range 3 {
				r.ok(d.Sweep(t.Context()))
				g.Jump(leaseFor)
			}
			c, err := d.Get(t.Context(), id)
			if err != nil || c.Answer.State != Sent || cloud.answers > 2 {
				t.Errorf("%+v %v, %d answers", c.Answer, err, cloud.answers)
			}
			var lines int
			g.Server.World.Read(func(s *world.State) {
				a := s.PartnerTenant().Alerts.Get(id)
				lines = len(a.Activity)
				if a.Reason != "ignore" {
					t.Errorf("%+v", a)
				}
			})
			if lines != 1 {
				t.Errorf("Microsoft was answered %d times", lines)
			}
		})
	}
}

// faulty breaks the first of some call.
type faulty struct {
	Cloud
	fault   string
	broke   bool
	answers int
}

func (f *faulty) once(what string) bool {
	is := f.fault == what && !f.broke
	f.broke = f.broke || is
	return is
}

func broken() error {
	return &msapi.APIError{Service: "Microsoft Graph", Status: http.StatusServiceUnavailable, Transient: true}
}

func (f *faulty) Alerts(ctx context.Context, both bool) (Told, error) {
	if f.once("503 Graph: list") {
		return Told{}, broken()
	}
	return f.Cloud.Alerts(ctx, both)
}

func (f *faulty) Resolve(ctx context.Context, a *fraud.Alert, r fraud.Reason) error {
	f.answers++
	if f.once("503 answer") {
		return broken()
	}
	err := f.Cloud.Resolve(ctx, a, r)
	if f.once("lost answer") {
		return broken()
	}
	return err
}
