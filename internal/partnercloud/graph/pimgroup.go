package graph

import (
	"net/http"
	"strings"

	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
)

// Privileged Identity Management for groups. Nobody of this cloud's tenants manages a
// group by it, so that its lists are empty; they answer, ask for their permissions and
// licence, and refuse, as Graph's do.

const privilegedGroups = "identityGovernance/privilegedAccess/group/"

var (
	mayReadGroupEligible = allow("PrivilegedEligibilitySchedule.Read.AzureADGroup PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup").
				licensed("Microsoft Entra ID P2", needP2)
	mayReadGroupActive = allow("PrivilegedAssignmentSchedule.Read.AzureADGroup PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup").
				licensed("Microsoft Entra ID P2", needP2)
)

// newGroupScheduleShape shows who is in a group for a time, or may be.
func newGroupScheduleShape(typ, schedule string) *shape {
	type row = *world.RoleAssignment
	return newShape(typ, func(x any) string { return x.(row).ID },
		f("id", func(x row) any { return x.ID }),
		f("principalId", func(x row) any { return x.Principal }),
		f("groupId", func(x row) any { return x.Role }),
		f("accessId", func(row) any { return "member" }),
		f("memberType", func(row) any { return "direct" }),
		f("startDateTime", func(x row) any { return x.Start }),
		f("endDateTime", func(x row) any { return x.End }),
		f(schedule, func(x row) any { return x.ID }),
	)
}

// groupSchedules lists them of one group or one principal, which has to be named.
func groupSchedules(c *call, _ *world.State, t *world.Tenant) (*reply, error) {
	path := privilegedGroups + c.route.parts[3]
	sh := c.g.sh.groupEligible
	if strings.HasPrefix(c.route.parts[3], "assignment") {
		sh = c.g.sh.groupActive
	}
	if c.q.Filter == nil {
		return nil, refuse(http.StatusBadRequest, "MissingParameters",
			"The required parameters GroupId or PrincipalId is missing. Specify one of them in the $filter query parameter.")
	}
	return c.list(t, path, sh, slice([]*world.RoleAssignment{}, sh.key))
}

func privilegedGroupRoutes() []*route {
	return from(kit.Known, "Graph: privilegedAccessGroup resources; nobody's groups are managed by it here",
		get(privilegedGroups+"eligibilityScheduleInstances", mayReadGroupEligible, groupSchedules).pages(100, 999),
		get(privilegedGroups+"assignmentScheduleInstances", mayReadGroupActive, groupSchedules).pages(100, 999))
}
