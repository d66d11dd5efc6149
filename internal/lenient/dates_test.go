package lenient_test

import (
	"strings"
	"testing"
	"time"

	"partnerguard/internal/lenient"
)

// The clock of 28 November 2026, 14:08:45, as tools of many languages write it.
func TestDatesLanguages(t *testing.T) {
	t.Parallel()
	full := time.Date(2026, 11, 28, 14, 8, 45, 0, time.UTC)
	minute, day := full.Truncate(time.Minute), full.Truncate(24*time.Hour)
	for text, want := range map[string]time.Time{
		"28.11.2026 14:08:45":                       full,
		"28.11.2026, 14:08:45":                      full,
		"28.11.2026":                                day,
		"28.11.26 14:08":                            minute,
		"Samstag, 28. November 2026 14:08:45":       full,
		"28. Nov. 2026, 14:08:45":                   full,
		"28. November 2026 um 14:08:45 UTC+1":       full.Add(-time.Hour),
		"28.11.2026 14:08:45 +01:00":                full.Add(-time.Hour),
		"28/11/2026 14:08:45":                       full,
		"28/11/2026 à 14:08:45":                     full,
		"samedi 28 novembre 2026 14:08:45":          full,
		"sam. 28 nov. 2026 à 14:08:45":              full,
		"28 févr. 2026, 14:08:45":                   time.Date(2026, 2, 28, 14, 8, 45, 0, time.UTC),
		"mar. 24 nov. 2026 14:08":                   time.Date(2026, 11, 24, 14, 8, 0, 0, time.UTC),
		"28-11-2026 14:08:45":                       full,
		"28 nov. 2026 om 14:08:45":                  full,
		"28 mrt 2026":                               time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC),
		"28/11/2026 2:08:45 p. m.":                  full,
		"28/11/2026 02:08:45 p.\u00a0m.":            full,
		"28 de noviembre de 2026, 14:08:45":         full,
		"28 ene 2026":                               time.Date(2026, 1, 28, 0, 0, 0, 0, time.UTC),
		"28/11/2026 14.08.45":                       full,
		"28 nov 2026, 14:08:45":                     full,
		"sabato 28 novembre 2026 alle ore 14:08:45": full,
		"28 gen 2026":                               time.Date(2026, 1, 28, 0, 0, 0, 0, time.UTC),
		"28.11.2026 klo 14.08.45":                   full,
		"28.11.2026 14.08.45":                       full,
		"28. marraskuuta 2026 klo 14.08.45":         full,
		"28.11.2026 2.08.45 ip.":                    full,
		"28. 11. 2026 14:08:45":                     full,
		"28. 11. 2026 2:08:45 odp.":                 full,
		"sobota 28. listopadu 2026 14:08:45":        full,
		"2026. 11. 28. 14:08:45":                    full,
		"2026.11.28. 14:08":                         minute,
		"2026. 11. 28. du. 2:08:45":                 full,
		"2026. november 28., szombat 14:08:45":      full,
		"2026. szept. 28. de. 9:08":                 time.Date(2026, 9, 28, 9, 8, 0, 0, time.UTC),
		"2026/11/28 14:08:45":                       full,
		"2026/11/28 午後2:08:45":                      full,
		"2026年11月28日 14:08:45":                      full,
		"2026年11月28日 14時08分45秒":                     full,
		"2026年11月28日土曜日 午後 2:08:45":                 full,
		"２０２６/１１/２８ １４:０８:４５":                       full,
		"2026. 11. 28. 오후 2:08:45":                  full,
		"11/28/2026, 2:08:45\u202fPM":               full,
		"11/28/2026 2:08:45 PM":                     full,
		"\u200e11\u200e/\u200e28\u200e/\u200e2026\u200e \u200e2\u200e:\u200e08\u200e:\u200e45\u200e \u200ePM": full,
		"Nov 28, 2026, 2:08:45\u202fPM":          full,
		"Saturday, November 28, 2026 2:08:45 PM": full,
		"28 Nov 2026 14:08":                      minute,
		"28-Nov-2026 14:08":                      minute,
		"28/11/2026 12:08:45 a. m.":              time.Date(2026, 11, 28, 0, 8, 45, 0, time.UTC),
		"2026-11-28T14:08:45.5Z":                 full.Add(500 * time.Millisecond),
		"2026-11-28 14:08:45,500":                full.Add(500 * time.Millisecond),
		"Sat, 28 Nov 2026 14:08:45 GMT":          full,
		"/Date(1795874925000)/":                  full,
	} {
		var d lenient.Dates
		if got, ambiguous := d.Parse(text); !got.Equal(want) || ambiguous {
			t.Errorf("Parse(%q) = %v, ambiguous %v; want %v", text, got, ambiguous, want)
		}
		if got, ok := lenient.ParseTime(text); !ok || !got.Equal(want) {
			t.Errorf("ParseTime(%q) = %v %v; want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{
		"", "28.11", "10.0.0.4", "28.13.2026", "31.11.2026", "28 words 2026", "32/32/2026", "28.11.2026 25:00", "28.11.2026 14:61", "28.11.2026 14:08 XM",
		"28.11.2569", "1234567", "28 11 2026", "28,11,2026", "nov nov 2026", "2026", "28.11.2026 (14:08)", "28.11.2026 13:08 vorm.", "28.11.2026 14:08 +99:00",
		strings.Repeat("28.11.2026 ", 40),
	} {
		var d lenient.Dates
		if got, _ := d.Parse(text); !got.IsZero() {
			t.Errorf("Parse(%q) = %v, want no clock", text, got)
		}
	}
}

// One clock with a day over 12 decides for all the others of its file.
func TestDatesLearn(t *testing.T) {
	t.Parallel()
	nov3, mar11 := time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 11, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		learn     []string
		text      string
		want      time.Time
		ambiguous bool
		order     lenient.Order
	}{
		{nil, "03/11/2026", mar11, true, lenient.Undecided},
		{nil, "03-11-2026", nov3, true, lenient.Undecided},
		{nil, "03.11.2026", nov3, false, lenient.Undecided},
		{nil, "03/03/2026", time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC), false, lenient.Undecided},
		{[]string{"03/11/2026 07:22", "25/11/2026 08:00"}, "03/11/2026", nov3, false, lenient.DayFirst},
		{[]string{"11/25/2026 8:00 AM"}, "03/11/2026", mar11, false, lenient.MonthFirst},
		{[]string{"11-25-2026"}, "03-11-2026", mar11, false, lenient.MonthFirst},
		{[]string{"25/11/2026", "11/25/2026"}, "03/11/2026", mar11, true, lenient.Contrary},
		{[]string{"25/11/2026", "11/25/2026"}, "03.11.2026", nov3, true, lenient.Contrary},
		{[]string{"02/03/2026 à 10:00"}, "03/11/2026", nov3, false, lenient.DayFirst},
		{[]string{"02/03/2026 10:00 p. m."}, "03/11/2026", nov3, false, lenient.DayFirst},
		{[]string{"2026-11-25", "25. Nov. 2026", "words", "99/99/2026"}, "03/11/2026", mar11, true, lenient.Undecided},
	} {
		var d, half lenient.Dates
		for i, s := range c.learn {
			if i == 0 {
				half.Learn(s)
			} else {
				d.Learn(s)
			}
		}
		d.Join(half)
		got, ambiguous := d.Parse(c.text)
		if !got.Equal(c.want) || ambiguous != c.ambiguous || d.Order() != c.order {
			t.Errorf("after %q: Parse(%q) = %v, ambiguous %v, order %v", c.learn, c.text, got, ambiguous, d.Order())
		}
	}
	if a, b := lenient.Readings("03/11/2026"); !a.Equal(nov3) || !b.Equal(mar11) {
		t.Errorf("Readings: %v, %v", a, b)
	}
	if a, b := lenient.Readings("2026-11-03"); !a.Equal(nov3) || !b.Equal(nov3) {
		t.Errorf("Readings of one: %v, %v", a, b)
	}
}

// FuzzDates: no text panics, and what is read is a real clock that reads back
// the same, whatever was learned before.
func FuzzDates(f *testing.F) {
	for _, s := range []string{"28.11.2026 klo 14.08.45", "2026年11月28日 午後2:08", "28 de noviembre de 2026, 2:08 p. m.", "11/28/2026, 2:08:45\u202fPM", "a.m.",
		"(", "28/11/2026 (sat)"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, learn, text string) {
		var d lenient.Dates
		d.Learn(learn)
		got, ambiguous := d.Parse(text)
		if got.IsZero() {
			if ambiguous {
				t.Errorf("%q is no clock and ambiguous", text)
			}
			return
		}
		if got.Location() != time.UTC || got.Year() < 1899 || got.Year() > 9999 {
			t.Errorf("%q reads as %v", text, got)
		}
		if again, twice := d.Parse(got.Format(time.RFC3339Nano)); !again.Equal(got) || twice {
			t.Errorf("%q reads as %v, which reads as %v", text, got, again)
		}
	})
}
