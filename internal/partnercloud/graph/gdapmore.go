package graph

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// gdapRequests: the partner offers and ends, the customer's Global Administrator
// approves or rejects (in production in the admin center; here by the same
// request with a token of the customer's tenant).
func (p *router) gdapRequests(read permit) {
	type q = world.RelationshipRequest
	shape := func(c *call) *shape {
		return newShape("delegatedAdminRelationshipRequest", func(x any) string { return x.(q).ID },
			f("id", func(x q) any { return x.ID }),
			f("action", func(x q) any {
				if x.Action == "reject" && !c.unknown {
					return futureValue
				}
				return x.Action
			}),
			f("status", func(x q) any { return x.Status }),
			f("createdDateTime", func(x q) any { return x.Created }),
			f("lastModifiedDateTime", func(x q) any { return later(x.Changed, x.Created) }),
		)
	}
	context := func(id string) string { return gdapBase + "('" + id + "')/requests" }
	p.add("GET", gdapBase+"/{}/requests", route{permit: read, service: unlimited, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		r, err := findRelationship(c, t)
		if err != nil {
			return nil, err
		}
		sh := shape(c)
		return c.listed(s, t, &listing{shape: sh, context: context(r.ID), since: slice(r.Asks, sh.key), top: 300, max: 300})
	}})
	p.add("GET", gdapBase+"/{}/requests/{}", route{permit: read, service: unlimited, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		r, err := findRelationship(c, t)
		if err != nil {
			return nil, err
		}
		for _, x := range r.Asks {
			if strings.EqualFold(x.ID, c.params[1]) {
				return c.one(s, t, context(r.ID), shape(c), x)
			}
		}
		return nil, notFound(c.params[1])
	}})
	perm := allow(gdapAll)
	perm.custom = func(c *call, s *world.State, t *world.Tenant) error {
		if t.Kind != world.PartnerTenant {
			if c.caller.AppOnly() || c.caller.AOBO || !c.hasRole(globalAdmin) {
				return denied()
			}
			return nil
		}
		if c.caller.AppOnly() {
			if sp := t.SP(partnerDelegationApp); sp == nil || !sp.Enabled {
				return denied()
			}
			return nil
		}
		u, _ := c.user(s, t)
		return c.adminAgent(t, u)
	}
	p.add("POST", gdapBase+"/{}/requests", route{permit: perm, service: unlimited, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		if err := (fields{"action": enum("lockForApproval approve reject terminate").need()}).check("", c.in); err != nil {
			return nil, err
		}
		partner := t
		if t.Kind != world.PartnerTenant {
			partner = s.PartnerTenant()
		}
		r, err := findRelationship(c, partner)
		if err != nil {
			return nil, err
		}
		next := *r
		action, status := str(c.in, "action"), r.StatusAt(c.now)
		if partner != t {
			err = customerAction(c, t, &next, action, status)
		} else {
			err = partnerAction(c, &next, action, status)
		}
		if err != nil {
			return nil, err
		}
		ask := world.RelationshipRequest{ID: world.NewGUID(), Action: action, Status: "created", Created: c.now, Changed: c.now}
		kept := ask
		kept.Status = "succeeded"
		next.Asks = append(slices.Clone(r.Asks), kept)
		next.ETag++
		next.Changed = c.now
		partner.Relationships.Put(&next)
		s.Touch(partner)
		c.auditGDAP(s, partner, "Delegated admin relationship request: "+action, "Update", &next, r, &next)
		if op := map[string]string{"approve": "approved", "terminate": "termination_requested"}[action]; op != "" {
			c.recordGDAP(s, &next, "granular_admin_relationship", op, "", r.Roles, next.Roles)
		}
		if partner != t {
			c.auditGDAP(s, t, "Delegated admin relationship request: "+action, "Update", &next, r, &next)
		}
		return c.created(s, t, context(r.ID), shape(c), ask)
	}})
}

// partnerAction moves a relationship as the partner asks.
func partnerAction(c *call, r *world.Relationship, action, status string) error {
	wrong := func() error {
		return conflict("The action %s is not possible in the status %s.", action, status)
	}
	switch action {
	case "lockForApproval":
		if status != "created" {
			return wrong()
		}
		r.Status, r.Offered = "approvalPending", c.now
	case "terminate":
		if status != "active" {
			return wrong()
		}
		r.Status, r.Due = "terminationRequested", c.now.Add(terminatingTakes)
	default:
		return refuse(http.StatusForbidden, "Authorization_RequestDenied", "The action %s is for the customer.", action)
	}
	return nil
}

// customerAction moves a relationship as its customer asks. An offer without a
// customer belongs to the first who accepts it.
func customerAction(c *call, t *world.Tenant, r *world.Relationship, action, status string) error {
	if r.Customer != "" && !strings.EqualFold(r.Customer, t.ID) {
		return refuse(http.StatusNotFound, "ResourceNotFound", "The delegated admin relationship '%s' does not exist.", clip(r.ID))
	}
	wrong := func() error {
		return conflict("The action %s is not possible in the status %s.", action, status)
	}
	switch action {
	case "approve":
		if status != "approvalPending" {
			return wrong()
		}
		d, ok := isoDuration(r.Duration)
		if !ok {
			return wrong()
		}
		r.Customer, r.CustomerName = t.ID, t.Name
		r.Status, r.Due = "activating", c.now.Add(activatingTakes)
		r.Activated = r.Due
		r.Ends = r.Activated.Add(d)
	case "reject":
		if status != "approvalPending" {
			return wrong()
		}
		r.Status, r.Due = "terminated", time.Time{}
	case "terminate":
		if status != "active" {
			return wrong()
		}
		r.Status, r.Due = "terminationRequested", c.now.Add(terminatingTakes)
	default:
		return refuse(http.StatusForbidden, "Authorization_RequestDenied", "The action %s is for the partner.", action)
	}
	return nil
}

func (p *router) gdapAssignments(read, write permit) {
	shape := func(c *call) *shape { return newAssignmentShape(func() time.Time { return c.now }) }
	context := func(id string) string { return gdapBase + "('" + id + "')/accessAssignments" }
	const path = gdapBase + "/{}/accessAssignments"
	p.add("GET", path, route{permit: read, service: unlimited, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		r, err := findRelationship(c, t)
		if err != nil {
			return nil, err
		}
		rows := []*world.AccessAssignment{}
		for i := range r.Assignments {
			rows = append(rows, &r.Assignments[i])
		}
		sh := shape(c)
		return c.listed(s, t, &listing{shape: sh, context: context(r.ID), since: slice(rows, sh.key), top: 300, max: 300})
	}})
	find := func(c *call, t *world.Tenant) (*world.Relationship, int, error) {
		r, err := findRelationship(c, t)
		if err != nil {
			return nil, 0, err
		}
		i := slices.IndexFunc(r.Assignments, func(a world.AccessAssignment) bool { return strings.EqualFold(a.ID, c.params[1]) })
		if i < 0 {
			return nil, 0, refuse(http.StatusNotFound, "ResourceNotFound", "The access assignment '%s' does not exist.", clip(c.params[1]))
		}
		return r, i, nil
	}
	p.add("GET", path+"/{}", route{permit: read, service: unlimited, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		r, i, err := find(c, t)
		if err != nil {
			return nil, err
		}
		rep, err := c.one(s, t, context(r.ID), shape(c), &r.Assignments[i])
		if err == nil {
			rep.header = http.Header{"Etag": {etag(r.Assignments[i].ID, r.Assignments[i].ETag)}}
		}
		return rep, err
	}})
	subset := func(r *world.Relationship, roles []string) error {
		for _, id := range roles {
			if !slices.Contains(r.Roles, id) {
				return refuse(http.StatusBadRequest, "BadRequest", "The role '%s' is not part of the relationship.", clip(id))
			}
		}
		return nil
	}
	put := func(c *call, s *world.State, t *world.Tenant, r *world.Relationship, list []world.AccessAssignment, activity, operation string) *world.Relationship {
		next := *r
		next.Assignments = list
		t.Relationships.Put(&next)
		s.Touch(t)
		ch := change{activity: activity, category: "CrossTenantAccessSettings", operation: operation, service: "Partner Customer Delegated Administration", target: target("DelegatedAdminRelationship", r.ID, r.Name)}
		ch.changed("AccessAssignments", r.Assignments, list)
		c.audit(s, t, ch)
		return &next
	}
	told := func(c *call, s *world.State, r *world.Relationship, operation, id string, old, next []string) {
		c.recordGDAP(s, r, "granular_admin_access_assignment", operation, id, old, next)
	}
	p.add("POST", path, route{permit: write, service: unlimited, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		r, err := findRelationship(c, t)
		if err != nil {
			return nil, err
		}
		fs := fields{
			"accessContainer": obj(fields{"accessContainerId": text().need(), "accessContainerType": enum("securityGroup").need()}).need(), "accessDetails": roleSpec(),
			"id": readOnly(), "status": readOnly(), "createdDateTime": readOnly(), "lastModifiedDateTime": readOnly(),
		}
		if err := fs.check("", c.in); err != nil {
			return nil, err
		}
		group := t.Groups.Get(str(inner(c.in, "accessContainer"), "accessContainerId"))
		if group == nil || str(inner(c.in, "accessContainer"), "accessContainerType") == "" {
			return nil, refuse(http.StatusBadRequest, "BadRequest", "The accessContainer must be a security group of the partner tenant.")
		}
		roles, err := rolesIn(c.in)
		if err != nil {
			return nil, err
		}
		if st := r.StatusAt(c.now); st != "active" {
			return nil, conflict("Access can be assigned in the status active only; the relationship is %s.", st)
		}
		if err := subset(r, roles); err != nil {
			return nil, err
		}
		for i := range r.Assignments {
			if a := &r.Assignments[i]; strings.EqualFold(a.Group, group.ID) && a.StatusAt(c.now) != "deleted" && a.StatusAt(c.now) != "error" {
				return nil, conflict("The security group has an access assignment of this relationship already.")
			}
		}
		a := world.AccessAssignment{ID: world.NewGUID(), Group: group.ID, Roles: roles, Status: "pending", Created: c.now, Changed: c.now, Due: c.now.Add(assigningTakes), ETag: 1}
		put(c, s, t, r, append(slices.Clone(r.Assignments), a), "Add delegated admin access assignment", "Add")
		told(c, s, r, "created", a.ID, nil, a.Roles)
		return c.created(s, t, context(r.ID), shape(c), &a)
	}})
	p.add("PATCH", path+"/{}", route{permit: write, service: unlimited, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		r, i, err := find(c, t)
		if err != nil {
			return nil, err
		}
		a := r.Assignments[i]
		if err := c.ifMatch(a.ID, a.ETag); err != nil {
			return nil, err
		}
		if err := (fields{"accessDetails": roleSpec(), "accessContainer": readOnly(), "id": readOnly(), "status": readOnly()}).check("", c.in); err != nil {
			return nil, err
		}
		roles, err := rolesIn(c.in)
		if err != nil {
			return nil, err
		}
		if st := a.StatusAt(c.now); st != "active" || r.StatusAt(c.now) != "active" {
			return nil, conflict("An access assignment can be changed while it and its relationship are active; it is %s.", st)
		}
		if err := subset(r, roles); err != nil {
			return nil, err
		}
		if sameSet(roles, a.Roles) {
			return c.one(s, t, context(r.ID), shape(c), &a)
		}
		a.Roles, a.Changed, a.Status, a.Due = roles, c.now, "active", time.Time{}
		a.ETag++
		list := slices.Clone(r.Assignments)
		list[i] = a
		op := world.RelationshipOperation{ID: world.NewGUID(), Type: "delegatedAdminAccessAssignmentUpdate", Data: string(c.body), Created: c.now, Due: c.now.Add(operationTakes)}
		next := *r
		next.Operations = append(slices.Clone(r.Operations), op)
		put(c, s, t, &next, list, "Update delegated admin access assignment", "Update")
		told(c, s, r, "updated", a.ID, r.Assignments[i].Roles, a.Roles)
		return c.accepted(r.ID, op.ID), nil
	}})
	p.add("DELETE", path+"/{}", route{permit: write, service: unlimited, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		r, i, err := find(c, t)
		if err != nil {
			return nil, err
		}
		a := r.Assignments[i]
		if err := c.ifMatch(a.ID, a.ETag); err != nil {
			return nil, err
		}
		if st := a.StatusAt(c.now); st != "active" && st != "pending" && st != "error" {
			return nil, conflict("The access assignment is %s.", st)
		}
		a.Status, a.Changed, a.Due = "deleting", c.now, c.now.Add(assigningTakes)
		a.ETag++
		list := slices.Clone(r.Assignments)
		list[i] = a
		put(c, s, t, r, list, "Remove delegated admin access assignment", "Delete")
		told(c, s, r, "deleted", a.ID, a.Roles, nil)
		return noContent()
	}})
	p.gdapOperations(read)
}

func (p *router) gdapOperations(read permit) {
	type o = world.RelationshipOperation
	shape := func(c *call) *shape {
		return newShape("delegatedAdminRelationshipOperation", func(x any) string { return x.(o).ID },
			f("id", func(x o) any { return x.ID }),
			f("operationType", func(x o) any {
				if x.Type == "delegatedAdminRelationshipUpdate" && !c.unknown {
					return futureValue
				}
				return x.Type
			}),
			f("status", func(x o) any {
				switch {
				case !c.now.Before(x.Due):
					return "succeeded"
				case c.now.Equal(x.Created):
					return "notStarted"
				}
				return "running"
			}),
			f("createdDateTime", func(x o) any { return x.Created }),
			f("lastModifiedDateTime", func(x o) any {
				if c.now.Before(x.Due) {
					return x.Created
				}
				return x.Due
			}),
			f("data", func(x o) any { return x.Data }),
		)
	}
	context := func(id string) string { return gdapBase + "('" + id + "')/operations" }
	p.add("GET", gdapBase+"/{}/operations", route{permit: read, service: unlimited, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		r, err := findRelationship(c, t)
		if err != nil {
			return nil, err
		}
		sh := shape(c)
		return c.listed(s, t, &listing{shape: sh, context: context(r.ID), since: slice(r.Operations, sh.key), top: 300, max: 300})
	}})
	p.add("GET", gdapBase+"/{}/operations/{}", route{permit: read, service: unlimited, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		r, err := findRelationship(c, t)
		if err != nil {
			return nil, err
		}
		for _, x := range r.Operations {
			if strings.EqualFold(x.ID, c.params[1]) {
				rep, err := c.one(s, t, context(r.ID), shape(c), x)
				if err == nil && c.now.Before(x.Due) {
					rep.header = http.Header{"Retry-After": {"10"}}
				}
				return rep, err
			}
		}
		return nil, notFound(c.params[1])
	}})
}

func (p *router) gdapCustomers(read permit) {
	type cust struct{ id, name string }
	shape := newShape("delegatedAdminCustomer", func(x any) string { return x.(cust).id },
		f("id", func(x cust) any { return x.id }),
		f("tenantId", func(x cust) any { return x.id }),
		f("displayName", func(x cust) any { return x.name }),
	)
	all := func(c *call, t *world.Tenant) []cust {
		out, seen := []cust{}, map[string]bool{}
		for r := range t.Relationships.All() {
			if r.Customer != "" && !seen[r.Customer] && r.StatusAt(c.now) == "active" {
				seen[r.Customer] = true
				out = append(out, cust{r.Customer, r.CustomerName})
			}
		}
		return out
	}
	const path = "tenantRelationships/delegatedAdminCustomers"
	p.add("GET", path, route{permit: read, service: unlimited, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		return c.listed(s, t, &listing{shape: shape, context: path, since: slice(all(c, t), shape.key), top: 300, max: 300})
	}})
	find := func(c *call, t *world.Tenant) (cust, error) {
		for _, x := range all(c, t) {
			if strings.EqualFold(x.id, c.params[0]) {
				return x, nil
			}
		}
		return cust{}, refuse(http.StatusNotFound, "ResourceNotFound", "The delegated admin customer '%s' does not exist.", clip(c.params[0]))
	}
	p.add("GET", path+"/{}", route{permit: read, service: unlimited, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		x, err := find(c, t)
		if err != nil {
			return nil, err
		}
		return c.one(s, t, path, shape, x)
	}})
	type detail struct{ name, url string }
	details := newShape("delegatedAdminServiceManagementDetail", func(x any) string { return x.(detail).name },
		f("id", func(x detail) any { return strings.ReplaceAll(strings.ToLower(x.name), " ", "-") }),
		f("serviceName", func(x detail) any { return x.name }),
		f("serviceManagementUrl", func(x detail) any { return x.url }),
	)
	p.add("GET", path+"/{}/serviceManagementDetails", route{permit: read, service: unlimited, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		x, err := find(c, t)
		if err != nil {
			return nil, err
		}
		domain := x.id
		if ct := t.Customers.Get(x.id); ct != nil && ct.Domain != "" {
			domain = ct.Domain
		}
		rows := []detail{
			{"Exchange", "https://admin.exchange.microsoft.com/?delegatedOrg=" + domain},
			{"Microsoft 365", "https://admin.microsoft.com/Partner/BeginClientSession.aspx?CTID=" + x.id + "&CSDEST=o365admincenter"},
			{"Microsoft Entra", "https://entra.microsoft.com/" + domain},
			{"Microsoft Intune", "https://intune.microsoft.com/" + domain},
			{"Microsoft Azure", "https://portal.azure.com/" + domain},
		}
		return c.listed(s, t, &listing{shape: details, context: path + "('" + x.id + "')/serviceManagementDetails", since: slice(rows, details.key), top: 300, max: 300})
	}})
}
