package world

import (
	"iter"
	"time"
)

// Oldest yields the sign-ins of a tenant between two moments, oldest first: the
// generated days, each made when it is reached, then the live rows.
func (s *State) Oldest(t *Tenant, from, to time.Time) iter.Seq[*SignIn] {
	return func(yield func(*SignIn) bool) {
		give := func(rows []*SignIn) bool {
			for _, r := range rows {
				if !r.CreatedDateTime.Before(from) && (to.IsZero() || !r.CreatedDateTime.After(to)) && !yield(r) {
					return false
				}
			}
			return true
		}
		if s.History != nil {
			day := s.History.First()
			if from.After(day) {
				day = from
			}
			last := s.Created
			if !to.IsZero() && to.Before(last) {
				last = to
			}
			for day = day.UTC().Truncate(24 * time.Hour); !day.After(last); day = day.Add(24 * time.Hour) {
				if !give(s.History.SignIns(s, t, day)) {
					return
				}
			}
		}
		give(t.SignIns)
	}
}
