//go:build !judge

package app

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"partnerguard/internal/alert"
	"partnerguard/internal/fraud/desk"
	"partnerguard/internal/fraud/pages"
	"partnerguard/internal/notify"
	"partnerguard/internal/print"
)

// unreadAfter is how long the alerts may be unread before people hear of it: the guidance
// wants a reaction within an hour.
const unreadAfter = 30 * time.Minute

// fraudAlerts are the alerts of Microsoft that wait for an answer, one a cause: of the desk
// where it has read them, else as the newest judgement knew them.
func (i *Installation) fraudAlerts(ctx context.Context) (out []alert.Finding, whole bool, err error) {
	reads, err := i.Fraud.Readings(ctx)
	if err != nil {
		return nil, false, err
	}
	if len(reads) == 0 || reads[0].Good.IsZero() {
		return i.waiting(ctx)
	}
	groups, aged, err := i.Fraud.Waiting(ctx)
	if err != nil {
		return nil, false, err
	}
	now := i.Now()
	for k := range groups {
		out = append(out, fraudFinding(&groups[k], now))
	}
	if n := len(aged); n > 0 {
		f := alert.Finding{Key: "fraud:aged", Kind: alert.Fraud, Severity: notify.Warning, Since: aged[0].Detected, Count: n, Unit: "alerts",
			Title: "Alerts of Microsoft from before this installation wait for an answer", Command: "partnerguard fraud list", Path: "/fraud",
			Cause: "They were detected long ago, and every one that is open counts in the average of 30 days.",
			Fix:   "look whether anything of it goes on, and answer them: ignore is for what is stale"}
		for k := range aged {
			f.Subjects = append(f.Subjects, fraudName(&aged[k]))
		}
		out = append(out, f)
	}
	if late := now.Sub(reads[0].Good); late > unreadAfter {
		out = append(out, alert.Finding{Key: "fraud:unread", Kind: alert.Fraud, Severity: notify.Warning, Since: reads[0].Good,
			Title: "Microsoft's alerts about fraud are not read", Cause: cmp.Or(reads[0].Why, "Nothing reads them: is serve or a worker running?"),
			Fix: cmp.Or(reads[0].Fix, "look in Partner Center until it is mended"), Command: "partnerguard fraud list", Path: "/fraud"})
	}
	return out, true, nil
}

// fraudFinding is a group as an alert. It is told again when more of its cause come, twice as
// many at least, and when it is more pressing.
func fraudFinding(g *desk.Group, now time.Time) alert.Finding {
	first := &g.Cases[0]
	f := alert.Finding{Key: "fraud:" + g.Key, Kind: alert.Fraud, Severity: notify.Urgent, Tenant: first.Customer, Title: "Microsoft warns: " + fraudTitle(g),
		Since: first.Detected, Due: first.Clock.Due, Path: pages.CasePath(first.ID), Command: "partnerguard fraud show " + first.ID,
		Cause: fraudCause(g, now), Stage: int(g.Stage),
		Fix: "investigate at once: stop the resources, cancel the subscription if it is abused, then answer with partnerguard fraud resolve; answering alone " +
			"stops nothing"}
	if n := len(g.Cases); n > 1 {
		f.Count, f.Unit = 1, "alerts or more"
		for f.Count*2 <= n {
			f.Count *= 2
		}
		for k := range g.Cases[:min(n, alert.MaxSubjects)] {
			f.Subjects = append(f.Subjects, fraudName(&g.Cases[k]))
		}
	}
	if strings.EqualFold(first.Severity, "informational") {
		f.Severity = notify.Warning
	}
	return f
}

func fraudName(c *desk.Case) string {
	name := cmp.Or(c.Name, c.Words(), "alert")
	if who := cmp.Or(c.CustomerName, c.Customer); who != "" {
		name += " (" + who + ")"
	}
	return print.Clean(name, print.MaxName)
}

// fraudTitle says what a group is about, and of whom.
func fraudTitle(g *desk.Group) string {
	first := &g.Cases[0]
	if len(g.Cases) == 1 {
		return fraudName(first)
	}
	return fmt.Sprintf("%s alerts of %s at %s", print.Number(int64(len(g.Cases))), print.Clean(cmp.Or(first.Words(), "one kind"), 80),
		print.Clean(cmp.Or(first.CustomerName, first.Customer, "a customer"), print.MaxName))
}

// fraudCause says since when it waits, and for how long it may.
func fraudCause(g *desk.Group, now time.Time) string {
	first := &g.Cases[0]
	due := first.Clock.Due
	when := due.UTC().Format("2006-01-02 15:04 UTC")
	var s string
	switch {
	case due.IsZero():
		s = "When it was detected cannot be read, so it may be over already. It has to be answered within 24 hours."
	case due.Before(now):
		s = "It is unanswered, and the 24 hours are over since " + when + "."
	case g.Stage == desk.Late:
		s = "Nobody reacted within the hour that Microsoft asks for. It has to be answered by " + when + "."
	default:
		s = "It has to be answered by " + when + "."
	}
	if first.Assignee != "" {
		s += " " + print.Clean(first.Assignee, print.MaxName) + " has it."
	}
	if a := first.Answer; a != nil && (a.State == desk.Failed || a.State == desk.Other) {
		s += " The answer was not taken: " + print.Clean(a.Why, 200) + "."
	}
	if !first.Gone.IsZero() {
		s += " Microsoft lists it no more since " + first.Gone.UTC().Format("2006-01-02 15:04 UTC") + "."
	}
	return s
}
