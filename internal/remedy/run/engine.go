//go:build !judge

package run

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/gate"
)

// hashOf names a text by all that it says.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// chain continues the hash of a run's steps by one.
func chain(hash string, p *Progress) string {
	return hashOf(hash + "\n" + strconv.Itoa(p.Seq) + "\n" + p.rawStep)
}

// trusted reads a run and holds it, and its approval, to their marks.
func (c *Runner) trusted(ctx context.Context, id string) (Run, error) {
	if c.d.Marks == nil {
		return Run{}, errNoVault()
	}
	r, err := c.run(ctx, id)
	if err != nil {
		return r, err
	}
	if err := c.d.Marks.Fits(ctx, runBook, r.mark, r.values()...); err != nil {
		return r, err
	}
	if r.Approved, err = c.approval(ctx, id); err != nil {
		return r, err
	}
	if words := r.approvalWords(); words != "" {
		return r, problem.New(problem.Conflict, "%s: %s", r.ID, words).WithHint("look at the trail, and at who writes the database")
	}
	if r.Approved == nil {
		return r, nil
	}
	return r, c.d.Marks.Fits(ctx, approvalBook, r.Approved.mark, r.Approved.values()...)
}

// approvalWords says what is wrong with a run's approval, "" nothing.
func (r *Run) approvalWords() string {
	switch a := r.Approved; {
	case a == nil && r.Approver != "":
		return "its approval is gone"
	case a == nil && len(r.Second) > 0 && r.State != Waiting && len(r.Past) > 0:
		return "it was begun without the second person that it needs"
	case a != nil && a.Actor != r.Approver:
		return "its approval is of somebody else"
	case a != nil && (a.Plan != r.Plan || strings.EqualFold(a.Actor, r.Actor)):
		return "its approval is of another plan, or by who applied it"
	}
	return ""
}

// trustedSteps reads the steps of a run and holds them to their marks, and to what was begun.
func (c *Runner) trustedSteps(ctx context.Context, r *Run) ([]Progress, error) {
	list, err := c.steps(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	hash := ""
	for i := range list {
		if err := c.d.Marks.Fits(ctx, stepBook, list[i].mark, list[i].values()...); err != nil {
			return nil, err
		}
		hash = chain(hash, &list[i])
	}
	if len(list) != r.steps || hash != r.hash {
		return nil, problem.New(problem.Conflict, "the steps of %s are not those that were begun", r.ID).
			WithHint("look at the trail, and at who writes the database")
	}
	return list, nil
}

// standing reads a run with its steps, and holds it to what the trail says last: whoever puts
// older rows back has nothing go on that was stopped or taken back.
func (c *Runner) standing(ctx context.Context, id string) (r Run, list []Progress, err error) {
	for range 2 { // somebody may turn it round between the two readings
		if r, err = c.trusted(ctx, id); err != nil {
			return r, nil, err
		}
		if list, err = c.trustedSteps(ctx, &r); err != nil {
			return r, nil, err
		}
		if err = c.held(ctx, &r); err == nil {
			return r, list, nil
		}
	}
	return r, list, err
}

// held says that the trail knows of something else than the row. Kind problem.Conflict.
func (c *Runner) held(ctx context.Context, r *Run) error {
	if c.d.Last == nil {
		return nil
	}
	last, err := c.d.Last(ctx)
	if err != nil {
		return err
	}
	words := ""
	switch what := last(r.ID, ""); {
	case what == "":
		words = "the trail knows of no such run"
	case what == audit.RemedyEnded && !r.State.Over(), what == audit.RemedyStopped && r.State != Stopped,
		what == audit.RemedyUndone && r.State != Undoing && r.State != Undone,
		what == audit.RemedyApplied && (r.State.Over() || r.State == Undoing):
		words = "the trail says last of it: " + string(what)
	case r.Approved != nil && last(r.ID, "approval") != audit.RemedyApproved:
		words = "an approval is there, and the trail knows of none"
	default:
		return nil
	}
	return problem.New(problem.Conflict, "the run %s is %s in the database: %s", r.ID, r.State, words).
		WithHint("somebody put an older row back: look at the trail, and restore a backup")
}

// turn is one turn at one run.
type turn struct {
	c     *Runner
	r     Run
	list  []Progress
	plan  *remedy.Plan
	cloud *Cloud
}

// plan reads a run's plan and holds it to its mark, and to what the run is of.
func (c *Runner) plan(ctx context.Context, r *Run) (*remedy.Plan, error) {
	m, err := c.planRow(ctx, r.Plan)
	if err != nil {
		return nil, err
	}
	if err := c.d.Marks.Fits(ctx, planBook, m.mark, m.values()...); err != nil {
		return nil, err
	}
	p, err := remedy.ReadFile([]byte(m.body))
	if err == nil && p.SHA256() != r.Plan {
		err = problem.New(problem.Conflict, "the plan of %s is not the one that was applied", r.ID).
			WithHint("look at the trail, and at who writes the database")
	}
	return p, err
}

// Do takes one run as far as it goes now, and gives when to look at it again: the zero time
// is not by itself. A run that another process has is left alone. Every change is written
// down before it is asked for, and again with its answer, so that whoever comes after a
// process that died goes on where it was.
func (c *Runner) Do(ctx context.Context, id string) (next time.Time, err error) {
	if c.d.Marks == nil {
		return next, errNoVault()
	}
	now := c.now()
	switch err := c.lease(ctx, id, now, now.Add(leaseFor)); {
	case errors.Is(err, errStale):
		return now.Add(soon), nil
	case err != nil:
		return next, err
	}
	defer func() {
		if e := c.release(context.WithoutCancel(ctx), id); err == nil {
			err = e
		}
	}()
	c.d.at(ctx, "lease taken")
	t := &turn{c: c}
	if t.r, t.list, err = c.standing(ctx, id); err != nil {
		return next, err
	}
	next, err = t.rounds(ctx, now.Add(leaseFor/2))
	if errors.Is(err, errStale) { // somebody turned it round in this moment
		return c.now().Add(time.Second), nil
	}
	if err == nil {
		err = c.sleep(ctx, id, next)
	}
	return next, err
}

// rounds goes on until nothing is due, or until a moment, so that a lease does not run out
// under a step.
func (t *turn) rounds(ctx context.Context, until time.Time) (time.Time, error) {
	if t.r.State != Running && t.r.State != Watching && t.r.State != Undoing {
		return time.Time{}, nil
	}
	var err error
	if t.plan, err = t.c.plan(ctx, &t.r); err != nil {
		return time.Time{}, err
	}
	if t.cloud, err = t.c.cloud(ctx, t.plan); err == nil && t.r.State != Undoing {
		err = acts(t.plan, t.cloud)
	}
	if err != nil {
		return t.c.now().Add(time.Minute), t.note(ctx, t.without(err))
	}
	for range mostTurn {
		var next time.Time
		switch t.r.State {
		case Running:
			next, err = t.forward(ctx)
		case Watching:
			next, err = t.watch(ctx)
		case Undoing:
			next, err = t.backward(ctx)
		default:
			return time.Time{}, nil
		}
		now := t.c.now()
		if err != nil || next.After(now) || next.IsZero() && t.r.State != Running && t.r.State != Undoing {
			return next, err
		}
		if next.IsZero() { // it waits for a person
			return next, nil
		}
		if now.After(until) {
			return now.Add(time.Second), nil
		}
	}
	return t.c.now().Add(time.Second), nil
}

// without says how to take back by hand what the tool cannot reach.
func (t *turn) without(err error) string {
	words := err.Error() + hint(err)
	if t.r.State == Undoing {
		words += " → or by hand: partnerguard remedy rollback " + t.r.ID + " --print FILE writes each request"
	}
	return words
}

func hint(err error) string {
	if h := problem.HintOf(err); h != "" {
		return " → " + h
	}
	return ""
}

// note keeps what a run waits for.
func (t *turn) note(ctx context.Context, why string) error {
	why = print.Clean(why, print.MaxSaying)
	if t.r.Why == why {
		return nil
	}
	y := t.r
	y.Why = why
	err := t.c.updateRun(ctx, &y)
	if err == nil {
		t.r = y
	}
	return err
}

// change writes the run anew with an event of the trail.
func (t *turn) change(ctx context.Context, a audit.Action, o audit.Outcome, reason string, details map[string]string, what func(*Run),
	also ...func(context.Context) error) error {
	return t.c.d.DB.InTx(ctx, func(ctx context.Context) error {
		y := t.r
		y.Past = slices.Clone(y.Past)
		what(&y)
		if err := t.c.updateRun(ctx, &y); err != nil {
			return err
		}
		for _, f := range also {
			if err := f(ctx); err != nil {
				return err
			}
		}
		if err := t.c.record(ctx, a, o, &y, reason, details); err != nil {
			return err
		}
		t.r = y
		return nil
	})
}

// stop ends the run's going on by itself.
func (t *turn) stop(ctx context.Context, why string, what func(*Run)) error {
	return t.change(ctx, audit.RemedyStopped, audit.Failed, why, map[string]string{"stage": string(t.r.Stage)}, func(r *Run) {
		r.State, r.Why = Stopped, print.Clean(why, print.MaxSaying)
		if what != nil {
			what(r)
		}
	})
}

// forward does what is due of the stage. It gives a moment that has come to be asked again
// at once.
func (t *turn) forward(ctx context.Context) (time.Time, error) {
	n := len(t.r.Past)
	if n == 0 || !t.r.Past[n-1].Ended.IsZero() {
		return t.enter(ctx)
	}
	now := t.c.now()
	for i := range t.list {
		p := &t.list[i]
		switch {
		case p.State == Asked:
			return time.Time{}, t.note(ctx, "step "+strconv.Itoa(p.Seq)+" is a person's: "+p.Step.Text+"; then: partnerguard remedy approve "+t.r.ID+
				" --done "+strconv.Itoa(p.Seq))
		case p.State == Failed:
			return time.Time{}, t.stop(ctx, "step "+strconv.Itoa(p.Seq)+" ("+p.Step.Text+") is not done: "+p.Words, nil)
		case p.State.Ended():
			continue
		case p.Next.After(now):
			return p.Next, nil
		}
		return now, t.step(ctx, p)
	}
	return t.passed(ctx)
}

// enter begins the next stage, if its gate is passed.
func (t *turn) enter(ctx context.Context) (time.Time, error) {
	now := t.c.now()
	a := Ask{Plan: t.withYes(), From: t.r.Stage, IDs: t.r.Made, Cloud: t.cloud}
	if a.From == "" {
		a.To = t.plan.Stages[0]
	} else if i := slices.Index(t.plan.Stages, a.From); i >= 0 && i+1 < len(t.plan.Stages) {
		a.To = t.plan.Stages[i+1]
	} else {
		return t.end(ctx)
	}
	if a.From != "" && slices.Index(t.plan.Stages, a.From) >= slices.Index(t.plan.Stages, t.r.Upto) {
		words := "stage " + string(a.From) + " is done, as it was asked; on: partnerguard remedy apply PLAN --stage " + string(a.To)
		return time.Time{}, t.change(ctx, audit.RemedyStage, audit.Done, "", map[string]string{"stage": string(a.From), "holds": "yes"}, func(r *Run) {
			r.State, r.Why = Holding, words
		})
	}
	g, err := t.c.d.Gate(ctx, a)
	if err != nil {
		if passing(err) {
			return now.Add(time.Minute), t.note(ctx, err.Error()+hint(err))
		}
		return time.Time{}, t.stop(ctx, err.Error()+hint(err), nil)
	}
	if !g.Passed {
		return time.Time{}, t.stop(ctx, shut(g).Error()+acceptWords(g, t.r.ID), func(r *Run) { r.Shut = g })
	}
	if f := t.c.alone(&t.r, g); f != nil {
		g = reopened(g, f)
		return time.Time{}, t.stop(ctx, "what stage "+string(a.To)+" opens is accepted by one person alone: "+f.Text+
			"; two people accept it: partnerguard remedy approve "+
			t.r.ID+" --accept "+f.ID+" --why TEXT, each; then apply the plan again", func(r *Run) { r.Shut = g })
	}
	moves, err := t.c.d.Expand(ctx, a)
	if err != nil {
		return time.Time{}, t.stop(ctx, err.Error()+hint(err), nil)
	}
	return now, t.begin(ctx, a.To, g, moves)
}

// begin keeps a stage with its steps.
func (t *turn) begin(ctx context.Context, s remedy.Stage, g *remedy.Gate, moves []gate.Move) error {
	now := t.c.now()
	added := make([]Progress, len(moves))
	hash := t.r.hash
	for i := range moves {
		raw, err := json.Marshal(moves[i].Step)
		if err != nil {
			return err
		}
		added[i] = Progress{Run: t.r.ID, Seq: len(t.list) + i + 1, Stage: s, Of: moves[i].Of, State: Ready, Step: moves[i].Step, Since: now,
			rawStep: string(raw)}
		hash = chain(hash, &added[i])
	}
	details := map[string]string{"stage": string(s), "steps": strconv.Itoa(len(moves)), "state": "begun"}
	err := t.change(ctx, audit.RemedyStage, audit.Done, "", details, func(r *Run) {
		r.Stage, r.Why, r.Shut = s, "", nil
		r.Past = append(r.Past, Passage{Stage: s, Began: now, First: len(t.list) + 1, Steps: len(moves), Gate: g})
		r.steps, r.hash = len(t.list)+len(moves), hash
	}, func(ctx context.Context) error {
		for i := range added {
			if err := t.c.insertStep(ctx, &added[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		t.list = append(t.list, added...)
	}
	return err
}

// withYes is the plan with what was accepted since.
func (t *turn) withYes() *remedy.Plan {
	p := *t.plan
	p.Accepted = append(slices.Clone(p.Accepted), t.c.said(&t.r)...)
	return &p
}
