package text

import (
	"testing"
)

// Numbers stay numbers, whatever their format; dates of either calendar become
// clocks.
func TestWorkbookCells(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		stored, shown string
		base1904      bool
		want          string
	}{
		{"46346.337152777778", "11/20/26 8:05", false, "2026-11-20T08:05:30Z"},
		{"46346", "20.11.2026", false, "2026-11-20T00:00:00Z"},
		{"44884.337152777778", "2026-11-20 08:05:30", true, "2026-11-20T08:05:30Z"},
		{"46346.25", "20-Nov-26", false, "2026-11-20T06:00:00Z"},
		{"46346.25", "46,346.25", false, "46346.25"},
		{"46346.25", "46.346,25", false, "46346.25"},
		{"46346.25", "4.63E+04", false, "46346.25"},
		{"50126", "50126", false, "50126"},
		{"5551234567", "(555) 123-4567", false, "5551234567"},
		{"1234", "12-34", false, "1234"},
		{"1", "TRUE", false, "TRUE"},
		{"x", "y", false, "x"},
	} {
		if got := cellOf(c.stored, c.shown, c.base1904); got.text != c.want {
			t.Errorf("%q shown as %q: %q, want %q", c.stored, c.shown, got.text, c.want)
		}
	}
}
