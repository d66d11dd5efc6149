//go:build !judge

package desk

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/db"
	"partnerguard/internal/fraud"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

var start = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// fake is Microsoft. Every alert is told by both interfaces, or by Graph alone.
type fake struct {
	mu     sync.Mutex
	at     time.Time
	alerts map[string]*fraud.Alert // by id of Graph
	sent   []string                // answers that came, in order
	down   error                   // of every call
	graph  bool                    // Graph answers
	lose   bool                    // the reply to an answer is lost
	lost   int                     // rows that cannot be read
}

func newFake() *fake { return &fake{at: start, alerts: map[string]*fraud.Alert{}, graph: true} }

func (f *fake) clock() time.Time { f.mu.Lock(); defer f.mu.Unlock(); return f.at }

func (f *fake) jump(d time.Duration) { f.mu.Lock(); defer f.mu.Unlock(); f.at = f.at.Add(d) }

// raise puts an alert in that was detected so long ago.
func (f *fake) raise(id, sub, kind string, ago time.Duration) *fraud.Alert {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := &fraud.Alert{GraphID: id, EventID: sub + "_" + id, Name: "Alert " + id, Type: kind, Kind: fraud.KindOf(kind), Status: fraud.Active,
		Customer:     "c-" + sub,
		Subscription: sub, Detected: f.at.Add(-ago), Severity: "high"}
	f.alerts[id] = a
	return a
}

func (f *fake) resolve(id string, reason fraud.Reason, by string) {
	a := f.alerts[id]
	a.Status, a.Reason, a.ResolvedBy, a.ResolvedAt = fraud.Resolved, reason, by, f.at
}

// told is an alert as an interface tells it.
func (f *fake) told(a *fraud.Alert, graph bool) fraud.Alert {
	m := map[string]any{"status": a.Status, "resolvedReason": a.Reason, "resolvedBy": a.ResolvedBy,
		"customerTenantId": a.Customer, "subscriptionId": a.Subscription,
		"displayName": a.Name, "isTest": a.Test, "severity": a.Severity, "eventStatus": a.Status}
	at := map[bool]string{true: "detectedDateTime", false: "eventTime"}[graph]
	if !a.Detected.IsZero() {
		m[at] = a.Detected.Format(time.RFC3339Nano)
	}
	if !a.ResolvedAt.IsZero() {
		m["resolvedOn"], m["resolvedOnDateTime"] = a.ResolvedAt.Format(time.RFC3339Nano), a.ResolvedAt.Format(time.RFC3339Nano)
	}
	read := fraud.ReadCenter
	if graph {
		m["id"], m["alertType"] = a.GraphID, a.Type
		read = fraud.ReadGraph
	} else {
		m["eventId"], m["eventType"] = a.EventID, a.Type
	}
	raw, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	out, err := read(raw)
	if err != nil {
		panic(err)
	}
	return out
}

func (f *fake) Alerts(_ context.Context, both bool) (t Told, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down != nil {
		return t, f.down
	}
	for _, a := range f.alerts {
		if f.graph {
			t.List = append(t.List, f.told(a, true))
		}
		if !f.graph || both {
			t.List = append(t.List, f.told(a, false))
		}
	}
	if f.graph {
		t.From = append(t.From, fraud.Graph)
	}
	if !f.graph || both {
		t.From = append(t.From, fraud.Center)
	}
	t.Lost = f.lost
	return t, nil
}

func (f *fake) Alert(_ context.Context, a *fraud.Alert) (fraud.Alert, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down != nil {
		return fraud.Alert{}, f.down
	}
	x := f.alerts[a.GraphID]
	if x == nil {
		return fraud.Alert{}, problem.New(problem.NotFound, "none")
	}
	return f.told(x, f.graph), nil
}

func (f *fake) Resolve(_ context.Context, a *fraud.Alert, reason fraud.Reason) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down != nil {
		return f.down
	}
	f.sent = append(f.sent, a.GraphID+" "+string(reason))
	f.resolve(a.GraphID, reason, "us")
	if f.lose {
		f.lose = false
		return problem.New(problem.Unavailable, "the reply was lost")
	}
	return nil
}

// rig is a desk over a database and the fake.
type rig struct {
	testing.TB
	*Desk
	db    *db.DB
	f     *fake
	v     *vault.Vault
	trail *audittest.Recorder
	told  int
	up    []string // escalations
}

func newRig(t testing.TB, d *db.DB) *rig {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if _, err := vault.MakeKeyFile(path); err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(t.Context(), d, vault.NewKeyFile(path), vault.Options{Books: Books()})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{TB: t, db: d, f: newFake(), v: v, trail: &audittest.Recorder{}}
	r.Desk = r.another(nil)
	return r
}

// another is a process of its own over the same database.
func (r *rig) another(at func(context.Context, string)) *Desk {
	r.Helper()
	seen := map[string]bool{}
	d, err := New(Deps{DB: r.db, Marks: r.v, Record: r.trail, Actor: "local:test", Now: r.f.clock, at: at, Last: r.last,
		Cloud: func(context.Context) (Cloud, error) { return r.f, nil },
		Told:  func(context.Context) error { r.told++; return nil },
		Escalate: func(_ context.Context, g *Group) error {
			if key := g.Stage.String() + " " + g.Key; !seen[key] {
				seen[key] = true
				r.up = append(r.up, key)
			}
			return nil
		}})
	if err != nil {
		r.Fatal(err)
	}
	return d
}

// last is what the trail says of a version of a row.
func (r *rig) last(context.Context) (func(alert, row string) audit.Action, error) {
	all := map[string]audit.Action{}
	for _, e := range r.trail.Events() {
		if row := e.Details["row"]; row != "" && strings.HasPrefix(string(e.Action), "fraud.") {
			all[e.Object+" "+row] = e.Action
		}
	}
	return func(alert, row string) audit.Action { return all[alert+" "+row] }, nil
}

func (r *rig) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *rig) pull() []Case {
	r.Helper()
	list, err := r.Pull(r.Context())
	r.ok(err)
	return list
}

func (r *rig) one(id string) *Case {
	r.Helper()
	c, err := r.Get(r.Context(), id)
	r.ok(err)
	return c
}

// words tell how the rows stand, in a line.
func (r *rig) words(id string) string {
	r.Helper()
	c := r.one(id)
	if c.Answer == nil {
		return string(c.Status)
	}
	return fmt.Sprintf("%s %s %s", c.Status, c.Answer.State, c.Answer.Reason)
}
