//go:build !judge

package run

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
)

// Yes is a consequence that somebody took upon themselves while the plan was done. Where it
// takes two people it counts once another said yes to the same, of the same plan.
type Yes struct {
	remedy.Acceptance
	Plan     string    `json:"plan"` // SHA-256 of the plan that it is about
	Second   string    `json:"secondPerson,omitempty"`
	Seconded time.Time `json:"seconded,omitzero"`
}

// takesTwo says that a consequence is not one person's to accept: something is opened, or the
// installation wants two people for everything.
func (c *Runner) takesTwo(opens bool) bool { return opens || c.d.Config.Approval == approvalAlways }

// whole says that a yes counts.
func (c *Runner) whole(r *Run, y *Yes) bool {
	return y.Plan == r.Plan && (!c.takesTwo(r.opening(y.Finding)) || y.Second != "" && !strings.EqualFold(y.Second, y.By))
}

// opening says that a finding that the run told of is about something that would be open.
func (r *Run) opening(finding string) bool {
	opens := func(g *remedy.Gate) bool {
		return g != nil && slices.ContainsFunc(g.Findings, func(f remedy.Finding) bool { return f.ID == finding && f.Kind == remedy.Opens })
	}
	return opens(r.Shut) || slices.ContainsFunc(r.Past, func(p Passage) bool { return opens(p.Gate) })
}

// waiting are the consequences that somebody accepted and that wait for another person.
func (c *Runner) waiting(r *Run) (out []Yes) {
	now := c.now()
	for i := range r.Accepted {
		if y := &r.Accepted[i]; y.Plan == r.Plan && y.Holds(now) && !c.whole(r, y) {
			out = append(out, *y)
		}
	}
	return out
}

// said are the acceptances of a run that count.
func (c *Runner) said(r *Run) (out []remedy.Acceptance) {
	for i := range r.Accepted {
		if y := &r.Accepted[i]; c.whole(r, y) {
			out = append(out, y.Acceptance)
		}
	}
	return out
}

// alone finds an opening that the plan's file accepts and to which no second person said yes:
// neither to the plan nor to it.
func (c *Runner) alone(r *Run, g *remedy.Gate) *remedy.Finding {
	if r.Approved != nil {
		return nil // which is of the plan's bytes, with all that it accepts
	}
	said, now := c.said(r), c.now()
	for i := range g.Findings {
		f := &g.Findings[i]
		if f.Kind == remedy.Opens && f.Accepted != nil &&
			!slices.ContainsFunc(said, func(a remedy.Acceptance) bool { return a.Finding == f.ID && a.Holds(now) }) {
			return f
		}
	}
	return nil
}

// reopened is a gate in which an opening that nobody seconded is not accepted.
func reopened(g *remedy.Gate, f *remedy.Finding) *remedy.Gate {
	out := *g
	out.Passed, out.Findings = false, slices.Clone(g.Findings)
	for i := range out.Findings {
		if out.Findings[i].ID == f.ID {
			out.Findings[i].Accepted = nil
		}
	}
	return &out
}

// NoEvidence is what is accepted to have a stage go on where no log can tell what it does.
func NoEvidence(s remedy.Stage) string { return "no-evidence:" + string(s) }

// Accept takes one consequence upon oneself by its id: a finding of a gate, a surprise of a
// stage, or [NoEvidence]. What locks somebody out, and what Microsoft would refuse, nobody
// can accept: the gate says so. Where it takes two people, the first one's yes waits, and
// another person's is one to exactly that, until the same day. The run goes on when it is
// applied again.
func (c *Runner) Accept(ctx context.Context, run, finding, why string, until time.Time) (Run, error) {
	return c.accept(ctx, run, finding, why, until, false)
}

// Second is a second person's yes to a consequence that somebody accepted and that takes two,
// until the same day. Kind problem.Forbidden for the person who accepted it,
// problem.Conflict where nothing of that id waits.
func (c *Runner) Second(ctx context.Context, run, finding string) (Run, error) {
	return c.accept(ctx, run, finding, "", time.Time{}, true)
}

// seconds refuses to second what does not wait for this person.
func (c *Runner) seconds(r *Run, finding string) error {
	for _, y := range c.waiting(r) {
		switch {
		case y.Finding != finding:
		case strings.EqualFold(y.By, c.d.Actor):
			return problem.New(problem.Forbidden, "%s accepted %s, and does not say the second yes to it too: it takes two people", c.d.Actor, finding).
				WithHint("another person does it: in the console, or with another account of this machine")
		default:
			return nil
		}
	}
	return problem.New(problem.Conflict, "nothing called %.60q waits for a second person in the plan %s", finding, r.ID).
		WithHint("partnerguard remedy status %s shows what does", r.ID)
}

func (c *Runner) accept(ctx context.Context, run, finding, why string, until time.Time, second bool) (Run, error) {
	if c.d.Marks == nil {
		return Run{}, errNoVault()
	}
	now := c.now()
	if until.IsZero() {
		until = now.AddDate(0, 0, 30)
	}
	var r Run
	err := c.retry(ctx, func(ctx context.Context) (err error) {
		if r, err = c.trusted(ctx, run); err != nil {
			return err
		}
		if r.State.Over() || r.State == Undoing {
			return problem.New(problem.Conflict, "the plan %s is %s: there is nothing to accept", r.ID, r.State)
		}
		if !r.knows(finding) {
			return problem.New(problem.NotFound, "the run %s has no finding %.60q that may be accepted", r.ID, finding).
				WithHint("partnerguard remedy status %s shows their ids", r.ID)
		}
		if second {
			if err := c.seconds(&r, finding); err != nil {
				return err
			}
		}
		details := map[string]string{"plan": r.Plan, "finding": finding}
		y, err := c.yes(&r, finding, why, until)
		if err != nil {
			return err
		}
		if y.Second != "" {
			details["accepted by"] = y.By
		}
		if details["until"] = y.Until.UTC().Format(time.DateOnly); !c.whole(&r, y) {
			details["waits"] = "for a second person"
		}
		if r.State == Watching {
			r.next = now
		}
		if err := c.updateRun(ctx, &r); err != nil {
			return err
		}
		return c.record(ctx, audit.RemedyApproved, audit.Done, &r, y.Why, details)
	})
	return r, err
}

// yes adds somebody's yes to a run's, or makes another's whole.
func (c *Runner) yes(r *Run, finding, why string, until time.Time) (*Yes, error) {
	now := c.now()
	r.Accepted = slices.Clone(r.Accepted)
	at := slices.IndexFunc(r.Accepted, func(y Yes) bool { return y.Finding == finding && y.Plan == r.Plan && y.Holds(now) })
	if at >= 0 && !c.whole(r, &r.Accepted[at]) && !strings.EqualFold(r.Accepted[at].By, c.d.Actor) {
		y := &r.Accepted[at]
		y.Second, y.Seconded = c.d.Actor, now
		return y, nil
	}
	switch {
	case len(strings.TrimSpace(why)) < 5:
		return nil, problem.New(problem.Usage, "an acceptance needs a reason, of five characters or more").WithHint(`--why "they get a new device on Monday"`)
	case !until.After(now) || until.Sub(now) > remedy.LongestYes:
		return nil, problem.New(problem.Usage, "an acceptance holds until a day of the next year").WithHint("--until 2027-01-31")
	}
	r.Accepted = slices.DeleteFunc(r.Accepted, func(y Yes) bool { return y.Finding == finding })
	r.Accepted = append(r.Accepted, Yes{Plan: r.Plan, Acceptance: remedy.Acceptance{Finding: finding, By: c.d.Actor,
		Why: print.Clean(why, print.MaxSaying), Until: until}})
	return &r.Accepted[len(r.Accepted)-1], nil
}

// knows says that a run told of something that may be accepted.
func (r *Run) knows(finding string) bool {
	for i := range r.Past {
		p := &r.Past[i]
		if finding == NoEvidence(p.Stage) {
			return true
		}
		if p.Gate != nil && slices.ContainsFunc(p.Gate.Findings, func(f remedy.Finding) bool { return f.ID == finding && f.Acceptable }) {
			return true
		}
	}
	if r.Shut != nil && slices.ContainsFunc(r.Shut.Findings, func(f remedy.Finding) bool { return f.ID == finding && f.Acceptable }) {
		return true
	}
	return slices.ContainsFunc(r.Findings, func(s Surprise) bool { return s.ID == finding })
}

// accepted says that a finding was taken upon themselves by who may, and that still holds. What
// the plan's file accepts is the second person's too, where the plan needs one.
func (t *turn) accepted(finding string) bool { return t.acceptedBy(finding) != "" }

// acceptedBy is who accepted a finding, "" nobody.
func (t *turn) acceptedBy(finding string) string {
	now := t.c.now()
	for _, a := range slices.Concat(t.c.said(&t.r), t.plan.Accepted) {
		if a.Finding == finding && a.Holds(now) {
			return cmp.Or(a.By, "somebody")
		}
	}
	return ""
}
