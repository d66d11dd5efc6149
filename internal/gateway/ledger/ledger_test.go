package ledger

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/gateway"
)

// What was decided is in the report, once, whatever hour and flush it was counted in.
func TestReport(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d, nil)
		r.note(97, user("ada", "app1"), gateway.Passed, nil)
		r.flush(t)
		r.note(3, user("bob", "app2"), gateway.SingleFactor, nil)
		r.pass(time.Hour)
		r.note(2, user("bob", "app2"), gateway.SingleFactor, nil)
		r.note(4, user("eve", "app2"), gateway.TooOld, func(d *gateway.Decision, _ *gateway.Request) { d.Excused = &gateway.Exception{Name: "eve's tool"} })
		r.note(1, nil, gateway.NoToken, func(d *gateway.Decision, _ *gateway.Request) { d.Refused = true })
		r.note(1, &gateway.Identity{Way: gateway.ByBearer, Tenant: "t1", App: "daemon", IsApp: true}, gateway.AppNotAllowed, nil)
		r.flush(t)
		r.flush(t)
		next := &gateway.Phase{Mode: gateway.Ramp, Share: 20, From: start.Add(24 * time.Hour)}
		rep, err := r.Report(t.Context(), Filter{Since: start.Add(-time.Hour)}, []Route{{Name: "panel", Holds: gateway.Phase{Mode: gateway.Report}, Next: next},
			{Name: "quiet"}})
		if err != nil {
			t.Fatal(err)
		}
		if len(rep.Routes) != 2 {
			t.Fatalf("%+v", rep.Routes)
		}
		p := rep.Routes[0]
		if p.Route != "panel" || p.Requests != 108 || p.Would != 7 || p.Refused != 1 || p.Excused != 4 || p.Callers != 4 || p.Hit != 2 || p.Excepted != 1 ||
			p.Strangers != 1 || p.Next == nil || p.Next.Share != 20 {
			t.Errorf("%+v", p)
		}
		const says = "Enforcing now would refuse 2 of 4 callers, 6.5 % of requests. 1 request came without a token or session that is taken. " +
			"1 caller passes by exceptions."
		if p.Says != says {
			t.Errorf("%s", p.Says)
		}
		if s := rep.Routes[1].Says; s != "Nothing came, so nothing is known." {
			t.Errorf("nothing is not well: %s", s)
		}
		f := rep.Findings[0]
		if f.Caller != "bob" || f.Times != 5 || f.Account != "bob@contoso.example" || f.Client != "app2" || f.Agent != "Python" ||
			f.Reason != "single-factor" ||
			f.Fix == "" || !f.First.Equal(start) || !f.Last.Equal(start.Add(time.Hour)) || f.Share != 5.0/108 {
			t.Errorf("%+v", f)
		}
		if f := rep.Findings[len(rep.Findings)-1]; f.Excused != "eve's tool" {
			t.Errorf("what is excused comes last: %+v", f)
		}
		hours, err := r.Hours(t.Context(), start, "")
		if err != nil || len(hours) != 2 || hours[0].Requests != 100 || hours[0].NotWell != 3 || hours[1].Refused != 1 || hours[1].NotWell != 4 {
			t.Errorf("%+v %v", hours, err)
		}
		if rep, err = r.Report(t.Context(), Filter{Since: start, Route: "other"}, nil); err != nil || len(rep.Findings) != 0 {
			t.Errorf("%+v %v", rep, err)
		}
		who, err := r.whose(t.Context(), "BOB@contoso.example")
		if err != nil || len(who) != 1 || who[0] != [2]string{"t1", "bob"} {
			t.Errorf("%v %v", who, err)
		}
	})
}

// Nothing secret is kept: neither in the table, nor in lines, nor in the trail.
func TestNothingSecret(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	lines := NewLines()
	r := newRig(t, d, nil)
	r.Also(lines)
	r.note(1, user("bob", "app2"), gateway.SingleFactor, func(d *gateway.Decision, _ *gateway.Request) { d.Refused = true })
	r.note(1, nil, gateway.BadSignature, func(d *gateway.Decision, _ *gateway.Request) { d.Refused = true })
	r.flush(t)
	r.pass(2 * time.Hour)
	if err := r.Tell(t.Context()); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := lines.Run(ctx, &b); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "\n"); n != 2 {
		t.Errorf("%d lines", n)
	}
	tables, err := d.Tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range tables {
		if x.Name == "gateway_decisions" {
			if err := d.Rows(t.Context(), x, func(row []any) error { fmt.Fprintln(&b, row...); return nil }); err != nil {
				t.Fatal(err)
			}
		}
	}
	fmt.Fprintf(&b, "%+v", r.trail.Events())
	if all := b.String(); strings.Contains(strings.ToLower(all), "secret") || !strings.Contains(all, "192.0.2.0/24") || strings.Contains(all, "192.0.2.77") {
		t.Errorf("it keeps too much: %s", all)
	}
}

// The trail has each refusal once, with how often, after its hour; what comes late is told
// too, and alone.
func TestTell(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d, nil)
		refuse := func(d *gateway.Decision, _ *gateway.Request) { d.Refused = true }
		r.note(3, user("bob", "app2"), gateway.SingleFactor, refuse)
		r.note(5, user("eve", "app2"), gateway.SingleFactor, nil)
		late := newRig(t, d, nil) // another process, that writes late
		late.note(2, user("bob", "app2"), gateway.SingleFactor, refuse)
		tell := func(want ...string) {
			t.Helper()
			if err := r.Tell(t.Context()); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range r.trail.Of(audit.GatewayRefused) {
				got = append(got, e.Actor+" "+e.Object+" "+e.Reason+" "+e.Details["client"]+" "+e.Details["times"]+" "+e.Details["hour"])
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%q, not %q", got, want)
			}
		}
		r.flush(t)
		tell()
		r.pass(time.Hour + 30*time.Second)
		tell()
		r.pass(time.Minute)
		const first = "user:bob panel single-factor: the sign-in was without MFA app2 3 2026-11-30T10Z"
		tell(first)
		tell(first)
		late.flush(t)
		tell(first, strings.Replace(first, "app2 3", "app2 2", 1))
	})
}

// More callers than may be counted one by one are counted together, and none is lost.
func TestBounded(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	r := newRig(t, d, func(d *Deps) { d.keys = 10 })
	for i := range 50 {
		r.note(2, nil, gateway.NoToken, func(_ *gateway.Decision, q *gateway.Request) { q.Remote = netip.AddrFrom4([4]byte{10, 0, byte(i), 1}) })
	}
	r.flush(t)
	rep, err := r.Report(t.Context(), Filter{Since: start}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if p := rep.Routes[0]; p.Requests != 100 || p.Beyond != 90 || p.Strangers != 10 || !strings.Contains(p.Says, "90 requests were of more callers") {
		t.Errorf("%+v", p)
	}
	if s := r.Standing(); s.Dropped != 0 {
		t.Errorf("%+v", s)
	}
}

// With the database away counts wait, bounded; Full says when none may wait any more, and
// nothing is written twice when it is back.
func TestAway(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	r := newRig(t, d, func(d *Deps) { d.waiting = 3 })
	gone, stop := context.WithCancel(t.Context())
	stop()
	add := func(n int, oid string) { r.note(n, user(oid, "app1"), gateway.SingleFactor, nil) }
	add(5, "a")
	if err := r.Flush(gone); err == nil || r.Full() {
		t.Fatalf("%v, full %v", err, r.Full())
	}
	add(1, "a")
	add(1, "b")
	add(1, "c")
	if err := r.Flush(gone); err == nil || !r.Full() {
		t.Fatalf("%v, full %v", err, r.Full())
	}
	add(2, "d") // no place
	add(1, "a") // has one
	_ = r.Flush(gone)
	if s := r.Standing(); s.Dropped != 2 || s.Waiting != 3 {
		t.Errorf("%+v", s)
	}
	r.flush(t)
	if r.Full() {
		t.Error("it is written, and still full")
	}
	r.flush(t)
	rep, err := r.Report(t.Context(), Filter{Since: start}, nil)
	if err != nil || rep.Routes[0].Requests != 9 || rep.Routes[0].Callers != 3 {
		t.Errorf("%+v %v", rep, err)
	}
}

// Many at once, over turns of the hour, lose nothing.
func TestMany(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	r := newRig(t, d, nil)
	var wg sync.WaitGroup
	const each = 5000
	ids := []*gateway.Identity{user("a", "x"), user("b", "x"), user("c", "y")}
	for w := range 4 {
		wg.Go(func() {
			for i := range each {
				r.note(1, ids[(i+w)%len(ids)], gateway.Passed, nil)
				if i%1000 == 0 {
					r.pass(13 * time.Minute)
				}
			}
		})
	}
	for range 20 {
		r.flush(t)
	}
	wg.Wait()
	for range 3 {
		r.pass(time.Hour)
		r.flush(t)
	}
	rep, err := r.Report(t.Context(), Filter{Since: start}, nil)
	if err != nil || rep.Routes[0].Requests != 4*each || rep.Routes[0].Callers != 3 {
		t.Errorf("%+v %v", rep, err)
	}
}

func TestPrune(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d, nil)
		r.note(1, user("a", "x"), gateway.Passed, nil)
		r.flush(t)
		for _, x := range []struct {
			after time.Duration
			left  int
		}{{Kept - time.Hour, 1}, {2 * time.Hour, 0}} {
			r.pass(x.after)
			if err := r.Prune(t.Context()); err != nil {
				t.Fatal(err)
			}
			rep, err := r.Report(t.Context(), Filter{Since: start}, nil)
			if err != nil || len(rep.Routes) != x.left {
				t.Errorf("%+v %v", rep, err)
			}
		}
	})
}

// What is well costs little: no memory, and no lock.
func TestNoteAllocatesNothing(t *testing.T) {
	r := newRig(t, dbtest.SQLite(t), nil)
	d := gateway.Decision{Route: r.panel, Identity: user("a", "x"), Phase: gateway.Phase{Mode: gateway.Enforce}}
	q := gateway.Request{Remote: netip.MustParseAddr("192.0.2.1"), Now: start}
	if n := testing.AllocsPerRun(1000, func() { r.Note(&d, &q) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkNote(b *testing.B) {
	r := newRig(b, dbtest.SQLite(b), nil)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		d := gateway.Decision{Route: r.panel, Identity: user("2f1c7a52-1111-4a68-8c0f-d1e2f3a4b5c6", "9b7d5f31-2e4c-4a68-8c0f-d1e2f3a4b5c6"),
			Phase: gateway.Phase{Mode: gateway.Enforce}}
		q := gateway.Request{Remote: netip.MustParseAddr("192.0.2.1"), Now: start}
		for pb.Next() {
			r.Note(&d, &q)
		}
	})
}

// A note that began before the hour turned finds its place after it.
func TestLateNote(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t), nil)
	old := r.Ledger.now.Load()
	r.pass(time.Hour)
	r.flush(t)
	k := keyOf(&gateway.Decision{Route: r.panel, Identity: user("ada", "app1")}, &gateway.Request{Now: start})
	old.note(&k, "", start.UnixMicro(), Keys)
	r.flush(t)
	rep, err := r.Report(t.Context(), Filter{Since: start}, nil)
	if err != nil || len(rep.Routes) != 1 || rep.Routes[0].Requests != 1 {
		t.Errorf("%+v %v", rep, err)
	}
}

// What is counted while others are written waits for the next time.
func TestMeanwhile(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t), nil)
	r.note(3, user("ada", "app1"), gateway.Passed, nil)
	r.drain()
	keys, rows := r.some(10)
	r.note(2, user("ada", "app1"), gateway.Passed, nil)
	r.drain()
	r.written(keys, rows)
	if _, left := r.some(10); len(rows) != 1 || rows[0].N != 3 || len(left) != 1 || left[0].N != 2 {
		t.Errorf("%+v, then %+v", rows, left)
	}
}
