//go:build !judge

package collect

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/token"
)

const (
	maxPoisoned = 100 // answers of one run that nothing could be read from
	resumable   = 24 * time.Hour
	patience    = 4 // failures at one place before a log is read on behind it
)

// read reads a resource. The error ends the round.
func (r *round) read(ctx context.Context, res evidence.Resource) (Result, error) {
	c, before := r.cursor(res), r.out.Pages
	x := Result{Resource: res.Name}
	var err error
	switch why := r.closed[res.Service]; {
	case why != nil:
		x, err = r.failed(res, c, why)
	case res.Way == evidence.Sliced && r.wrong != nil:
		x.Outcome, x.Words, x.Fix = Failed, r.wrong.Error(), problem.HintOf(r.wrong)
		c.words = x.Words
		r.dirty[c.resource] = true
	case res.Way == evidence.Sliced:
		x, err = r.readLog(ctx, res, c)
	default:
		x, err = r.readList(ctx, res, c)
	}
	x.Resource, x.Pages = res.Name, r.out.Pages-before
	if naming[res.Kind] {
		r.named[res.Kind] = x.Outcome == Read || x.Outcome == Refused && res.Nobody
	}
	return x, err
}

// ending is how a walk ended.
type ending struct {
	whole   bool
	refused *msapi.Refused
	failed  error
	stopped bool      // the round is over
	delta   string    // what the next reading begins with
	covered time.Time // of a log: how far it is read
}

// begin begins a run.
func (r *round) begin(c *cursor, from, to time.Time) {
	now := r.c.now()
	c.run, c.began, c.position, c.pages, c.flaw, c.from, c.to = archive.NewRun(now), now, "", 0, "", from, to
	r.dirty[c.resource] = true
}

// takeUp says whether the run under way can be gone on with; one that cannot ends here. Of what
// names groups every page is read in one round: what an earlier one learned is gone with it.
func (r *round) takeUp(res evidence.Resource, c *cursor) (bool, error) {
	now := r.c.now()
	if c.run == "" {
		return false, nil
	}
	if age := now.Sub(c.began); res.Only != evidence.Named && !naming[res.Kind] && age >= 0 && age <= resumable && c.tries < 2*patience {
		return true, nil
	}
	return false, r.end(res, c, archive.Run{Why: "was begun anew"})
}

// readList reads a list as a whole, or what changed in it.
func (r *round) readList(ctx context.Context, res evidence.Resource, c *cursor) (Result, error) {
	on, err := r.takeUp(res, c)
	if err != nil {
		return Result{}, err
	}
	if !on {
		r.begin(c, time.Time{}, time.Time{})
	}
	e, err := r.walkAll(ctx, res, c)
	if err != nil {
		return Result{}, err
	}
	if !e.whole {
		return r.unfinished(res, c, e)
	}
	run, flaw := c.run, c.flaw
	c.wholeSize = c.pages
	if err := r.end(res, c, archive.Run{Whole: flaw == ""}); err != nil {
		return Result{}, err
	}
	c.delta, c.base = e.delta, run
	if flaw != "" || e.delta == "" {
		c.delta, c.base = "", "" // what was lost is in no change
	}
	if res.Kind == evidence.Customer {
		r.learned(flaw == "" && !on)
	}
	return r.done(res, c, run, flaw), nil
}

// walkAll walks over a list. Of groups those count that are named, and those in them:
// the list is read first, and then the members of the ones that are in it.
func (r *round) walkAll(ctx context.Context, res evidence.Resource, c *cursor) (ending, error) {
	if res.Only != evidence.Named || !r.allNamed(res.Kind) {
		return r.walk(ctx, res, c, nil)
	}
	if err := r.nameFurther(ctx); err != nil {
		return ending{}, err
	}
	if res.Kind != evidence.Group {
		return r.walk(ctx, res, c, r.namedGroups(nil))
	}
	e, err := r.walk(ctx, res, c, []string{})
	listed, walked := c.position, map[string]bool{}
	for err == nil && e.whole {
		items := r.namedGroups(walked)
		if len(items) == 0 {
			break
		}
		c.position = listed
		e, err = r.walk(ctx, res, c, items)
	}
	return e, err
}

// nameFurther names groups that neither a policy nor a role does, once a round. They are told
// from what is kept, so what was read of late is kept first: a round that was cut off in
// between names the same ones.
func (r *round) nameFurther(ctx context.Context) error {
	if r.further || r.c.d.Groups == nil || !r.t.Partner {
		return nil
	}
	if err := r.commit(ctx); err != nil {
		return err
	}
	ids, err := r.c.d.Groups(ctx, r.t)
	if err != nil {
		return err
	}
	r.name(ids...)
	r.further = true
	return nil
}

// namedGroups are the groups that count and exist, without those that were walked,
// which these are then; in order.
func (r *round) namedGroups(walked map[string]bool) []string {
	items := []string{}
	for id := range r.groups {
		if r.listed[id] && !walked[id] {
			items = append(items, id)
		}
	}
	slices.Sort(items)
	for _, id := range items {
		if walked != nil {
			walked[id] = true
		}
	}
	return items
}

// allNamed reports that it is known of all groups whether they are named, before a
// kind is read.
func (r *round) allNamed(before evidence.Kind) bool {
	for kind := range naming {
		if kind != before && !r.named[kind] {
			return false
		}
	}
	return true
}

// walk reads on from where the cursor is.
func (r *round) walk(ctx context.Context, res evidence.Resource, c *cursor, items []string) (e ending, err error) {
	poisoned := 0
	span := msapi.Span{From: c.from, To: c.to}
	for a, werr := range r.c.d.Walker.Walk(ctx, r.target, res, span,
		msapi.Resume{Position: c.position, Delta: c.delta, Number: c.pages, Items: items, Wide: r.wide(res)}) {
		if werr != nil {
			var p *msapi.Poisoned
			switch {
			case errors.As(werr, &p):
				if poisoned++; poisoned <= maxPoisoned {
					r.poisoned(res, c, p)
					e.covered = c.reach(p.Span.To, e.covered)
					continue
				}
				e.failed = problem.New(problem.BadInput, "more than %d answers of %s could not be read", maxPoisoned, res.Name)
			case errors.As(werr, &e.refused):
			case ctx.Err() != nil:
				e.stopped = true
			default:
				e.failed = werr
			}
			return e, nil
		}
		r.ok[res.Service] = true
		c.tries = 0
		if a.Anew {
			if err := r.anew(res, c); err != nil {
				return e, err
			}
		}
		r.learn(res, a)
		if err := r.add(c, a); err != nil {
			return e, err
		}
		c.position, e.delta = a.Position, cmp.Or(a.Delta, e.delta)
		if a.Status == http.StatusOK {
			e.covered = c.reach(a.Covered, e.covered)
		}
		if a.Last || a.Status != http.StatusOK {
			continue // what the run ends with, a refusal too, belongs to the same commit
		}
		if err := r.keep(ctx); err != nil {
			return e, err
		}
		if r.over(ctx) {
			e.stopped = true
			return e, nil
		}
	}
	e.whole = true
	return e, nil
}

// anew begins a whole reading, as the changes cannot be had any more.
func (r *round) anew(res evidence.Resource, c *cursor) error {
	if c.pages > 0 {
		if err := r.end(res, c, archive.Run{Why: "the changes could not be had any more"}); err != nil {
			return err
		}
		r.begin(c, time.Time{}, time.Time{})
	}
	c.delta, c.base = "", ""
	return nil
}

// reach remembers how far a log is read: to at, in a run that was as far as before. A
// run over a gap is behind what is covered, and moves nothing.
func (c *cursor) reach(at, before time.Time) time.Time {
	if at.After(c.to) {
		at = c.to // a slice ends with its day, or its second
	}
	if !at.After(before) {
		return before
	}
	if !c.over() && at.After(c.covered) {
		c.covered = at
	}
	return at
}

// over reports a run over a gap.
func (c *cursor) over() bool { return !c.to.IsZero() && !c.to.After(c.covered) }

// poisoned goes on behind an answer that nothing can be read from.
func (r *round) poisoned(res evidence.Resource, c *cursor, p *msapi.Poisoned) {
	g := evidence.Gap{Of: p.Of, Reason: evidence.GapPoisoned, Request: p.Request, Why: "an answer could not be read: " + p.Why,
		Can: "it is asked again with the next reading"}
	if res.Way == evidence.Sliced {
		g.From, g.To, g.Of, g.Request = p.Span.From, p.Span.To, "", ""
		if g.To.IsZero() { // of all that is asked for: a gap without an interval would be closed by any reading
			g.From, g.To = c.from, c.to
		}
	}
	r.note(res, g, c.run)
	c.flaw = cmp.Or(c.flaw, "an answer could not be read: "+p.Why)
	if p.Position != "" {
		c.position = p.Position
	}
	r.dirty[c.resource] = true
}

// done is a resource that was read to its end.
func (r *round) done(res evidence.Resource, c *cursor, run, flaw string) Result {
	now := r.c.now()
	r.first(res, c)
	c.refused, c.needs, c.refusedAt, c.words, c.tries, c.tried = "", "", time.Time{}, "", 0, now
	c.due = now.Add(jitter(c.pace(res)))
	r.settled(res, run, time.Time{}, time.Time{})
	r.dirty[c.resource] = true
	if flaw != "" {
		c.words = flaw
		return Result{Outcome: Flawed, Words: flaw}
	}
	c.whole, c.wholeRun = now, run
	return Result{Outcome: Read}
}

// unfinished is a resource that was not read to its end.
func (r *round) unfinished(res evidence.Resource, c *cursor, e ending) (Result, error) {
	switch {
	case e.refused != nil:
		return r.refused(res, c, evidence.GapReason(e.refused.Reason), e.refused.Needs, e.refused)
	case e.stopped:
		r.out.Rest = true
		r.dirty[c.resource] = true
		return Result{Outcome: PutOff}, nil
	}
	return r.failed(res, c, e.failed)
}

// refused keeps a refusal as the fact that it is.
func (r *round) refused(res evidence.Resource, c *cursor, why evidence.GapReason, needs string, err error) (Result, error) {
	now := r.c.now()
	words := sentence(err)
	run := c.run
	r.first(res, c)
	if run != "" {
		if err := r.end(res, c, archive.Run{Refused: string(why), Why: words}); err != nil {
			return Result{}, err
		}
	}
	if c.refused != why {
		c.refused, c.refusedAt = why, now
	}
	c.needs, c.delta, c.base, c.words, c.tries, c.tried = needs, "", "", words, 0, now
	c.due = now.Add(jitter(c.pace(res)))
	r.dirty[c.resource] = true
	fix := r.fix(why, needs, err)
	if why == evidence.GapLicence && res.Nobody {
		return Result{Outcome: Refused, Words: words, Needs: needs, Fix: "nothing is missing: without that licence there is none"}, nil
	}
	r.note(res, evidence.Gap{Reason: why, Why: words, Needs: needs, Can: fix}, run)
	return Result{Outcome: Refused, Words: words, Needs: needs, Fix: fix}, nil
}

// fix is what lifts a refusal.
func (r *round) fix(why evidence.GapReason, needs string, err error) string {
	give := "partnerguard connect --feature " + FeatureOfPartner
	if !r.t.Partner {
		give = "partnerguard customers consent --apply --customer " + cmp.Or(r.t.Domain, r.t.ID) + " --feature " + FeaturesOfCustomer
	}
	switch why {
	case evidence.GapConsent:
		return give
	case evidence.GapPermission:
		return give + ", or give the account the role"
	case evidence.GapLicence:
		return "it can be had once the tenant has " + cmp.Or(needs, "the licence")
	case evidence.GapRole:
		if needs != "" {
			return "give the account of the connection the role " + needs
		}
	case evidence.GapMFA:
		return "sign in again with MFA: partnerguard connect"
	case evidence.GapAbsent, evidence.GapGone:
		return "there is none in this tenant"
	}
	return problem.HintOf(err)
}

// What a connection, and the app at a customer, are to be used for.
const (
	FeatureOfPartner   = "collect"
	FeaturesOfCustomer = "sign-ins,accounts,policies,eligibility,risk,secure-score,azure"
)

// failed keeps that a resource could not be read now. Where no token is to be had,
// nothing else is asked of that API in this round.
func (r *round) failed(res evidence.Resource, c *cursor, err error) (Result, error) {
	var te *msapi.TokenError
	if errors.As(err, &te) && !te.Transient {
		r.closed[res.Service] = err
		switch te.Explanation().Bucket {
		case entra.BucketConsent:
			return r.refused(res, c, evidence.GapConsent, "", err)
		case entra.BucketAccess:
			return r.refused(res, c, evidence.GapRole, "", err)
		case entra.BucketMFA, entra.BucketEnrolment:
			return r.refused(res, c, evidence.GapMFA, "", err)
		}
	}
	now := r.c.now()
	c.tries, c.tried, c.words = c.tries+1, now, sentence(err)
	c.due = now.Add(jitter(backoff(c.tries, c.pace(res))))
	r.dirty[c.resource] = true
	r.c.d.Log.Warn("a resource was not read", "tenant", r.t.ID, "resource", res.Name, "tries", c.tries, "error", c.words)
	return Result{Outcome: Failed, Words: c.words, Fix: problem.HintOf(err)}, nil
}

// sentence is an error for people, bounded.
func sentence(err error) string {
	var p *problem.Error
	text := err.Error()
	if errors.As(err, &p) {
		text = p.Public
	}
	if len(text) > 500 {
		text = text[:500]
	}
	return text
}

// backoff is how long a failure is left alone: a minute, then twice as long each time,
// at most as long as the resource's own pace.
func backoff(tries int, pace time.Duration) time.Duration {
	return min(time.Minute<<min(tries-1, 10), max(pace, time.Minute))
}

// jitter spreads a wait by a tenth, so that what failed together does not come again
// together.
func jitter(d time.Duration) time.Duration {
	b := token.Bytes(2)
	part := time.Duration(int(b[0])<<8|int(b[1])) * (d / 10) / (1 << 16)
	return d - d/20 + part
}
