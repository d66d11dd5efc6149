package cause

import (
	"cmp"
	"slices"
	"strings"

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

// stand is a tenant on the way: with the changes made so far, and with those
// accounts alone that are open. No change opens another.
type stand struct {
	tenant *access.Tenant
	users  []int // by account of tenant: its index in the tenant the search began with
	engine *access.Engine
	cover  []access.Cover
	open   []*rehearse.Pattern // of the log, let in without MFA and not yet surely closed
}

// left counts the accounts that are open, break-glass ones apart.
func (now *stand) left() (n int) {
	for i, c := range now.cover {
		if c == access.Open && !now.tenant.Users[i].BreakGlass {
			n++
		}
	}
	return n
}

// trial is what one set of changes does to a stand.
type trial struct {
	changes    []access.Change
	after      *stand
	closes     []int // accounts that become covered, break-glass ones apart
	breakGlass []int
	// Recorded sign-ins that are surely asked or refused then, and those of
	// break-glass accounts among all of them.
	signIns, breakGlassSignIns int64
}

// search looks for the changes that cover one question's accounts.
type search struct {
	question access.Question
	changes  []access.Change          // all that can be tried, worded with every account in sight
	reached  map[access.Change]*trial // what each last did, by itself
	work     int
	apart    map[*rehearse.Pattern]bool // of the log: of a break-glass account
}

// begin begins a search. history may be nil; the stand is nil when the bound on
// work is met.
func begin(q access.Question, from *access.Engine, history *rehearse.History) (*search, *stand) {
	t := from.Tenant()
	s := &search{question: q, changes: t.Changes()}
	s.changes = s.changes[:min(len(s.changes), maxChanges)]
	all := make([]int, len(t.Users))
	for i := range all {
		all[i] = i
	}
	var open []*rehearse.Pattern
	if history != nil {
		open = history.Unasked()
	}
	now := s.stand(from, all, nil)
	if now == nil {
		return s, nil
	}
	// The contract does not ask it of directory synchronisation.
	now.open = slices.DeleteFunc(rehearse.LetIn(now.engine, open), func(p *rehearse.Pattern) bool {
		i := p.Subject(now.engine)
		return i < len(t.Users) && t.Users[i].Exempt
	})
	s.apart = map[*rehearse.Pattern]bool{}
	for _, p := range now.open {
		if i := p.Subject(now.engine); i < len(t.Users) && t.Users[i].BreakGlass {
			s.apart[p] = true
		}
	}
	return s, s.shrink(now)
}

// look compiles a tenant; nil when the bound on work is met.
func (s *search) look(t *access.Tenant, users []int, open []*rehearse.Pattern) *stand {
	s.work += max(len(t.Users), 1) * max(len(t.Policies), 1)
	if s.work > maxWork {
		return nil
	}
	return s.stand(access.Compile(t), users, open)
}

// stand asks the question of a compiled tenant.
func (s *search) stand(e *access.Engine, users []int, open []*rehearse.Pattern) *stand {
	out := &stand{tenant: e.Tenant(), users: users, engine: e}
	cover, err := out.engine.Coverage(s.question)
	if err != nil { // the questions are built in and always compile
		return nil
	}
	out.cover = cover
	out.open = rehearse.StillOpen(out.engine, open)
	return out
}

// shrink leaves out the accounts that are not open, but for those whose being
// there decides what a policy means (named by one, or synchronisation) or what is
// said of the log.
func (s *search) shrink(now *stand) *stand {
	named := map[string]bool{}
	for _, p := range now.tenant.Policies {
		for _, id := range slices.Concat(p.Conditions.Users.IncludeUsers, p.Conditions.Users.ExcludeUsers) {
			named[strings.ToLower(id)] = true
		}
	}
	logged := map[int]bool{}
	for _, p := range now.open {
		logged[p.Subject(now.engine)] = true
	}
	t := *now.tenant
	t.Users = nil
	var users []int
	for i := range now.tenant.Users {
		u := &now.tenant.Users[i]
		if c := now.cover[i]; c == access.Open || logged[i] || u.Exempt || u.Unidentified || named[strings.ToLower(u.ID)] {
			t.Users, users = append(t.Users, *u), append(users, now.users[i])
		}
	}
	if len(users) == len(now.users) {
		return now
	}
	if small := s.look(&t, users, now.open); small != nil {
		return small
	}
	return now
}

// try makes changes to a stand.
func (s *search) try(now *stand, changes ...access.Change) *trial {
	after := s.look(now.tenant.Apply(changes...), now.users, now.open)
	if after == nil {
		return nil
	}
	out := &trial{changes: changes, after: after}
	for i, c := range after.cover {
		if now.cover[i] != access.Open || c != access.Covered {
			continue
		}
		if now.tenant.Users[i].BreakGlass {
			out.breakGlass = append(out.breakGlass, now.users[i])
		} else {
			out.closes = append(out.closes, now.users[i])
		}
	}
	count := func(list []*rehearse.Pattern, sign int64) {
		for _, p := range list {
			if s.apart[p] {
				out.breakGlassSignIns += sign * p.NotChallenged
			} else {
				out.signIns += sign * p.NotChallenged
			}
		}
	}
	count(now.open, 1)
	count(after.open, -1)
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
	changes := slices.Clone(s.changes)
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
		best = s.whole(now, best, changes, g)
		out = append(out, best)
		now = s.shrink(best.after)
		changes = slices.DeleteFunc(changes, func(c access.Change) bool { return slices.Contains(best.changes, c) })
	}
	return out
}

// longList is how many exclusions of one list are taken back one by one.
const longList = 3

// whole takes with an account that leaves a long list of exclusions the others
// whose leaving reaches something too: one thing to do, not one for each.
func (s *search) whole(now *stand, best *trial, changes []access.Change, g goal) *trial {
	first := best.changes[0]
	if len(best.changes) > 1 || first.Kind != access.ChangeRemove || !strings.HasSuffix(first.Field, ".excludeUsers") {
		return best
	}
	list := []access.Change{first}
	for _, c := range changes {
		if c != first && c.Kind == first.Kind && c.Field == first.Field && c.PolicyID == first.PolicyID && c.Policy == first.Policy && g.reaches(s.reached[c]) {
			list = append(list, c)
		}
	}
	if len(list) <= longList {
		return best
	}
	if t := s.try(now, list...); g.reaches(t) && len(t.closes) >= len(best.closes) {
		return t
	}
	return best
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
		kept := *t
		kept.after = nil // without the engine
		s.reached[c] = &kept
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
