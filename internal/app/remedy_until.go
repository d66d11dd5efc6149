package app

import (
	"strings"
	"time"

	"partnerguard/internal/assess"
	"partnerguard/internal/facts"
)

// logJudged is how long a recorded sign-in counts: verdicts are over the log of so many days.
const logJudged = logDays * 24 * time.Hour

// countsUntil is when the last recorded sign-in that counts against a requirement is out of the
// log that is judged; zero where none does, or where something else counts against it too.
func countsUntil(q *assess.Requirement, report *assess.Report, f *facts.Facts) time.Time {
	var last time.Time
	take := func(at time.Time) {
		if at.After(last) {
			last = at
		}
	}
	switch q.ID {
	case "mfa-every-sign-in":
		for i := range report.Accounts {
			if a := &report.Accounts[i]; a.InScope && a.LastNotChallenged != nil {
				take(*a.LastNotChallenged)
			}
		}
		if f.SignIns != nil {
			for i := range f.SignIns.Accounts {
				take(f.SignIns.Accounts[i].LastNotChallenged)
			}
		}
	case "mfa-every-user", "mfa-admin-roles":
		for i := range report.Accounts {
			a := &report.Accounts[i]
			switch {
			case !a.InScope || a.MFA != assess.NotMet || q.ID == "mfa-admin-roles" && !a.Admin:
			case a.LastNotChallenged == nil:
				return time.Time{}
			default:
				take(*a.LastNotChallenged)
			}
		}
	case "legacy-authentication":
		if f.SignIns == nil {
			break
		}
		for i := range f.SignIns.Accounts {
			if a := &f.SignIns.Accounts[i]; len(a.LegacySuccesses) > 0 { // its last success at the latest was by such a client
				take(a.LastSignIn)
			}
		}
	}
	if last.IsZero() || strings.HasPrefix(q.Reason, "Partner Center records") {
		return time.Time{}
	}
	return last.Add(logJudged)
}
