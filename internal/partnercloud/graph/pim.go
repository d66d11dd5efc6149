package graph

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
)

// maxActivation is how long a role may be activated at once (K: the default of
// role settings).
const maxActivation = 8 * time.Hour

func needP2(_ *call, _ *world.State, t *world.Tenant) error {
	if !t.HasPlan(world.PlanP2) {
		return errP2
	}
	return nil
}

var errP2 = refuse(http.StatusForbidden, "AadPremiumLicenseRequired",
	"The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.")

// newScheduleShape shows what Privileged Identity Management knows of an
// assignment (contracts.md section 3.4).
func newScheduleShape(def *shape, typ string, more ...field) *shape {
	fs := append([]field{
		f("id", func(x *world.RoleAssignment) any { return x.ID }),
		f("principalId", func(x *world.RoleAssignment) any { return x.Principal }),
		f("roleDefinitionId", func(x *world.RoleAssignment) any { return x.Role }),
		f("directoryScopeId", func(x *world.RoleAssignment) any { return scopeOf(x) }),
		f("appScopeId", func(*world.RoleAssignment) any { return nil }),
		f("memberType", func(*world.RoleAssignment) any { return "Direct" }),
		f("startDateTime", func(x *world.RoleAssignment) any { return x.Start }),
		f("endDateTime", func(x *world.RoleAssignment) any { return x.End }),
	}, more...)
	shape := newShape(typ, func(x any) string { return x.(*world.RoleAssignment).ID }, fs...)
	expandRole(shape, def, func(x any) (string, string) { a := x.(*world.RoleAssignment); return a.Principal, a.Role })
	return shape
}

func scheduleInfo(x *world.RoleAssignment) any {
	end := object{{"type", "noExpiration"}, {"endDateTime", nil}, {"duration", nil}}
	if !x.End.IsZero() {
		end = object{{"type", "afterDateTime"}, {"endDateTime", x.End}, {"duration", nil}}
	}
	return object{{"startDateTime", x.Start}, {"recurrence", nil}, {"expiration", end}}
}

// addSchedules adds the shapes of schedules and their instances.
func (sh *shapes) addSchedules() {
	type row = *world.RoleAssignment
	sh.eligible = newScheduleShape(sh.definition, "unifiedRoleEligibilitySchedule",
		f("createdDateTime", func(x row) any { return x.Created }),
		f("createdUsing", func(x row) any { return x.ID }),
		f("modifiedDateTime", func(row) any { return nil }),
		f("status", func(row) any { return "Provisioned" }),
		f("scheduleInfo", scheduleInfo),
	)
	sh.eligibleNow = newScheduleShape(sh.definition, "unifiedRoleEligibilityScheduleInstance", f("roleEligibilityScheduleId", func(x row) any { return x.ID }))
	sh.groupEligible = newGroupScheduleShape("privilegedAccessGroupEligibilityScheduleInstance", "eligibilityScheduleId")
	sh.groupActive = newGroupScheduleShape("privilegedAccessGroupAssignmentScheduleInstance", "assignmentScheduleId")
	sh.askGroup = documentShape("privilegedAccessGroupAssignmentScheduleRequest", nil, words(`id status createdDateTime completedDateTime action
		principalId groupId accessId justification targetScheduleId scheduleInfo isValidationOnly`)...)
	sh.heldNow = newScheduleShape(sh.definition, "unifiedRoleAssignmentScheduleInstance",
		f("assignmentType", func(x row) any {
			if x.Activated {
				return "Activated"
			}
			return "Assigned"
		}),
		f("roleAssignmentOriginId", func(x row) any { return x.ID }),
		f("roleAssignmentScheduleId", func(x row) any { return x.ID }),
	)
}

// schedule is the collection that the path names; now: instances, only what is in
// force.
func (c *call) schedule(t *world.Tenant) (sh *shape, of *world.Table[world.RoleAssignment, *world.RoleAssignment], now bool) {
	switch c.route.parts[2] {
	case "roleEligibilitySchedules":
		return c.g.sh.eligible, &t.Eligible, false
	case "roleEligibilityScheduleInstances":
		return c.g.sh.eligibleNow, &t.Eligible, true
	}
	return c.g.sh.heldNow, &t.Held, true
}

func listSchedules(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	sh, of, now := c.schedule(t)
	all := rowsWhere(of, func(a *world.RoleAssignment) bool {
		over := !a.End.IsZero() && !c.now.Before(a.End)
		return !over && (!now || a.In(c.now))
	})
	return c.list(t, roleBase+c.route.parts[2], sh, all)
}

func getSchedule(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	sh, of, _ := c.schedule(t)
	if a := of.Get(c.params[0]); a != nil {
		return c.one(t, roleBase+c.route.parts[2], sh, a)
	}
	return nil, notFound(c.params[0])
}

// ownSchedules answers filterByCurrentUser(on='principal'): the caller's own view.
func ownSchedules(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	sh, of, _ := c.schedule(t)
	all := []*world.RoleAssignment{}
	holders := append(t.GroupsOf(c.caller.ObjectID), c.caller.ObjectID)
	for a := range of.All() {
		if a.In(c.now) && slices.ContainsFunc(holders, func(h string) bool { return strings.EqualFold(h, a.Principal) }) {
			all = append(all, a)
		}
	}
	return c.list(t, roleBase+c.route.parts[2], sh, slice(all, sh.key))
}

// expiryOf is the end a schedule asks for; zero: none.
func expiryOf(m map[string]any, start time.Time) (time.Time, error) {
	e := inner(m, "expiration")
	switch str(e, "type") {
	case "", "notSpecified", "noExpiration":
		return time.Time{}, nil
	case "afterDateTime":
		end := moment(e, "endDateTime")
		if !end.After(start) {
			return end, badRequest("The endDateTime of the schedule must lie after its start.")
		}
		return end, nil
	}
	d, ok := isoDuration(str(e, "duration"))
	if !ok || d <= 0 {
		return time.Time{}, badRequest("The duration of the schedule is not valid.")
	}
	return start.Add(d), nil
}

func isoDuration(s string) (time.Duration, bool) { return kit.ISODuration(s) }
