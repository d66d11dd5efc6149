package scenario

import (
	"strconv"
	"strings"
	"time"
)

// Moment is a day (2026-03-01), a moment (2026-03-01T08:00:00Z), or a distance
// from the moment the world was made: -90d, -36h, +30d. "" is none.
type Moment string

// at resolves the moment; ok is false when it is not one.
func (m Moment) at(created time.Time) (t time.Time, ok bool) {
	s := string(m)
	switch {
	case s == "":
		return time.Time{}, true
	case s[0] == '-' || s[0] == '+':
		d, ok := distance(s[1:])
		if s[0] == '-' {
			d = -d
		}
		return created.Add(d), ok
	}
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(form, s); err == nil {
			return t.UTC(), t.Year() >= 1990 && t.Year() < 2200
		}
	}
	return time.Time{}, false
}

// or resolves a moment that was checked, or gives the other when there is none.
func (m Moment) or(created, other time.Time) time.Time {
	if t, ok := m.at(created); ok && !t.IsZero() {
		return t
	}
	return other
}

// distance reads 90d, 36h, 15m.
func distance(s string) (time.Duration, bool) {
	if s == "" {
		return 0, false
	}
	unit := map[byte]time.Duration{'d': 24 * time.Hour, 'h': time.Hour, 'm': time.Minute}[s[len(s)-1]]
	n, err := strconv.ParseUint(s[:len(s)-1], 10, 20)
	return time.Duration(n) * unit, err == nil && unit > 0 && time.Duration(n)*unit < 60*365*24*time.Hour
}

// period reads an ISO 8601 duration of years, months and days: P730D, P2Y.
func period(s string) (years, months, days int, ok bool) {
	rest, found := strings.CutPrefix(s, "P")
	if !found || rest == "" {
		return 0, 0, 0, false
	}
	for rest != "" {
		i := strings.IndexAny(rest, "YMD")
		if i <= 0 {
			return 0, 0, 0, false
		}
		n, err := strconv.Atoi(rest[:i])
		if err != nil || n < 0 || n > 5000 {
			return 0, 0, 0, false
		}
		switch rest[i] {
		case 'Y':
			years = n
		case 'M':
			months = n
		default:
			days = n
		}
		rest = rest[i+1:]
	}
	return years, months, days, years+months+days > 0
}
