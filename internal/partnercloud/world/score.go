package world

import "time"

// ScorePoints is what each requirement of the partner security score is worth:
// two are known to be 20, the others are taken to be (contracts.md section 1.5).
const ScorePoints = 20

// ResponseGoal is how fast alerts must be answered on average, in hours
// (contracts.md section 7.4).
const ResponseGoal = 24.0

// ScorePart is the share of ScorePoints for n of a number; all of them when
// there is nothing to do.
func ScorePart(n, of int) int {
	if of == 0 {
		return ScorePoints
	}
	return ScorePoints * n / of
}

// ResponseHours is the mean time from detection to the first answer over the
// alerts of 30 days that are no tests; what waits counts with its wait.
func (t *Tenant) ResponseHours(now time.Time) (hours float64, alerts int) {
	for a := range t.Alerts.All() {
		if a.Test || a.Detected.After(now) || now.Sub(a.Detected) > 30*24*time.Hour {
			continue
		}
		at := now
		for _, l := range a.Activity {
			if l.From == "active" && l.To != "active" && l.At.Before(at) {
				at = l.At
			}
		}
		if !a.ResolvedOn.IsZero() && a.ResolvedOn.Before(at) {
			at = a.ResolvedOn
		}
		hours += max(at.Sub(a.Detected).Hours(), 0)
		alerts++
	}
	if alerts > 0 {
		hours /= float64(alerts)
	}
	return hours, alerts
}
