package scenario

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// maxLife bounds the days that are lived at a time.
const maxLife = 120

// live lets the people of the partner's tenant go on with their days, as in the history, by
// the settings of now: what they do at from < time <= to goes to the tenant's log. It gives
// the number of rows. Of a longer span the last [maxLife] days are lived. It is called under
// the world's lock.
//
// Attacks and apps by themselves do not go on: what comes anew is what people do.
func (h *history) live(s *world.State, from, to time.Time) int {
	t := s.Tenant(s.Partner)
	if t == nil || !from.Before(to) {
		return 0
	}
	if first := to.AddDate(0, 0, -maxLife); from.Before(first) {
		from = first
	}
	h.wake()
	now := *h // its clock stands where each row is; the world's stands at the end
	shadow := *s
	shadow.Clock = world.NewClock(func() time.Time { return now.now })
	b := *h.past
	b.state = &shadow
	now.past, now.now = &b, from
	w := &writer{h: &now, p: &place{tenant: t, actors: b.actors(t)}}
	for day := from.UTC().Truncate(24 * time.Hour); !day.After(to); day = day.AddDate(0, 0, 1) {
		for i := range w.p.actors {
			if a := &w.p.actors[i]; a.user.Enabled {
				w.day(a, day)
			}
		}
	}
	rows := slices.DeleteFunc(w.rows, func(r *world.SignIn) bool { return !r.CreatedDateTime.After(from) || r.CreatedDateTime.After(to) })
	slices.SortStableFunc(rows, func(a, b *world.SignIn) int {
		return cmp.Or(a.CreatedDateTime.Compare(b.CreatedDateTime.Time), strings.Compare(a.ID, b.ID))
	})
	for _, r := range rows {
		s.LogSignIn(t, r)
	}
	return len(rows)
}
