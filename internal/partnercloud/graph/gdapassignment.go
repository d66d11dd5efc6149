package graph

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/gate"
	"partnerguard/internal/partnercloud/world"
)

func assignmentShape(c *call) *shape { return newAssignmentShape(func() time.Time { return c.now }) }

func assignmentsContext(id string) string { return gdapBase + "('" + id + "')/accessAssignments" }

func listAssignments(c *call, s *world.State, t *world.Tenant, r *world.Relationship) (*reply, error) {
	all := []*world.AccessAssignment{}
	for i := range r.Assignments {
		all = append(all, &r.Assignments[i])
	}
	sh := assignmentShape(c)
	return c.list(t, assignmentsContext(r.ID), sh, slice(all, sh.key))
}

// assignment is an access assignment and where it is in its relationship.
type assignment struct {
	r *world.Relationship
	i int
}

func findAssignment(c *call, s *world.State, t *world.Tenant) (x assignment, err error) {
	r, err := findRelationship(c, s, t)
	if err != nil {
		return x, err
	}
	i := slices.IndexFunc(r.Assignments, func(a world.AccessAssignment) bool { return strings.EqualFold(a.ID, c.params[1]) })
	if i < 0 {
		return x, refuse(http.StatusNotFound, "ResourceNotFound", "The access assignment '%s' does not exist.", clip(c.params[1]))
	}
	return assignment{r, i}, nil
}

// with are the relationship's assignments with a in this one's place.
func (x assignment) with(a world.AccessAssignment) []world.AccessAssignment {
	list := slices.Clone(x.r.Assignments)
	list[x.i] = a
	return list
}

func getAssignment(c *call, s *world.State, t *world.Tenant, x assignment) (*reply, error) {
	r, i := x.r, x.i
	rep, err := c.one(t, assignmentsContext(r.ID), assignmentShape(c), &r.Assignments[i])
	if err == nil {
		rep.header = http.Header{"Etag": {etag(r.Assignments[i].ID, r.Assignments[i].ETag)}}
	}
	return rep, err
}

// subset refuses roles that the relationship does not hold.
func subset(r *world.Relationship, roles []string) error {
	for _, id := range roles {
		if !slices.Contains(r.Roles, id) {
			return refuse(http.StatusBadRequest, "BadRequest", "The role '%s' is not part of the relationship.", clip(id))
		}
	}
	return nil
}

// putAssignments replaces a relationship's assignments.
func (c *call) putAssignments(s *world.State, t *world.Tenant, r *world.Relationship, list []world.AccessAssignment, activity, operation string) {
	next := *r
	next.Assignments = list
	t.Relationships.Put(&next)
	s.Touch(t)
	ch := changeOfGDAP(activity, operation, r)
	ch.changed("AccessAssignments", r.Assignments, list)
	c.audit(s, t, ch)
}

// tellAssignment tells Partner Center of an assignment's change.
func (c *call) tellAssignment(s *world.State, r *world.Relationship, operation, id string, old, next []string) {
	c.recordGDAP(s, r, "granular_admin_access_assignment", operation, id, old, next)
}

func createAssignment(c *call, s *world.State, t *world.Tenant, r *world.Relationship) (*reply, error) {
	fs := fields{
		"accessContainer": obj(fields{"accessContainerId": text().need(), "accessContainerType": enum("securityGroup").need()}).need(),
		"accessDetails":   roleSpec(),
		"id":              readOnly(), "status": readOnly(), "createdDateTime": readOnly(), "lastModifiedDateTime": readOnly(),
	}
	if err := fs.check("", c.in); err != nil {
		return nil, err
	}
	group := t.Groups.Get(str(inner(c.in, "accessContainer"), "accessContainerId"))
	if group == nil || group.Unified && !group.Secure || str(inner(c.in, "accessContainer"), "accessContainerType") == "" {
		return nil, refuse(http.StatusBadRequest, "BadRequest", "The accessContainer must be a security group of the partner tenant.")
	}
	roles, err := rolesIn(c.in, c.now, nil)
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
	a := world.AccessAssignment{
		ID: world.NewGUID(), Group: group.ID, Roles: roles, Status: "pending", Created: c.now, Changed: c.now,
		Due: c.whenDone(assigningTakes), Fails: c.fails(), ETag: 1,
	}
	c.putAssignments(s, t, r, append(slices.Clone(r.Assignments), a), "Add delegated admin access assignment", "Add")
	c.tellAssignment(s, r, "created", a.ID, nil, a.Roles)
	return c.created(t, assignmentsContext(r.ID), assignmentShape(c), &a)
}

func changeAssignment(c *call, s *world.State, t *world.Tenant, x assignment) (*reply, error) {
	r, i := x.r, x.i
	a := r.Assignments[i]
	if err := c.ifMatch(a.ID, a.ETag); err != nil {
		return nil, err
	}
	if err := (fields{"accessDetails": roleSpec(), "accessContainer": readOnly(), "id": readOnly(), "status": readOnly()}).check("", c.in); err != nil {
		return nil, err
	}
	roles, err := rolesIn(c.in, c.now, a.Roles)
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
		return c.one(t, assignmentsContext(r.ID), assignmentShape(c), &a)
	}
	op := c.operation("delegatedAdminAccessAssignmentUpdate")
	if !op.Failed && gate.FateOf(c.r.Context()) != gate.NeverEnds {
		a.Roles, a.Changed, a.Status, a.Due = roles, c.now, "active", time.Time{}
	}
	a.ETag++
	list := x.with(a)
	next := *r
	next.Operations = append(slices.Clone(r.Operations), op)
	c.putAssignments(s, t, &next, list, "Update delegated admin access assignment", "Update")
	c.tellAssignment(s, r, "updated", a.ID, r.Assignments[i].Roles, a.Roles)
	return c.accepted(r.ID, op.ID), nil
}

func deleteAssignment(c *call, s *world.State, t *world.Tenant, x assignment) (*reply, error) {
	r, i := x.r, x.i
	a := r.Assignments[i]
	if err := c.ifMatch(a.ID, a.ETag); err != nil {
		return nil, err
	}
	if st := a.StatusAt(c.now); st != "active" && st != "pending" && st != "error" {
		return nil, conflict("The access assignment is %s.", st)
	}
	a.Status, a.Changed, a.Due, a.Fails = "deleting", c.now, c.whenDone(assigningTakes), c.fails()
	a.ETag++
	list := x.with(a)
	c.putAssignments(s, t, r, list, "Remove delegated admin access assignment", "Delete")
	c.tellAssignment(s, r, "deleted", a.ID, a.Roles, nil)
	return noContent()
}
