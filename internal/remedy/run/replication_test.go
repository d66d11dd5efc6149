//go:build !judge

package run

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/remedy"
)

// TestReplication: in a cloud whose readers see the form before for minutes, a run waits for what it
// wrote, asks for nothing twice, comes to its end, and back.
func TestReplication(t *testing.T) {
	t.Parallel()
	r := newRig(t, sqlite(t))
	theirs := r.policyOf("theirs", func(m map[string]any) { m["state"] = "disabled" })
	was := r.settings()
	r.lab.Edit(func(s *world.State, _ *world.Tenant) { s.Replication = 8 * time.Minute })

	r.do("PATCH", "/v1.0/identity/conditionalAccess/policies/"+theirs, `{"displayName":"other"}`)
	if before := string(r.live(remedy.Policy, theirs)); !strings.Contains(before, `"theirs"`) {
		t.Errorf("it is read at once: %s", before)
	}
	r.lab.Jump(9 * time.Minute)
	if after := string(r.live(remedy.Policy, theirs)); !strings.Contains(after, `"other"`) {
		t.Errorf("it never shows: %s", after)
	}
	r.do("PATCH", "/v1.0/identity/conditionalAccess/policies/"+theirs, `{"displayName":"theirs"}`)
	var made struct{ ID string }
	decode(t, r.do("POST", "/v1.0/identity/conditionalAccess/policies", mfaPolicy("unseen")), &made)
	a, err := r.wire.c.Graph(t.Context(), control.GraphCall{Method: http.MethodGet, Path: "/v1.0/identity/conditionalAccess/policies/" + made.ID})
	if err != nil || a.Status != http.StatusNotFound {
		t.Errorf("what was made shows at once: %d %v", a.Status, err)
	}
	r.do("DELETE", "/v1.0/identity/conditionalAccess/policies/"+made.ID, "")
	r.lab.Jump(9 * time.Minute)

	stages := func(p *remedy.Plan) { p.Stages = []remedy.Stage{remedy.ReportOnly, remedy.All} }
	run := r.approved(r.plan(stages, r.newPolicy("slow"), r.update(remedy.Policy, theirs, "switch it on", true,
		func(m map[string]any) { m["state"] = "enabled" })), "")
	s := r.drive(r.Runner, run.ID, 3000)
	if s.State != Ended {
		t.Fatal(s.tell())
	}
	posts := 0
	for _, w := range r.wire.written() {
		if strings.HasPrefix(w, "POST /v1.0/identity/conditionalAccess/policies") || strings.HasPrefix(w, "POST /beta/identity/conditionalAccess/policies") {
			posts++
		}
	}
	if posts != 1 {
		t.Errorf("%d policies were made: %q", posts, r.wire.written())
	}
	_, err = r.Rollback(t.Context(), run.ID, "the test is over")
	r.ok(err)
	if s = r.drive(r.Runner, run.ID, 3000); s.State != Undone {
		t.Fatal(s.tell())
	}
	r.lab.Jump(time.Hour)
	r.same(was)
}
