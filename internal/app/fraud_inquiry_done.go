//go:build !judge

package app

import (
	"context"
	"fmt"
	"strings"

	"partnerguard/internal/fraud/contain"
	"partnerguard/internal/fraud/inquiry"
)

// containedFor is what containment did about an alert, for its timeline and reports.
func (i *Installation) containedFor(ctx context.Context, alert string) (out []inquiry.Done, err error) {
	runs, err := i.fraudRuns(ctx, alert)
	for k := range runs {
		out = append(out, doneOf(&runs[k])...)
	}
	return out, err
}

// doneOf are the steps of a run that came to something, and its end.
func doneOf(r *contain.Status) (out []inquiry.Done) {
	out = append(out, inquiry.Done{At: r.Applied, By: r.Actor, What: fmt.Sprintf("asked for containment in %d steps", len(r.Steps)), Contain: true})
	if r.Approved != nil {
		out = append(out, inquiry.Done{At: r.Approved.At, By: r.Approved.Actor, What: "approved the containment", Contain: true})
	}
	last := r.Applied
	for k := range r.Steps {
		p := &r.Steps[k]
		switch p.State {
		case contain.Ready, contain.Left, contain.Going:
			continue
		}
		what := string(p.Step.Kind) + " " + p.Step.Name
		if p.Step.Name == "" {
			what = string(p.Step.Kind) + " " + p.Step.Target
		}
		out = append(out, inquiry.Done{At: p.Since, By: r.Actor, What: what, Outcome: string(p.State), Contain: true})
		if p.Since.After(last) {
			last = p.Since
		}
	}
	if r.State == contain.Over && len(r.Left) == 0 && r.Verified != nil && len(r.Verified.Running)+len(r.Verified.New)+len(r.Verified.Unread) == 0 {
		out = append(out, inquiry.Done{At: last, By: r.Actor, What: "contained: nothing of the plan runs", Contain: true, Ended: true})
	}
	return out
}

// FraudScene is what an inquiry found suspicious, as containment wants it. Without rows there
// is nothing of it.
func (i *Installation) fraudScene(ctx context.Context, alert string) (contain.Scene, error) {
	t, err := i.Inquiry.Timeline(ctx, alert)
	if err != nil {
		return contain.Scene{}, err
	}
	return sceneOf(t), nil
}

// sceneOf brings a timeline to the form of containment.
func sceneOf(t *inquiry.Timeline) contain.Scene {
	s := contain.Scene{}
	for k := range t.Rows {
		if w := t.Rows[k].Weight; (w == inquiry.Cause || w == inquiry.Suspect) && !t.Rows[k].At.IsZero() {
			s.Since = t.Rows[k].At
			break
		}
	}
	for k := range t.Actors {
		if a := &t.Actors[k]; a.Suspect {
			s.Actors = append(s.Actors, contain.Actor{ID: a.Object, UPN: a.UPN, App: a.App, Words: strings.Join(a.Why, "; ")})
		}
	}
	for k := range t.Things {
		x := &t.Things[k]
		if x.Suspect && !x.Gone && (x.Kind == inquiry.Made || x.Kind == inquiry.Assignment) {
			s.Things = append(s.Things, strings.ToLower(x.ID))
		}
	}
	if n := len(t.Costs); n > 0 {
		s.Currency = t.Costs[n-1].Currency
	}
	return s
}
