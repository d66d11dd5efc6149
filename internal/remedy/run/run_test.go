//go:build !judge

package run

import (
	"testing"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/remedy"
)

// TestStages: a new policy reports, is for the pilot, for a share, for all; taken back, the
// settings are as they were; applied again, it goes the same way.
func TestStages(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newRig(t, d)
		was := r.settings()
		raw := r.plan(nil, r.newPolicy("MFA for everybody"))
		run := r.approved(raw, "")
		s := r.drive(r.Runner, run.ID, 400)
		if s.State != Ended || s.Stage != remedy.All || len(s.Past) != 4 {
			t.Fatal(s.tell())
		}
		id := s.Made["policy-1"]
		if got := r.live(remedy.Policy, id); string(got) != string(canonical(t, remedy.Policy, mfaPolicy("MFA for everybody"))) {
			t.Errorf("the policy is %s", got)
		}
		_, err := r.Rollback(t.Context(), run.ID, "the test is over")
		r.ok(err)
		if s = r.drive(r.Runner, run.ID, 400); s.State != Undone {
			t.Fatal(s.tell())
		}
		r.same(was)
		if t.Failed() {
			t.Log(s.tell())
		}
		again := r.approved(raw, remedy.ReportOnly)
		if again.ID == run.ID {
			t.Error("it is the run that was taken back")
		}
		if s = r.drive(r.Runner, again.ID, 400); s.State != Holding || s.Stage != remedy.ReportOnly {
			t.Fatal(s.tell())
		}
	})
}
