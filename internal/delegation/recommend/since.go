package recommend

import (
	"regexp"
	"strconv"
	"time"

	"partnerguard/internal/delegation"
)

// since is since when, at the latest, an assignment gives access; the zero time is not known.
// Where the relationship does not say when it was activated, the assignment's own date does,
// since only an active relationship has any; else its end less its duration: an extension
// only moves the end away.
func since(r *delegation.Relationship, a *delegation.Assignment) time.Time {
	switch {
	case !r.Activated.IsZero():
		return r.Activated
	case !a.Created.IsZero():
		return a.Created
	case !r.End.IsZero():
		if y, m, d, ok := duration(r.Duration); ok {
			return r.End.AddDate(-y, -m, -d)
		}
	}
	return time.Time{}
}

var (
	isoDuration = regexp.MustCompile(`^P(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,5})D)?(?:T0[HMS])?$`)
	timeSpan    = regexp.MustCompile(`^(\d{1,5})\.00:00:00$`) // as the Graph PowerShell SDK writes it
)

// duration reads the duration of a relationship: ISO 8601, or a .NET TimeSpan of whole days.
func duration(s string) (years, months, days int, ok bool) {
	number := func(s string) int { n, _ := strconv.Atoi(s); return n } // digits, or nothing
	if m := isoDuration.FindStringSubmatch(s); m != nil {
		years, months, days = number(m[1]), number(m[2]), number(m[3])
	} else if m := timeSpan.FindStringSubmatch(s); m != nil {
		days = number(m[1])
	}
	return years, months, days, years+months+days > 0
}
