package access

import (
	"testing"
	"time"
)

func TestSameMoment(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	for _, edge := range []time.Time{baselineFrom, baselineTo} {
		if SameMoment(edge.Add(-day), edge.Add(day)) || !SameMoment(edge.Add(-2*day), edge.Add(-day)) || !SameMoment(edge, edge.Add(day)) {
			t.Errorf("%s is not seen as the day of a change", edge)
		}
	}
}
