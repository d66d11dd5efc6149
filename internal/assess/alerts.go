package assess

import (
	"fmt"
	"slices"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
)

// answerWithin is how long an alert may wait (contracts.md section 1.5).
const answerWithin = 24 * time.Hour

// alertWindow is the span Microsoft averages over.
const alertWindow = 30 * 24 * time.Hour

// alertCount is what the alerts known on AsOf say.
type alertCount struct {
	overdue  []Evidence
	blind    []Evidence // whose clock or status cannot be read
	inWindow int
	total    time.Duration // waited by those of the window whose clocks are known
	unclear  int           // answered in the window, but when is not shown
}

func (a *assessor) alertFacts() (c alertCount) {
	for _, al := range sorted(a.Alerts) {
		if al.Test || al.Detected.Set && al.Detected.After(a.o.AsOf) {
			continue
		}
		open := al.Status == "active" || al.Status == "" || al.Answered.Set && al.Answered.After(a.o.AsOf)
		if why := unreadable(&al); why != "" {
			c.blind = append(c.blind, Evidence{Subject: alertName(&al), Detail: why + forCustomer(al.Customer), RecordID: al.ID,
				Observed: ref(al.Detected.Time), Source: al.Source})
			continue
		}
		answered := al.Answered.Set && !open
		age := a.o.AsOf.Sub(al.Detected.Time)
		behind := a.alertsAt().Sub(al.Detected.Time)
		if open && age > answerWithin {
			c.overdue = append(c.overdue, Evidence{Subject: alertName(&al), Detail: fmt.Sprintf("%s, unanswered for %s%s", statusWord(al.Status), hours(age),
				forCustomer(al.Customer)), RecordID: al.ID, Observed: ref(al.Detected.Time), Source: al.Source})
		}
		if behind > alertWindow { // counted back from the export: judging later makes no alert fall out
			continue
		}
		c.inWindow++
		switch {
		case answered:
			c.total += max(al.Answered.Sub(al.Detected.Time), 0)
		case open:
			c.total += age
		default:
			c.unclear++
		}
	}
	return c
}

// alertsAt is the end of the window that the alerts read can speak of.
func (a *assessor) alertsAt() time.Time {
	at := a.ages.At(evidence.SecurityAlert, a.o.AsOf)
	if other := a.ages.At(evidence.FraudEvent, a.o.AsOf); other.Before(at) {
		at = other
	}
	return at
}

// unreadable says why an alert cannot be weighed, or "".
func unreadable(al *partner.Alert) string {
	switch {
	case !al.Detected.Set && al.Detected.Raw != "":
		return fmt.Sprintf("its clock %q cannot be read", clip(al.Detected.Raw))
	case !al.Detected.Set:
		return "when it was detected is not in the export"
	case !slices.Contains([]string{"", "active", "investigating", "resolved"}, al.Status):
		return fmt.Sprintf("its status %q is not known", clip(al.Status))
	}
	return ""
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}

func alertName(al *partner.Alert) string { return nonEmpty(al.Name, al.Type, al.ID) }

func statusWord(s string) string {
	if s == "" {
		return "status not shown"
	}
	return s
}

func forCustomer(c string) string {
	if c == "" {
		return ""
	}
	return ", customer " + c
}

func hours(d time.Duration) string {
	if h := int(d.Hours()); h < 72 {
		return count(h, "hour", "hours")
	}
	return count(int(d.Hours()/24), "day", "days")
}

// alertKinds are the two forms of an alert.
var alertKinds = []evidence.Kind{evidence.SecurityAlert, evidence.FraudEvent}

// alertLists are the lists of alerts that were read; an alert is in one of them.
func (a *assessor) alertLists() []evidence.Kind {
	return a.read(alertKinds...)
}

// blindAlerts is the ruling where an alert cannot be weighed.
func blindAlerts(c *alertCount) ruling {
	return ruling{verdict: Unknown, total: c.inWindow + len(c.blind), evidence: c.blind, action: evidence.RequestFor(evidence.SecurityAlert) + " as JSON",
		reason: fmt.Sprintf("%s cannot be weighed: %s", count(len(c.blind), "alert", "alerts"), c.blind[0].Detail)}
}

func (a *assessor) alertsAnswered() ruling {
	c := a.alertFacts()
	const act = "answer each alert in Partner Center (investigating or resolved) within 24 hours"
	score := a.Requirements["securityalertspromptlyresolved"]
	n := c.inWindow
	var mean time.Duration
	if n > c.unclear {
		mean = c.total / time.Duration(n-c.unclear)
	}
	late := len(c.overdue)
	old := ruling{verdict: NotMet, affected: late, total: len(a.Alerts), evidence: c.overdue, action: act,
		reason: fmt.Sprintf("%s unanswered", count(late, "older alert is still", "older alerts are still"))}
	switch {
	case mean > answerWithin:
		return a.besideScore(ruling{verdict: NotMet, affected: late, total: n, evidence: c.overdue, action: act,
			reason: fmt.Sprintf("alerts of the last 30 days waited %s for an answer on average", hours(mean))}, score)
	case len(c.blind) > 0 && late > 0:
		return a.besideScore(old, score)
	case len(c.blind) > 0:
		return blindAlerts(&c)
	case n > 0 && c.unclear == 0:
		// The measure is the average: one late answer does not break it, but is
		// named, and is what azure-fraud-watch goes by.
		out := ruling{verdict: Met, total: n, evidence: c.overdue, relies: a.alertLists(), heeds: alertKinds,
			reason: fmt.Sprintf("%s of the last 30 days, answered after %s on average", count(n, "alert", "alerts"), hours(mean))}
		if late > 0 {
			out.reason += fmt.Sprintf("; %s still unanswered after 24 hours, which breaks this rule only once the average is above 24 hours",
				count(late, "alert is", "alerts are"))
		}
		return a.besideScore(out, score)
	case late > 0:
		return a.besideScore(old, score)
	case score != nil:
		out := a.fromScore(score, "alerts", act)
		out.heeds = alertKinds
		return out
	case c.unclear > 0:
		return ruling{verdict: Unknown, total: n, reason: "alerts were answered, but the export does not show when",
			action: "export /security/partner/securityAlerts with activityLogs"}
	case len(a.alertLists()) > 0:
		return ruling{verdict: Met, relies: a.alertLists(), heeds: alertKinds, reason: "alerts were exported and none was raised in the last 30 days"}
	}
	return ruling{verdict: Unknown, reason: "no alerts and no security score are in the export",
		action: "export " + evidence.RequestFor(evidence.SecurityAlert)}
}

func (a *assessor) fraudWatch() ruling {
	c := a.alertFacts()
	switch {
	case len(c.overdue) > 0:
		return ruling{verdict: NotMet, affected: len(c.overdue), total: len(a.Alerts), evidence: c.overdue,
			reason: fmt.Sprintf("%s for more than 24 hours", count(len(c.overdue), "fraud event or alert has been left unanswered",
				"fraud events or alerts have been left unanswered")),
			action: "investigate at once: stop the resources, cancel the subscription if it is abused, then record the answer; recording alone stops nothing"}
	case len(c.blind) > 0:
		return blindAlerts(&c)
	case len(a.alertLists()) > 0:
		return ruling{verdict: Met, total: c.inWindow, relies: a.alertLists(), heeds: alertKinds,
			reason: "fraud events or alerts are read, and none is left unanswered"}
	}
	return ruling{verdict: Unknown, reason: "neither fraud events nor partner security alerts are in the export",
		action: "export GET /v1/fraudEvents or /beta/security/partner/securityAlerts"}
}
