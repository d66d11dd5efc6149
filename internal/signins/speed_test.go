package signins_test

import (
	"testing"

	"partnerguard/internal/signins"
)

// BenchmarkPage is the page over as many rows as a part may hold.
func BenchmarkPage(b *testing.B) {
	p := build(sightings(60_000, 3), 2, signins.Input{})
	f := &fake{part: &p}
	h := f.house(b)
	html := ""
	for b.Loop() {
		html = h.HTML(b, "/signins")
	}
	b.ReportMetric(float64(len(html)), "bytes/page")
	b.ReportMetric(float64(len(p.Rows)), "rows")
}
