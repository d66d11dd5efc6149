package world

import (
	"slices"
	"strings"
	"time"
)

// Membership of a group by Privileged Identity Management: Tenant.GroupEligible says who
// may be in a group, Tenant.GroupHeld who is for a time. Both hold the group's id as
// Role. Who is in for a time stands among the group's members as everybody else does.

// JoinFor puts a principal into a group until the row's end. The caller has judged that
// it may.
func (s *State) JoinFor(t *Tenant, a *RoleAssignment) {
	t.GroupHeld.Put(a)
	n := s.Change()
	t.Groups.Change(a.Role, func(g *Group) {
		if !containsFold(g.Members, a.Principal) {
			g.Members, g.Changed = append(slices.Clone(g.Members), a.Principal), n
		}
	})
	s.Touch(t)
}

// LeaveNow ends a membership for a time.
func (s *State) LeaveNow(t *Tenant, a *RoleAssignment) {
	t.GroupHeld.Delete(a.ID)
	n := s.Change()
	t.Groups.Change(a.Role, func(g *Group) {
		g.Members = slices.DeleteFunc(slices.Clone(g.Members), func(id string) bool { return strings.EqualFold(id, a.Principal) })
		g.Changed = n
	})
	s.Touch(t)
}

// membershipsDue ends what its time is over of.
func (s *State) membershipsDue(p *Tenant, now time.Time) {
	for _, a := range p.GroupHeld.List() {
		switch {
		case a.End.IsZero():
		case now.Before(a.End):
			s.soon(a.End)
		default:
			s.LeaveNow(p, a)
		}
	}
}

func containsFold(list []string, id string) bool {
	return slices.ContainsFunc(list, func(x string) bool { return strings.EqualFold(x, id) })
}
