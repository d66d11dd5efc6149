package graph

import (
	"encoding/json"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// Administrative units, their members and the roles over them (Microsoft Graph,
// "administrativeUnit resource"). Units with a membership rule and restricted ones
// are not part of this cloud.

func newUnitShape() *shape {
	type r = *world.Unit
	kept := func(n string) func(r) any {
		return func(x r) any {
			if v, ok := x.Props[n]; ok {
				return v
			}
			return nil
		}
	}
	return newShape("administrativeUnit", func(x any) string { return x.(r).ID },
		f("id", func(x r) any { return x.ID }),
		f("deletedDateTime", func(r) any { return nil }),
		f("displayName", func(x r) any { return x.Name }),
		f("description", kept("description")),
		f("isMemberManagementRestricted", func(r) any { return false }),
		f("membershipRule", func(r) any { return nil }),
		f("membershipRuleProcessingState", func(r) any { return nil }),
		f("membershipType", func(r) any { return nil }),
		f("visibility", kept("visibility")),
	)
}

func unitFields() fields {
	return fields{
		"displayName": text().need().upTo(256), "description": text().upTo(1024), "visibility": enum("HiddenMembership Public"), "id": readOnly(),
		"deletedDateTime": readOnly(), "isMemberManagementRestricted": flag(), "membershipType": enum("Assigned"), "membershipRule": unused(),
		"membershipRuleProcessingState": unused(), "members": readOnly(),
	}
}

func unitTarget(u *world.Unit) world.AuditTarget { return target("AdministrativeUnit", u.ID, u.Name) }

var findUnit = row(func(t *world.Tenant) *world.Table[world.Unit, *world.Unit] { return &t.Units })

func listUnits(c *call, _ *world.State, t *world.Tenant) (*reply, error) {
	return c.list(t, "administrativeUnits", c.g.sh.unit, rows(&t.Units))
}

func getUnit(c *call, _ *world.State, t *world.Tenant, u *world.Unit) (*reply, error) {
	return c.one(t, "administrativeUnits", c.g.sh.unit, u)
}

// readUnit takes a body over into a unit.
func (c *call) readUnit(u *world.Unit, fs fields) error {
	if err := fs.check("", c.in); err != nil {
		return err
	}
	if truth(c.in, "isMemberManagementRestricted") {
		return badRequest("Restricted management administrative units are not part of the partner cloud.")
	}
	take(c.in, "displayName", &u.Name, str)
	if u.Name == "" {
		return badRequest("A value is required for property 'displayName' of resource 'AdministrativeUnit'.")
	}
	props := map[string]json.RawMessage{}
	for k, v := range u.Props {
		props[k] = v
	}
	for _, n := range []string{"description", "visibility"} {
		if v, ok := c.in[n]; ok {
			delete(props, n)
			if v != nil {
				props[n] = appendValue(nil, v)
			}
		}
	}
	u.Props = props
	return nil
}

func createUnit(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	u := &world.Unit{ID: world.NewGUID(), Created: c.now}
	fs := unitFields()
	fs["members@odata.bind"] = list(text()).upTo(maxLinks)
	if err := c.readUnit(u, fs); err != nil {
		return nil, err
	}
	members, err := c.boundAll(t, "members@odata.bind")
	if err != nil {
		return nil, err
	}
	for _, id := range members {
		if err := mayBeInUnit(t, id); err != nil {
			return nil, err
		}
		if !hasFold(u.Members, id) {
			u.Members = append(u.Members, id)
		}
	}
	t.Units.Put(u)
	s.Touch(t)
	ch := change{activity: "Add administrative unit", category: "AdministrativeUnit", operation: "Add", target: unitTarget(u)}
	ch.changed("DisplayName", nil, []string{u.Name})
	c.audit(s, t, ch)
	return c.created(t, "administrativeUnits", c.g.sh.unit, u)
}

func changeUnit(c *call, s *world.State, t *world.Tenant, u *world.Unit) (*reply, error) {
	next := *u
	if err := c.readUnit(&next, unitFields()); err != nil {
		return nil, err
	}
	ch := change{activity: "Update administrative unit", category: "AdministrativeUnit", target: unitTarget(u)}
	ch.changed("DisplayName", []string{u.Name}, []string{next.Name})
	ch.changed("Description", was(u.Props["description"]), was(next.Props["description"]))
	t.Units.Put(&next)
	s.Touch(t)
	c.audit(s, t, ch)
	return noContent()
}

func deleteUnit(c *call, s *world.State, t *world.Tenant, u *world.Unit) (*reply, error) {
	t.Units.Delete(u.ID)
	for _, a := range t.Scoped.List() {
		if strings.EqualFold(a.Scope, world.UnitScope(u.ID)) {
			t.Scoped.Delete(a.ID)
		}
	}
	s.Touch(t)
	c.audit(s, t, change{activity: "Delete administrative unit", category: "AdministrativeUnit", operation: "Delete", target: unitTarget(u)})
	return noContent()
}

func (c *call) unitMembers(t *world.Tenant, u *world.Unit) (out []*entity) {
	for _, id := range u.Members {
		if e := c.object(t, id); e != nil {
			out = append(out, c.fully(e))
		}
	}
	return out
}

func listUnitMembers(c *call, _ *world.State, t *world.Tenant, u *world.Unit) (*reply, error) {
	return c.objects(t, c.unitMembers(t, u))
}

func oneUnitMember(c *call, _ *world.State, t *world.Tenant, u *world.Unit) (*reply, error) {
	return c.oneOf(t, u.Members)
}

func mayBeInUnit(t *world.Tenant, id string) error {
	if t.Users.Get(id) == nil && t.Groups.Get(id) == nil {
		return badRequest("Only users and groups can be members of an administrative unit here.")
	}
	return nil
}

func addToUnit(c *call, s *world.State, t *world.Tenant, u *world.Unit) (*reply, error) {
	ref, err := c.refBody()
	if err != nil {
		return nil, err
	}
	id, err := c.bound(t, ref)
	if err != nil {
		return nil, err
	}
	if err := mayBeInUnit(t, id); err != nil {
		return nil, err
	}
	if hasFold(u.Members, id) {
		return nil, badRequest("One or more added object references already exist for the following modified properties: 'members'.")
	}
	return c.setUnitMembers(s, t, u, id, true)
}

func removeFromUnit(c *call, s *world.State, t *world.Tenant, u *world.Unit) (*reply, error) {
	if !hasFold(u.Members, c.params[1]) {
		return nil, notFound(c.params[1])
	}
	return c.setUnitMembers(s, t, u, c.params[1], false)
}

func (c *call) setUnitMembers(s *world.State, t *world.Tenant, u *world.Unit, id string, add bool) (*reply, error) {
	next := *u
	next.Members = nil
	for _, m := range u.Members {
		if !strings.EqualFold(m, id) {
			next.Members = append(next.Members, m)
		}
	}
	ch := change{activity: "Remove member from administrative unit", category: "AdministrativeUnit", operation: "Unassign", target: unitTarget(u)}
	if add {
		next.Members = append(next.Members, id)
		ch.activity, ch.operation = "Add member to administrative unit", "Assign"
	}
	t.Units.Put(&next)
	s.Touch(t)
	ch.changed("Member.ObjectID", nil, id)
	c.audit(s, t, ch)
	return noContent()
}

// unitRoles are the roles that can be given over a unit (Microsoft Entra, "Assign
// Microsoft Entra roles with administrative unit scope").
func unitRole(id string) bool {
	switch strings.ToLower(id) {
	case entra.RoleAuthenticationAdministrator, entra.RoleGroupsAdministrator, entra.RoleHelpdeskAdministrator, entra.RoleLicenseAdministrator,
		entra.RolePasswordAdministrator, entra.RoleUserAdministrator, entra.RoleSharePointAdministrator:
		return true
	}
	return false
}

// unitOf is the unit of a scope, or nil.
func unitOf(t *world.Tenant, scope string) *world.Unit {
	const base = "/administrativeunits/"
	if len(scope) < len(base) || !strings.EqualFold(scope[:len(base)], base) {
		return nil
	}
	return t.Units.Get(scope[len(base):])
}

// scopedRoles are the roles that a caller holds over units that the user or group of
// the path is in.
func (c *call) scopedRoles(t *world.Tenant, caller string) (out []string) {
	if t.Scoped.Len() == 0 {
		return nil
	}
	object := c.pathObject(t)
	if object == "" {
		return nil
	}
	holders := append(t.GroupsOf(caller), caller)
	for a := range t.Scoped.All() {
		if u := unitOf(t, a.Scope); u != nil && a.In(c.now) && hasFold(holders, a.Principal) && hasFold(u.Members, object) {
			out = append(out, a.Role)
		}
	}
	return out
}

// pathObject is the id of the user or group that the path is about, or "".
func (c *call) pathObject(t *world.Tenant) string {
	if len(c.params) == 0 {
		return ""
	}
	switch strings.ToLower(c.route.parts[0]) {
	case "users":
		if u := t.UserByName(c.params[0]); u != nil {
			return u.ID
		}
	case "groups":
		if g := t.Groups.Get(c.params[0]); g != nil {
			return g.ID
		}
	}
	return ""
}
