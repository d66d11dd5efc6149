//go:build !judge

package run

import (
	"context"
	"errors"
	"strings"
	"testing"

	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
)

// TestPlansActor: a plan that was made for one account is not begun by another, nor gone on
// with; whoever it is may take it back, and the status says how that goes on.
func TestPlansActor(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqlite(t))
	actor := strings.ToLower(r.users[0].ID)
	raw := r.plan(func(p *remedy.Plan) { p.Actor = actor }, r.newPolicy("MFA"))
	as := ""
	cloud := r.d.Cloud
	r.d.Cloud = func(ctx context.Context, tenant string, need []string) (*Cloud, error) {
		c, err := cloud(ctx, tenant, need)
		c.Actor = as
		return c, err
	}
	for _, other := range []string{"", r.users[1].ID} {
		as = other
		if _, err := r.Apply(t.Context(), raw, ""); !errors.Is(err, problem.Conflict) || !strings.Contains(problem.HintOf(err), "--actor") {
			t.Errorf("applied as %q: %v", other, err)
		}
	}
	as = strings.ToUpper(actor)
	run := r.approved(raw, remedy.ReportOnly)
	if s := r.drive(r.Runner, run.ID, 200); s.State != Holding {
		t.Fatal(s.tell())
	}
	_, err := r.Apply(t.Context(), raw, remedy.Pilot)
	r.ok(err)
	as = r.users[1].ID
	writes := len(r.wire.written())
	if s := r.drive(r.Runner, run.ID, 3); !strings.Contains(s.Why, "acts as the account "+as) || len(r.wire.written()) != writes {
		t.Fatal(s.tell())
	}
	_, err = r.Rollback(t.Context(), run.ID, "the account is gone")
	r.ok(err)
	if s := r.status(run.ID); !strings.Contains(s.Next, "1 of 1 step is to be taken back: partnerguard serve") ||
		!strings.Contains(s.Next, "rollback "+run.ID+" --wait") {
		t.Error(s.Next)
	}
	if s := r.drive(r.Runner, run.ID, 200); s.State != Undone {
		t.Fatal(s.tell())
	}
}
