//go:build !judge

package collect

import (
	"context"
	"errors"
	"net/http"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/evidence"
	"partnerguard/internal/msapi"
)

const (
	skew     = 5 * time.Minute // that a clock may be ahead of another
	maxGaps  = 8               // that are read again in one round
	leastGap = 10 * time.Minute
)

// readLog reads a log on from where it is, and then again what is missing in it.
func (r *round) readLog(ctx context.Context, res evidence.Resource, c *cursor) (Result, error) {
	now := r.c.now().Truncate(time.Second)
	r.mind(res, c, now)
	on, err := r.takeUp(res, c)
	if err != nil {
		return Result{}, err
	}
	if on && (c.to.After(now.Add(skew)) || !c.from.Before(c.to) || c.over()) {
		if err := r.end(res, c, archive.Run{Why: "was begun anew"}); err != nil {
			return Result{}, err
		}
		on = false
	}
	if !on {
		from, to := r.span(res, c, now)
		if !from.Before(to) {
			c.due = now.Add(jitter(c.pace(res)))
			r.dirty[c.resource] = true
			return Result{Outcome: Already}, nil
		}
		r.begin(c, from, to)
	}
	x, err := r.readSpan(ctx, res, c)
	if err != nil || x.Outcome != Read && x.Outcome != Flawed {
		return x, err
	}
	return x, r.readGaps(ctx, res, c, now)
}

// mind finds what a wrong clock did to a cursor. A log that claims to be read up to
// the future is read again as far back as there is something.
func (r *round) mind(res evidence.Resource, c *cursor, now time.Time) {
	if !c.covered.After(now.Add(skew)) {
		return
	}
	r.c.d.Log.Warn("a log was read by a wrong clock, and is read again", "tenant", r.t.ID, "resource", res.Name, "until", c.covered)
	c.covered = time.Time{}
	r.dirty[c.resource] = true
	limit := now.Add(skew)
	r.ops = append(r.ops, func(ctx context.Context) error { return r.c.undated(ctx, r.t.ID, res.Name, limit) })
}

// span is what is to be read: from the last covered less the overlap, as far back as
// Microsoft keeps it. What fell out of that can no longer be had.
func (r *round) span(res evidence.Resource, c *cursor, now time.Time) (from, to time.Time) {
	floor := now.Add(-res.Back)
	if c.covered.IsZero() {
		return floor, now
	}
	if c.covered.Before(floor) {
		r.note(res, evidence.Gap{From: c.covered, To: floor, Reason: evidence.GapRetention, Lost: true,
			Why: "it was not read before Microsoft kept it no longer", Can: "it can no longer be had from Microsoft"}, "")
		c.covered = floor
		return floor, now
	}
	if from = c.covered.Add(-res.Overlap); from.Before(floor) {
		from = floor
	}
	return from, now
}

// readSpan reads the run under way to its end.
func (r *round) readSpan(ctx context.Context, res evidence.Resource, c *cursor) (Result, error) {
	e, err := r.walk(ctx, res, c, nil)
	if err != nil {
		return Result{}, err
	}
	if !e.whole {
		x, err := r.unfinished(res, c, e)
		if err == nil && c.tries >= patience && r.stuck(res, e.failed) {
			err = r.passOver(res, c, x.Words)
		}
		return x, err
	}
	run, flaw, from, to := c.run, c.flaw, c.from, c.to
	if err := r.end(res, c, archive.Run{Whole: flaw == ""}); err != nil {
		return Result{}, err
	}
	if was := from.Add(res.Overlap); !c.whole.IsZero() && to.Sub(was) > late(res) {
		r.past(res, evidence.Gap{From: was, To: to, Since: was, Reason: evidence.GapLate, Why: "it was not read on", Can: "it was read later"})
	}
	x := r.done(res, c, run, flaw)
	if to.After(c.covered) {
		c.covered = to
	}
	r.settled(res, run, from, to)
	return x, nil
}

// stuck reports that it is this place that fails, and not the service: the tenant's
// other requests to it are answered.
func (r *round) stuck(res evidence.Resource, err error) bool {
	var e *msapi.APIError
	return r.ok[res.Service] && errors.As(err, &e) && e.Status >= http.StatusInternalServerError
}

// passOver goes on behind an interval that keeps failing, which stays as a gap.
func (r *round) passOver(res evidence.Resource, c *cursor, words string) error {
	from := c.covered
	if from.Before(c.from) {
		from = c.from
	}
	to := from.Add(res.Slice)
	if to.After(c.to) {
		to = c.to
	}
	r.note(res, evidence.Gap{From: from, To: to, Reason: evidence.GapFailed, Why: "what was asked failed each time: " + words,
		Can: "it is asked again, as long as Microsoft keeps it"}, c.run)
	c.covered, c.tries, c.due = to, 0, r.c.now()
	return r.end(res, c, archive.Run{Why: "an interval of it keeps failing"})
}

// readGaps asks again for what is missing in a log, while there is time.
func (r *round) readGaps(ctx context.Context, res evidence.Resource, c *cursor, now time.Time) error {
	open, err := r.c.openGaps(ctx, r.t.ID, res.Name)
	if err != nil {
		return err
	}
	floor, n := now.Add(-res.Back), 0
	for _, g := range open {
		if !g.Interval() || g.Lost || g.To.After(c.covered) {
			continue
		}
		if g.From.Before(floor) {
			r.forgotten(g, floor)
			if !floor.Before(g.To) {
				continue
			}
			g.From = floor // the rest can still be had, and not for long
		}
		if age := now.Sub(g.tried); age >= 0 && age < res.Every && !r.ask.Now || n == maxGaps || r.over(ctx) {
			continue
		}
		n++
		if err := r.readGap(ctx, res, c, g); err != nil {
			return err
		}
	}
	return nil
}

// forgotten marks what Microsoft keeps no longer of a gap.
func (r *round) forgotten(g gapRow, floor time.Time) {
	r.ops = append(r.ops, func(ctx context.Context) error {
		old, rest := g, g
		if g.To.After(floor) {
			if err := r.c.close(ctx, g); err != nil {
				return err
			}
			old.To, rest.From = floor, floor
			if err := r.c.putGap(ctx, &rest); err != nil {
				return err
			}
		}
		old.Lost, old.Can = true, "it can no longer be had from Microsoft"
		return r.c.putGap(ctx, &old)
	})
}

// readGap reads a gap. What of it fails is cut smaller, so that in the end the gap is
// what really cannot be had.
func (r *round) readGap(ctx context.Context, res evidence.Resource, c *cursor, g gapRow) error {
	r.begin(c, g.From, g.To)
	run := c.run
	e, err := r.walk(ctx, res, c, nil)
	if err != nil {
		return err
	}
	done, flaw := e.covered, c.flaw
	if done.Before(g.From) {
		done = g.From
	}
	why := flaw
	if e.failed != nil {
		why = sentence(e.failed)
	}
	if err := r.end(res, c, archive.Run{Whole: e.whole && flaw == "", Why: why}); err != nil {
		return err
	}
	if e.whole {
		done = g.To
	}
	if done.After(g.From) {
		r.settled(res, run, g.From, done)
	}
	if e.failed == nil {
		return nil
	}
	now := r.c.now()
	r.ops = append(r.ops, func(ctx context.Context) error {
		left := g
		left.From, left.tried = done, now
		if done.After(g.From) || g.To.Sub(done) > leastGap {
			if err := r.c.close(ctx, g); err != nil {
				return err
			}
		}
		if width := max(g.To.Sub(done)/4, leastGap); width < g.To.Sub(done) {
			first := left
			first.To = done.Add(width)
			if err := r.c.putGap(ctx, &first); err != nil {
				return err
			}
			left.From = first.To
		}
		return r.c.putGap(ctx, &left)
	})
	return nil
}
