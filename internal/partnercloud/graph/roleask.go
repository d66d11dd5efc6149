package graph

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// The requests of Privileged Identity Management are its writes; what was asked and
// answered is kept.

const (
	askEligible = "unifiedRoleEligibilityScheduleRequest"
	askActive   = "unifiedRoleAssignmentScheduleRequest"
)

func newRoleAskShape(def *shape, typ string) *shape {
	shape := documentShape(typ, nil, words(`id status createdDateTime completedDateTime approvalId customData action principalId roleDefinitionId
		directoryScopeId appScopeId isValidationOnly targetScheduleId justification createdBy scheduleInfo ticketInfo`)...)
	expandRole(shape, def, func(x any) (string, string) {
		m := decodeObject(x.(*document).raw)
		return str(m, "principalId"), str(m, "roleDefinitionId")
	})
	return shape
}

func roleAskFields() fields {
	return fields{
		"action":      enum("adminAssign adminUpdate adminRemove adminExtend adminRenew selfActivate selfDeactivate selfExtend selfRenew").need(),
		"principalId": text().need(), "roleDefinitionId": text().need(), "directoryScopeId": text(), "appScopeId": unused(), "justification": text().upTo(2000),
		"isValidationOnly": flag(), "targetScheduleId": text(), "customData": text(),
		"scheduleInfo": obj(fields{
			"startDateTime": when(), "recurrence": unused(),
			"expiration": obj(fields{"type": enum("notSpecified noExpiration afterDateTime afterDuration"), "endDateTime": when(), "duration": text()}),
		}),
		"ticketInfo": obj(fields{"ticketNumber": text(), "ticketSystem": text()}),
	}
}

// asks is the kind of request that the path names.
func (c *call) asks() *shape {
	if c.route.parts[2] == "roleEligibilityScheduleRequests" {
		return c.g.sh.askEligible
	}
	return c.g.sh.askActive
}

func ofKind(d *world.Document, typ string) bool {
	return strings.Contains(str(decodeObject(d.Raw), "kind"), typ)
}

func listRoleAsks(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	sh := c.asks()
	all := []*document{}
	for d := range t.RoleAsks.All() {
		if !ofKind(d, sh.typ) {
			continue
		}
		if c.caller.AppOnly() || c.hasRole(entra.RolePrivilegedRoleAdministrator, entra.RoleGlobalReader) ||
			str(decodeObject(d.Raw), "principalId") == c.caller.ObjectID {
			all = append(all, newDocument(d.ID, d.Raw))
		}
	}
	return c.list(t, roleBase+c.route.parts[2], sh, slice(all, sh.key))
}

func getRoleAsk(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	if d := t.RoleAsks.Get(c.params[0]); d != nil && ofKind(d, c.asks().typ) {
		return c.one(t, roleBase+c.route.parts[2], c.asks(), newDocument(d.ID, d.Raw))
	}
	return nil, notFound(c.params[0])
}

// roleAsk is what a request asks for and what is to be done for it.
type roleAsk struct {
	action, principal, role string
	eligible                bool
	table                   *world.Table[world.RoleAssignment, *world.RoleAssignment]
	made                    *world.RoleAssignment // what it makes
	found                   *world.RoleAssignment // what is there already; nil: nothing
	status                  string
	apply                   func()
}

// askRole does what a request asks, at once: approvals are not part of this cloud.
func askRole(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	if err := roleAskFields().check("", c.in); err != nil {
		return nil, err
	}
	sh := c.asks()
	k := &roleAsk{
		action: str(c.in, "action"), principal: str(c.in, "principalId"), role: strings.ToLower(str(c.in, "roleDefinitionId")), eligible: sh.typ == askEligible,
		table: &t.Held, status: "Provisioned",
	}
	if k.eligible {
		k.table = &t.Eligible
	}
	if err := c.mayAsk(t, k); err != nil {
		return nil, err
	}
	info := inner(c.in, "scheduleInfo")
	start := later(moment(info, "startDateTime"), c.now)
	end, err := expiryOf(info, start)
	if err != nil {
		return nil, err
	}
	k.made = &world.RoleAssignment{ID: world.NewGUID(), Principal: k.principal, Role: k.role, Scope: "/", Start: start, End: end, Created: c.now}
	if err := c.planRole(t, k); err != nil {
		return nil, err
	}
	d := &world.Document{ID: world.NewGUID(), Created: c.now}
	validation := truth(c.in, "isValidationOnly")
	if validation {
		k.status = "Granted"
	}
	d.Raw = c.askedRole(d.ID, sh.typ, k)
	if !validation {
		k.apply()
		t.RoleAsks.Put(d)
		s.Touch(t)
		c.auditRole(s, t, k.activity(), "Assign", k.made)
	}
	return c.created(t, roleBase+c.route.parts[2], sh, newDocument(d.ID, d.Raw))
}

// mayAsk: users ask for themselves, administrators for everybody.
func (c *call) mayAsk(t *world.Tenant, k *roleAsk) error {
	if k.action == "" {
		return badRequest("The request needs an action.")
	}
	if strings.HasPrefix(k.action, "self") {
		if c.caller.AppOnly() || c.caller.AOBO || !strings.EqualFold(k.principal, c.caller.ObjectID) {
			return refuse(http.StatusForbidden, "RoleAssignmentRequestPolicyValidationFailed", "A user can only ask for the own account.")
		}
	} else if !c.caller.AppOnly() && !c.hasRole(entra.RolePrivilegedRoleAdministrator) {
		return denied()
	}
	return c.judgeRole(t, k.principal, k.role, str(c.in, "directoryScopeId"))
}

// planRole finds what there is and settles what to do.
func (c *call) planRole(t *world.Tenant, k *roleAsk) error {
	activation := k.action == "selfDeactivate" || k.action == "selfActivate"
	for a := range k.table.All() {
		if strings.EqualFold(a.Principal, k.principal) && strings.EqualFold(a.Role, k.role) && (a.End.IsZero() || c.now.Before(a.End)) &&
			a.Activated == activation {
			k.found = a
		}
	}
	missing := badRequest("RoleAssignmentDoesNotExist: The Role assignment does not exist.")
	switch k.action {
	case "adminAssign", "selfActivate":
		if k.action == "selfActivate" && k.eligible {
			return badRequest("selfActivate is an action of roleAssignmentScheduleRequests.")
		}
		if k.found != nil {
			return badRequest("RoleAssignmentExists: The Role assignment already exists.")
		}
		if k.action == "selfActivate" {
			if err := c.activate(t, k.made); err != nil {
				return err
			}
		}
		k.apply = func() { k.table.Put(k.made) }
	case "adminUpdate", "adminExtend", "adminRenew":
		if k.found == nil {
			return missing
		}
		k.apply = func() {
			k.table.Change(k.found.ID, func(x *world.RoleAssignment) { x.Start, x.End = k.found.Start, k.made.End })
		}
	case "adminRemove", "selfDeactivate":
		if k.found == nil {
			return missing
		}
		if k.action == "selfDeactivate" && c.now.Sub(k.found.Start) < 5*time.Minute {
			return badRequest("ActiveDurationTooShort: The role has been active for less than five minutes.")
		}
		k.status = "Revoked"
		k.apply = func() { k.table.Delete(k.found.ID) }
	default:
		return badRequest("The action '%s' is not part of the partner cloud: assignments do not need approval.", k.action)
	}
	return nil
}

// activate holds an activation to the rules of role settings.
func (c *call) activate(t *world.Tenant, a *world.RoleAssignment) error {
	broken := func(rule string) error {
		return badRequest("RoleAssignmentRequestPolicyValidationFailed: [\"%s\"]", rule)
	}
	if !slices.ContainsFunc(t.EligibleOf(a.Principal, c.now), func(r string) bool { return strings.EqualFold(r, a.Role) }) {
		return badRequest("RoleAssignmentDoesNotExist: The eligible role assignment does not exist.")
	}
	switch {
	case str(c.in, "justification") == "":
		return broken("JustificationRule")
	case !c.caller.HasMFA():
		return broken("MfaRule")
	case a.End.IsZero():
		a.End = a.Start.Add(maxActivation)
	case a.End.Sub(a.Start) > maxActivation:
		return broken("ExpirationRule")
	}
	a.Activated = true
	return nil
}

// askedRole is the request as it is kept and shown.
func (c *call) askedRole(id, typ string, k *roleAsk) []byte {
	by := object{{"application", nil}, {"device", nil}, {"user", object{{"displayName", nil}, {"id", c.caller.ObjectID}}}}
	if c.caller.AppOnly() {
		by[0].value, by[2].value = object{{"displayName", c.caller.AppName}, {"id", c.caller.Client()}}, nil
	}
	expiration := object{{"type", "noExpiration"}, {"endDateTime", nil}, {"duration", nil}}
	if v := str(inner(inner(c.in, "scheduleInfo"), "expiration"), "type"); v != "" {
		expiration[0].value = v
	}
	if !k.made.End.IsZero() {
		expiration = object{{"type", "afterDateTime"}, {"endDateTime", k.made.End}, {"duration", nil}}
	}
	just := any(nil)
	if v := str(c.in, "justification"); v != "" {
		just = v
	}
	ticket := inner(c.in, "ticketInfo")
	schedule := k.made.ID
	if k.found != nil {
		schedule = k.found.ID
	}
	return appendValue(nil, object{
		{"kind", typ}, {"id", id}, {"status", k.status}, {"createdDateTime", c.now}, {"completedDateTime", c.now}, {"approvalId", nil}, {"customData", nil},
		{"action", k.action}, {"principalId", k.principal}, {"roleDefinitionId", k.role}, {"directoryScopeId", "/"}, {"appScopeId", nil},
		{"isValidationOnly", truth(c.in, "isValidationOnly")}, {"targetScheduleId", schedule}, {"justification", just}, {"createdBy", by},
		{"scheduleInfo", object{{"startDateTime", k.made.Start}, {"recurrence", nil}, {"expiration", expiration}}},
		{"ticketInfo", object{{"ticketNumber", ticket["ticketNumber"]}, {"ticketSystem", ticket["ticketSystem"]}}},
	})
}

// activity is what the directory audit log calls it.
func (k *roleAsk) activity() string {
	switch {
	case k.action == "selfActivate":
		return "Add member to role completed (PIM activation)"
	case k.action == "adminRemove", k.action == "selfDeactivate":
		return "Remove member from role (PIM)"
	case k.eligible:
		return "Add eligible member to role in PIM requested"
	}
	return "Add member to role in PIM requested"
}
