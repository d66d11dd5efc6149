package access

import "slices"

// cohort is a set of accounts that the same protecting policies take.
type cohort struct {
	subjects []int32
	set      int32 // the compiled user of one of them
	// perhaps says that the question may be about none of them.
	perhaps bool
	// worlds are the protecting policies in each way in which what is not known of
	// them may be; empty, the possible and the sure policies tell all.
	worlds []mask
}

// always gives the policies that protect as the question asks and take every sign-in
// it asks about, whatever is not known of sign-ins: whom one of them takes has no gap.
func (e *Engine) always(c *compiledQuestion) mask {
	m := e.mask()
	for w := range m {
		m[w] = c.protects[w] &^ c.perhaps[w]
	}
	for l, classes := range c.classes {
		d := &e.dims[l]
		for _, k := range classes {
			for w := range m {
				m[w] &= d.sure[k][w] & d.could[k][w]
				if d.guard != nil && c.guarded {
					m[w] &= d.guard[k][w]
				}
				if dimID(l) == dimResource && k == e.basic {
					m[w] &= e.basicBefore[w]
				}
			}
		}
	}
	return m
}

// taken reports that in every way in which somebody may be one of the policies takes
// it.
func (e *Engine) taken(u compiledUser, by mask) bool {
	if !u.sure.meets(by) {
		return false
	}
	for rest := u.worlds; len(rest) > 0; rest = rest[2+e.words:] {
		if !mask(rest[2 : 2+e.words]).meets(by) {
			return false
		}
	}
	return true
}

// cohorts groups the accounts asked about by the protecting policies that take
// them, in every way in which what is not known of them may be. Policies that are
// not understood may protect anybody: they keep a gap from being certain and
// never count for a proof.
//
// Whom a policy of always takes is not told apart: all of them are one cohort, which no
// diagram leaves open. Nil tells everybody apart.
func (e *Engine) cohorts(c *compiledQuestion, always mask) (out []cohort, accounts int) {
	var (
		count    = e.subjectCount()
		cohortOf = make([]int32, count) // by subject; -1 not asked about
		bySet    = map[int64]int32{}    // set and whether it is surely asked about
		ofRow    []int32                // row -> cohort
		sizes    []int
		safe     = int32(-1) // the cohort of those whom a policy of always takes
		found    = newInterner(count)
		seen     = make([]bool, count)
		row      []uint64
		simple   = len(c.Roles) == 0 && len(c.Users) == 0 // then equal sets are asked about alike
	)
	put := func(co cohort) int32 {
		out, sizes = append(out, co), append(sizes, 0)
		return int32(len(out) - 1)
	}
	asked := 0
	for i := range count {
		cohortOf[i] = -1
		about := c.about(e.subject(i), e)
		if about == no {
			continue
		}
		set := e.setOf[i]
		u := e.set(set)
		var n int32
		if always != nil && (about == yes || len(u.worlds) == 0) && e.taken(u, always) {
			if safe < 0 {
				safe = put(cohort{set: set})
			}
			n = safe
		} else {
			key := int64(set)<<2 | int64(about)
			var ok bool
			if n, ok = bySet[key]; !ok || !simple && len(u.worlds) > 0 {
				var worlds []mask
				row, worlds = e.protected(c, i, about, row)
				if about == maybe && len(u.worlds) > 0 && len(worlds) == 0 {
					continue // in no way asked about
				}
				r, isNew := found.add(row)
				if isNew {
					ofRow = append(ofRow, put(cohort{set: set, perhaps: about == maybe, worlds: worlds}))
				}
				n = ofRow[r]
				bySet[key] = n
			}
		}
		asked++
		if a := e.account(i); !seen[a] && about == yes {
			seen[a] = true
			accounts++
		}
		cohortOf[i] = n
		sizes[n]++
	}
	subjects := make([]int32, asked)
	for n := range out {
		out[n].subjects = subjects[:0:sizes[n]]
		subjects = subjects[sizes[n]:]
	}
	for i, n := range cohortOf {
		if n >= 0 {
			out[n].subjects = append(out[n].subjects, int32(i))
		}
	}
	return out, accounts
}

// protected gives what tells a subject's cohort: the protecting policies that
// take it surely and possibly, and those of each world the question is about. The
// row is written over the one given.
func (e *Engine) protected(c *compiledQuestion, subject int, about tri, over []uint64) (row []uint64, worlds []mask) {
	u := e.user(subject)
	row = append(over[:0], uint64(about))
	for w := range u.sure {
		row = append(row, u.sure[w]&c.protects[w]&^c.perhaps[w])
	}
	for w := range u.could {
		row = append(row, u.could[w]&c.protects[w])
	}
	s := e.subject(subject)
	for w := range e.worldsOf(u) {
		if !c.inWorld(s, &w, e) {
			continue
		}
		m := e.mask()
		for i := range m {
			m[i] = w.takes[i] & c.protects[i] &^ c.perhaps[i]
		}
		if !slices.ContainsFunc(worlds, func(o mask) bool { return slices.Equal(o, m) }) {
			worlds = append(worlds, m)
		}
	}
	slices.SortFunc(worlds, func(a, b mask) int { return slices.Compare(a, b) })
	for _, m := range worlds {
		row = append(row, m...)
	}
	return row, worlds
}
