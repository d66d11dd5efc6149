package graph

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
)

// Privileged Identity Management for groups: who may be in a group, and who is for a
// time. Who may is what the scenario says; people activate it themselves, for eight hours
// at most, with MFA and a reason (the defaults of role settings, K). Approvals and owners
// are not part of this cloud.

const privilegedGroups = "identityGovernance/privilegedAccess/group/"

var (
	mayReadGroupEligible = allow("PrivilegedEligibilitySchedule.Read.AzureADGroup PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup").
				licensed("Microsoft Entra ID P2", needP2)
	mayReadGroupActive = allow("PrivilegedAssignmentSchedule.Read.AzureADGroup PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup").
				licensed("Microsoft Entra ID P2", needP2)
	mayAskGroup = allow("PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup").licensed("Microsoft Entra ID P2", needP2)
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
		f("assignmentType", func(row) any { return "activated" }),
		f("startDateTime", func(x row) any { return x.Start }),
		f("endDateTime", func(x row) any { return x.End }),
		f(schedule, func(x row) any { return x.ID }),
	)
}

// groupSchedules lists them of one group or one principal, which has to be named.
func groupSchedules(c *call, _ *world.State, t *world.Tenant) (*reply, error) {
	path := privilegedGroups + c.route.parts[3]
	sh, of := c.g.sh.groupEligible, &t.GroupEligible
	if strings.HasPrefix(c.route.parts[3], "assignment") {
		sh, of = c.g.sh.groupActive, &t.GroupHeld
	}
	if c.q.Filter == nil {
		return nil, refuse(http.StatusBadRequest, "MissingParameters",
			"The required parameters GroupId or PrincipalId is missing. Specify one of them in the $filter query parameter.")
	}
	return c.list(t, path, sh, rowsWhere(of, func(a *world.RoleAssignment) bool { return a.In(c.now) }))
}

// groupRow finds a row of a principal and a group that is in force.
func groupRow(of *world.Table[world.RoleAssignment, *world.RoleAssignment], principal, group string, now time.Time) *world.RoleAssignment {
	for a := range of.All() {
		if strings.EqualFold(a.Principal, principal) && strings.EqualFold(a.Role, group) && a.In(now) {
			return a
		}
	}
	return nil
}

func groupAskFields() fields {
	return fields{
		"accessId": enum("member owner").need(), "principalId": text().need(), "groupId": text().need(),
		"action":        enum("adminAssign adminUpdate adminRemove adminExtend adminRenew selfActivate selfDeactivate selfExtend selfRenew").need(),
		"justification": text().upTo(2000), "isValidationOnly": flag(), "customData": text(), "targetScheduleId": text(),
		"scheduleInfo": obj(fields{
			"startDateTime": when(), "recurrence": unused(),
			"expiration": obj(fields{"type": enum("notSpecified noExpiration afterDateTime afterDuration"), "endDateTime": when(), "duration": text()}),
		}),
		"ticketInfo": obj(fields{"ticketNumber": text(), "ticketSystem": text()}),
	}
}

// askGroup lets somebody into a group for a time, or out of it, at their own wish.
func askGroup(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	if err := groupAskFields().check("", c.in); err != nil {
		return nil, err
	}
	action, who, group := str(c.in, "action"), str(c.in, "principalId"), str(c.in, "groupId")
	if str(c.in, "accessId") != "member" || action != "selfActivate" && action != "selfDeactivate" {
		return nil, badRequest("The action '%s' on '%s' is not part of the partner cloud: members activate and end what they are eligible for.",
			clip(action), clip(str(c.in, "accessId")))
	}
	if c.caller.AppOnly() || c.caller.AOBO || !strings.EqualFold(who, c.caller.ObjectID) {
		return nil, refuse(http.StatusForbidden, "RoleAssignmentRequestPolicyValidationFailed", "A user can only ask for the own account.")
	}
	held := groupRow(&t.GroupHeld, who, group, c.now)
	made, status := held, "Revoked"
	switch {
	case action == "selfDeactivate" && held == nil:
		return nil, badRequest("RoleAssignmentDoesNotExist: The Role assignment does not exist.")
	case action == "selfActivate" && held != nil:
		return nil, badRequest("RoleAssignmentExists: The Role assignment already exists.")
	case action == "selfActivate":
		a, err := c.activateGroup(t, who, group)
		if err != nil {
			return nil, err
		}
		made, status = a, "Provisioned"
	}
	if truth(c.in, "isValidationOnly") {
		status = "Granted"
	} else {
		c.moveMember(s, t, made, status == "Provisioned")
	}
	d := newDocument(world.NewGUID(), nil)
	d = newDocument(d.id, appendValue(nil, object{
		{"id", d.id}, {"status", status}, {"createdDateTime", c.now}, {"completedDateTime", c.now}, {"action", action}, {"principalId", who},
		{"groupId", made.Role}, {"accessId", "member"}, {"justification", c.in["justification"]}, {"targetScheduleId", made.ID},
		{"isValidationOnly", truth(c.in, "isValidationOnly")}, {"scheduleInfo", scheduleInfo(made)},
	}))
	return c.created(t, privilegedGroups+c.route.parts[3], c.g.sh.askGroup, d)
}

// activateGroup is the membership that an eligible person may have now.
func (c *call) activateGroup(t *world.Tenant, who, group string) (*world.RoleAssignment, error) {
	g := t.Groups.Get(group)
	eligible := append(t.GroupsOf(who), who)
	may := g != nil && slices.ContainsFunc(eligible, func(p string) bool { return groupRow(&t.GroupEligible, p, group, c.now) != nil })
	if !may {
		return nil, badRequest("RoleAssignmentDoesNotExist: The eligible assignment does not exist.")
	}
	start := later(moment(inner(c.in, "scheduleInfo"), "startDateTime"), c.now)
	end, err := expiryOf(inner(c.in, "scheduleInfo"), start)
	if err != nil {
		return nil, err
	}
	a := &world.RoleAssignment{ID: world.NewGUID(), Principal: who, Role: g.ID, Scope: "/", Start: start, End: end, Created: c.now}
	rule := ""
	switch {
	case str(c.in, "justification") == "":
		rule = "JustificationRule"
	case !c.caller.HasMFA():
		rule = "MfaRule"
	case end.IsZero():
		a.End = start.Add(maxActivation)
	case end.Sub(start) > maxActivation:
		rule = "ExpirationRule"
	}
	if rule != "" {
		return nil, badRequest("RoleAssignmentRequestPolicyValidationFailed: [\"%s\"]", rule)
	}
	a.Activated = true
	return a, nil
}

// moveMember lets the person in or out, and writes the log's row of it.
func (c *call) moveMember(s *world.State, t *world.Tenant, a *world.RoleAssignment, in bool) {
	activity, operation, move := "Remove member from group completed (PIM deactivate)", "Unassign", s.LeaveNow
	if in {
		activity, operation, move = "Add member to group completed (PIM activation)", "Assign", s.JoinFor
	}
	move(t, a)
	name := ""
	if g := t.Groups.Get(a.Role); g != nil {
		name = g.Name
	}
	c.audit(s, t, change{activity: activity, category: "GroupManagement", operation: operation, service: "PIM", target: target("Group", a.Role, name),
		more: []world.KeyValue{{Key: "PrincipalId", Value: a.Principal}}})
}

func privilegedGroupRoutes() []*route {
	return from(kit.Known, "Graph: privilegedAccessGroup resources; members only, without approval",
		get(privilegedGroups+"eligibilityScheduleInstances", mayReadGroupEligible, groupSchedules).pages(100, 999),
		get(privilegedGroups+"assignmentScheduleInstances", mayReadGroupActive, groupSchedules).pages(100, 999),
		post(privilegedGroups+"assignmentScheduleRequests", mayAskGroup, askGroup))
}
