package world

import (
	"hash/fnv"
	"time"
)

// Late is what readers see of an object whose last change has not come through to them yet.
// Whoever changes it, and whoever signs in, has the newest form at once.
type Late struct {
	Shows time.Time `json:"shows"`         // from then on readers see the newest form
	New   bool      `json:"new,omitempty"` // it was not there before
}

// Hides reports a change that readers do not see at a moment.
func (l *Late) Hides(now time.Time) bool { return l != nil && now.Before(l.Shows) }

// late is what a change made now leaves to readers; nil where changes show at once. Objects take
// from a quarter of the time to all of it, each its own.
func (s *State) late(id string, had *Late, isNew bool) *Late {
	if s.Replication <= 0 {
		return nil
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	now := s.Clock.Now()
	took := s.Replication/4 + time.Duration(h.Sum32()%1024)*(s.Replication-s.Replication/4)/1024
	return &Late{Shows: now.Add(took), New: isNew || had.Hides(now) && had.New}
}

// Replicate notes that a settings object is changed now; old is the form before, nil there was none.
func (s *State) Replicate(d, old *Document) {
	if old == nil {
		d.Late, d.Was = s.late(d.ID, nil, true), nil
		return
	}
	was := old.Raw
	if old.Late.Hides(s.Clock.Now()) {
		was = old.Was
	}
	if d.Late, d.Was = s.late(d.ID, old.Late, false), nil; d.Late != nil && !d.Late.New {
		d.Was = was
	}
}

// Seen is a settings object as readers see it at a moment; nil: they do not yet.
func (d *Document) Seen(now time.Time) *Document {
	switch {
	case !d.Late.Hides(now):
		return d
	case d.Late.New:
		return nil
	}
	out := *d
	out.Raw = d.Was
	return &out
}

// ReplicateGroup notes that a group is made now, or that its members change: before it are those
// who were in it.
func (s *State) ReplicateGroup(g *Group, isNew bool, before []string) {
	if g.Late.Hides(s.Clock.Now()) {
		before = g.Was
	}
	if g.Late, g.Was = s.late(g.ID, g.Late, isNew), nil; g.Late != nil {
		g.Was = before
	}
}

// SeenMembers are a group's members as readers see them at a moment.
func (g *Group) SeenMembers(now time.Time) []string {
	if g.Late.Hides(now) {
		return g.Was
	}
	return g.Members
}
