package directory

import "strings"

// Unsure reports a member that one whole copy of the list has and another has not.
func (m *Member) Unsure() bool { return m.unsure }

// Holds says whether a schedule of PIM for groups holds at [Directory.At]; 0 it does not.
func (d *Directory) Holds(s *GroupSchedule) Sure {
	return d.holds(s.StartDateTime.Time, s.EndDateTime.Time, s.StartDateTime.Raw, s.EndDateTime.Raw, s.Schedule, string(s.Status))
}

// Owner reports a schedule of an ownership, not of a membership.
func (s *GroupSchedule) Owner() bool { return strings.EqualFold(string(s.AccessID), "owner") }
