//go:build !judge

package run

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/object"
)

// backward takes back what is due: what was changed last comes first, and of each object
// all that the run did to it at once, so that nothing stands in between that was of a stage.
func (t *turn) backward(ctx context.Context) (time.Time, error) {
	now := t.c.now()
	var next time.Time
	seen := map[*Progress]bool{}
	for i := len(t.list) - 1; i >= 0; i-- {
		p := &t.list[i]
		if p.State != Undoes || seen[p] {
			continue
		}
		all := t.deeds(p)
		for _, x := range all {
			seen[x] = true
		}
		if p.Next.After(now) {
			if next.IsZero() || p.Next.Before(next) {
				next = p.Next
			}
			if p.Tries == 0 || p.Tries > 2 { // what Microsoft would not do may wait for what comes before it
				return next, nil
			}
			continue
		}
		o, err := t.aback(ctx, all)
		if err != nil && passing(err) {
			if e := t.note(ctx, t.without(err)); e != nil {
				return now, e
			}
		}
		return now, t.afterAll(ctx, all, o, err)
	}
	if !next.IsZero() {
		return next, nil
	}
	return t.undone(ctx)
}

// deeds are the steps that are taken back together with the last one of an object: all of
// them, but for a deletion of what was there before, which is taken back by itself first.
func (t *turn) deeds(last *Progress) (out []*Progress) {
	out = []*Progress{last}
	made := last.Step.Do == remedy.Create
	for i := last.Seq - 2; i >= 0 && (last.ID != "" || !made); i-- {
		if p := &t.list[i]; p.State == Undoes && p.Step.Kind == last.Step.Kind && strings.EqualFold(p.ID, last.ID) {
			out = append(out, p)
			made = made || p.Step.Do == remedy.Create
		}
	}
	if last.Step.Do == remedy.Delete && !made {
		return out[:1]
	}
	return out
}

// afterAll keeps an outcome for all steps that are taken back together.
func (t *turn) afterAll(ctx context.Context, all []*Progress, o outcome, err error) error {
	if err := t.after(ctx, all[0], o, err); err != nil {
		return err
	}
	for _, p := range all[1:] {
		if all[0].State.Ended() {
			if err := t.keep(ctx, p, become(all[0].State, "with step %d", all[0].Seq)); err != nil {
				return err
			}
		}
	}
	return nil
}

// aback takes back what steps did to one object: only what they changed, and only where it
// still has our value.
func (t *turn) aback(ctx context.Context, all []*Progress) (outcome, error) {
	p, first := all[0], all[len(all)-1]
	if p.Step.Do == remedy.Delete && len(all) > 1 {
		return become(Reverted, "it was the run's own, and is gone"), nil
	}
	if p.Step.Kind == remedy.Member && t.goes(p.ID) {
		return become(Reverted, "its group goes, with all that are in it"), nil
	}
	s, waits, err := t.reverse(ctx, p)
	if err != nil || waits != nil {
		if waits != nil {
			return *waits, err
		}
		return outcome{}, err
	}
	if s.Do != remedy.Delete {
		s.Do = first.Step.Do
	}
	if s.Do == remedy.Update {
		s.Before = first.Was
	}
	live, etag, err := t.read(ctx, s.Kind, s.ID)
	if err != nil {
		return outcome{}, err
	}
	asked := p.Asked.After(p.Since) // for the way back
	waited := t.c.now().Sub(p.Asked)
	q, err := object.Back(&s, live)
	switch {
	case errors.Is(err, problem.Conflict) && !asked && t.newer(p, live):
		return pause(soon, "it does not show yet what was taken back a moment ago"), t.patience(p)
	case err != nil:
		return become(NotTaken, "%s%s", err.Error(), hint(err)), nil
	case q.None() && p.Became == nil && !asked && waited < settling && p.Intent:
		return pause(soon, "it was asked for before the run was turned round; it is looked whether it comes to be"), nil
	case q.None():
		return become(Reverted, "%s", undoneWords(&s, live)), nil
	case asked && !p.Intent && waited < settling && p.Words == askedBack:
		return pause(soon, askedBack), nil
	case p.Again >= mostTries+4:
		return become(NotTaken, "it was asked for %d times, and is not as it was", p.Again), nil
	}
	err = t.send(ctx, p, q.In(t.plan.Tenant.Cloud), etag, "take back: "+p.Step.Text, nil)
	if absent(err) && s.Do == remedy.Delete { // Microsoft keeps it no longer
		return t.anew(ctx, p, &s)
	}
	if err != nil {
		return outcome{}, err
	}
	return outcome{wait: time.Second, words: askedBack, again: true}, nil
}

// goes says that a membership is of a group that the run made, and that goes.
func (t *turn) goes(member string) bool {
	group, _, _ := strings.Cut(member, "/")
	for i := range t.list {
		x := &t.list[i]
		if x.Step.Kind == remedy.Group && x.Step.Do == remedy.Create && x.ID == group && (x.State == Undoes || x.State == Reverted) {
			return true
		}
	}
	return false
}

const askedBack = "it was asked back; it does not show yet"

// reverse is what a step did, as the way back needs it: the object as it was read right
// before, and after.
func (t *turn) reverse(ctx context.Context, p *Progress) (s remedy.Step, waits *outcome, err error) {
	if s, err = t.resolved(p); err != nil {
		return s, nil, err
	}
	if s.ID == "" && s.Do == remedy.Create { // one whose answer is not known
		if s.ID, err = t.lost(ctx, p, &s); err != nil {
			return s, nil, err
		}
		if s.ID == "" { // Microsoft has none
			o := become(Reverted, "nothing was made")
			if t.c.now().Sub(p.Asked) < unseen {
				o = pause(soon, "the answer was lost; it is looked whether it was made")
			}
			return s, &o, nil
		}
		p.ID = s.ID
	}
	if s.Do != remedy.Create {
		s.Before = p.Was
	}
	if p.Became != nil && s.Do != remedy.Delete {
		s.After = p.Became
	}
	return s, nil, nil
}

func undoneWords(s *remedy.Step, live remedy.Object) string {
	if s.Do == remedy.Create || object.Equal(s.Kind, live, s.Before) {
		return "it is as it was before"
	}
	return "what we changed is as it was before; somebody else changed more of it, and that was left"
}

// newer says that an object looks as a later step left it, which was taken back a moment ago.
func (t *turn) newer(p *Progress, live remedy.Object) bool {
	for i := range t.list {
		q := &t.list[i]
		if q.Seq > p.Seq && q.State == Reverted && q.Step.Kind == p.Step.Kind && q.ID == p.ID && q.Became != nil && object.Equal(p.Step.Kind, live, q.Became) {
			return t.c.now().Sub(q.Since) < settling
		}
	}
	return false
}

// anew makes what was taken away once more, where Microsoft restores it no longer.
func (t *turn) anew(ctx context.Context, p *Progress, s *remedy.Step) (outcome, error) {
	q, err := object.Again(s)
	if err != nil {
		return become(NotTaken, "%s%s", err.Error(), hint(err)), nil
	}
	err = t.send(ctx, p, q, "", "make anew: "+p.Step.Text, nil)
	if err != nil {
		return outcome{}, err
	}
	return become(Reverted, "Microsoft restores it no longer: it was made anew, and has another id"), nil
}

// undone closes a run that was taken back: the questions are asked again.
func (t *turn) undone(ctx context.Context) (time.Time, error) {
	proof, _, err := t.prove(ctx)
	if err != nil {
		return t.c.now().Add(time.Minute), t.note(ctx, "all is taken back; the proof over what is there now waits: "+err.Error()+hint(err))
	}
	details := map[string]string{"outcome": "taken back"}
	var other []string
	for _, a := range proof {
		details["question "+a.Question] = a.Before + " → " + a.After
		if a.Before != a.After {
			other = append(other, a.Question+" was "+a.Before+" and is "+a.After)
		}
	}
	over := t.r
	over.State = Undone
	left, outcome := leftovers(&over, t.list), audit.Done
	words := leftWords(left)
	if len(left) > 0 {
		outcome, details["outcome"], details["not taken back"] = audit.Failed, "not taken back whole", strconv.Itoa(len(left))
	}
	if len(other) > 0 {
		if words != "" {
			words += "; "
		}
		words += "the proof is not as it was before: " + strings.Join(other, ", ")
	}
	words = print.Clean(words, print.MaxSaying)
	return time.Time{}, t.change(ctx, audit.RemedyEnded, outcome, words, details, func(r *Run) {
		r.State, r.Why, r.Proof, r.Drifted = Undone, words, proof, "" // what is left of it stands in its steps
	})
}
