package alert

import (
	"fmt"
	"time"

	"partnerguard/internal/notify"
)

// lead is how long before its date a deadline becomes an alert, and when it is graver.
type lead struct {
	kind            Kind
	notice, warning time.Duration
	command, fix    string
	stages          []int // days before the date at which it is told of again, the first is notice; none: once
}

const day = 24 * time.Hour

// leads are the deadlines that are alerts. The others have sources of their own: a
// connection that dies, an alert of Microsoft.
var leads = map[string]lead{
	DueException: {Ending, 14 * day, 3 * day, "partnerguard exceptions list",
		"mend what it leaves out, or ask for a new one: what it leaves out counts again then", nil},
	DueAttestation: {Ending, 14 * day, 3 * day, "partnerguard posture", "look again, and attest anew: what it vouches for is unknown then", nil},
	DueDelegation: {Ending, 60 * day, 14 * day, "partnerguard delegation expiring",
		"ask the customer for a new relationship, or extend this one, before access ends: an ended one cannot be revived", []int{60, 30, 14, 7, 1}},
	DueCertificate: {Ending, 30 * day, 7 * day, "partnerguard doctor", "make a new one and put it into place before this one ends", nil},
	DueChange:      {Change, 60 * day, 14 * day, "partnerguard dates --from archive:", "do what the change asks for before its day", nil},
}

// endings are the deadlines near enough to be alerts. Relationships with customers that
// end on one day are one: it is one evening's work.
func endings(list []Deadline, now time.Time) (out []Finding) {
	gdap := map[string]int{}
	for i := range list {
		d := &list[i]
		l, is := leads[d.Kind]
		ahead := d.At.Sub(now)
		if !is || ahead > l.notice || d.Kind == DueChange && (d.Count == 0 || ahead < -l.notice) {
			continue
		}
		f := Finding{Key: "due:" + d.ID, Kind: l.kind, Severity: notify.Notice, Tenant: d.Tenant, Title: d.Title, Cause: d.Detail, Due: d.At,
			Command: l.command,
			Path:    d.Path, Fix: l.fix, Count: d.Count, Unit: d.Unit}
		if ahead <= l.warning {
			f.Severity = notify.Warning
		}
		f.Stage = stage(l.stages, ahead)
		if d.Kind == DueDelegation {
			key := "due:gdap:" + d.At.UTC().Format(time.DateOnly)
			if n, has := gdap[key]; has {
				g := &out[n]
				g.Count++
				g.Subjects = append(g.Subjects, d.Title)
				g.Tenant = ""
				g.Title = fmt.Sprintf("%d relationships with customers end on %s", g.Count, d.At.UTC().Format("2 Jan 2006"))
				g.Stage = min(g.Stage, f.Stage) // the soonest of the day
				if f.Severity.Rank() < g.Severity.Rank() {
					g.Severity = f.Severity
				}
				continue
			}
			gdap[key] = len(out)
			f.Key, f.Count, f.Unit, f.Subjects = key, 1, "relationships", []string{d.Title}
		}
		out = append(out, f)
	}
	return out
}

// stage is the nearest stage that is reached, in days; 0 without stages.
func stage(stages []int, ahead time.Duration) (at int) {
	for _, days := range stages {
		if ahead <= time.Duration(days)*day {
			at = days
		}
	}
	return at
}
