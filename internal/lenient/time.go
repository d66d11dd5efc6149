package lenient

import (
	"strconv"
	"strings"
	"time"
)

// layouts holds the slow forms, tried in order after RFC 3339. Zone-less
// clocks are UTC (contracts.md, head). Slashed dates are month first: Azure's
// CSV and Event Hub exports use the US form in every locale seen
// (shared data: elastic time corner cases, sentinel CSV).
var layouts = []string{
	"2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999 Z07:00",
	"2006-01-02 15:04:05.999999999",
	"2006-01-02T15:04Z07:00",
	"2006-01-02T15:04",
	"2006-01-02",
	"1/2/2006, 3:04:05.999999999 PM",
	"1/2/2006 3:04:05.999999999 PM -07:00",
	"1/2/2006 3:04:05.999999999 PM",
	"1/2/2006 15:04:05.999999999",
	"1/2/2006, 15:04:05.999999999",
	"1/2/2006 15:04:05 -07:00",
	"1/2/2006 3:04 PM",
	"1/2/2006 15:04",
	"1/2/2006",
}

// ParseTime reads a clock in any form seen in exports and returns it in UTC.
// It accepts RFC 3339 with 0 to 9 fractional digits, the same without a zone
// (read as UTC), with a space for the T, US slashed dates, the
// /Date(milliseconds)/ form of older serializers, and the local forms of
// [Dates] that can be read in one way only. It sees one value and cannot learn
// from its neighbours: for a file that people made, use [Dates]. ok is false
// for anything else, and for years outside 1900 to 9999.
func ParseTime(s string) (t time.Time, ok bool) {
	if t, ok := parseExact(s); ok {
		return t, true
	}
	s = strings.TrimSpace(s)
	if len(s) < 6 || len(s) > maxClock || strings.HasPrefix(s, "/Date(") {
		return time.Time{}, false
	}
	for _, l := range layouts {
		if t, err := time.Parse(l, s); err == nil {
			return inRange(t)
		}
	}
	var alone Dates
	if t, ambiguous := alone.Parse(s); !ambiguous && !t.IsZero() {
		return inRange(t)
	}
	return time.Time{}, false
}

// parseDateCall reads /Date(milliseconds)/, with or without an offset.
func parseDateCall(s string) (time.Time, bool) {
	ms, found := strings.CutPrefix(s, "/Date(")
	if !found {
		return time.Time{}, false
	}
	ms, found = strings.CutSuffix(ms, ")/")
	if i := strings.LastIndexAny(ms, "+-"); i > 0 { // an offset only shifts the display
		ms = ms[:i]
	}
	n, err := strconv.ParseInt(ms, 10, 64)
	if !found || err != nil {
		return time.Time{}, false
	}
	return inRange(time.UnixMilli(n))
}

func inRange(t time.Time) (time.Time, bool) {
	t = t.UTC()
	if y := t.Year(); y < 1900 || y > 9999 {
		return time.Time{}, false
	}
	return t, true
}
