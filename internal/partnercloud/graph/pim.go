package graph

import (
	"net/http"
	"slices"
	"strings"
	"time"

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

// schedules serves Privileged Identity Management (contracts.md section 3.4).
func (p *router) schedules(sh *shapes, def *shape) {
	readers := []string{privilegedRoleAdmin, globalReader, securityReader, securityOperator, securityAdmin}
	eligible := allow("RoleEligibilitySchedule.Read.Directory RoleEligibilitySchedule.ReadWrite.Directory RoleManagement.Read.Directory RoleManagement.ReadWrite.Directory").with(readers...)
	active := allow("RoleAssignmentSchedule.Read.Directory RoleAssignmentSchedule.ReadWrite.Directory RoleManagement.Read.Directory RoleManagement.ReadWrite.Directory").with(readers...)
	eligible.custom, active.custom = needP2, needP2
	type row = *world.RoleAssignment
	base := func(typ string, more ...field) *shape {
		fs := append([]field{
			f("id", func(x row) any { return x.ID }),
			f("principalId", func(x row) any { return x.Principal }),
			f("roleDefinitionId", func(x row) any { return x.Role }),
			f("directoryScopeId", func(x row) any { return scopeOf(x) }),
			f("appScopeId", func(row) any { return nil }),
			f("memberType", func(row) any { return "Direct" }),
			f("startDateTime", func(x row) any { return x.Start }),
			f("endDateTime", func(x row) any { return x.End }),
		}, more...)
		shape := newShape(typ, func(x any) string { return x.(row).ID }, fs...)
		expandRole(shape, sh, def, func(x any) (string, string) { a := x.(row); return a.Principal, a.Role })
		return shape
	}
	info := func(x row) any {
		end := object{{"type", "noExpiration"}, {"endDateTime", nil}, {"duration", nil}}
		if !x.End.IsZero() {
			end = object{{"type", "afterDateTime"}, {"endDateTime", x.End}, {"duration", nil}}
		}
		return object{{"startDateTime", x.Start}, {"recurrence", nil}, {"expiration", end}}
	}
	sched := base("unifiedRoleEligibilitySchedule",
		f("createdDateTime", func(x row) any { return x.Created }),
		f("createdUsing", func(x row) any { return x.ID }),
		f("modifiedDateTime", func(row) any { return nil }),
		f("status", func(row) any { return "Provisioned" }),
		f("scheduleInfo", info),
	)
	inst := base("unifiedRoleEligibilityScheduleInstance", f("roleEligibilityScheduleId", func(x row) any { return x.ID }))
	held := base("unifiedRoleAssignmentScheduleInstance",
		f("assignmentType", func(x row) any {
			if x.Activated {
				return "Activated"
			}
			return "Assigned"
		}),
		f("roleAssignmentOriginId", func(x row) any { return x.ID }),
		f("roleAssignmentScheduleId", func(x row) any { return x.ID }),
	)
	lists := []struct {
		path  string
		perm  permit
		shape *shape
		table func(*world.Tenant) *world.Table[world.RoleAssignment, *world.RoleAssignment]
		now   bool // instances: only what is in force
	}{
		{"roleEligibilitySchedules", eligible, sched, func(t *world.Tenant) *world.Table[world.RoleAssignment, *world.RoleAssignment] { return &t.Eligible }, false},
		{"roleEligibilityScheduleInstances", eligible, inst, func(t *world.Tenant) *world.Table[world.RoleAssignment, *world.RoleAssignment] { return &t.Eligible }, true},
		{"roleAssignmentScheduleInstances", active, held, func(t *world.Tenant) *world.Table[world.RoleAssignment, *world.RoleAssignment] { return &t.Held }, true},
	}
	for _, l := range lists {
		p.add("GET", roleBase+l.path, route{permit: l.perm, cost: 2, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
			rows := []row{}
			for a := range l.table(t).All() {
				if over := !a.End.IsZero() && !c.now.Before(a.End); !over && (!l.now || a.In(c.now)) {
					rows = append(rows, a)
				}
			}
			return c.listed(s, t, &listing{shape: l.shape, context: roleBase + l.path, since: slice(rows, l.shape.key), top: 100, max: 999})
		}})
		p.add("GET", roleBase+l.path+"/{}", route{permit: l.perm, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
			if a := l.table(t).Get(c.params[0]); a != nil {
				return c.one(s, t, roleBase+l.path, l.shape, a)
			}
			return nil, notFound(c.params[0])
		}})
		// filterByCurrentUser(on='principal') is the caller's own view.
		own := l.perm
		own.roles = nil
		p.add("GET", roleBase+l.path+"/filterByCurrentUser/{}", route{permit: own, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
			rows := []row{}
			holders := append(t.GroupsOf(c.caller.ObjectID), c.caller.ObjectID)
			for a := range l.table(t).All() {
				if a.In(c.now) && slices.ContainsFunc(holders, func(h string) bool { return strings.EqualFold(h, a.Principal) }) {
					rows = append(rows, a)
				}
			}
			return c.listed(s, t, &listing{shape: l.shape, context: roleBase + l.path, since: slice(rows, l.shape.key), top: 100, max: 999})
		}})
	}
	p.roleRequests(sh, def)
}

// roleRequests are the writes of PIM; what was asked and answered is kept.
func (p *router) roleRequests(sh *shapes, def *shape) {
	names := []string{"id", "status", "createdDateTime", "completedDateTime", "approvalId", "customData", "action", "principalId", "roleDefinitionId", "directoryScopeId", "appScopeId", "isValidationOnly", "targetScheduleId", "justification", "createdBy", "scheduleInfo", "ticketInfo"}
	fs := fields{
		"action": enum("adminAssign adminUpdate adminRemove adminExtend adminRenew selfActivate selfDeactivate selfExtend selfRenew").need(), "principalId": text().need(), "roleDefinitionId": text().need(),
		"directoryScopeId": text(), "appScopeId": unused(), "justification": text().upTo(2000), "isValidationOnly": flag(), "targetScheduleId": text(), "customData": text(),
		"scheduleInfo": obj(fields{"startDateTime": when(), "expiration": obj(fields{"type": enum("notSpecified noExpiration afterDateTime afterDuration"), "endDateTime": when(), "duration": text()}), "recurrence": unused()}),
		"ticketInfo":   obj(fields{"ticketNumber": text(), "ticketSystem": text()}),
	}
	kinds := []struct {
		path, typ string
		perm      permit
		eligible  bool
	}{
		{"roleEligibilityScheduleRequests", "unifiedRoleEligibilityScheduleRequest", allow("RoleEligibilitySchedule.ReadWrite.Directory RoleManagement.ReadWrite.Directory"), true},
		{"roleAssignmentScheduleRequests", "unifiedRoleAssignmentScheduleRequest", allow("RoleAssignmentSchedule.ReadWrite.Directory RoleManagement.ReadWrite.Directory"), false},
	}
	for _, k := range kinds {
		k.perm.custom = needP2
		shape := documentShape(k.typ, nil, names...)
		expandRole(shape, sh, def, func(x any) (string, string) {
			m := decodeObject(x.(*document).raw)
			return str(m, "principalId"), str(m, "roleDefinitionId")
		})
		mine := func(d *world.Document) bool {
			return strings.Contains(str(decodeObject(d.Raw), "kind"), k.typ)
		}
		p.add("GET", roleBase+k.path, route{permit: k.perm, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
			all := []*document{}
			for d := range t.RoleAsks.All() {
				if mine(d) && (c.caller.AppOnly() || c.hasRole(privilegedRoleAdmin, globalReader) || str(decodeObject(d.Raw), "principalId") == c.caller.ObjectID) {
					all = append(all, newDocument(d.ID, d.Raw))
				}
			}
			return c.listed(s, t, &listing{shape: shape, context: roleBase + k.path, since: slice(all, shape.key), top: 100, max: 999})
		}})
		p.add("GET", roleBase+k.path+"/{}", route{permit: k.perm, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
			if d := t.RoleAsks.Get(c.params[0]); d != nil && mine(d) {
				return c.one(s, t, roleBase+k.path, shape, newDocument(d.ID, d.Raw))
			}
			return nil, notFound(c.params[0])
		}})
		p.add("POST", roleBase+k.path, route{permit: k.perm, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
			if err := fs.check("", c.in); err != nil {
				return nil, err
			}
			d, err := c.askRole(s, t, sh, k.typ, k.eligible)
			if err != nil {
				return nil, err
			}
			return c.created(s, t, roleBase+k.path, shape, newDocument(d.ID, d.Raw))
		}})
	}
}

// askRole does what a request asks, at once: approvals are not part of this cloud.
func (c *call) askRole(s *world.State, t *world.Tenant, sh *shapes, typ string, eligible bool) (*world.Document, error) {
	action, principal, role := str(c.in, "action"), str(c.in, "principalId"), strings.ToLower(str(c.in, "roleDefinitionId"))
	if action == "" {
		return nil, badRequest("The request needs an action.")
	}
	self := strings.HasPrefix(action, "self")
	if self {
		if c.caller.AppOnly() || c.caller.AOBO || !strings.EqualFold(principal, c.caller.ObjectID) {
			return nil, refuse(http.StatusForbidden, "RoleAssignmentRequestPolicyValidationFailed", "A user can only ask for the own account.")
		}
	} else if !c.caller.AppOnly() && !c.hasRole(privilegedRoleAdmin) {
		return nil, denied()
	}
	if err := judgeRole(t, sh, c, principal, role, str(c.in, "directoryScopeId")); err != nil {
		return nil, err
	}
	info := inner(c.in, "scheduleInfo")
	start := later(moment(info, "startDateTime"), c.now)
	end, err := expiryOf(info, start)
	if err != nil {
		return nil, err
	}
	table := &t.Held
	if eligible {
		table = &t.Eligible
	}
	same := func(a *world.RoleAssignment) bool {
		return strings.EqualFold(a.Principal, principal) && strings.EqualFold(a.Role, role) && (a.End.IsZero() || c.now.Before(a.End)) && a.Activated == (action == "selfDeactivate" || action == "selfActivate")
	}
	var found *world.RoleAssignment
	for a := range table.All() {
		if same(a) {
			found = a
		}
	}
	a := &world.RoleAssignment{ID: world.NewGUID(), Principal: principal, Role: role, Scope: "/", Start: start, End: end, Created: c.now}
	status := "Provisioned"
	var apply func()
	switch action {
	case "adminAssign":
		if found != nil {
			return nil, badRequest("RoleAssignmentExists: The Role assignment already exists.")
		}
		apply = func() { table.Put(a) }
	case "selfActivate":
		if eligible {
			return nil, badRequest("selfActivate is an action of roleAssignmentScheduleRequests.")
		}
		if found != nil {
			return nil, badRequest("RoleAssignmentExists: The Role assignment already exists.")
		}
		if !slices.ContainsFunc(t.EligibleOf(principal, c.now), func(r string) bool { return strings.EqualFold(r, role) }) {
			return nil, badRequest("RoleAssignmentDoesNotExist: The eligible role assignment does not exist.")
		}
		if str(c.in, "justification") == "" {
			return nil, badRequest("RoleAssignmentRequestPolicyValidationFailed: [\"JustificationRule\"]")
		}
		if !c.caller.HasMFA() {
			return nil, badRequest("RoleAssignmentRequestPolicyValidationFailed: [\"MfaRule\"]")
		}
		if end.IsZero() {
			a.End = start.Add(maxActivation)
		} else if end.Sub(start) > maxActivation {
			return nil, badRequest("RoleAssignmentRequestPolicyValidationFailed: [\"ExpirationRule\"]")
		}
		a.Activated = true
		apply = func() { table.Put(a) }
	case "adminUpdate", "adminExtend", "adminRenew":
		if found == nil {
			return nil, badRequest("RoleAssignmentDoesNotExist: The Role assignment does not exist.")
		}
		apply = func() {
			table.Change(found.ID, func(x *world.RoleAssignment) { x.Start, x.End = found.Start, end })
		}
	case "adminRemove", "selfDeactivate":
		if found == nil {
			return nil, badRequest("RoleAssignmentDoesNotExist: The Role assignment does not exist.")
		}
		if action == "selfDeactivate" && c.now.Sub(found.Start) < 5*time.Minute {
			return nil, badRequest("ActiveDurationTooShort: The role has been active for less than five minutes.")
		}
		status = "Revoked"
		apply = func() { table.Delete(found.ID) }
	default:
		return nil, badRequest("The action '%s' is not part of the partner cloud: assignments do not need approval.", action)
	}
	d := &world.Document{ID: world.NewGUID(), Created: c.now}
	by := object{{"application", nil}, {"device", nil}, {"user", object{{"displayName", nil}, {"id", c.caller.ObjectID}}}}
	if c.caller.AppOnly() {
		by[0].value, by[2].value = object{{"displayName", c.caller.AppName}, {"id", c.caller.Client()}}, nil
	}
	expiration := object{{"type", "noExpiration"}, {"endDateTime", nil}, {"duration", nil}}
	if v := str(inner(info, "expiration"), "type"); v != "" {
		expiration[0].value = v
	}
	if !a.End.IsZero() {
		expiration = object{{"type", "afterDateTime"}, {"endDateTime", a.End}, {"duration", nil}}
	}
	just := any(nil)
	if v := str(c.in, "justification"); v != "" {
		just = v
	}
	ticket := object{{"ticketNumber", inner(c.in, "ticketInfo")["ticketNumber"]}, {"ticketSystem", inner(c.in, "ticketInfo")["ticketSystem"]}}
	validation := truth(c.in, "isValidationOnly")
	if validation {
		status = "Granted"
	}
	scheduleID := any(a.ID)
	if found != nil {
		scheduleID = found.ID
	}
	d.Raw = appendValue(nil, object{
		{"kind", typ}, {"id", d.ID}, {"status", status}, {"createdDateTime", c.now}, {"completedDateTime", c.now}, {"approvalId", nil}, {"customData", nil}, {"action", action},
		{"principalId", principal}, {"roleDefinitionId", role}, {"directoryScopeId", "/"}, {"appScopeId", nil}, {"isValidationOnly", validation}, {"targetScheduleId", scheduleID},
		{"justification", just}, {"createdBy", by}, {"scheduleInfo", object{{"startDateTime", start}, {"recurrence", nil}, {"expiration", expiration}}}, {"ticketInfo", ticket},
	})
	if validation {
		return d, nil
	}
	apply()
	t.RoleAsks.Put(d)
	s.Touch(t)
	activity := map[bool]string{true: "Add eligible member to role in PIM requested", false: "Add member to role in PIM requested"}[eligible]
	switch action {
	case "selfActivate":
		activity = "Add member to role completed (PIM activation)"
	case "adminRemove", "selfDeactivate":
		activity = "Remove member from role (PIM)"
	}
	c.auditRole(s, t, sh, activity, "Assign", a)
	return d, nil
}
