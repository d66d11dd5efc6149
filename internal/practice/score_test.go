package practice_test

import (
	"fmt"
	"testing"

	"partnerguard/internal/assess"
	"partnerguard/internal/evidence"
)

// TestScoreOfOthers: neither another tenant's score nor one of a day that has not come makes the
// practice met.
func TestScoreOfOthers(t *testing.T) {
	t.Parallel()
	score := func(day, tenant string) string {
		return fmt.Sprintf(`{"id":"s%[1]s%[2]s","azureTenantId":%[2]q,"createdDateTime":"%[1]sT00:00:00Z","currentScore":62,"maxScore":100,"controlScores":[]}`,
			day, tenant)
	}
	const one, other = "11111111-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000001"
	for name, c := range map[string]struct {
		list []string
		want assess.Verdict
	}{
		"its own":           {[]string{score("2026-10-20", one), score("2026-11-19", one)}, assess.Met},
		"of two tenants":    {[]string{score("2026-10-20", one), score("2026-11-19", other)}, assess.Unknown},
		"of a day to come":  {[]string{score("2026-10-20", one), score("2031-11-19", one)}, assess.Unknown},
		"old, and to come":  {[]string{score("2025-10-20", one), score("2025-11-20", one), score("2099-01-01", one)}, assess.Unknown},
		"today, and beyond": {[]string{score("2026-10-20", one), score("2026-11-19", one), score("2099-01-01", one)}, assess.Met},
	} {
		r := (&world{own: house().with(evidence.SecureScore, c.list), customer: client()}).judge(t)
		if q, _ := r.Find("P03"); q.Verdict != c.want {
			// The customer's own score is as it was.
			t.Errorf("%s: %s: %s", name, q.Verdict, q.Reason)
		}
	}
}
