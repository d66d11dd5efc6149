package graph

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/gate"
	"partnerguard/internal/partnercloud/world"
)

func createRelationship(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	if err := relationshipFields().check("", c.in); err != nil {
		return nil, err
	}
	r := &world.Relationship{
		ID: world.NewGUID() + "-" + t.ID, Status: "created", Created: c.now, Changed: c.now, AutoExtend: "PT0S", ETag: 1,
	}
	if err := c.applyRelationship(s, t, r); err != nil {
		return nil, err
	}
	t.Relationships.Put(r)
	s.Touch(t)
	c.auditGDAP(s, t, "Create delegated admin relationship", "Add", r, nil, r)
	return c.created(t, gdapBase, relationshipShape(c), r)
}

func changeRelationship(c *call, s *world.State, t *world.Tenant, r *world.Relationship) (*reply, error) {
	if err := c.ifMatch(r.ID, r.ETag); err != nil {
		return nil, err
	}
	return c.patchRelationship(s, t, r, relationshipShape(c))
}

func deleteRelationship(c *call, s *world.State, t *world.Tenant, r *world.Relationship) (*reply, error) {
	if err := c.ifMatch(r.ID, r.ETag); err != nil {
		return nil, err
	}
	if st := r.StatusAt(c.now); st != "created" {
		return nil, conflict("A delegated admin relationship can be deleted in the status created only; it is %s.", st)
	}
	t.Relationships.Delete(r.ID)
	s.Touch(t)
	c.auditGDAP(s, t, "Delete delegated admin relationship", "Delete", r, r, nil)
	return noContent()
}

func roleSpec() *spec {
	return obj(fields{"unifiedRoles": list(obj(fields{"roleDefinitionId": text().need()})).need().upTo(100)}).need()
}

func relationshipFields() fields {
	return fields{
		"displayName": text().need().upTo(50), "duration": text().need(), "autoExtendDuration": text(), "accessDetails": roleSpec(),
		"customer": obj(fields{"tenantId": text().need(), "displayName": text()}),
		"id":       readOnly(), "status": readOnly(), "createdDateTime": readOnly(), "lastModifiedDateTime": readOnly(), "activatedDateTime": readOnly(),
		"endDateTime": readOnly(),
	}
}

// partnerSupportEnds is from when Partner Tier1 and Tier2 Support are given to nobody any
// more; who has one keeps it (contracts-2026-11.md, row 8.1).
var partnerSupportEnds = time.Date(2026, 8, 3, 0, 0, 0, 0, time.UTC)

// rolesIn reads accessDetails: known built-in roles, each once. held are those that were
// given already.
func rolesIn(m map[string]any, now time.Time, held []string) ([]string, error) {
	out := []string{}
	for _, x := range objs(inner(m, "accessDetails"), "unifiedRoles") {
		id := strings.ToLower(str(x, "roleDefinitionId"))
		switch {
		case id == entra.RolePartnerTier1Support || id == entra.RolePartnerTier2Support:
			if partnerSupportEnds.After(now) || slices.Contains(held, id) {
				break
			}
			return nil, refuse(http.StatusBadRequest, "BadRequest", "The role '%s' can no longer be assigned: it is retired.", clip(id))
		case findRole(id) == nil:
			return nil, refuse(http.StatusBadRequest, "BadRequest", "The role '%s' is not a built-in role that can be delegated.", clip(id))
		case slices.Contains(out, id):
			return nil, refuse(http.StatusBadRequest, "BadRequest", "The role '%s' is named twice.", clip(id))
		}
		out = append(out, id)
	}
	if len(out) == 0 {
		return nil, refuse(http.StatusBadRequest, "BadRequest", "accessDetails must name at least one role.")
	}
	return out, nil
}

// applyRelationship takes the body over into a relationship that is created.
func (c *call) applyRelationship(s *world.State, t *world.Tenant, r *world.Relationship) error {
	bad := func(format string, args ...any) error {
		return refuse(http.StatusBadRequest, "BadRequest", format, args...)
	}
	take(c.in, "displayName", &r.Name, str)
	if r.Name == "" {
		return bad("The relationship needs a displayName.")
	}
	for o := range t.Relationships.All() {
		if o.ID != r.ID && strings.EqualFold(o.Name, r.Name) {
			return conflict("A delegated admin relationship of the name '%s' exists already.", clip(r.Name))
		}
	}
	take(c.in, "duration", &r.Duration, str)
	if d, ok := isoDuration(r.Duration); !ok || d < 24*time.Hour || d > 2*365*24*time.Hour {
		return bad("The duration must lie between P1D and P2Y.")
	}
	if given(c.in, "accessDetails") || len(r.Roles) == 0 {
		roles, err := rolesIn(c.in, c.now, r.Roles)
		if err != nil {
			return err
		}
		r.Roles = roles
	}
	if v, ok := c.in["customer"].(map[string]any); ok {
		id := strings.ToLower(str(v, "tenantId"))
		ct := s.Tenant(id)
		if ct == nil || ct.ID != id {
			return bad("The customer tenant '%s' does not exist.", clip(id))
		}
		if ct.ID == t.ID {
			return bad("The partner tenant cannot be its own customer.")
		}
		r.Customer, r.CustomerName = ct.ID, ct.Name
	}
	take(c.in, "autoExtendDuration", &r.AutoExtend, str)
	return judgeExtension(r)
}

func judgeExtension(r *world.Relationship) error {
	switch r.AutoExtend {
	case "", "PT0S", "P0D":
	case "P180D":
		if slices.Contains(r.Roles, entra.RoleGlobalAdministrator) {
			return refuse(http.StatusBadRequest, "BadRequest", "A relationship with the Global Administrator role cannot be extended automatically.")
		}
	default:
		return refuse(http.StatusBadRequest, "BadRequest", "The autoExtendDuration must be P0D, PT0S or P180D.")
	}
	return nil
}

// patchRelationship changes a created relationship freely; of an active one the
// extension and the removal of Global Administrator.
func (c *call) patchRelationship(s *world.State, t *world.Tenant, old *world.Relationship, sh *shape) (*reply, error) {
	if err := relationshipFields().check("", c.in); err != nil {
		return nil, err
	}
	next := *old
	switch status := old.StatusAt(c.now); status {
	case "created":
		if err := c.applyRelationship(s, t, &next); err != nil {
			return nil, err
		}
		next.ETag++
		next.Changed = c.now
		t.Relationships.Put(&next)
		s.Touch(t)
		c.auditGDAP(s, t, "Update delegated admin relationship", "Update", &next, old, &next)
		c.q.Select = nil
		return c.one(t, gdapBase, sh, &next)
	case "active":
	default:
		return nil, conflict("A delegated admin relationship cannot be changed in the status %s.", status)
	}
	if err := c.applyActive(old, &next); err != nil {
		return nil, err
	}
	if sameSet(next.Roles, old.Roles) && next.AutoExtend == old.AutoExtend {
		c.q.Select = nil
		return c.one(t, gdapBase, sh, old)
	}
	next.Status = "active"
	op := c.operation("delegatedAdminRelationshipUpdate")
	if op.Failed || gate.FateOf(c.r.Context()) == gate.NeverEnds { // it never comes about
		next.Roles, next.Assignments, next.AutoExtend, next.Ends = old.Roles, old.Assignments, old.AutoExtend, old.Ends
	}
	next.Operations = append(slices.Clone(old.Operations), op)
	next.ETag++
	next.Changed = c.now
	t.Relationships.Put(&next)
	s.Touch(t)
	c.auditGDAP(s, t, "Update delegated admin relationship", "Update", &next, old, &next)
	return c.accepted(old.ID, op.ID), nil
}

// applyActive takes the body over into an active relationship: what is not the
// extension or the removal of Global Administrator is refused.
func (c *call) applyActive(old, next *world.Relationship) error {
	for k := range c.in {
		if k != "autoExtendDuration" && k != "accessDetails" && !strings.Contains(k, "@odata.") {
			return conflict("Of an active relationship only autoExtendDuration and the removal of the Global Administrator role can be changed, not %s.",
				clip(k))
		}
	}
	if given(c.in, "accessDetails") {
		roles, err := rolesIn(c.in, c.now, old.Roles)
		if err != nil {
			return err
		}
		left := slices.DeleteFunc(slices.Clone(old.Roles), func(r string) bool { return r == entra.RoleGlobalAdministrator })
		if !sameSet(roles, old.Roles) && !(slices.Contains(old.Roles, entra.RoleGlobalAdministrator) && sameSet(roles, left)) {
			return conflict("Of an active relationship only the Global Administrator role can be removed.")
		}
		next.Roles = roles
		next.Assignments = slices.Clone(old.Assignments)
		for i := range next.Assignments {
			a := &next.Assignments[i]
			a.Roles = slices.DeleteFunc(slices.Clone(a.Roles), func(r string) bool { return !slices.Contains(roles, r) })
		}
	}
	if given(c.in, "autoExtendDuration") {
		next.AutoExtend = str(c.in, "autoExtendDuration")
		// What auto-extension gave so far stays.
		next.Ends = old.EndAt(c.now)
	}
	return judgeExtension(next)
}

func sameSet(a, b []string) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(v string) bool { return !slices.Contains(b, v) })
}

// operation is what the body asks for while it is under way.
func (c *call) operation(typ string) world.RelationshipOperation {
	return world.RelationshipOperation{ID: world.NewGUID(), Type: typ, Data: string(c.body), Created: c.now, Due: c.whenDone(operationTakes),
		Failed: c.fails()}
}

// accepted points to the operation that is under way.
func (c *call) accepted(relationship, operation string) *reply {
	at := c.root() + "/" + gdapBase + "/" + relationship + "/operations/" + operation
	return &reply{status: http.StatusAccepted, header: http.Header{"Location": {at}, "Retry-After": {"10"}}}
}

func changeOfGDAP(activity, operation string, r *world.Relationship) change {
	return change{
		activity: activity, category: "CrossTenantAccessSettings", operation: operation, service: "Partner Customer Delegated Administration",
		target: target("DelegatedAdminRelationship", r.ID, r.Name),
	}
}

func (c *call) auditGDAP(s *world.State, t *world.Tenant, activity, operation string, r, old, next *world.Relationship) {
	show := func(r *world.Relationship) any {
		if r == nil {
			return nil
		}
		return object{
			{"displayName", r.Name}, {"duration", r.Duration}, {"status", r.StatusAt(c.now)}, {"autoExtendDuration", r.AutoExtend},
			{"customer", r.Customer}, {"roles", r.Roles},
		}
	}
	ch := changeOfGDAP(activity, operation, r)
	ch.changed("DelegatedAdminRelationship", show(old), show(next))
	if r.Customer != "" {
		ch.more = []world.KeyValue{{Key: "CustomerTenantId", Value: r.Customer}}
	}
	c.audit(s, t, ch)
}

// recordGDAP tells Partner Center's audit records of a change, from which its
// webhooks follow (contracts.md sections 2.6, 2.7).
func (c *call) recordGDAP(s *world.State, r *world.Relationship, resource, operation, assignment string, old, next []string) {
	show := func(roles []string) string {
		if roles == nil {
			return ""
		}
		b, err := json.Marshal(map[string]any{"id": r.ID, "displayName": r.Name, "roles": roles})
		if err != nil {
			return ""
		}
		return string(b)
	}
	s.RecordGDAP(&world.AuditRecord{
		ResourceType: resource, Operation: resource + "_" + operation, Old: show(old), New: show(next), UPN: c.caller.UPN, AppID: c.caller.Client(),
	}, r, assignment)
}
