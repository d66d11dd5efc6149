package collect_test

import (
	"testing"
	"time"

	"partnerguard/internal/collect"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/msapi"
)

// The ledger as of a moment says what was not read then, though it was read since: a
// list that was never read, and a log that nobody had read on.
func TestLedgerAsItWas(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		r.clock.jump(time.Hour)
		r.round(collect.Ask{Only: []string{"log"}})
		r.clock.jump(20 * time.Hour)
		r.round(collect.Ask{Now: true})
		r.wantGaps(partnerID)
		r.wantGapsAt(partnerID, began.Add(30*time.Minute), "users never", "log never", "customers never")
		r.wantGapsAt(partnerID, began.Add(2*time.Hour), "users never", "customers never")
		r.wantGapsAt(partnerID, began.Add(15*time.Hour), "users never", "log late 02T10:00-03T00:00", "customers never")
		r.wantGapsAt(partnerID, began.Add(21*time.Hour))
	})
}

// What was lost of a log without anybody knowing when is missing in all that was asked
// for, until that was read again.
func TestLostSomewhere(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	bad := true
	r.service.vague = true
	hour := began.Add(-10 * time.Hour)
	r.service.fault = func(_, what string) error {
		if at, err := time.Parse(time.RFC3339, what); bad && err == nil && !at.After(hour) && at.Add(time.Hour).After(hour) {
			return &msapi.Poisoned{Why: "it is no JSON"}
		}
		return nil
	}
	r.round(collect.Ask{Only: []string{"log"}})
	r.wantGaps(partnerID, "users never", "log poisoned 30T09:00-02T09:00", "customers never")
	missing := func() (n int) {
		list, err := r.Gaps(t.Context(), partnerID, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range list {
			if g.Interval() && !g.From.After(hour) && g.To.After(hour) {
				n++
			}
		}
		return n
	}
	for range 2 {
		r.clock.jump(70 * time.Minute)
		if r.round(collect.Ask{Only: []string{"log"}}); missing() == 0 {
			t.Error("what was not read is no gap any more")
		}
	}
	bad = false
	for range 2 {
		r.clock.jump(time.Minute)
		r.round(collect.Ask{Only: []string{"log"}, Now: true})
	}
	if n := missing(); n != 0 {
		t.Errorf("%d gaps stay, though it was read", n)
	}
}

// What was found missing by a clock that ran ahead is missing, whatever the clock
// says now.
func TestGapOfTheFuture(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	bad := true
	r.service.fault = poison(&bad, "users", "2")
	r.clock.jump(48 * time.Hour)
	r.round(collect.Ask{})
	r.wantGaps(partnerID, "users poisoned")
	r.clock.jump(-47 * time.Hour)
	r.wantGaps(partnerID, "users poisoned")
}
