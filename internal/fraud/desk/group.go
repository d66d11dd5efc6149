//go:build !judge

package desk

import (
	"cmp"
	"context"
	"slices"
	"time"

	"partnerguard/internal/fraud"
)

// Stage is how pressing what waits is; a lower one is more so.
type Stage int

// The stages.
const (
	Over  Stage = iota + 1 // the 24 hours are over
	Near                   // they are over soon
	Late                   // the hour of the guidance is over, and nobody reacted
	Fresh                  // there is time
)

// near is how long before the 24 hours are over people hear of it again.
const near = 4 * time.Hour

// goneFor is how long an open alert that Microsoft lists no more still counts as waiting: an
// empty list may be a mistake of a moment.
const goneFor = 24 * time.Hour

// Stage says how pressing a case is at a moment. One that somebody has is pressing again only
// when its 24 hours are over soon.
func (c *Case) Stage(now time.Time) Stage {
	switch {
	case c.Clock.Due.IsZero():
		return Late // since when is not known: it may be over already
	case !now.Before(c.Clock.Due):
		return Over
	case !now.Before(c.Clock.Due.Add(-near)):
		return Near
	case !now.Before(c.Clock.DueGoal) && c.Untouched() && c.Acknowledged.IsZero():
		return Late
	}
	return Fresh
}

// Waits says that somebody has to answer it: it is open, no test, and no answer is on its way.
func (c *Case) Waits(now time.Time) bool {
	answered := c.Answer != nil && (c.Answer.State == Queued || c.Answer.State == Asked || c.Answer.State == Sent && c.Answer.Settled.After(c.Read))
	return c.Open() && !c.Test && !answered && (c.Gone.IsZero() || now.Sub(c.Gone) < goneFor)
}

// Group is what waits of one cause: a storm of alerts is one thing to people.
type Group struct {
	Key   string // the same while anything of it waits
	Stage Stage  // of the most pressing
	Cases []Case // those that wait, longest first
}

// Groups are what waits, the most pressing first; aged are those that were old when this
// installation first read, which wake nobody one by one.
func Groups(list []Case, now time.Time) (out []Group, aged []Case) {
	at := map[string]int{}
	for i := range list {
		c := &list[i]
		switch {
		case !c.Waits(now):
			continue
		case c.Aged && c.Acknowledged.IsZero():
			aged = append(aged, *c)
			continue
		}
		n, has := at[c.Cause()]
		if !has {
			n = len(out)
			at[c.Cause()] = n
			out = append(out, Group{Key: c.Cause(), Stage: Fresh})
		}
		out[n].Cases, out[n].Stage = append(out[n].Cases, *c), min(out[n].Stage, c.Stage(now))
	}
	for i := range out {
		slices.SortStableFunc(out[i].Cases, func(a, b Case) int { return cmp.Or(a.Detected.Compare(b.Detected), cmp.Compare(a.ID, b.ID)) })
	}
	slices.SortStableFunc(out, func(a, b Group) int {
		return cmp.Or(cmp.Compare(a.Stage, b.Stage), a.Cases[0].Detected.Compare(b.Cases[0].Detected), cmp.Compare(a.Key, b.Key))
	})
	return out, aged
}

// Waiting are the groups of now.
func (d *Desk) Waiting(ctx context.Context) (out []Group, aged []Case, err error) {
	list, err := d.List(ctx, Filter{Open: true, NoTests: true})
	if err != nil {
		return nil, nil, err
	}
	out, aged = Groups(list, d.now())
	return out, aged, nil
}

// CasesOf are alerts of files as cases, those that wait longest first: nobody has them, and
// nothing was answered here.
func CasesOf(list []fraud.Alert, now time.Time) []Case {
	out := make([]Case, 0, len(list))
	for i := range list {
		out = append(out, Case{Alert: list[i], Notes: []Note{}, Clock: clockOf(&list[i], now)})
	}
	sortCases(out)
	return out
}

// Average is the clock over all alerts, by both measures.
type Average struct {
	Resolved fraud.Forecast `json:"resolved"` // until they are resolved: what Microsoft's requirement speaks of
	Reacted  fraud.Forecast `json:"reacted"`  // until they first leave active
}

// Average computes the average of 30 days and its forecast. An alert that Microsoft lists no
// more is not in it while it is open.
func (d *Desk) Average(ctx context.Context) (Average, error) {
	list, err := d.List(ctx, Filter{})
	if err != nil {
		return Average{}, err
	}
	return AverageOf(list, d.now()), nil
}

// AverageOf is the average of some cases at a moment.
func AverageOf(list []Case, now time.Time) Average {
	var alerts []fraud.Alert
	for i := range list {
		if list[i].Gone.IsZero() || !list[i].Open() {
			alerts = append(alerts, list[i].Alert)
		}
	}
	return Average{fraud.ForecastOf(alerts, now, fraud.ByResolution), fraud.ForecastOf(alerts, now, fraud.ByReaction)}
}
