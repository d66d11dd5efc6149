package ledger

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/gateway"
)

// TestFloodsLeaveRoom: whoever proves nothing, from however many networks, keeps nobody who
// does from being counted by name, nor fills a book whose routes refuse when it is full.
func TestFloodsLeaveRoom(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t), func(d *Deps) { d.keys, d.waiting = 10, 20 })
	flood := func(from byte) {
		for i := range 100 {
			r.note(1, nil, gateway.Malformed, func(_ *gateway.Decision, q *gateway.Request) {
				q.Remote = netip.AddrFrom4([4]byte{10, from, byte(i), 1})
			})
		}
	}
	gone, stop := context.WithCancel(t.Context())
	stop()
	for hour := range byte(6) {
		flood(hour)
		_ = r.Flush(gone) // the database is away
		r.pass(3600e9)
	}
	if r.Full() {
		t.Error("strangers alone fill the book")
	}
	r.note(3, user("ada", "app1"), gateway.Passed, nil)
	r.flush(t)
	rep, err := r.Report(t.Context(), Filter{Since: start}, nil)
	if err != nil || rep.Routes[0].Callers != 1 {
		t.Errorf("ada is nowhere: %+v %v", rep.Routes, err)
	}
}

// TestFloodsHideNobody: the trail names who was refused though they proved who they are,
// however many strangers were refused more often.
func TestFloodsHideNobody(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d, nil)
		refused := func(d *gateway.Decision, _ *gateway.Request) { d.Refused = true }
		r.note(1, user("bob", "app2"), gateway.SingleFactor, refused)
		for i := range toldOf + 20 {
			r.note(2, nil, gateway.Malformed, func(d *gateway.Decision, q *gateway.Request) {
				d.Refused, q.Remote = true, netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 1})
			})
		}
		r.flush(t)
		r.pass(2 * time.Hour)
		if err := r.Tell(t.Context()); err != nil {
			t.Fatal(err)
		}
		list := r.trail.Of(audit.GatewayRefused)
		if len(list) != toldOf+1 || list[0].Actor != "user:bob" {
			t.Errorf("%d entries, the first of %s", len(list), list[0].Actor)
		}
	})
}
