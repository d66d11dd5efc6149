package ledger

import (
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/db"
	"partnerguard/internal/gateway"
)

var start = time.Date(2026, 11, 30, 10, 0, 0, 0, time.UTC)

// rig is a ledger over a database, with a clock of its own.
type rig struct {
	*Ledger
	db    *db.DB
	trail *audittest.Recorder
	clock atomic.Int64
	panel *gateway.Route
}

func newRig(t testing.TB, d *db.DB, change func(*Deps)) *rig {
	t.Helper()
	r := &rig{db: d, trail: &audittest.Recorder{}, panel: &gateway.Route{Name: "panel", Phases: []gateway.Phase{{Mode: gateway.Report}}}}
	r.clock.Store(start.UnixMicro())
	deps := Deps{DB: d, Record: r.trail, Now: r.now}
	if change != nil {
		change(&deps)
	}
	var err error
	if r.Ledger, err = New(deps); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) now() time.Time       { return time.UnixMicro(r.clock.Load()).UTC() }
func (r *rig) pass(d time.Duration) { r.clock.Add(d.Microseconds()) }
func (r *rig) flush(t testing.TB) {
	t.Helper()
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// user is somebody with a client.
func user(oid, client string) *gateway.Identity {
	return &gateway.Identity{Way: gateway.ByBearer, Tenant: "t1", ObjectID: oid, Account: oid + "@contoso.example", App: client}
}

// note notes n requests.
func (r *rig) note(n int, id *gateway.Identity, reason gateway.Reason, change func(*gateway.Decision, *gateway.Request)) {
	for range n {
		d := gateway.Decision{Route: r.panel, Identity: id, Reason: reason, Phase: gateway.Phase{Mode: gateway.Report}}
		q := gateway.Request{Host: "panel.contoso.example", Path: "/secret-path", Authorization: "Bearer SECRET-TOKEN", Cookie: "__Host-pg=SECRET-COOKIE",
			UserAgent: "python-requests/2 SECRET-AGENT", Remote: netip.MustParseAddr("192.0.2.77"), ID: "r1", Now: r.now()}
		if change != nil {
			change(&d, &q)
		}
		r.Note(&d, &q)
	}
}
