package market

import (
	"strings"
	"time"
)

// Billing cycles, as the API writes them (Microsoft: Products resources).
const (
	Monthly   = "monthly"
	Annual    = "annual"
	Triennial = "triennial"
	OneTime   = "one_time"
	NoCycle   = "none"
)

// Cycle reads a billing cycle: any case, with or without the underscore.
func Cycle(v string) (string, bool) {
	v = strings.ToLower(v)
	if v == "onetime" {
		v = OneTime
	}
	switch v {
	case Monthly, Annual, Triennial, OneTime, NoCycle:
		return v, true
	}
	return "", false
}

// Terms, as ISO 8601 durations.
const (
	Month      = "P1M"
	Year       = "P1Y"
	ThreeYears = "P3Y"
)

// Months is the length of a term, or of a billing cycle: 0 for none.
func Months(v string) int {
	switch strings.ToUpper(v) {
	case Month, "MONTHLY":
		return 1
	case Year, "ANNUAL":
		return 12
	case ThreeYears, "TRIENNIAL":
		return 36
	}
	return 0
}

// After is the moment n months after another; the day of the month is kept as far
// as the month has it: the 31st of January is followed by the 28th of February.
func After(t time.Time, n int) time.Time {
	y, m, d := t.Date()
	first := time.Date(y, m+time.Month(n), 1, t.Hour(), t.Minute(), t.Second(), 0, t.Location())
	return first.AddDate(0, 0, min(d, first.AddDate(0, 1, -1).Day())-1)
}
