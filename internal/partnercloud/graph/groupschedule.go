package graph

import (
	"slices"

	"partnerguard/internal/partnercloud/world"
)

// groupBase is where Privileged Identity Management for groups is read.
const groupBase = "identityGovernance/privilegedAccess/group/"

// groupSchedule is a membership that Privileged Identity Management would know of.
// Nobody can make one here, so that every list of them is empty.
type groupSchedule struct{ id string }

func (sh *shapes) addGroupSchedules() {
	nothing := func(*groupSchedule) any { return nil }
	id := f("id", func(x *groupSchedule) any { return x.id })
	both := func(typ string, more ...field) *shape {
		fs := append([]field{id}, more...)
		for _, name := range []string{"accessId", "endDateTime", "groupId", "memberType", "principalId", "startDateTime"} {
			fs = append(fs, f(name, nothing))
		}
		return newShape(typ, func(x any) string { return x.(*groupSchedule).id }, fs...)
	}
	sh.groupEligible = both("privilegedAccessGroupEligibilityScheduleInstance", f("eligibilityScheduleId", nothing))
	sh.groupActive = both("privilegedAccessGroupAssignmentScheduleInstance", f("assignmentScheduleId", nothing), f("assignmentType", nothing))
}

// groupSchedules answers for one group or one principal, as Graph does: the whole
// list can be had from nobody.
func groupSchedules(c *call, _ *world.State, t *world.Tenant) (*reply, error) {
	named := func(p []string) bool { return len(p) == 1 && (p[0] == "groupId" || p[0] == "principalId") }
	if c.q.Filter == nil || !slices.ContainsFunc(c.q.Filter.Paths(), named) {
		return nil, badRequest("The required parameters GroupId or PrincipalId is missing.")
	}
	sh, path := c.g.sh.groupEligible, groupBase+c.route.parts[3]
	if c.route.parts[3] == "assignmentScheduleInstances" {
		sh = c.g.sh.groupActive
	}
	return c.list(t, path, sh, slice([]*groupSchedule{}, sh.key))
}
