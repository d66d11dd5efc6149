package posture

import (
	"context"
	"strings"
	"time"
)

// VerdictDay is how the requirements stood at the end of one UTC day, as they were judged
// then.
type VerdictDay struct {
	Day      string            `json:"day"`    // 2006-01-02
	Judged   bool              `json:"judged"` // false: nothing is known of that day
	Verdicts map[string]string `json:"verdicts,omitempty"`
}

// Period gives the verdicts of each UTC day that begins from the day of from and before to,
// oldest first; at most the last maxTrend days of it. A day between two judgements that lie
// further apart was not judged. Where nothing was ever judged, no day was.
func (s *Store) Period(ctx context.Context, tenant string, from, to time.Time) ([]VerdictDay, error) {
	tenant, last := strings.ToLower(tenant), to.Add(-time.Microsecond)
	first := from.UTC().Truncate(24 * time.Hour)
	n := int(last.UTC().Truncate(24*time.Hour).Sub(first)/(24*time.Hour)) + 1
	if n < 1 {
		return []VerdictDay{}, nil
	}
	rounds, err := s.rounds(ctx, tenant)
	if err != nil {
		return nil, err
	}
	days := daysOf(rounds, last, min(n, maxTrend))
	out := make([]VerdictDay, len(days))
	oldest := int64(0)
	for i := range days {
		out[i] = VerdictDay{Day: days[i].date, Judged: days[i].round > 0}
		if oldest == 0 {
			oldest = days[i].round
		}
	}
	if oldest == 0 {
		return out, nil
	}
	rows, err := s.factsSince(ctx, tenant, ofRequirement, oldest)
	if err != nil {
		return nil, err
	}
	for id, verdicts := range requirementDays(days, rows) {
		for i, v := range verdicts {
			if v == "" {
				continue
			}
			if out[i].Verdicts == nil {
				out[i].Verdicts = map[string]string{}
			}
			out[i].Verdicts[id] = v
		}
	}
	return out, nil
}
