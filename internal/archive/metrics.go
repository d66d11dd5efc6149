//go:build !judge

package archive

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/observe"
)

// Metrics adds how large the archive is and when its newest page was answered.
func (a *Archive) Metrics(reg prometheus.Registerer) {
	gauge := func(name, help string, of func(Total) float64) {
		observe.Gauge(reg, name, help, "", func(ctx context.Context) (map[string]float64, error) {
			t, err := a.Total(ctx)
			return map[string]float64{"": of(t)}, err
		})
	}
	gauge("partnerguard_archive_segments", "Segments in the archive, without those that policy removed.", func(t Total) float64 { return float64(t.Segments) })
	gauge("partnerguard_archive_bytes", "Bytes of the archive's objects.", func(t Total) float64 { return float64(t.Size) })
	gauge("partnerguard_archive_newest_seconds", "When the newest page in the archive was answered, as Unix time; 0 for none.", func(t Total) float64 {
		if t.Last.IsZero() {
			return 0
		}
		return float64(t.Last.Unix())
	})
}
