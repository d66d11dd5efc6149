//go:build !judge

package app

import (
	"context"
	"strings"
	"time"

	"partnerguard/internal/alert"
	"partnerguard/internal/notify"
	"partnerguard/internal/print"
	remedyrun "partnerguard/internal/remedy/run"
)

// remedyAlerts are runs of plans that stopped or wait for a person, and what plans left behind
// that is no longer so. It is whole where the database was read.
func (i *Installation) remedyAlerts(ctx context.Context) (out []alert.Finding, whole bool, err error) {
	if i.Remedy == nil {
		return nil, false, nil
	}
	list, err := i.Remedy.Status(ctx, "")
	if err != nil {
		return nil, false, err
	}
	for k := range list {
		if f, is := remedyFinding(&list[k], i.Now()); is {
			out = append(out, f)
		}
	}
	return out, true, nil
}

// openFor is how long a tenant may stand between security defaults and the policies that
// take their place while a run goes on: both are written within minutes.
const openFor = 15 * time.Minute

// remedyFinding is what of a run a person must see to.
func remedyFinding(s *remedyrun.Status, now time.Time) (f alert.Finding, is bool) {
	f = alert.Finding{Key: "remedy:" + s.ID, Kind: alert.Remedy, Severity: notify.Warning, Tenant: s.Tenant, Since: s.Applied,
		Cause: print.Clean(s.Why, print.MaxSaying), Path: "/remedy/plan?run=" + s.ID, Command: "partnerguard remedy status " + s.ID}
	asks, not := false, 0
	for k := range s.Steps {
		asks = asks || s.Steps[k].State == remedyrun.Asked
		if s.Steps[k].State == remedyrun.NotTaken {
			not++
		}
	}
	halted := asks || s.State == remedyrun.Stopped || s.State == remedyrun.Waiting || s.State.Over()
	exposed, since := s.Exposed()
	switch {
	case s.Refused != "":
		f.Severity, f.Title, f.Cause = notify.Urgent, "A plan's row was written by something else", s.Refused
		f.Fix = "look at the trail, and at who writes the database; nothing of it is done"
	case exposed != "" && (halted || now.Sub(since) > openFor):
		f.Severity, f.Title, f.Since = notify.Urgent, "A plan stands still while the tenant is open", since
		f.Cause = print.Clean(print.Sentence(exposed)+": nobody is asked for MFA. "+s.Why, print.MaxSaying)
		f.Fix = "apply the plan again at once; or take it back: partnerguard remedy rollback " + s.ID + " --reason TEXT --wait 10m"
		if s.State.Over() || s.State == remedyrun.Undoing {
			f.Fix = "switch security defaults on by hand: partnerguard remedy rollback " + s.ID + " --print FILE has the request"
		}
	case s.State == remedyrun.Stopped && len(s.Findings) > 0:
		f.Title, f.Count, f.Unit = "A plan stopped at a surprise", len(s.Findings), "kinds of sign-ins"
		for k := range s.Findings[:min(len(s.Findings), alert.MaxSubjects)] {
			f.Subjects = append(f.Subjects, print.Clean(s.Findings[k].Effect.Name, print.MaxName))
		}
		f.Fix = "mend what breaks or accept it by name, then apply the plan again; or take it back"
	case s.State == remedyrun.Stopped:
		f.Title, f.Fix = "A plan stopped", "see why; then apply it again, or take it back"
	case s.State == remedyrun.Waiting:
		f.Severity, f.Title, f.Fix = notify.Notice, "A plan waits for a second person", "another person reads it, and approves it"
	case not > 0:
		f.Title, f.Count, f.Unit = "A plan was not taken back whole", not, "steps"
		f.Fix = "see which and why; by hand: partnerguard remedy rollback " + s.ID + " --print FILE has the requests"
	case asks:
		f.Severity, f.Title, f.Fix = notify.Notice, "A plan waits for a step of a person", "do it, and say so: partnerguard remedy approve "+s.ID+" --done STEP"
	default:
		return remedyWaits(f, s)
	}
	return f, true
}

// remedyWaits is what of a run that goes on, or is over, waits for a person.
func remedyWaits(f alert.Finding, s *remedyrun.Status) (alert.Finding, bool) {
	switch {
	case len(s.Seconds) > 0:
		f.Severity, f.Title, f.Cause = notify.Notice, "What somebody accepted waits for a second person", print.Clean(s.Next, print.MaxSaying)
		f.Fix = "another person looks at it, and says yes to the same"
	case s.State == remedyrun.Watching && strings.Contains(s.Why, " --accept "):
		f.Severity, f.Title, f.Fix = notify.Notice, "A plan waits for evidence that may never come",
			"see what is missing; wait on, or take it upon yourself by name"
	case s.Drifted != "":
		f.Title, f.Cause = "What a plan set is no longer so", "Somebody changed it since."
		f.Command, f.Fix = "partnerguard remedy drift "+s.ID, "see what is different and by whom; then plan anew, or have it changed back"
	default:
		return f, false
	}
	return f, true
}
