package consent_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/entra"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/partnercloud/gate"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam/capture"
	"partnerguard/internal/sam/consent"
)

const adatum = "adatum.example"

// writes counts the changes that Partner Center was asked for.
func (l *lab) writes() (n int) {
	for _, s := range l.s.Gate.Seen(gate.Filter{}) {
		if s.Service == gate.Center && s.Method != http.MethodGet {
			n++
		}
	}
	return n
}

// set makes Adatum's consent exactly this, by the front door.
func (l *lab) set(grants ...msapi.ConsentGrant) {
	l.Helper()
	id := l.customer(adatum)
	if _, err := l.center.RemoveConsent(l.Context(), id, panelApp); err != nil {
		l.Fatal(err)
	}
	if len(grants) == 0 {
		return
	}
	res, err := l.center.GrantConsent(l.Context(), id, panelApp, "", grants)
	if err != nil {
		l.Fatal(err)
	}
	for _, r := range res {
		if r.State != msapi.Granted {
			l.Fatalf("%+v", r)
		}
	}
}

func graphOf(scopes ...string) msapi.ConsentGrant {
	return msapi.ConsentGrant{Resource: entra.AppGraph, Scopes: scopes}
}

var arm = msapi.ConsentGrant{Resource: entra.AppARM, Scopes: []string{"user_impersonation"}}

func states(r consent.Row) (out []string) {
	for _, it := range r.Items {
		out = append(out, string(it.State))
	}
	return out
}

// What is there, what is planned for it, and what there is after it was applied.
func TestPlanAndApply(t *testing.T) {
	t.Parallel()
	l := newLab(t, dbtest.SQLite(t), partnercloud.Options{Unthrottled: true})
	for name, c := range map[string]struct {
		have   []msapi.ConsentGrant
		trim   bool
		before []string
		action consent.Action
		after  []string
		result consent.Result
		trail  []string
	}{
		"nothing": {nil, false, []string{"missing", "missing"}, consent.Grant, []string{"in order", "in order"}, consent.Applied,
			[]string{"consent.granted done", "consent.granted done"}},
		"one of two resources": {[]msapi.ConsentGrant{arm}, false, []string{"missing", "in order"}, consent.Grant, []string{"in order", "in order"},
			consent.Applied,
			[]string{"consent.granted done"}},
		"too little": {[]msapi.ConsentGrant{graphOf("Directory.Read.All"), arm}, false, []string{"drift", "in order"}, consent.Replace,
			[]string{"in order", "in order"}, consent.Applied,
			[]string{"consent.granted done", "consent.granted done", "consent.removed done"}},
		"too little and too much": {[]msapi.ConsentGrant{graphOf("AuditLog.Read.All")}, false, []string{"drift", "missing"}, consent.Replace,
			[]string{"in order", "in order"}, consent.Applied,
			[]string{"consent.granted done", "consent.granted done", "consent.removed done"}},
		"too much, borne": {[]msapi.ConsentGrant{graphOf("Directory.Read.All", "Policy.Read.All", "AuditLog.Read.All"), arm}, false,
			[]string{"excess", "in order"}, consent.None, []string{"excess", "in order"}, consent.Unchanged, nil},
		"too much, trimmed": {[]msapi.ConsentGrant{graphOf("Directory.Read.All", "Policy.Read.All", "AuditLog.Read.All"), arm}, true,
			[]string{"excess", "in order"}, consent.Replace, []string{"in order", "in order"}, consent.Applied,
			[]string{"consent.granted done", "consent.granted done", "consent.removed done"}},
		"a wider one will do": {[]msapi.ConsentGrant{graphOf("Directory.Read.All", "Application.Read.All", "Policy.Read.All"), arm}, true,
			[]string{"in order", "in order"}, consent.None, []string{"in order", "in order"}, consent.Unchanged, nil},
	} {
		l.set(c.have...)
		trim := func(o *consent.Options) { o.Trim = c.trim }
		n := l.writes()
		rows, sum, err := l.run(only(adatum), trim)
		if err != nil || sum.Customers != 1 {
			t.Fatal(name, sum, err)
		}
		want := consent.Planned
		if c.action == consent.None {
			want = consent.Unchanged
		}
		if r := rows[adatum]; !slices.Equal(states(r), c.before) || r.Action != c.action || r.Result != want || l.writes() != n {
			t.Errorf("%s: plan %v %s %s, %d writes", name, states(r), r.Action, r.Result, l.writes()-n)
		}
		rows, _, err = l.run(only(l.customer(adatum)), trim, apply)
		if r := rows[adatum]; err != nil || !slices.Equal(states(r), c.after) || r.Action != c.action || r.Result != c.result {
			t.Errorf("%s: applied %v %s %s %s %v", name, states(r), r.Action, r.Result, r.Why, err)
		}
		if d := cmp.Diff(c.trail, l.trail.Take()); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		n = l.writes()
		if rows, _, err := l.run(only(adatum), apply, trim); err != nil || rows[adatum].Result != consent.Unchanged || l.writes() != n {
			t.Errorf("%s: a second run: %+v %v, %d writes", name, rows[adatum], err, l.writes()-n)
		}
		if open, err := l.intents.Open(t.Context(), "c-1"); err != nil || len(open) != 0 {
			t.Errorf("%s: left %v %v", name, open, err)
		}
	}
}

// All customers: those without a right there fail alone, those without a way in
// are left alone, a service that a customer never used is told.
func TestEveryCustomer(t *testing.T) {
	t.Parallel()
	l := newLab(t, dbtest.SQLite(t), partnercloud.Options{Unthrottled: true})
	l.o.Wanted = append(l.o.Wanted, consent.Wanted{Resource: entra.AppManagementAPIs, Name: "Management", URI: "https://manage.office.com",
		Scopes: []string{"ActivityFeed.Read"}})
	l.set()
	rows, sum, err := l.run(apply)
	if err != nil || sum.Customers != 12 {
		t.Fatal(sum, err)
	}
	if r := rows[adatum]; r.Result != consent.Unseen && r.Result != consent.Applied || states(r)[0] != "in order" {
		t.Errorf("adatum: %+v", r)
	}
	if r := rows["woodgrove.example"]; r.Result != consent.Failed || !strings.Contains(r.Why, "900308") || !strings.Contains(r.Fix, "GDAP") {
		t.Errorf("woodgrove: %+v", r)
	}
	if r := rows["trey.example"]; r.Result != consent.Skipped || !strings.Contains(r.Why, "50020") || r.Fix == "" {
		t.Errorf("trey: %+v", r)
	}
	if _, _, err := l.run(only("nobody.example", adatum)); !errors.Is(err, problem.NotFound) || !strings.Contains(err.Error(), "nobody.example") ||
		strings.Contains(err.Error(), adatum) {
		t.Errorf("a name that is none: %v", err)
	}
}

// Whatever Partner Center does on the way, the end is that the consent is there,
// or that the row says what is not.
func TestFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		f    gate.Fault
		want consent.Result
	}{
		"throttled":            {gate.Fault{Kind: gate.Throttle, Times: 3}, consent.Applied},
		"throttled bare":       {gate.Fault{Kind: gate.ThrottleBare, Times: 6}, consent.Applied},
		"a lost grant":         {gate.Fault{Kind: gate.Lost, Method: http.MethodPost, Times: 1}, consent.Applied},
		"lost grants":          {gate.Fault{Kind: gate.Lost, Method: http.MethodPost, Times: 9}, consent.Applied},
		"a lost removal":       {gate.Fault{Kind: gate.Lost, Method: http.MethodDelete, Times: 1}, consent.Applied},
		"lost removals":        {gate.Fault{Kind: gate.Lost, Method: http.MethodDelete, Times: 6}, consent.Applied},
		"cut grants":           {gate.Fault{Kind: gate.Cut, Method: http.MethodPost, Times: 5}, consent.Applied},
		"passing errors":       {gate.Fault{Kind: gate.ServerErrors, Times: 6}, consent.Applied},
		"half answers":         {gate.Fault{Kind: gate.Half, Times: 3}, consent.Applied},
		"removals that cannot": {gate.Fault{Kind: gate.Cut, Method: http.MethodDelete}, consent.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, dbtest.SQLite(t), partnercloud.Options{Unthrottled: true})
			l.set(graphOf("Directory.Read.All"), arm)
			c.f.Service = gate.Center
			c.f.PathPrefix = "/v1/customers/" + l.customer(adatum) + "/applicationconsents"
			f, err := l.s.Gate.Inject(c.f)
			if err != nil {
				t.Fatal(err)
			}
			rows, _, err := l.run(only(adatum), apply)
			r := rows[adatum]
			if err != nil || r.Result != c.want || r.Result == consent.Failed && (r.Why == "" || r.Fix == "") {
				t.Errorf("%s %s %s: %v", r.Action, r.Result, r.Why, err)
			}
			if l.s.Gate.Faults()[0].Hits == 0 {
				t.Error("the fault never struck")
			}
			l.s.Gate.Clear(f.ID)
			if rows, _, err := l.run(only(adatum), apply); err != nil || states(rows[adatum])[0] != "in order" {
				t.Errorf("afterwards: %+v %v", rows[adatum], err)
			}
			if open, _ := l.intents.Open(t.Context(), "c-1"); len(open) != 0 {
				t.Errorf("left: %v", open)
			}
		})
	}
}

// between breaks in when a consent was removed.
type between struct {
	consent.Center
	then func() error
}

func (b *between) RemoveConsent(ctx context.Context, customer, app string) (bool, error) {
	removed, err := b.Center.RemoveConsent(ctx, customer, app)
	if err == nil && b.then != nil {
		then := b.then
		b.then = nil
		if err := then(); err != nil {
			panic(err)
		}
	}
	return removed, err
}

// A crash between removal and grant is told by the next run, also by a dry one,
// and healed.
func TestCrashBetween(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		l := newLab(t, d, partnercloud.Options{Unthrottled: true})
		l.set(graphOf("Directory.Read.All"), arm)
		crash := errors.New("crash")
		b := &between{l.center, func() error { return crash }}
		done := make(chan any, 1)
		go func() { // the worker's panic is the crash; it must not end the test
			defer func() { done <- recover() }()
			o := l.o
			o.Center, o.Only, o.Apply, o.Workers = b, []string{adatum}, true, 1
			_ = l.svc.Once(t.Context(), o, l.customer(adatum))
		}()
		if v := <-done; v != crash {
			t.Fatalf("no crash: %v", v)
		}
		rows, sum, err := l.run(only(adatum))
		r := rows[adatum]
		if err != nil || !slices.Equal(states(r), []string{"missing", "missing"}) || r.Left.IsZero() || sum.Left != 1 || r.Action != consent.Grant ||
			r.Result != consent.Planned {
			t.Fatalf("the plan after it: %+v %+v %v", r, sum, err)
		}
		rows, _, err = l.run(only(adatum), apply)
		if r := rows[adatum]; err != nil || r.Result != consent.Applied || r.Left.IsZero() {
			t.Errorf("the run after it: %+v %v", r, err)
		}
		rows, sum, err = l.run(only(adatum), apply)
		if r := rows[adatum]; err != nil || r.Result != consent.Unchanged || !r.Left.IsZero() || sum.Left != 0 {
			t.Errorf("the run after that: %+v %v", r, err)
		}
	})
}

// A request to stop between removal and grant is heard after the grant.
func TestStopBetween(t *testing.T) {
	t.Parallel()
	l := newLab(t, dbtest.SQLite(t), partnercloud.Options{Unthrottled: true})
	l.set(graphOf("Directory.Read.All"))
	ctx, cancel := context.WithCancel(t.Context())
	o := l.o
	o.Apply, o.Only, o.Center = true, []string{adatum}, &between{l.center, func() error { cancel(); return nil }}
	var rows []consent.Row
	_, err := l.svc.Run(ctx, o, func(r consent.Row) error { rows = append(rows, r); return nil })
	if len(rows) != 1 || rows[0].Result != consent.Applied {
		t.Errorf("%+v %v", rows, err)
	}
	if rows, _, err := l.run(only(adatum)); err != nil || !slices.Equal(states(rows[adatum]), []string{"in order", "in order"}) {
		t.Errorf("afterwards: %+v %v", rows[adatum], err)
	}
}

// What every customer would have ends the run: a connection without the claim,
// a trail that cannot be written.
func TestWhatEndsARun(t *testing.T) {
	t.Parallel()
	l := newLab(t, dbtest.SQLite(t), partnercloud.Options{Unthrottled: true})
	l.set()
	l.trail.Fail(errors.New("disk full"))
	rows, _, err := l.run(only(adatum), apply)
	if err == nil || rows[adatum].Result != consent.Failed {
		t.Errorf("a trail that fails: %+v %v", rows[adatum], err)
	}
	l.trail.Fail(nil)
	no := &msapi.APIError{Service: "Partner Center", Status: 401, Code: "900421"}
	var n atomic.Int64
	_, _, err = l.run(apply, func(o *consent.Options) {
		o.Workers = 2
		o.Center = &refusing{l.center, no, &n}
	})
	if !errors.Is(err, no) || n.Load() > 4 {
		t.Errorf("%v after %d customers", err, n.Load())
	}
	for name, f := range map[string]func(*consent.Options){
		"nothing wanted": func(o *consent.Options) { o.Wanted = nil },
		"no centre":      func(o *consent.Options) { o.Center = nil },
		"no connection":  func(o *consent.Options) { o.Connection.ID = "" },
	} {
		if _, _, err := l.run(f); err == nil {
			t.Errorf("%s: it ran", name)
		}
	}
}

type refusing struct {
	consent.Center
	err error
	n   *atomic.Int64
}

func (r *refusing) GrantConsent(context.Context, string, string, string, []msapi.ConsentGrant) ([]msapi.ConsentResult, error) {
	r.n.Add(1)
	return nil, r.err
}

func TestWantedFor(t *testing.T) {
	t.Parallel()
	got := consent.WantedFor(msapi.Commercial(), capture.Features())
	if len(got) != 2 {
		t.Fatalf("%+v", got)
	}
	for _, w := range got {
		for _, s := range w.Scopes {
			if strings.HasPrefix(s, "DelegatedAdmin") || strings.HasPrefix(s, "Partner") || s == "offline_access" || s == "User.Read" {
				t.Errorf("%s of %s means nothing at a customer", s, w.URI)
			}
		}
	}
	if w := consent.WantedFor(msapi.Commercial(), []capture.Feature{capture.Delegation}); len(w) != 0 {
		t.Errorf("%+v", w)
	}
}

// With the limits on: every customer is planned and applied, and the limit of
// consents, which answers by the cloud's own clock, is borne.
func TestWithLimits(t *testing.T) {
	t.Parallel()
	l := newLab(t, dbtest.SQLite(t), partnercloud.Options{Customers: 60})
	_, sum, err := l.run(apply)
	if err != nil || sum.Customers < 60 || sum.Customers != sum.Results[consent.Applied]+sum.Results[consent.Unchanged]+sum.Results[consent.Skipped]+
		sum.Results[consent.Failed]+sum.Results[consent.Unseen] {
		t.Errorf("%+v %v", sum, err)
	}
}
