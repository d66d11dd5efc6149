package collect_test

import (
	"testing"
	"time"

	"partnerguard/internal/collect"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
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
