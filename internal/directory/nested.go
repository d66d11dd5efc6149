package directory

import (
	"strings"

	"partnerguard/internal/evidence"
)

// AppRole is an appRoleAssignment: a permission that an app has by itself.
type AppRole struct {
	ID          string          `json:"id"`
	PrincipalID string          `json:"principalId"` // the app's service principal
	AppRoleID   string          `json:"appRoleId"`
	ResourceID  string          `json:"resourceId"`
	Source      evidence.Source `json:"-"`
}

// Unsure reports a member that one whole copy of the list has and another has not.
func (m *Member) Unsure() bool { return m.unsure }

// Holds says whether a schedule of PIM for groups holds at [Directory.At]; 0 it does not.
func (d *Directory) Holds(s *GroupSchedule) Sure {
	return d.holds(s.StartDateTime.Time, s.EndDateTime.Time, s.StartDateTime.Raw, s.EndDateTime.Raw, s.Schedule, string(s.Status))
}

// Owner reports a schedule of an ownership, not of a membership.
func (s *GroupSchedule) Owner() bool { return strings.EqualFold(string(s.AccessID), "owner") }
