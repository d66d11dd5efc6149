//go:build !judge

package collect

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/evidence"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
)

// When pages are committed: whichever comes first.
const (
	commitPages = 64
	commitBytes = 4 << 20
	commitAfter = 20 * time.Second
)

// round is a round of one tenant under way.
type round struct {
	c      *Collector
	t      Tenant
	ask    Ask
	target msapi.Target
	held   *held
	w      Writer
	out    Round

	cursors map[string]*cursor
	dirty   map[string]bool
	ops     []func(context.Context) error // what belongs to the next commit
	since   time.Time                     // of the first page that is not committed, monotonic
	waiting int                           // pages that are not committed

	groups    map[string]bool            // that a policy names or a role is given to
	listed    map[string]bool            // that are in the list of groups
	further   bool                       // further groups were named, see [Deps.Groups]
	named     map[evidence.Kind]bool     // of naming, what was read to its end
	customers []Tenant                   // as read
	closed    map[evidence.Service]error // APIs that no token is to be had for
	ok        map[evidence.Service]bool  // APIs that answered
	wrong     error                      // what is wrong with the clock
}

// run reads what is due, in the order of the plan.
func (r *round) run(ctx context.Context) error {
	list, err := r.c.cursors(ctx, r.t.ID)
	if err != nil {
		return err
	}
	for i := range list {
		r.cursors[list[i].resource] = &list[i]
	}
	if r.target, err = r.c.d.Target(ctx, r.t); err != nil {
		return err
	}
	due := r.due()
	if r.c.d.Right != nil && slices.ContainsFunc(due, func(x evidence.Resource) bool { return x.Way == evidence.Sliced }) {
		r.wrong = r.c.d.Right(ctx)
	}
	for i, res := range due {
		if r.ask.Progress != nil {
			r.ask.Progress(Step{Tenant: r.t, Resource: res.Name, Pages: r.out.Pages, Done: i, All: len(due)})
		}
		if r.over(ctx) {
			r.out.Rest = true
			r.out.Results = append(r.out.Results, Result{Resource: res.Name, Outcome: PutOff})
			continue
		}
		x, err := r.read(ctx, res)
		r.out.Results = append(r.out.Results, x)
		if err != nil {
			return err
		}
	}
	r.ops = append(r.ops, func(ctx context.Context) error {
		return r.c.putRound(ctx, r.t.ID, r.c.now(), r.words())
	})
	if err := r.commit(ctx); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if r.ask.Progress != nil {
		r.ask.Progress(Step{Tenant: r.t, Pages: r.out.Pages, Done: len(due), All: len(due)})
	}
	return nil
}

// over says that the round is to end where it is.
func (r *round) over(ctx context.Context) bool {
	return ctx.Err() != nil || !r.ask.Ends.IsZero() && !r.ask.Ends.After(time.Now())
}

// words are why a round was not all it should be.
func (r *round) words() string {
	for _, x := range r.out.Results {
		if x.Outcome == Failed {
			return x.Resource + ": " + x.Words
		}
	}
	return ""
}

// due are the resources to read now. Whoever reads groups needs to know which ones
// policies and roles name, and so reads these too.
func (r *round) due() (out []evidence.Resource) {
	now, named := r.c.now(), false
	is := map[string]bool{}
	for _, res := range r.c.plan {
		if !res.Scope.Covers(r.t.Partner) || slices.Contains(r.c.d.Config.Skip, res.Name) {
			continue
		}
		if len(r.ask.Only) > 0 && !slices.Contains(r.ask.Only, res.Name) {
			continue
		}
		if is[res.Name] = r.ask.Now || r.cursors[res.Name].isDue(res, now); is[res.Name] && res.Only == evidence.Named {
			named = true
		}
	}
	for _, res := range r.c.plan {
		if is[res.Name] || named && naming[res.Kind] && res.Scope.Covers(r.t.Partner) {
			out = append(out, res)
		}
	}
	// Which groups relationships give roles to is best known before groups are read.
	slices.SortStableFunc(out, func(a, b evidence.Resource) int { return ahead(b) - ahead(a) })
	return out
}

func ahead(r evidence.Resource) int {
	if r.Kind == evidence.AccessAssignment {
		return 1
	}
	return 0
}

// naming are the kinds that say which groups count, and which there are.
var naming = map[evidence.Kind]bool{evidence.ConditionalAccessPolicy: true, evidence.RoleAssignment: true, evidence.RoleEligibility: true, evidence.Group: true}

// isDue says whether a resource is to be read. A moment farther ahead than any wait
// of ours was made up by a wrong clock.
func (c *cursor) isDue(r evidence.Resource, now time.Time) bool {
	return c == nil || !c.due.After(now) || c.due.After(now.Add(2*c.pace(r)))
}

// pace is how often it is asked, as things are.
func (c *cursor) pace(r evidence.Resource) time.Duration {
	every := max(r.Every, time.Minute)
	switch c.refused {
	case "":
		return every
	case evidence.GapConsent, evidence.GapMFA:
		return max(every, time.Hour) // a person mends it in a minute
	}
	return max(every, min(6*every, 24*time.Hour))
}

// commit keeps what was read since the last one: pages, places to go on from, and
// gaps, all or nothing. It is done although ctx ended.
func (r *round) commit(ctx context.Context) error {
	if r.waiting == 0 && len(r.dirty) == 0 && len(r.ops) == 0 {
		return nil
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer stop()
	w, err := r.writer()
	if err != nil {
		return err
	}
	n := w.Bytes()
	r.w = nil // it is over, either way
	seg, err := w.Commit(ctx, func(ctx context.Context) error {
		if err := r.held.sure(ctx); err != nil {
			return err
		}
		for name := range r.dirty {
			if err := r.c.putCursor(ctx, r.cursors[name]); err != nil {
				return err
			}
		}
		for _, op := range r.ops {
			if err := op(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, errLost) {
		return problem.Wrap(err, problem.Conflict, "another process has taken over tenant %s", r.t.ID).
			WithHint("nothing is lost: it goes on from what was kept")
	}
	if err != nil {
		return err
	}
	if seg.Name != "" {
		r.out.Segments++
		r.out.Bytes += n
	}
	r.c.pages.Add(int64(r.waiting))
	clear(r.dirty)
	r.ops, r.waiting, r.since = nil, 0, time.Time{}
	return nil
}

// writer is the one that takes what is read until the next commit.
func (r *round) writer() (Writer, error) {
	if r.w != nil {
		return r.w, nil
	}
	w, err := r.c.d.Begin(r.t.ID)
	if err == nil {
		r.w = w
	}
	return w, err
}

// discard forgets what was not committed.
func (r *round) discard() {
	if r.w != nil {
		r.w.Discard()
	}
}

// keep commits when enough came together.
func (r *round) keep(ctx context.Context) error {
	if r.waiting < r.c.d.Pages && (r.w == nil || r.w.Bytes() < commitBytes) && (r.since.IsZero() || time.Since(r.since) < commitAfter) {
		return nil
	}
	return r.commit(ctx)
}

// cursor is how far a resource is; a new one where it was never read.
func (r *round) cursor(res evidence.Resource) *cursor {
	c := r.cursors[res.Name]
	if c == nil {
		c = &cursor{tenant: r.t.ID, resource: res.Name}
		r.cursors[res.Name] = c
	}
	return c
}

// add takes a page.
func (r *round) add(c *cursor, a *msapi.Answer) error {
	w, err := r.writer()
	if err != nil {
		return err
	}
	if err := w.Add(archive.Page{Tenant: r.t.ID, Resource: c.resource, Run: c.run, Request: a.Request, Of: a.Of, RequestID: a.RequestID,
		Number: c.pages, Status: a.Status, From: a.From, To: a.To, At: a.At, Body: a.Body}); err != nil {
		return err
	}
	c.pages++
	if r.since.IsZero() {
		r.since = time.Now()
	}
	r.waiting++
	r.out.Pages++
	r.dirty[c.resource] = true
	return nil
}

// end writes that a run ended, and how.
func (r *round) end(res evidence.Resource, c *cursor, run archive.Run) error {
	run.ID, run.Tenant, run.Resource, run.Way = c.run, r.t.ID, res.Name, string(res.Way)
	run.Began, run.Ended, run.Pages = c.began, r.c.now(), c.pages
	run.From, run.To = c.from, c.to
	if res.Way == evidence.Delta && c.delta != "" {
		run.Base = c.base
	}
	if run.Refused == "" && !run.Whole {
		run.Why = cmp.Or(run.Why, c.flaw)
	}
	w, err := r.writer()
	if err != nil {
		return err
	}
	if err := w.End(run); err != nil {
		return err
	}
	c.run, c.position, c.pages, c.flaw, c.began, c.from, c.to = "", "", 0, "", time.Time{}, time.Time{}, time.Time{}
	r.dirty[c.resource] = true
	return nil
}

// note writes a gap down with the next commit.
func (r *round) note(res evidence.Resource, g evidence.Gap, run string) {
	g.Tenant, g.Resource, g.Kind = r.t.ID, res.Name, res.Kind
	now := r.c.now()
	g.Since = now
	r.ops = append(r.ops, func(ctx context.Context) error { return r.c.note(ctx, gapRow{Gap: g, run: run, tried: now}) })
}

// first writes down, with what is told of a resource for the first time, that until now
// nothing was: the ledger as of then has to say so.
func (r *round) first(res evidence.Resource, c *cursor) {
	if c.whole.IsZero() && c.refused == "" {
		r.past(res, evidence.Gap{Since: ever, Reason: evidence.GapNever, Why: "it was never read", Can: "it was read later"})
	}
}

// past writes a gap down that is none any more, with the next commit.
func (r *round) past(res evidence.Resource, g evidence.Gap) {
	g.Tenant, g.Resource, g.Kind = r.t.ID, res.Name, res.Kind
	r.ops = append(r.ops, func(ctx context.Context) error { return r.c.close(ctx, gapRow{Gap: g}) })
}

// settled closes the gaps that a run has read, with the next commit.
func (r *round) settled(res evidence.Resource, run string, from, to time.Time) {
	r.ops = append(r.ops, func(ctx context.Context) error { return r.c.settle(ctx, r.t.ID, res.Name, run, from, to) })
}
