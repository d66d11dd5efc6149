//go:build !judge

package run

import (
	"context"
	"errors"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/object"
)

// backward takes back what is due, the last first. Every state between was one that
// Microsoft took, so that the way back is taken too.
func (t *turn) backward(ctx context.Context) (time.Time, error) {
	now := t.c.now()
	for i := len(t.list) - 1; i >= 0; i-- {
		p := &t.list[i]
		switch {
		case p.State != Undoes:
			continue
		case p.Next.After(now):
			return p.Next, nil
		}
		o, err := t.aback(ctx, p)
		if err != nil && passing(err) {
			if e := t.note(ctx, t.without(err)); e != nil {
				return now, e
			}
		}
		return now, t.after(ctx, p, o, err)
	}
	return t.undone(ctx)
}

// aback takes one step back: only what it changed, and only where it still has our value.
func (t *turn) aback(ctx context.Context, p *Progress) (outcome, error) {
	s, waits, err := t.reverse(ctx, p)
	if err != nil || waits != nil {
		if waits != nil {
			return *waits, err
		}
		return outcome{}, err
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
	err = t.send(ctx, p, q, etag, "take back: "+p.Step.Text, nil)
	if absent(err) && s.Do == remedy.Delete { // Microsoft keeps it no longer
		return t.anew(ctx, p, &s)
	}
	if err != nil {
		return outcome{}, err
	}
	return outcome{wait: time.Second, words: askedBack, again: true}, nil
}

const askedBack = "it was asked back; it does not show yet"

// reverse is what a step did, as the way back needs it: the object as it was read right
// before, and after.
func (t *turn) reverse(ctx context.Context, p *Progress) (s remedy.Step, waits *outcome, err error) {
	if s, err = t.resolved(p); err != nil {
		return s, nil, err
	}
	if s.ID == "" { // a create whose answer is not known
		if s.ID, err = t.lost(ctx, p, &s); err != nil {
			return s, nil, err
		}
		if s.ID == "" {
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
		if q.Seq > p.Seq && q.State == Reverted && q.ID == p.ID && q.Became != nil && object.Equal(p.Step.Kind, live, q.Became) {
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
	proof, words, err := t.prove(ctx)
	if err != nil {
		return t.c.now().Add(time.Minute), t.note(ctx, "all is taken back; the proof over what is there now waits: "+err.Error()+hint(err))
	}
	words = ""
	details := map[string]string{"outcome": "taken back"}
	var other []string
	for _, a := range proof {
		details["question "+a.Question] = a.Before + " → " + a.After
		if a.Before != a.After {
			other = append(other, a.Question+" was "+a.Before+" and is "+a.After)
		}
	}
	if len(other) > 0 {
		words = "the proof is not as it was before: " + strings.Join(other, ", ")
	}
	return time.Time{}, t.change(ctx, audit.RemedyEnded, audit.Done, words, details, func(r *Run) {
		r.State, r.Why, r.Proof = Undone, words, proof
	})
}
