package cause

import (
	"cmp"
	"slices"

	"partnerguard/internal/access"
	"partnerguard/internal/rehearse"
)

// Bounds on the search: changes of settings reported, and what may be compiled
// and covered for them, counted in users times policies. A tenant of 100,000
// accounts and 200 policies gets about twenty looks, a small one all it needs.
const (
	maxSteps   = 12
	maxWork    = 400_000_000
	maxChanges = 200
)

// stand is a tenant on the way: with the changes made so far.
type stand struct {
	tenant *access.Tenant
	engine *access.Engine
	cover  []access.Cover
	asked  map[string]access.Outcome // of the log's patterns without MFA
}

// trial is what one set of changes does to a stand.
type trial struct {
	changes    []access.Change
	after      *stand
	closes     []int // accounts that become covered, break-glass ones apart
	breakGlass []int
	signIns    int64
}

// search looks for the changes that cover one question's accounts.
type search struct {
	question access.Question
	history  *rehearse.History
	patterns map[string]*rehearse.Pattern
	reached  map[access.Change]*trial // what each last did, by itself
	work     int
}

func newSearch(q access.Question, h *rehearse.History) *search {
	s := &search{question: q, history: h}
	if h != nil {
		s.patterns = h.Patterns()
	}
	return s
}

// look compiles a tenant; nil when the bound on work is met.
func (s *search) look(t *access.Tenant) *stand {
	s.work += max(len(t.Users), 1) * max(len(t.Policies), 1)
	if s.work > maxWork {
		return nil
	}
	out := &stand{tenant: t, engine: access.Compile(t)}
	cover, err := out.engine.Coverage(s.question)
	if err != nil { // the questions are built in and always compile
		return nil
	}
	out.cover = cover
	if s.history != nil {
		out.asked = s.history.Unasked(out.engine)
	}
	return out
}

// try makes changes to a stand.
func (s *search) try(now *stand, changes ...access.Change) *trial {
	after := s.look(now.tenant.Apply(changes...))
	if after == nil {
		return nil
	}
	out := &trial{changes: changes, after: after}
	for i, c := range after.cover {
		if now.cover[i] != access.Open || c != access.Covered {
			continue
		}
		if now.tenant.Users[i].BreakGlass {
			out.breakGlass = append(out.breakGlass, i)
		} else {
			out.closes = append(out.closes, i)
		}
	}
	for k, then := range after.asked {
		if now.asked[k] == access.MFANotRequired && (then == access.MFARequired || then == access.Blocked) {
			out.signIns += s.patterns[k].NotChallenged
		}
	}
	return out
}

// goal says which accounts a search is for.
type goal func(*trial) (accounts int, signIns int64)

func forEverybody(t *trial) (int, int64) { return len(t.closes), t.signIns }
func forBreakGlass(t *trial) (int, int64) {
	if len(t.closes) > 0 { // it does more: not a matter of break-glass accounts
		return 0, 0
	}
	return len(t.breakGlass), 0
}

// better is positive when a reaches more than b.
func (g goal) better(a, b *trial) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	aa, as := g(a)
	ba, bs := g(b)
	// Fewer changes for the same are better.
	return cmp.Or(cmp.Compare(aa, ba), cmp.Compare(as, bs), cmp.Compare(len(b.changes), len(a.changes)))
}

// reaches reports that a trial does anything for the goal.
func (g goal) reaches(t *trial) bool {
	if t == nil {
		return false
	}
	a, s := g(t)
	return a > 0 || s > 0
}

// steps finds, one after the other, the changes that reach most, each tried on
// what those before it left: exceptions taken back and policies turned on, then
// conditions widened. Where no single one reaches anything, all changes
// of one policy are tried together and then reduced to those that matter; where
// no edit does, what could be added beside.
func (s *search) steps(now *stand, g goal, add bool) (out []*trial) {
	changes := now.tenant.Changes()
	changes = changes[:min(len(changes), maxChanges)]
	s.reached = map[access.Change]*trial{}
	for len(out) < maxSteps && s.open(now, g) {
		// What takes an exception back comes before what gives a policy another aim.
		var best *trial
		for _, tier := range [][]access.ChangeKind{{access.ChangeRemove, access.ChangeTurnOn}, {access.ChangeWiden, access.ChangeOnlyMFA}} {
			if !g.reaches(best) {
				best = s.single(now, ofKinds(changes, tier), g)
			}
		}
		if !g.reaches(best) {
			best = s.joint(now, changes, g)
		}
		if !g.reaches(best) && add {
			best = s.single(now, now.tenant.Additions(), g)
		}
		if !g.reaches(best) {
			break
		}
		out = append(out, best)
		now = best.after
		changes = slices.DeleteFunc(changes, func(c access.Change) bool { return slices.Contains(best.changes, c) })
	}
	return out
}

func ofKinds(changes []access.Change, kinds []access.ChangeKind) (out []access.Change) {
	for _, c := range changes {
		if slices.Contains(kinds, c.Kind) {
			out = append(out, c)
		}
	}
	return out
}

// open reports that a search has something left to look for.
func (s *search) open(now *stand, g goal) bool {
	for i, c := range now.cover {
		if c != access.Open {
			continue
		}
		t := &trial{closes: []int{i}}
		if now.tenant.Users[i].BreakGlass {
			t = &trial{breakGlass: []int{i}}
		}
		if g.reaches(t) {
			return true
		}
	}
	return false
}

// single tries one change at a time. One that reached less on an earlier stand
// than another does now is not tried again: it seldom reaches more later, and
// what is said of the changes found is true either way.
func (s *search) single(now *stand, changes []access.Change, g goal) (best *trial) {
	order := slices.Clone(changes)
	slices.SortStableFunc(order, func(a, b access.Change) int {
		was, other := s.reached[a], s.reached[b]
		switch {
		case was == nil && other == nil:
			return 0
		case was == nil:
			return -1
		case other == nil:
			return 1
		}
		return g.better(other, was)
	})
	for _, c := range order {
		if was := s.reached[c]; was != nil && g.reaches(best) && g.better(best, was) >= 0 {
			break
		}
		t := s.try(now, c)
		if t == nil {
			break
		}
		s.reached[c] = &trial{changes: t.changes, closes: t.closes, breakGlass: t.breakGlass, signIns: t.signIns} // without the engine
		if g.better(t, best) > 0 {
			best = t
		}
	}
	return best
}

// joint tries all changes of each policy at once, and takes out of the best what
// it does not need.
func (s *search) joint(now *stand, changes []access.Change, g goal) (best *trial) {
	var policies []string
	byPolicy := map[string][]access.Change{}
	for _, c := range changes {
		at := c.PolicyID + "\x00" + c.Policy
		if byPolicy[at] == nil {
			policies = append(policies, at)
		}
		byPolicy[at] = append(byPolicy[at], c)
	}
	for _, at := range policies {
		if len(byPolicy[at]) < 2 {
			continue
		}
		if t := s.try(now, byPolicy[at]...); g.better(t, best) > 0 {
			best = t
		}
	}
	if !g.reaches(best) {
		return nil
	}
	for i := 0; i < len(best.changes) && len(best.changes) > 1; {
		fewer := s.try(now, slices.Delete(slices.Clone(best.changes), i, i+1)...)
		if g.better(fewer, best) > 0 {
			best = fewer
		} else {
			i++
		}
	}
	return best
}
