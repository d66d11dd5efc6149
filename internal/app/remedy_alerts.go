//go:build !judge

package app

import (
	"context"

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
		if f, is := remedyFinding(&list[k]); is {
			out = append(out, f)
		}
	}
	return out, true, nil
}

// remedyFinding is what of a run a person must see to.
func remedyFinding(s *remedyrun.Status) (f alert.Finding, is bool) {
	f = alert.Finding{Key: "remedy:" + s.ID, Kind: alert.Remedy, Severity: notify.Warning, Tenant: s.Tenant, Since: s.Applied,
		Cause: print.Clean(s.Why, print.MaxSaying), Path: "/remedy/plan?run=" + s.ID, Command: "partnerguard remedy status " + s.ID}
	asks := false
	for k := range s.Steps {
		asks = asks || s.Steps[k].State == remedyrun.Asked
	}
	switch {
	case s.Refused != "":
		f.Severity, f.Title, f.Cause = notify.Urgent, "A plan's row was written by something else", s.Refused
		f.Fix = "look at the trail, and at who writes the database; nothing of it is done"
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
	case asks:
		f.Severity, f.Title, f.Fix = notify.Notice, "A plan waits for a step of a person", "do it, and say so: partnerguard remedy approve "+s.ID+" --done STEP"
	case s.Drifted != "":
		f.Title, f.Cause = "What a plan set is no longer so", "Somebody changed it since."
		f.Command, f.Fix = "partnerguard remedy drift "+s.ID, "see what is different and by whom; then plan anew, or have it changed back"
	default:
		return f, false
	}
	return f, true
}
