//go:build !judge

package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/fraud"
	"partnerguard/internal/problem"
)

// TestPull: alerts are new once, whichever interface tells them, and keep their id.
func TestPull(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		var hooked []string
		r.OnNew(func(_ context.Context, c Case) { hooked = append(hooked, c.GraphID+c.EventID) })
		r.f.raise("g1", "s1", "CryptoMining", time.Minute)
		r.f.raise("g2", "s1", "NewThing", 2*time.Minute)
		r.f.raise("old", "s2", "CryptoMining", 400*24*time.Hour)
		r.f.raise("week", "s2", "CryptoMining", 6*24*time.Hour)
		test := r.f.raise("test", "s3", "CryptoMining", time.Minute)
		test.Test = true
		r.f.graph = false // Partner Center tells them first
		if list := r.pull(); len(list) != 5 {
			t.Fatalf("%d are new", len(list))
		}
		if slices.Sort(hooked); !slices.Equal(hooked, []string{"s1_g1", "s1_g2", "s2_week"}) {
			t.Errorf("told of %q", hooked)
		}
		ids := map[string]string{}
		list, err := r.List(t.Context(), Filter{})
		r.ok(err)
		for _, c := range list {
			ids[c.EventID] = c.ID
		}
		r.f.graph = true
		if list := r.pull(); len(list) != 0 {
			t.Errorf("new again: %+v", list)
		}
		list, err = r.List(t.Context(), Filter{})
		r.ok(err)
		for _, c := range list {
			if c.GraphID == "" || c.EventID == "" || ids[c.EventID] != c.ID {
				t.Errorf("not one: %+v", c.Alert)
			}
			if c.Aged != (c.GraphID == "old") {
				t.Errorf("%s aged: %v", c.GraphID, c.Aged)
			}
		}
		groups, aged, err := r.Waiting(t.Context())
		r.ok(err)
		if len(groups) != 3 || len(aged) != 1 || groups[0].Stage != Over {
			t.Errorf("%+v, aged %+v", groups, aged)
		}
		// What comes late, of before, is not aged away: only what was there at first is.
		r.f.jump(30 * 24 * time.Hour)
		r.f.raise("late", "s9", "CryptoMining", 8*24*time.Hour)
		if list := r.pull(); len(list) != 1 || list[0].Aged {
			t.Errorf("late: %+v", list)
		}
	})
}

// TestTurns: changed, gone, and opened again.
func TestTurns(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		a := r.f.raise("g1", "s1", "CryptoMining", time.Hour)
		r.f.raise("g2", "s1", "CryptoMining", time.Minute)
		r.pull()
		r.f.resolve("g1", fraud.Legitimate, "ben")
		r.pull()
		if c := r.one("g1"); c.Open() || c.Reason != fraud.Legitimate || c.Clock.Running || c.Clock.Waited != time.Hour {
			t.Errorf("%+v", c)
		}
		if e := r.trail.Of(audit.FraudTurned); len(e) != 1 || e[0].Details["to"] != "resolved" {
			t.Errorf("%+v", e)
		}
		r.f.jump(time.Hour)
		a.Status, a.Reason, a.ResolvedAt = fraud.Active, "", time.Time{} // without a word when
		r.pull()
		if c := r.one("g1"); !c.Open() || !c.Answered.IsZero() {
			t.Errorf("opened again: %+v", c)
		}
		r.f.lost = 1
		delete(r.f.alerts, "g2")
		r.pull()
		if c := r.one("g2"); !c.Gone.IsZero() {
			t.Error("what could not be read whole makes nothing gone")
		}
		r.f.lost = 0
		r.pull()
		c := r.one("g2")
		if c.Gone.IsZero() || !c.Waits(r.now()) || c.Waits(r.now().Add(25*time.Hour)) {
			t.Errorf("gone: %+v", c)
		}
		r.f.raise("g2", "s1", "CryptoMining", 2*time.Hour)
		if r.pull(); !r.one("g2").Gone.IsZero() {
			t.Error("it is back")
		}
	})
}

// TestDown: the clock goes on with what is kept, and says since when nothing was read.
func TestDown(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		r.f.raise("g1", "s1", "CryptoMining", time.Hour)
		r.pull()
		r.f.down = problem.New(problem.Unavailable, "Microsoft Graph has a passing error (HTTP 503)").WithHint("try again later")
		r.f.jump(20 * time.Hour)
		if _, err := r.Pull(t.Context()); err == nil {
			t.Fatal("it was down")
		}
		list, err := r.Readings(t.Context())
		r.ok(err)
		if list[0].Source != "desk" || !list[0].Good.Equal(start) || !strings.Contains(list[0].Why, "503") || list[0].Fix != "try again later" {
			t.Errorf("%+v", list)
		}
		c := r.one("g1")
		if c.Clock.Left != 3*time.Hour || !c.Read.Equal(start) || c.Stage(r.now()) != Near {
			t.Errorf("%+v", c.Clock)
		}
		avg, err := r.Average(t.Context())
		r.ok(err)
		if avg.Resolved.Mean != 21*time.Hour || !avg.Resolved.Until.Equal(start.Add(23*time.Hour)) || !slices.Equal(avg.Resolved.Answer, []string{c.ID}) {
			t.Errorf("%+v", avg)
		}
	})
}

// TestStorm: a thousand alerts of three causes are three things to people, told at once; when
// nobody reacts they are told again, once a stage.
func TestStorm(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		r.pull()
		for i := range 1000 {
			r.f.raise(fmt.Sprintf("g%04d", i), fmt.Sprintf("s%d", i%3), "VM_AnomalousDeployment", time.Duration(i)*50*time.Millisecond)
		}
		began := time.Now()
		r.ok(r.look(t.Context(), true))
		if took := time.Since(began); took > time.Minute {
			t.Errorf("a storm takes %s", took)
		}
		groups, _, err := r.Waiting(t.Context())
		r.ok(err)
		if len(groups) != 3 || len(groups[0].Cases)+len(groups[1].Cases)+len(groups[2].Cases) != 1000 || r.told != 1 || len(r.up) != 0 {
			t.Fatalf("%d groups, told %d times, %v", len(groups), r.told, r.up)
		}
		if e := r.trail.Of(audit.FraudDetected); len(e) != 3 || e[0].Details["alerts"] != "334" && e[0].Details["alerts"] != "333" {
			t.Errorf("%d events", len(e))
		}
		for _, at := range []time.Duration{time.Hour, time.Minute, 19 * time.Hour, time.Minute, 4 * time.Hour, time.Minute} {
			r.f.jump(at)
			r.ok(r.Sweep(t.Context()))
		}
		if len(r.up) != 9 || !strings.HasPrefix(r.up[0], "late ") || !strings.HasPrefix(r.up[3], "near ") || !strings.HasPrefix(r.up[6], "over ") {
			t.Errorf("%q", r.up)
		}
	})
}

// TestHands: who has it, notes, and what silences nothing.
func TestHands(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		ctx := t.Context()
		r.f.raise("g1", "s1", "CryptoMining", 2*time.Hour)
		id := r.pull()[0].ID
		if c := r.one(id); c.Stage(r.now()) != Late {
			t.Error(c.Stage(r.now()))
		}
		c, err := r.Assign(ctx, id[:6], "ana", "local:ben")
		r.ok(err)
		if c.Assignee != "ana" || c.Stage(r.now()) != Fresh || c.Stage(r.now().Add(19*time.Hour)) != Near {
			t.Errorf("%+v", c)
		}
		if _, err := r.Assign(ctx, id, "ana", "local:ben"); !errors.Is(err, problem.Conflict) {
			t.Error(err)
		}
		for _, text := range []string{"called the customer\x1b[31m", "nobody answers"} {
			c, err = r.Note(ctx, "g1", text, "local:ana")
			r.ok(err)
		}
		if len(c.Notes) != 2 || strings.ContainsRune(c.Notes[0].Text, '\x1b') || c.Notes[1].By != "local:ana" || c.Assignee != "ana" {
			t.Errorf("%+v", c.Notes)
		}
		if _, err := r.Note(ctx, id, " ", "x"); !errors.Is(err, problem.Usage) {
			t.Error(err)
		}
		for _, bad := range []string{"", "fa", "fa-none", "none"} {
			if _, err := r.Get(ctx, bad); !errors.Is(err, problem.NotFound) {
				t.Errorf("%q: %v", bad, err)
			}
		}
		r.f.raise("g2", "s2", "CryptoMining", time.Minute)
		r.pull()
		if _, err := r.Get(ctx, "fa-"); !errors.Is(err, problem.Usage) {
			t.Error("two begin so", err)
		}
		if e := r.trail.Of(audit.FraudAssigned); len(e) != 1 || e[0].Object != id || e[0].Actor != "local:ben" || e[0].Details["to"] != "ana" {
			t.Errorf("%+v", e)
		}
		if e := r.trail.Of(audit.FraudNoted); len(e) != 2 || strings.Contains(fmt.Sprint(e), "nobody answers") {
			t.Error("the words of a note are in the trail, or it is not")
		}
	})
}

// TestForged: what something else wrote silences nothing, and is told.
func TestForged(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ write, refusedBy string }{
		"assigned":      {"UPDATE fraud_cases SET body = '{\"assignee\":\"x\",\"acknowledged\":\"2026-11-30T12:00:00Z\"}'", "fraud_cases"},
		"another alert": {"UPDATE fraud_alerts SET graph_id = 'other'", "fraud_alerts"},
		"aged":          {"UPDATE fraud_alerts SET aged = 1", "fraud_alerts"},
		"resolved":      {"UPDATE fraud_alerts SET body = '{\"status\":\"resolved\"}'", "fraud_alerts"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				r := newRig(t, d)
				ctx := t.Context()
				r.f.raise("g1", "s1", "CryptoMining", 2*time.Hour)
				id := r.pull()[0].ID
				_, err := r.Note(ctx, id, "note", "local:ana")
				r.ok(err)
				_, err = d.ExecContext(ctx, c.write)
				r.ok(err)
				got := r.one(id)
				if got.Refused == "" || !strings.Contains(got.Refused, c.refusedBy) || got.Assignee != "" || got.Aged {
					t.Errorf("%+v", got)
				}
				if err := r.Answer(ctx, id, fraud.Fraud, "local:ana"); err == nil {
					t.Error("answered by a row that something else wrote")
				}
				if !strings.Contains(c.write, "fraud_alerts") {
					return
				}
				r.pull() // what is derived is read anew
				if got := r.one(id); got.Refused != "" || got.GraphID != "g1" || !got.Open() {
					t.Errorf("not read anew: %+v", got)
				}
			})
		})
	}
}

// TestOlder: an older row that is put back, with its mark, is not believed.
func TestOlder(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		ctx := t.Context()
		r.f.raise("g1", "s1", "CryptoMining", time.Minute)
		id := r.pull()[0].ID
		_, err := r.Assign(ctx, id, "ana", "local:ana")
		r.ok(err)
		var body string
		var version int64
		var mark []byte
		r.ok(d.QueryRowContext(ctx, "SELECT body, version, mark FROM fraud_cases").Scan(&body, &version, &mark))
		_, err = r.Assign(ctx, id, "", "local:ana")
		r.ok(err)
		_, err = d.ExecContext(ctx, "UPDATE fraud_cases SET body = $1, version = $2, mark = $3", body, version, mark)
		r.ok(err)
		if c := r.one(id); c.Refused == "" || c.Assignee != "" {
			t.Errorf("an older row has it assigned: %+v", c)
		}
		if _, err := r.Note(ctx, id, "x", "local:ana"); !errors.Is(err, problem.Conflict) {
			t.Error(err)
		}
		_, err = d.ExecContext(ctx, "DELETE FROM fraud_cases")
		r.ok(err)
		if _, err := r.Note(ctx, id, "begun anew", "local:ana"); err != nil {
			t.Error("after the row is gone", err)
		}
		if c := r.one(id); c.Refused != "" || len(c.Notes) != 1 {
			t.Errorf("%+v", c)
		}
	})
}
