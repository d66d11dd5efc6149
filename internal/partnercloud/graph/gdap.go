package graph

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// How long the passing states of delegated admin relationships take here (ours).
const (
	activatingTakes  = 30 * time.Second
	terminatingTakes = 2 * time.Minute
	assigningTakes   = 30 * time.Second
	operationTakes   = 20 * time.Second
)

const (
	gdapBase = "tenantRelationships/delegatedAdminRelationships"
	gdapRead = "DelegatedAdminRelationship.Read.All DelegatedAdminRelationship.ReadWrite.All"
	gdapAll  = "DelegatedAdminRelationship.ReadWrite.All"
)

func etag(id string, n int64) string {
	return `W/"` + base64.StdEncoding.EncodeToString([]byte("'"+world.HashSecret(id)[:12]+"-"+strconv.FormatInt(n, 16)+"'")) + `"`
}

// ifMatch checks If-Match against an object's version.
func (c *call) ifMatch(id string, n int64) error {
	v := strings.TrimSpace(c.r.Header.Get("If-Match"))
	switch {
	case v == "":
		return refuse(http.StatusBadRequest, "BadRequest", "The If-Match header with the last known ETag is required.")
	case v != "*" && v != etag(id, n):
		return refuse(http.StatusPreconditionFailed, "PreconditionFailed", "The ETag in the If-Match header is not that of the object: it was changed in the meantime.")
	}
	return nil
}

// shownStatus is a relationship's status with the states that it passes through.
func shownStatus(r *world.Relationship, now time.Time) string {
	st := r.StatusAt(now)
	if st == "terminationRequested" && !r.Due.IsZero() && r.Due.Sub(now) <= terminatingTakes/2 {
		return "terminating"
	}
	return st
}

func unifiedRoles(ids []string) object {
	out := make([]object, 0, len(ids))
	for _, id := range ids {
		out = append(out, object{{"roleDefinitionId", id}})
	}
	return object{{"unifiedRoles", out}}
}

func newRelationshipShape(now func() time.Time) *shape {
	type r = *world.Relationship
	sh := newShape("delegatedAdminRelationship", func(x any) string { return x.(r).ID },
		f("id", func(x r) any { return x.ID }),
		f("displayName", func(x r) any { return x.Name }),
		f("duration", func(x r) any { return x.Duration }),
		f("customer", func(x r) any {
			if x.Customer == "" {
				return nil
			}
			return object{{"tenantId", x.Customer}, {"displayName", x.CustomerName}}
		}),
		f("accessDetails", func(x r) any { return unifiedRoles(x.Roles) }),
		f("status", func(x r) any { return shownStatus(x, now()) }),
		f("autoExtendDuration", func(x r) any {
			if x.AutoExtend == "" {
				return "PT0S"
			}
			return x.AutoExtend
		}),
		f("createdDateTime", func(x r) any { return x.Created }),
		f("lastModifiedDateTime", func(x r) any { return later(x.Changed, x.Created) }),
		f("activatedDateTime", func(x r) any {
			if x.Activated.After(now()) {
				return nil
			}
			return x.Activated
		}),
		f("endDateTime", func(x r) any { return x.EndAt(now()) }),
	)
	sh.etag = func(x any) string { return etag(x.(r).ID, x.(r).ETag) }
	sh.kind = func(any) string { return "delegatedAdminRelationship" }
	return sh
}

func newAssignmentShape(now func() time.Time) *shape {
	type a = *world.AccessAssignment
	sh := newShape("delegatedAdminAccessAssignment", func(x any) string { return x.(a).ID },
		f("id", func(x a) any { return x.ID }),
		f("status", func(x a) any { return x.StatusAt(now()) }),
		f("createdDateTime", func(x a) any { return x.Created }),
		f("lastModifiedDateTime", func(x a) any { return later(x.Changed, x.Created) }),
		f("accessContainer", func(x a) any {
			return object{{"accessContainerId", x.Group}, {"accessContainerType", "securityGroup"}}
		}),
		f("accessDetails", func(x a) any { return unifiedRoles(x.Roles) }),
	)
	sh.etag = func(x any) string { return etag(x.(a).ID, x.(a).ETag) }
	return sh
}

func (p *router) gdap() {
	rel := func(c *call) *shape { return newRelationshipShape(func() time.Time { return c.now }) }
	read, write := allow(gdapRead), allow(gdapAll)
	read.gdap, read.partner, write.gdap, write.partner = true, true, true, true
	p.add("GET", gdapBase, route{permit: read, service: unlimited, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		return c.listed(s, t, &listing{shape: rel(c), context: gdapBase, since: rows(&t.Relationships), top: 300, max: 300})
	}})
	p.add("GET", gdapBase+"/{}", route{permit: read, service: unlimited, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		r, err := findRelationship(c, t)
		if err != nil {
			return nil, err
		}
		rep, err := c.one(s, t, gdapBase, rel(c), r)
		if err == nil {
			rep.header = http.Header{"Etag": {etag(r.ID, r.ETag)}}
		}
		return rep, err
	}})
	p.add("POST", gdapBase, route{permit: write, service: unlimited, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		if err := relationshipFields().check("", c.in); err != nil {
			return nil, err
		}
		r := &world.Relationship{ID: world.NewGUID() + "-" + t.ID, Status: "created", Created: c.now, Changed: c.now, AutoExtend: "PT0S", ETag: 1}
		if err := c.applyRelationship(s, t, r); err != nil {
			return nil, err
		}
		t.Relationships.Put(r)
		s.Touch(t)
		c.auditGDAP(s, t, "Create delegated admin relationship", "Add", r, nil, r)
		return c.created(s, t, gdapBase, rel(c), r)
	}})
	p.add("PATCH", gdapBase+"/{}", route{permit: write, service: unlimited, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		r, err := findRelationship(c, t)
		if err != nil {
			return nil, err
		}
		if err := c.ifMatch(r.ID, r.ETag); err != nil {
			return nil, err
		}
		return c.patchRelationship(s, t, r, rel(c))
	}})
	p.add("DELETE", gdapBase+"/{}", route{permit: write, service: unlimited, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		r, err := findRelationship(c, t)
		if err != nil {
			return nil, err
		}
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
	}})
	p.gdapRequests(read)
	p.gdapAssignments(read, write)
	p.gdapCustomers(read)
}

func findRelationship(c *call, t *world.Tenant) (*world.Relationship, error) {
	if r := t.Relationships.Get(c.params[0]); r != nil {
		return r, nil
	}
	return nil, refuse(http.StatusNotFound, "ResourceNotFound", "The delegated admin relationship '%s' does not exist.", clip(c.params[0]))
}

func roleSpec() *spec {
	return obj(fields{"unifiedRoles": list(obj(fields{"roleDefinitionId": text().need()})).need().upTo(100)}).need()
}

func relationshipFields() fields {
	return fields{
		"displayName": text().need().upTo(50), "duration": text().need(), "autoExtendDuration": text(), "customer": obj(fields{"tenantId": text().need(), "displayName": text()}),
		"accessDetails": roleSpec(), "id": readOnly(), "status": readOnly(), "createdDateTime": readOnly(), "lastModifiedDateTime": readOnly(), "activatedDateTime": readOnly(), "endDateTime": readOnly(),
	}
}

// rolesIn reads accessDetails: known built-in roles, each once.
func rolesIn(m map[string]any) ([]string, error) {
	out := []string{}
	for _, x := range objs(inner(m, "accessDetails"), "unifiedRoles") {
		id := strings.ToLower(str(x, "roleDefinitionId"))
		switch {
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
	if given(c.in, "displayName") {
		r.Name = str(c.in, "displayName")
	}
	if r.Name == "" {
		return bad("The relationship needs a displayName.")
	}
	for o := range t.Relationships.All() {
		if o.ID != r.ID && strings.EqualFold(o.Name, r.Name) {
			return conflict("A delegated admin relationship of the name '%s' exists already.", clip(r.Name))
		}
	}
	if given(c.in, "duration") {
		r.Duration = str(c.in, "duration")
	}
	if d, ok := isoDuration(r.Duration); !ok || d < 24*time.Hour || d > 2*365*24*time.Hour {
		return bad("The duration must lie between P1D and P2Y.")
	}
	if given(c.in, "accessDetails") || len(r.Roles) == 0 {
		roles, err := rolesIn(c.in)
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
	if given(c.in, "autoExtendDuration") {
		r.AutoExtend = str(c.in, "autoExtendDuration")
	}
	return judgeExtension(r)
}

func judgeExtension(r *world.Relationship) error {
	switch r.AutoExtend {
	case "", "PT0S", "P0D":
	case "P180D":
		if slices.Contains(r.Roles, globalAdmin) {
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
		return c.one(s, t, gdapBase, sh, &next)
	case "active":
	default:
		return nil, conflict("A delegated admin relationship cannot be changed in the status %s.", status)
	}
	for k := range c.in {
		if k != "autoExtendDuration" && k != "accessDetails" && !strings.Contains(k, "@odata.") {
			return nil, conflict("Of an active relationship only autoExtendDuration and the removal of the Global Administrator role can be changed, not %s.", clip(k))
		}
	}
	if given(c.in, "accessDetails") {
		roles, err := rolesIn(c.in)
		if err != nil {
			return nil, err
		}
		left := slices.DeleteFunc(slices.Clone(old.Roles), func(r string) bool { return r == globalAdmin })
		if !sameSet(roles, old.Roles) && !(slices.Contains(old.Roles, globalAdmin) && sameSet(roles, left)) {
			return nil, conflict("Of an active relationship only the Global Administrator role can be removed.")
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
	if err := judgeExtension(&next); err != nil {
		return nil, err
	}
	if sameSet(next.Roles, old.Roles) && next.AutoExtend == old.AutoExtend {
		c.q.Select = nil
		return c.one(s, t, gdapBase, sh, old)
	}
	next.Status = "active"
	op := world.RelationshipOperation{ID: world.NewGUID(), Type: "delegatedAdminRelationshipUpdate", Data: string(c.body), Created: c.now, Due: c.now.Add(operationTakes)}
	next.Operations = append(slices.Clone(old.Operations), op)
	next.ETag++
	next.Changed = c.now
	t.Relationships.Put(&next)
	s.Touch(t)
	c.auditGDAP(s, t, "Update delegated admin relationship", "Update", &next, old, &next)
	return c.accepted(old.ID, op.ID), nil
}

func sameSet(a, b []string) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(v string) bool { return !slices.Contains(b, v) })
}

// accepted points to the operation that is under way.
func (c *call) accepted(relationship, operation string) *reply {
	return &reply{status: http.StatusAccepted, header: http.Header{"Location": {c.root() + "/" + gdapBase + "/" + relationship + "/operations/" + operation}, "Retry-After": {"10"}}}
}

func (c *call) auditGDAP(s *world.State, t *world.Tenant, activity, operation string, r, old, next *world.Relationship) {
	show := func(r *world.Relationship) any {
		if r == nil {
			return nil
		}
		return object{{"displayName", r.Name}, {"duration", r.Duration}, {"status", r.StatusAt(c.now)}, {"autoExtendDuration", r.AutoExtend}, {"customer", r.Customer}, {"roles", r.Roles}}
	}
	ch := change{activity: activity, category: "CrossTenantAccessSettings", operation: operation, service: "Partner Customer Delegated Administration", target: target("DelegatedAdminRelationship", r.ID, r.Name)}
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
