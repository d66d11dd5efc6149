//go:build !judge

package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/msapi"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/remedy/object"
)

// outcome is what one look at a step came to.
type outcome struct {
	to    StepState // "" stays
	wait  time.Duration
	words string
	again bool // it is to be asked for again: one try is used up
}

func become(s StepState, f string, a ...any) outcome {
	return outcome{to: s, words: fmt.Sprintf(f, a...)}
}

func pause(d time.Duration, f string, a ...any) outcome {
	return outcome{wait: d, words: fmt.Sprintf(f, a...)}
}

// errTurned says that the run was stopped or taken back meanwhile.
var errTurned = errors.New("the run was turned round")

// step looks at one step once, and keeps what came of it.
func (t *turn) step(ctx context.Context, p *Progress) error {
	o, err := t.ahead(ctx, p)
	return t.after(ctx, p, o, err)
}

func (t *turn) after(ctx context.Context, p *Progress, o outcome, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errTurned), errors.Is(err, errStale):
		return errStale
	case err != nil:
		o = t.judge(p, err)
	default:
		p.Tries, p.Failing = 0, time.Time{}
	}
	return t.keep(ctx, p, o)
}

// standing is how an object stands, seen from what a step wants of it.
type standing string

const (
	before  standing = "before" // as the step expects it
	after   standing = "after"  // as the step wants it
	gone    standing = "gone"   // it does not exist, and should
	foreign standing = "other"  // somebody else changed it
)

// target is a step with ids in the place of keys, and its object as it is.
type target struct {
	step remedy.Step
	live remedy.Object // canonical; nil: there is none
	etag string
	how  standing
}

// target reads a step's object, and says how it stands.
func (t *turn) target(ctx context.Context, p *Progress) (x target, err error) {
	if x.step, err = t.resolved(p); err != nil {
		return x, err
	}
	if x.step.ID == "" && x.step.Do == remedy.Create { // one whose answer is not known
		if p.Asked.IsZero() {
			x.how = before
			return x, nil
		}
		if x.step.ID, err = t.lost(ctx, p, &x.step); err != nil || x.step.ID == "" {
			x.how = before
			return x, err
		}
		p.ID = x.step.ID
	}
	if x.live, x.etag, err = t.read(ctx, x.step.Kind, x.step.ID); err != nil {
		return x, err
	}
	kind, want := x.step.Kind, x.step.After
	switch {
	case x.step.Do == remedy.Delete && x.live == nil:
		x.how = after
	case x.step.Do == remedy.Create && x.live == nil:
		x.how = before
	case x.live == nil:
		x.how = gone
	case x.step.Do != remedy.Delete && object.Equal(kind, x.live, want):
		x.how = after
	case x.step.Do == remedy.Create:
		x.how = foreign
	case x.step.Before == nil, object.Equal(kind, x.live, x.step.Before), p.Was != nil && object.Equal(kind, x.live, p.Was):
		x.how = before
	default:
		x.how = foreign
	}
	return x, nil
}

// resolved is a step with ids in the place of keys.
func (t *turn) resolved(p *Progress) (s remedy.Step, err error) {
	s = p.Step
	if s.ID = p.ID; s.ID == "" && p.Step.ID != "" {
		if s.ID, err = object.ID(p.Step.ID, t.r.Made); err != nil {
			return s, err
		}
	}
	if len(s.Before) > 0 {
		if s.Before, err = object.Resolve(s.Kind, s.Before, t.r.Made); err != nil {
			return s, err
		}
	}
	if len(s.After) > 0 {
		if s.After, err = object.Resolve(s.Kind, s.After, t.r.Made); err != nil {
			return s, err
		}
	}
	if s.ID == "" && s.Kind == remedy.Member { // its id is what it is
		s.ID, err = object.Made(&s, t.r.Made, nil)
	}
	return s, err
}

// read reads an object in canonical form; nil: there is none.
func (t *turn) read(ctx context.Context, kind remedy.Kind, id string) (remedy.Object, string, error) {
	path := object.Read(kind, id)
	if path == "" {
		return nil, "", problem.New(problem.Internal, "a %s cannot be read", kind)
	}
	r, err := t.cloud.Graph.Read(ctx, path)
	if absent(err) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	raw, err := object.Pick(kind, id, r.Body)
	if err != nil || raw == nil {
		return nil, "", err
	}
	o, err := object.Canonical(kind, raw)
	return o, r.ETag, err
}

func absent(err error) bool {
	e, ok := errors.AsType[*msapi.APIError](err)
	return ok && e.Status == http.StatusNotFound
}

// passing says that the same may work later by itself.
func passing(err error) bool {
	e, ok := errors.AsType[*msapi.APIError](err)
	return ok && e.Transient || !ok && errors.Is(err, problem.Unavailable)
}

// slack is what clocks may differ by.
const slack = 5 * time.Minute

// lost finds what a create made whose answer was lost, "" where nothing shows. It is not
// found by its name: taken is the only object that has all of the wanted content, its name
// among it, and was made after we asked for it. Two of them are nobody's to choose from.
func (t *turn) lost(ctx context.Context, p *Progress, s *remedy.Step) (string, error) {
	q, err := object.ToRequest(s, t.r.Made)
	if err != nil {
		return "", err
	}
	if q.None() || q.Method != http.MethodPost {
		return "", nil
	}
	found := ""
	for raw, err := range t.cloud.Graph.Items(ctx, narrowed(s, q.Path)) {
		if err != nil {
			return "", err
		}
		var in struct {
			ID      string    `json:"id"`
			Created time.Time `json:"createdDateTime"`
		}
		if json.Unmarshal(raw, &in) != nil || in.ID == "" || in.Created.Before(p.Asked.Add(-slack)) {
			continue
		}
		o, err := object.Canonical(s.Kind, raw)
		if err != nil || !object.Equal(s.Kind, o, s.After) || t.known(in.ID) {
			continue
		}
		if found != "" {
			return "", problem.New(problem.Conflict, "two objects (%s, %s) are as step %d wanted one, and both were made since it was asked for",
				found, in.ID, p.Seq).
				WithHint("delete one of them in the portal, then apply the plan again")
		}
		found = in.ID
	}
	return found, nil
}

// narrowed asks a directory's long lists for what may be meant alone.
func narrowed(s *remedy.Step, path string) string {
	var in struct {
		Name string `json:"displayName"`
	}
	if s.Kind != remedy.Group || json.Unmarshal(s.After, &in) != nil {
		return path
	}
	return path + "?$filter=" + queryText("displayName eq '"+strings.ReplaceAll(in.Name, "'", "''")+"'")
}

// known says that an object is what another step made or changes.
func (t *turn) known(id string) bool {
	for i := range t.list {
		if strings.EqualFold(t.list[i].ID, id) {
			return true
		}
	}
	return false
}

// ahead looks at a step's object, and asks for the change where it is not done.
func (t *turn) ahead(ctx context.Context, p *Progress) (outcome, error) {
	if p.Step.Do == remedy.Ask {
		return become(Asked, "%s", taskWords(&p.Step)), nil
	}
	x, err := t.target(ctx, p)
	if err != nil {
		return outcome{}, err
	}
	p.ID = x.step.ID
	waited := t.c.now().Sub(p.Asked)
	switch {
	case x.how == after:
		return t.done(p, &x), nil
	case x.how == foreign && t.older(p, x.live):
		return pause(soon, "it does not show yet what the stage before wrote"), t.patience(p)
	case x.how == foreign && !p.Asked.IsZero() && waited < foreignFor:
		return pause(soon, "it was asked for; it does not show yet"), nil
	case x.how == foreign:
		return become(Failed, "%s", t.changed(ctx, p, &x)), nil
	case x.how == gone && !t.lately(x.step.ID):
		return become(Failed, "it does not exist any more: make a new plan"), nil
	case x.how == gone:
		return pause(soon, "it was made a moment ago; it does not show yet"), t.patience(p)
	case !p.Asked.IsZero() && !p.Intent && waited < settling:
		return pause(soon, "it was asked for; it does not show yet"), nil
	case !p.Asked.IsZero() && p.Intent && waited < unseen:
		return pause(soon, "the answer was lost; it is looked whether it was done"), nil
	case p.Again >= mostTries:
		return become(Failed, "it was asked for %d times, and is not as it should be", mostTries), nil
	}
	if err := t.ask(ctx, p, &x); err != nil {
		return t.refused(ctx, p, err)
	}
	return outcome{to: Going, again: true, words: "it was asked for"}, nil
}

// refused looks once more at what Microsoft would not do: what is so already is done.
func (t *turn) refused(ctx context.Context, p *Progress, err error) (outcome, error) {
	e, ok := errors.AsType[*msapi.APIError](err)
	if !ok || e.Transient {
		return outcome{}, err
	}
	switch x, again := t.target(ctx, p); {
	case again != nil:
		return outcome{}, err
	case x.how == after:
		return t.done(p, &x), nil
	case x.how == foreign && !t.older(p, x.live):
		return become(Failed, "%s", t.changed(ctx, p, &x)), nil
	}
	return outcome{}, err
}

// done is the end of a step whose object is as it should be: by us, or it was so.
func (t *turn) done(p *Progress, x *target) outcome {
	p.Became, p.ID = x.live, x.step.ID
	switch {
	case p.Asked.IsZero():
		return become(Found, "it was so already")
	case p.Intent:
		return become(Done, "the answer was lost; it is as it should be")
	}
	return become(Done, "")
}

// older says that an object looks as one of the run's earlier steps found it: a copy of the
// directory that does not know of them yet.
func (t *turn) older(p *Progress, live remedy.Object) bool {
	for i := range t.list {
		q := &t.list[i]
		if q.Seq < p.Seq && q.State == Done && q.Step.Kind == p.Step.Kind && q.ID == p.ID && q.Was != nil && object.Equal(p.Step.Kind, live, q.Was) {
			return t.c.now().Sub(q.Asked) < settling
		}
	}
	return false
}

// lately says that the run made an object so short a time ago that it need not show.
func (t *turn) lately(id string) bool {
	return slices.ContainsFunc(t.list, func(q Progress) bool {
		return q.ID == id && q.State == Done && q.Step.Do == remedy.Create && t.c.now().Sub(q.Asked) < settling
	})
}

// patience ends waiting for what does not come to show.
func (t *turn) patience(p *Progress) error {
	if t.c.now().Sub(p.Since) > endure {
		return problem.New(problem.Conflict, "it did not come to show for a day")
	}
	return nil
}

// changed says what somebody else changed, and who, as far as that can be had.
func (t *turn) changed(ctx context.Context, p *Progress, x *target) string {
	was := x.step.Before
	if p.Was != nil {
		was = p.Was
	}
	if x.step.Do == remedy.Create {
		was = x.step.After
	}
	words := make([]string, 0, 8)
	for _, d := range object.Diff(x.step.Kind, was, x.live, nil) {
		if len(words) == 8 {
			words = append(words, "and more")
			break
		}
		words = append(words, d.Words)
	}
	who := "somebody else"
	if t.c.d.Who != nil {
		if name, err := t.c.d.Who(ctx, t.cloud, x.step.ID, t.plan.Made); err == nil && name != "" {
			who = name
		}
	}
	return who + " changed it since the plan was made: " + strings.Join(words, "; ") + " → make a new plan, or have it changed back and apply this one again"
}

func taskWords(s *remedy.Step) string {
	if s.Task == nil {
		return s.Text
	}
	words := strings.Join(s.Task.Do, "; ")
	if s.Task.Check != "" {
		words += "; check: " + s.Task.Check
	}
	return words
}

// judge says what becomes of a step after a failure.
func (t *turn) judge(p *Progress, err error) outcome {
	if p.Tries++; p.Failing.IsZero() {
		p.Failing = t.c.now()
	}
	not := Failed
	if p.State == Undoes {
		not = NotTaken
	}
	words := err.Error()
	e, ok := errors.AsType[*msapi.APIError](err)
	switch {
	case t.c.now().Sub(p.Failing) > endure:
		return become(not, "it did not go on for a day: %s", words)
	case ok && e.Transient:
		return pause(max(e.RetryAfter, backoff(p.Tries)), "%s", words)
	case passing(err):
		return pause(backoff(p.Tries), "%s", words)
	case ok && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden):
		need, role := object.Needs(p.Step.Kind, p.Step.Do)
		return become(not, "%s: it needs %s, and the role %s "+
			"→ partnerguard connect --name remedy --feature remedy, signed in with that role; then apply the plan again",
			words, strings.Join(need, ", "), role)
	case ok && p.State == Undoes && p.Tries < 4: // it may wait for what is taken back after it
		return pause(backoff(p.Tries), "%s", words)
	case ok && e.Status == http.StatusPreconditionFailed && p.Tries < 3: // what is there decides
		return pause(soon, "it is not the one that was read: %s", words)
	case ok && e.Status == http.StatusConflict && p.Tries < 6:
		return pause(backoff(p.Tries), "something else is changing it: %s", words)
	}
	return become(not, "%s%s", words, hint(err))
}

// keep writes an outcome down.
func (t *turn) keep(ctx context.Context, p *Progress, o outcome) error {
	now := t.c.now()
	if o.to != "" && o.to != p.State && !p.State.may(o.to) {
		return problem.New(problem.Internal, "a step that is %s cannot become %s", p.State, o.to)
	}
	then := *p
	then.Words, then.Next = print.Clean(o.words, print.MaxSaying), now.Add(o.wait)
	if o.again {
		then.Again++
	}
	if o.to != "" && o.to != p.State {
		then.State, then.Since = o.to, now
	}
	if then.State.Ended() {
		then.Next, then.Intent, then.Failing = time.Time{}, false, time.Time{}
	}
	return t.c.d.DB.InTx(ctx, func(ctx context.Context) error {
		y := then // what is undone is begun anew
		if err := t.c.updateStep(ctx, &y, true); err != nil {
			return err
		}
		if y.State == Failed || y.State == NotTaken {
			if err := t.c.record(ctx, audit.RemedyDone, audit.Failed, &t.r, y.Words, y.details()); err != nil {
				return err
			}
		}
		r := t.r
		if (y.State == Done || y.State == Found) && y.Step.Key != "" && y.Step.Do == remedy.Create && r.Made[y.Step.Key] != y.ID {
			if r.Made = maps.Clone(r.Made); r.Made == nil {
				r.Made = map[string]string{}
			}
			r.Made[y.Step.Key] = y.ID
			if err := t.c.updateRun(ctx, &r); err != nil {
				return err
			}
		}
		*p, t.r = y, r
		return nil
	})
}

func (p *Progress) details() map[string]string {
	return map[string]string{"step": fmt.Sprint(p.Seq), "kind": string(p.Step.Kind), "do": string(p.Step.Do), "object": print.Clean(p.ID, 300),
		"stage": string(p.Stage)}
}
