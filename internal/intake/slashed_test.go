package intake

import (
	"fmt"
	"testing"

	"partnerguard/internal/lenient"
)

// checkSlashed holds a clock read here to what lenient.Dates makes of it.
func checkSlashed(t *testing.T, text string) (read bool) {
	t.Helper()
	s, ok := scanSlashed([]byte(text))
	if !ok {
		return false
	}
	for _, learnt := range [][]string{nil, {"13/1/2026"}, {"1/13/2026"}, {"13/1/2026", "1/13/2026"}} {
		var d lenient.Dates
		for _, l := range learnt {
			d.Learn(l)
		}
		want, ambiguous := d.Parse(text)
		iso, doubt := s.appendISO(nil, d.Order())
		if doubt != ambiguous || !doubt && string(iso) != want.Format("2006-01-02T15:04:05.999999999") {
			t.Errorf("%q after %v: got %q, %v; lenient reads %v, %v", text, learnt, iso, doubt, want, ambiguous)
		}
		if local := !want.IsZero(); !local {
			t.Errorf("%q is no clock to lenient", text)
		}
		before := d.Order()
		if d.Learn(text); d.Order() != before && s.a <= 12 && s.b <= 12 {
			t.Errorf("%q teaches %v after %v", text, d.Order(), before)
		}
	}
	return true
}

func TestSlashedClocks(t *testing.T) {
	t.Parallel()
	n := 0
	for _, date := range []string{"1/2/2026", "12/11/2026", "11/12/2026", "11/20/2026", "20/11/2026", "02/03/2026", "2/29/2026", "29/2/2026", "31/31/2026",
		"13/13/2026", "0/1/2026", "1/1/1899",
		"7/7/2026", "1/2/26", "1/2/2569"} {
		for _, sep := range []string{" ", ", ", ",", "T", "  "} {
			for _, clock := range []string{"2:08:45.221 PM", "12:00:00 AM", "12:59:59 PM", "00:00:00", "23:59:59.123456789", "13:00:00 PM", "0:00:00 AM",
				"24:00:00", "1:60:00", "1:00:60",
				"2:08:45.500", "2:08:45.1234567891", "2:08:45.", "2:08 PM", "2:08:45 pm", "2:08:45Z", "2:08:45 +01:00", "2:08:45 PM x"} {
				if checkSlashed(t, date+sep+clock) {
					n++
				}
			}
		}
	}
	if n < 60 {
		t.Errorf("only %d clocks were read", n)
	}
}

func FuzzSlashed(f *testing.F) {
	for i := range 20 {
		f.Add(fmt.Sprintf("%d/%d/2026, %d:08:4%d.22%d PM", i%13+1, i+1, i%12+1, i%10, i%10))
	}
	f.Fuzz(func(t *testing.T, text string) { checkSlashed(t, text) })
}
