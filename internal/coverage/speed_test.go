package coverage_test

import "testing"

// BenchmarkPage is the page of a large tenant, with as much of the matrix as is shown.
func BenchmarkPage(b *testing.B) {
	in := input(bigTenant(2_000, 120, 40))
	in.Changes = nil
	h := house(b, stored(b, in), in.Engine, nil)
	html := ""
	for b.Loop() {
		html = h.HTML(b, "/coverage")
	}
	b.ReportMetric(float64(len(html)), "bytes/page")
}
