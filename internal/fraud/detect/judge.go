package detect

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// step is a moment at which something became known.
type step struct {
	at   int64
	kind stepKind
	i    int32 // of the act, or of the sign of use
}

type stepKind uint8

// The kinds of steps, in the order in which they count within a second.
const (
	stepAct    stepKind = iota // an act began
	stepTold                   // it is known where and how large
	stepFailed                 // it failed
	stepUse                    // use became known
)

// Judge says what a customer's part shows as of a moment. since bounds the work: what was
// found before it is left out; zero looks through all.
//
// What was found before is still found, when something of the same cause came since: it is
// told by the time of its first detection, and its LastSeen.
func Judge(p *Part, o Options, since, asOf time.Time) *Result {
	if o.Score == 0 {
		o.Score = DefaultScore
	}
	r := &Result{Blind: p.blind(ceil(asOf))}
	r.Findings = p.judge(&o, since, asOf)
	if len(o.Windows) > 0 && slices.ContainsFunc(o.Windows, func(w Window) bool { return w.Customer == "" || w.Customer == p.Tenant }) {
		bare := o
		bare.Windows = nil
		for _, f := range p.judge(&bare, since, asOf) {
			if !slices.ContainsFunc(r.Findings, func(g Finding) bool { return g.Subscription == f.Subscription && overlap(&f, &g) }) {
				r.Suppressed++
			}
		}
	}
	return r
}

func overlap(a, b *Finding) bool {
	return !a.First.After(b.LastSeen.Add(apart)) && !b.First.After(a.LastSeen.Add(apart))
}

// apart is how long nothing more must come before the next sign is of another cause.
const apart = 14 * 24 * time.Hour

// actsBack is how far before since acts are walked, so that what they mean is known.
const actsBack = 8 * 24 * time.Hour

func (p *Part) judge(o *Options, since, asOf time.Time) []Finding {
	from, to := int64(math.MinInt64), ceil(asOf)
	if !since.IsZero() {
		from = since.Add(-apart - actsBack).Unix()
	}
	var steps []step
	for i := range p.acts {
		a := &p.acts[i]
		if a.at > to || a.at < from {
			continue
		}
		steps = append(steps, step{a.at, stepAct, int32(i)})
		for _, t := range []int64{a.told, a.sized} {
			if t > a.at && t <= to {
				steps = append(steps, step{t, stepTold, int32(i)})
			}
		}
		if a.failed != 0 && a.failed <= to {
			steps = append(steps, step{a.failed, stepFailed, int32(i)})
			// Who acts chooses what rows have in common: a failure of the same name undoes no success.
			if a.ok > a.failed && a.ok <= to {
				steps = append(steps, step{a.ok, stepTold, int32(i)})
			}
		}
	}
	w := newWalk(p, o)
	useFrom := from
	if !since.IsZero() {
		useFrom = since.Unix()
	}
	for _, s := range p.subs {
		if s.id != 0 || len(s.series) > 0 {
			w.use = append(w.use, p.useSigns(s, o, useFrom, to)...)
		}
	}
	for i, u := range w.use {
		if u.at <= to {
			steps = append(steps, step{u.at, stepUse, int32(i)})
		}
	}
	slices.SortFunc(steps, func(a, b step) int {
		if c := cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.kind, b.kind)); c != 0 {
			return c
		}
		return w.order(a, b)
	})
	for _, s := range steps {
		w.step(s)
	}
	return w.done(since, asOf)
}

// order is between steps of one kind and moment: it must not depend on the order of folding.
func (w *walk) order(a, b step) int {
	if a.kind == stepUse {
		x, y := &w.use[a.i], &w.use[b.i]
		return cmp.Or(cmp.Compare(w.p.texts[x.sub], w.p.texts[y.sub]), cmp.Compare(x.score, y.score))
	}
	return cmp.Compare(w.p.acts[a.i].key, w.p.acts[b.i].key)
}

// blind are the subscriptions of which a log or the use is missing.
func (p *Part) blind(asOf int64) (out []Blind) {
	for _, s := range p.subs {
		if s.id == 0 {
			continue
		}
		b := Blind{Customer: p.Tenant, Subscription: p.texts[s.id], Activity: s.firstEvent == 0 || s.firstEvent > asOf,
			Usage: s.firstUsage == 0 || s.firstUsage > asOf}
		if b.Activity || b.Usage {
			out = append(out, b)
		}
	}
	slices.SortFunc(out, func(a, b Blind) int { return cmp.Compare(a.Subscription, b.Subscription) })
	return out
}
