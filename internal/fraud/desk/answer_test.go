//go:build !judge

package desk

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/fraud"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
)

// answered is a rig with one alert whose answer is queued.
func answered(t *testing.T, d *db.DB) (*rig, string) {
	t.Helper()
	r := newRig(t, d)
	r.f.raise("g1", "s1", "CryptoMining", time.Hour)
	r.f.raise("g2", "s1", "CryptoMining", time.Hour)
	r.pull()
	id := r.one("g1").ID
	r.ok(r.Answer(t.Context(), id, fraud.Fraud, "local:ana"))
	return r, id
}

// TestAnswer: exactly one alert is answered, once, with the reason that was chosen.
func TestAnswer(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r, id := answered(t, d)
		ctx := t.Context()
		if got := r.words(id); got != "active queued fraud" {
			t.Error(got)
		}
		if c := r.one(id); c.Waits(r.now()) {
			t.Error("it waits, though the answer is on its way")
		}
		if err := r.Answer(ctx, id, fraud.Legitimate, "local:ben"); !errors.Is(err, problem.Conflict) {
			t.Error("a second answer", err)
		}
		for range 3 {
			r.ok(r.Sweep(ctx))
		}
		if !slices.Equal(r.f.sent, []string{"g1 fraud"}) || r.f.alerts["g2"].Status != fraud.Active {
			t.Errorf("sent %q", r.f.sent)
		}
		if got := r.words(id); got != "active sent fraud" {
			t.Error(got)
		}
		r.pull()
		if got := r.words(id); got != "resolved sent fraud" {
			t.Error(got)
		}
		if err := r.Answer(ctx, id, fraud.Fraud, "local:ben"); !errors.Is(err, problem.Conflict) ||
			!strings.Contains(err.Error(), "resolved already: fraud, by us") {
			t.Error(err)
		}
		if err := r.Answer(ctx, id, "mine", "local:ben"); !errors.Is(err, problem.Usage) {
			t.Error(err)
		}
		var got []string
		for _, e := range r.trail.Events() {
			if e.Object == id && e.Details["row"] != "" {
				got = append(got, string(e.Action)+" "+e.Details["reason"])
			}
		}
		if !slices.Equal(got, []string{"fraud.answered fraud", "fraud.asked fraud", "fraud.sent fraud"}) {
			t.Errorf("%q", got)
		}
		// Opened again by Microsoft, it can be answered again.
		a := r.f.alerts["g1"]
		r.f.jump(time.Hour)
		a.Status, a.Reason, a.ResolvedAt = fraud.Active, "", time.Time{}
		r.pull()
		if !r.one(id).Waits(r.now()) {
			t.Error("opened again, it does not wait")
		}
		r.ok(r.Answer(ctx, id, fraud.Legitimate, "local:ben"))
		r.ok(r.Sweep(ctx))
		if !slices.Equal(r.f.sent, []string{"g1 fraud", "g1 legitimate"}) {
			t.Errorf("sent %q", r.f.sent)
		}
	})
}

// TestMeanwhile: resolved by somebody else before it is sent: told, and nothing overwritten.
func TestMeanwhile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reason fraud.Reason
		want   string
		words  string
	}{
		"otherwise": {fraud.Legitimate, "resolved other fraud",
			"it was resolved as legitimate meanwhile, by ben at 2026-11-30 12:00 UTC; nothing was overwritten"},
		"the same way": {fraud.Fraud, "resolved sent fraud", "it was resolved the same way meanwhile, by ben at 2026-11-30 12:00 UTC; nothing was sent"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				r, id := answered(t, d)
				r.f.resolve("g1", c.reason, "ben")
				r.ok(r.Sweep(t.Context()))
				r.pull()
				if got := r.one(id); r.words(id) != c.want || got.Answer.Why != c.words || len(r.f.sent) != 0 || r.f.alerts["g1"].Reason != c.reason {
					t.Errorf("%s %q, sent %q", r.words(id), got.Answer.Why, r.f.sent)
				}
			})
		})
	}
}

// TestDownAnswer: with Microsoft down answers wait, for as long as it takes, and are sent once.
func TestDownAnswer(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r, id := answered(t, d)
		ctx := t.Context()
		r.f.down = &msapi.APIError{Service: "Microsoft Graph", Status: 503, Transient: true}
		for range 60 {
			r.ok(r.Sweep(ctx))
			r.f.jump(10 * time.Minute)
		}
		c := r.one(id)
		if c.Answer.State != Queued || c.Answer.Tries < 20 || c.Answer.Tries > 60 || !strings.Contains(c.Answer.Why, "503") {
			t.Errorf("%+v", c.Answer)
		}
		r.f.down = nil
		r.f.lose = true // the first reply is lost
		for range 4 {
			r.f.jump(16 * time.Minute)
			r.ok(r.Sweep(ctx))
		}
		if c = r.one(id); c.Answer.State != Sent || !slices.Equal(r.f.sent, []string{"g1 fraud"}) || !strings.HasPrefix(c.Answer.Why, "Microsoft had it") {
			t.Errorf("%+v, sent %q", c.Answer, r.f.sent)
		}
	})
}

// TestRefusedAnswer: what Microsoft refuses is told, and can be answered again.
func TestRefusedAnswer(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r, id := answered(t, d)
		ctx := t.Context()
		r.f.down = verdict(&msapi.APIError{Service: "Microsoft Graph", Status: 403})
		r.ok(r.Sweep(ctx))
		c := r.one(id)
		if c.Answer.State != Failed || !strings.Contains(c.Answer.Why, "permission is missing") || !c.Waits(r.now()) {
			t.Errorf("%+v", c.Answer)
		}
		r.f.down = nil
		r.ok(r.Answer(ctx, id, fraud.Ignore, "local:ana"))
		r.ok(r.Sweep(ctx))
		if !slices.Equal(r.f.sent, []string{"g1 ignore"}) {
			t.Errorf("%q", r.f.sent)
		}
		// One that Microsoft has no more.
		other := r.one("g2").ID
		r.ok(r.Answer(ctx, other, fraud.Ignore, "local:ana"))
		delete(r.f.alerts, "g2")
		r.ok(r.Sweep(ctx))
		if c := r.one(other); c.Answer.State != Failed || len(r.f.sent) != 1 {
			t.Errorf("%+v", c.Answer)
		}
	})
}

// TestKilled: a process that dies at each point of sending leaves it to another, and one answer
// is sent.
func TestKilled(t *testing.T) {
	t.Parallel()
	for _, point := range []string{"looked", "asked", "answered"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				r, id := answered(t, d)
				type killed struct{}
				dying := r.another(func(_ context.Context, at string) {
					if at == point {
						panic(killed{})
					}
				})
				func() {
					defer func() {
						if _, is := recover().(killed); !is {
							t.Fatal("it lived")
						}
					}()
					_ = dying.Send(t.Context(), id)
				}()
				// It had no time to give its lease up.
				_, err := d.ExecContext(t.Context(), "UPDATE fraud_answers SET holder = 'dead', held_until = $1", db.Micros(r.now().Add(leaseFor)))
				r.ok(err)
				r.ok(r.Sweep(t.Context()))
				if point != "answered" && len(r.f.sent) != 0 {
					t.Error("sent while another process has it")
				}
				r.f.jump(2 * leaseFor)
				r.ok(r.Sweep(t.Context()))
				if !slices.Equal(r.f.sent, []string{"g1 fraud"}) || r.one(id).Answer.State != Sent {
					t.Errorf("sent %q, %s", r.f.sent, r.words(id))
				}
			})
		})
	}
}

// TestForgedAnswer: an answer that something else wrote, or an older row of one, is not sent.
func TestForgedAnswer(t *testing.T) {
	t.Parallel()
	for _, write := range []string{
		"UPDATE fraud_answers SET body = '{\"reason\":\"legitimate\",\"about\":{\"graphId\":\"g1\"}}'", "UPDATE fraud_answers SET state = 'asked'",
		"UPDATE fraud_answers SET version = version + 1", "INSERT INTO fraud_answers (alert, state, body, version, mark, next, holder, held_until) " +
			"SELECT alert || '2', state, body, version, mark, next, holder, held_until FROM fraud_answers",
	} {
		dbtest.Each(t, func(t *testing.T, d *db.DB) {
			r, id := answered(t, d)
			_, err := d.ExecContext(t.Context(), write)
			r.ok(err)
			err = r.Send(t.Context(), id)
			if err2 := r.Send(t.Context(), id+"2"); !strings.HasPrefix(write, "INSERT") {
				if err == nil || len(r.f.sent) != 0 {
					t.Errorf("%s: sent %q, %v", write, r.f.sent, err)
				}
			} else if err2 == nil || slices.Contains(r.f.sent, "g2 fraud") || len(r.f.sent) > 1 {
				t.Errorf("%s: sent %q, %v", write, r.f.sent, err2)
			}
		})
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r, id := answered(t, d)
		var body string
		var version int64
		var mark []byte
		r.ok(d.QueryRowContext(t.Context(), "SELECT body, version, mark FROM fraud_answers").Scan(&body, &version, &mark))
		r.ok(r.Sweep(t.Context()))
		r.f.alerts["g1"].Status = fraud.Active
		_, err := d.ExecContext(t.Context(), "UPDATE fraud_answers SET state = 'queued', body = $1, version = $2, mark = $3, next = 1", body, version, mark)
		r.ok(err)
		if err := r.Send(t.Context(), id); !errors.Is(err, problem.Conflict) || len(r.f.sent) != 1 {
			t.Errorf("an older row: %v, sent %q", err, r.f.sent)
		}
	})
}

// TestAnotherAlert: the alert that Microsoft shows is not the one that a person saw.
func TestAnotherAlert(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r, id := answered(t, d)
		r.f.alerts["g1"].Subscription = "s9"
		r.ok(r.Sweep(t.Context()))
		if c := r.one(id); c.Answer.State != Failed || !strings.Contains(c.Answer.Why, "its subscription was s1 and is s9") || len(r.f.sent) != 0 {
			t.Errorf("%+v", c.Answer)
		}
		if e := r.trail.Of(audit.FraudFailed); len(e) != 1 {
			t.Error(e)
		}
	})
}
