package posture

import (
	"context"
	"encoding/json"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/observe"
)

// soon is how long before its end an exception is counted as expiring.
const soon = 14 * 24 * time.Hour

// Metrics adds the verdicts by status, the exceptions by standing, and how old the
// oldest of the last judgements is.
func (s *Store) Metrics(reg prometheus.Registerer) {
	observe.Gauge(reg, "partnerguard_posture_requirements", "Requirements of all tenants as last judged, by verdict.", "verdict",
		func(ctx context.Context) (map[string]float64, error) {
			n := map[string]float64{Met: 0, NotMet: 0, Unknown: 0, Attested: 0, NotApplicable: 0}
			bodies, err := s.bodiesNow(ctx, ofRequirement)
			for _, b := range bodies {
				var r Requirement
				if json.Unmarshal([]byte(b), &r) == nil {
					if _, known := n[r.Verdict]; known {
						n[r.Verdict]++
					}
				}
			}
			return n, err
		})
	observe.Gauge(reg, "partnerguard_exceptions", "Exceptions, by standing; expiring are those approved that end within 14 days.", "standing",
		func(ctx context.Context) (map[string]float64, error) {
			n := map[string]float64{"proposed": 0, "approved": 0, "expiring": 0, "expired": 0, "refused": 0}
			list, err := s.Exceptions(ctx)
			for i := range list {
				if _, known := n[list[i].Standing]; known {
					n[list[i].Standing]++
				}
				if list[i].Standing == string(Approved) && list[i].Expires.Sub(s.now()) <= soon {
					n["expiring"]++
				}
			}
			return n, err
		})
	observe.Gauge(reg, "partnerguard_posture_age_seconds", "How long ago the tenant that waits longest was judged last.", "",
		func(ctx context.Context) (map[string]float64, error) {
			last, err := s.lastJudged(ctx)
			oldest := 0.0
			for _, at := range last {
				oldest = max(oldest, s.now().Sub(at).Seconds())
			}
			if len(last) == 0 {
				return nil, err
			}
			return map[string]float64{"": oldest}, err
		})
}
