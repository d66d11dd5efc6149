package msapi

import (
	"testing"
	"time"
)

// What is shown is that of the fullest and the slowest of a kind, and tells kinds apart.
func TestBudgetsAreTold(t *testing.T) {
	t.Parallel()
	var now time.Duration
	b := newBudgets(func() time.Duration { return now })
	key := func(tenant, kind, app string) string {
		return (&conduct{tenant: tenant, kind: kind, app: app}).budget("graph.example")
	}
	now = time.Minute
	for range 3 {
		b.reserve(key("a", "reports", "x"), paceReports, 1)
	}
	b.reserve(key("b", "reports", "x"), paceReports, 1)
	b.reserve("graph.example\x00app\x00x", paceApp, 7)
	b.slower(key("b", "reports", "x"), paceReports, 20*time.Second)
	b.slower(key("c", "policy", "x"), pacePolicy, time.Second)
	now += 5 * time.Second
	got := map[string]Budget{}
	for _, x := range b.all() {
		got[x.Kind] = x
	}
	r := got["reports"]
	if r.Used != 3 || r.Units != 5 || r.Buckets != 2 || r.Share != 0.5 || r.Throttled != 1 || r.Closed != 15*time.Second {
		t.Errorf("reports: %+v", r)
	}
	if p := got["policy"]; p.Throttled != 1 || p.Closed > 0 || p.Used != 0 {
		t.Errorf("policy: %+v", p)
	}
	if a := got["app"]; a.Used != 0 || a.Units != paceApp.n || a.Share != 1 {
		t.Errorf("app, whose second is over: %+v", a)
	}
	if len(got) != 3 {
		t.Errorf("kinds: %v", got)
	}
}
