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
// (read as UTC), with a space for the T, US slashed dates, and the
// /Date(milliseconds)/ form of older serializers. ok is false for anything
// else, and for years outside 1900 to 9999.
func ParseTime(s string) (t time.Time, ok bool) {
	s = strings.TrimSpace(s)
	if len(s) < 8 || len(s) > 64 {
		return time.Time{}, false
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return inRange(t)
	}
	if ms, found := strings.CutPrefix(s, "/Date("); found {
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
	for _, l := range layouts {
		if t, err := time.Parse(l, s); err == nil {
			return inRange(t)
		}
	}
	return time.Time{}, false
}

func inRange(t time.Time) (time.Time, bool) {
	t = t.UTC()
	if y := t.Year(); y < 1900 || y > 9999 {
		return time.Time{}, false
	}
	return t, true
}
