package scenario

import (
	"encoding/json"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// TestLive: while the clock jumps, people go on signing in by the settings of now: a policy
// that was made since says report-only what it would do, and nothing lies outside of the span.
func TestLive(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)
	w := build(t, Options{Days: 10})
	err := w.Do(func(s *world.State) error {
		p := s.PartnerTenant()
		raw := `{"id":"3f0c4d7e-7f0a-4c52-9f5e-0a1b2c3d4e5f","displayName":"tried","state":"enabledForReportingButNotEnforced",
			"conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},
			"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`
		p.Policies.Put(&world.Document{ID: "3f0c4d7e-7f0a-4c52-9f5e-0a1b2c3d4e5f", Raw: json.RawMessage(raw), Created: now})
		s.Touch(p)
		from := s.Clock.Now()
		before := len(p.SignIns)
		n := s.Live(s, from, from.AddDate(0, 0, 8))
		rows := p.SignIns[before:]
		if n < 50 || n != len(rows) {
			t.Fatalf("%d sign-ins, %d in the log", n, len(rows))
		}
		results := map[string]int{}
		for i, r := range rows {
			at := r.CreatedDateTime.Time
			if !at.After(from) || at.After(from.AddDate(0, 0, 8)) || i > 0 && at.Before(rows[i-1].CreatedDateTime.Time) {
				t.Errorf("%s is out of order or of the span", at)
			}
			for _, a := range r.Applied {
				if a.DisplayName == "tried" {
					results[a.Result]++
				}
			}
		}
		if results["reportOnlySuccess"] == 0 || results["reportOnlyInterrupted"]+results["reportOnlyFailure"] == 0 {
			t.Errorf("the policy says %v", results)
		}
		if again := s.Live(s, from, from); again != 0 {
			t.Errorf("%d sign-ins in no time", again)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
