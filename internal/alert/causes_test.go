package alert_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/alert"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/notify"
)

// fakePosture is judgements as a test tells them.
type fakePosture struct {
	turn     *alert.Turn // that is newer than any look
	standing map[string]bool
	excepted map[string]string
	fails    error
}

func (f *fakePosture) Tenants(context.Context) ([]string, error) { return []string{"t1"}, nil }

func (f *fakePosture) Turned(_ context.Context, _ string, round int64) (*alert.Turn, error) {
	if f.fails != nil {
		return nil, f.fails
	}
	if f.turn == nil || f.turn.Round <= round {
		return nil, nil
	}
	return f.turn, nil
}

func (f *fakePosture) Standing(context.Context, string) (*alert.Standing, error) {
	return &alert.Standing{Of: 40, Has: func(h *alert.Hit) bool { return f.standing[h.Requirement+h.Account] }}, nil
}

func (f *fakePosture) Excepted(context.Context) (func(alert.Hit) string, error) {
	return func(h alert.Hit) string { return f.excepted[h.Requirement+h.Account] }, nil
}

// TestOneAlertACause: a policy's edit that opens 27 accounts and turns a requirement is
// one alert with 27 in it; it eases as they are mended, and is over when all are.
func TestOneAlertACause(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, alert.Route{To: []string{"team"}})
		p := &fakePosture{standing: map[string]bool{"mfa": true}, excepted: map[string]string{}}
		c := alert.Culprit{Key: "cause:t1:policy_edited:p1:7", Kind: alert.Caused, Title: "The policy “Require MFA” was edited", Cause: "A group was left out.",
			Since: b.at.Add(-time.Hour), Hits: []alert.Hit{{Requirement: "mfa", Name: "MFA for every user", Severity: notify.Urgent}}}
		for i := range 27 {
			id := fmt.Sprintf("u%02d", i)
			p.standing[id] = true
			c.Hits = append(c.Hits, alert.Hit{Account: id, Name: id + "@contoso.example", Severity: notify.Urgent})
		}
		p.turn = &alert.Turn{Round: 7, Causes: []alert.Culprit{c}}
		b.turn = p
		b.open()
		p.fails = errors.New("the database is gone")
		if err := b.s.Look(t.Context()); err == nil {
			t.Error("a source that failed is not told")
		}
		p.fails = nil
		b.look()
		b.want("the cause", "team: The policy “Require MFA” was edited: 27 accounts opened, 1 requirement worse")
		a := b.one()
		if a.Count != 27 || a.Of != 40 || a.Kind != alert.Caused || a.Severity != notify.Urgent || a.Tenant != "t1" || len(a.Subjects) != 27 ||
			!strings.Contains(a.Cause, "A group was left out. Worse by it: MFA for every user.") {
			t.Errorf("%+v", a)
		}
		b.open()
		b.look()
		b.want("a restart")
		p.excepted["u00"] = "x-1"
		b.look()
		if a := b.one(); a.Count != 26 || !strings.Contains(a.Cause, "1 more are under exceptions") || slices.Contains(a.Subjects, "u00@contoso.example") {
			t.Errorf("%+v", a)
		}
		for k := range p.standing {
			if k != "u00" {
				delete(p.standing, k)
			}
		}
		b.look()
		if a := b.one(); a.Excepted != "x-1" || a.Count != 1 {
			t.Errorf("what is left is all excepted: %+v", a)
		}
		b.want("eased")
		delete(p.standing, "u00")
		b.after(time.Hour)
		b.want("over", "team: The policy “Require MFA” was edited: 1 account opened")
		if list, _ := b.s.List(t.Context(), alert.Listing{}); len(list) != 0 {
			t.Error(list)
		}
		b.look() // the cause is forgotten, and its round was looked at
		if list, _ := b.s.List(t.Context(), alert.Listing{}); len(list) != 0 {
			t.Error(list)
		}
	})
}
