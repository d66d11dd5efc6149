package read

import (
	"strings"

	"partnerguard/internal/lenient"
	"partnerguard/internal/signin"
)

// readZoned reads createdDateTime of a column that names a zone in its header.
func readZoned(raw, zone string, machine bool, e *signin.Event) (ok bool) {
	if zone == "" {
		return readCreated(raw, machine, e)
	}
	if offset, found := strings.CutPrefix(zone, "utc"); found {
		ok = readCreated(raw+" "+offset, machine, e)
		e.CreatedRaw = raw
		if ok {
			return true
		}
	}
	ok = readCreated(raw, machine, e)
	localZone(e, ok)
	return ok
}

// localZone takes the clock back: it is the local time of some place.
func localZone(e *signin.Event, readable bool) {
	if readable {
		e.Created, e.Clock = lenient.Time{}.Time, signin.ClockZoneUnknown
	}
}

// readCreated reads createdDateTime. Diagnostic records are machine-written:
// their dates with slashes have the month first in every locale seen. ok is
// false when the text is no clock.
func readCreated(raw string, machine bool, e *signin.Event) (ok bool) {
	e.CreatedRaw = raw
	if e.Created, ok = utcClock(raw); ok {
		return true
	}
	if day, at, found := strings.Cut(raw, " @ "); found { // as Kibana shows clocks, in the browser's zone
		e.Created, ok = lenient.ParseTime(day + " " + at)
		localZone(e, ok)
		return ok
	}
	e.Created, ok = lenient.ParseTime(raw)
	if ok && (machine || len(raw) > 4 && raw[4] == '-' || strings.HasPrefix(raw, "/Date(")) {
		return true
	}
	var alone lenient.Dates
	t, ambiguous := alone.Parse(raw)
	switch {
	case t.IsZero():
		return ok
	case ambiguous:
		e.Clock = signin.ClockAmbiguous
	default:
		e.Clock = signin.ClockLocal
	}
	if !ok {
		e.Created = t
	}
	return true
}

// spellOut writes the values that older modules and Defender give as numbers
// in words.
func spellOut(e *signin.Event) {
	if s := e.ConditionalAccessStatus; len(s) == 1 && '0' <= s[0] && s[0] <= '2' {
		e.ConditionalAccessStatus = [...]string{"success", "failure", "notApplied"}[s[0]-'0']
	}
	for i := range e.Policies {
		if s := e.Policies[i].Result; len(s) == 1 && '0' <= s[0] && s[0] <= '4' {
			e.Policies[i].Result = [...]string{"success", "failure", "notApplied", "notEnabled", "unknown"}[s[0]-'0']
		}
	}
}
