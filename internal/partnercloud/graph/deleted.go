package graph

import (
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// directory/deletedItems: what was deleted in the last 30 days.

// deletedEntity shows a deleted object: its properties, when it was deleted, and a
// user's name as the directory keeps it meanwhile.
func (c *call) deletedEntity(d *world.Deleted) *entity {
	e := &entity{beta: c.beta, mark: true, gone: d.At}
	switch {
	case d.User != nil:
		u := *d.User
		u.UPN = strings.ReplaceAll(u.ID, "-", "") + u.UPN
		e.shape, e.row = c.g.sh.user, &u
	case d.Group != nil:
		e.shape, e.row = c.g.sh.group, d.Group
	case d.App != nil:
		e.shape, e.row = c.g.sh.app, d.App
	default:
		e.shape, e.row = c.g.sh.sp, d.SP
	}
	return c.fully(e)
}

// Who may, by the type of what was deleted (Microsoft Graph, "deletedItems").
func deletedPermit(kind string, write bool) permit {
	switch kind {
	case "user":
		if write {
			return allow(writeUsers).with(entra.RoleUserAdministrator, entra.RolePrivilegedAuthenticationAdministrator)
		}
		return allow(readUsers)
	case "group":
		if write {
			return allow(writeGroups).with(entra.RoleGroupsAdministrator, entra.RoleUserAdministrator)
		}
		return allow("Group.Read.All Group.ReadWrite.All Directory.Read.All Directory.ReadWrite.All")
	default:
		if write {
			return allow(writeApps).by(appAdmins)
		}
		return allow(readApps)
	}
}

// mayDeleted asks for what the type needs.
func (c *call) mayDeleted(kind string, write bool) error {
	return c.allowed(deletedPermit(kind, write))
}

// allowed asks for permissions and roles within an operation.
func (c *call) allowed(p permit) error {
	if !c.holds(p.scopes) || !c.caller.AppOnly() && p.roles != nil && !c.hasRole(p.roles...) {
		return denied()
	}
	return nil
}

func listDeleted(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	kind := c.cast
	switch kind {
	case "user", "group", "application", "servicePrincipal":
	case "administrativeUnit", "device":
		kind = ""
	default:
		return nil, badRequest("The type of the deleted items must be named: /directory/deletedItems/microsoft.graph.user and the like.")
	}
	if kind != "" {
		if err := c.mayDeleted(kind, false); err != nil {
			return nil, err
		}
	}
	var all []*entity
	for _, d := range s.DeletedItems(t) {
		if d.Kind == kind {
			e := c.deletedEntity(d)
			e.mark = false
			all = append(all, e)
		}
	}
	key := func(r any) string { e := r.(*entity); return e.key(e.row) }
	return c.list(t, strings.TrimPrefix(kind+"s", "s"), &shape{typ: "directoryObject", key: key}, slice(all, key))
}

func findDeleted(c *call, s *world.State, t *world.Tenant) (*world.Deleted, error) {
	d := s.DeletedItem(t, c.params[0])
	if d == nil {
		return nil, notFound(c.params[0])
	}
	if err := c.mayDeleted(d.Kind, c.route.method != "GET"); err != nil {
		return nil, err
	}
	return d, nil
}

func getDeleted(c *call, _ *world.State, t *world.Tenant, d *world.Deleted) (*reply, error) {
	e := c.deletedEntity(d)
	return c.one(t, "directoryObjects", e.shape, e)
}

// restoreDeleted brings an object back under its name, or a user under a new one.
func restoreDeleted(c *call, s *world.State, t *world.Tenant, d *world.Deleted) (*reply, error) {
	err := (fields{"newUserPrincipalName": text().upTo(113), "autoReconcileProxyConflict": flag()}).check("", c.in)
	if err != nil {
		return nil, err
	}
	name := str(c.in, "newUserPrincipalName")
	ch := change{category: "ApplicationManagement"}
	switch {
	case d.User != nil:
		if err := c.maySensitive(s, t, standingBefore(d)); err != nil {
			return nil, err
		}
		if name == "" {
			name = d.User.UPN
		}
		if err := checkNewUPN(t, name); err != nil {
			return nil, err
		}
		ch.activity, ch.category, ch.target = "Restore user", "UserManagement", userTarget(d.User)
	case name != "":
		return nil, badRequest("The parameter newUserPrincipalName is for users alone.")
	case d.Group != nil:
		if taken := groupByNickname(t, groupNickname(d.Group)); taken != nil {
			return nil, badRequest("Another object with the same value for property mailNickname already exists.")
		}
		ch.activity, ch.category, ch.target = "Restore Group", "GroupManagement", groupTarget(d.Group)
	case d.App != nil:
		if _, other := s.App(d.App.AppID); other != nil {
			return nil, badRequest("Another object with the same value for property appId already exists.")
		}
		ch.activity, ch.target = "Restore application", appTarget(d.App)
	default:
		if t.SP(d.SP.AppID) != nil {
			return nil, badRequest("Another object with the same value for property servicePrincipalNames already exists.")
		}
		ch.activity, ch.target = "Restore service principal", spTarget(d.SP)
	}
	if s.Restore(t, d.ID) == nil {
		return nil, notFound(d.ID)
	}
	if d.User != nil && name != d.User.UPN {
		t.Users.Change(d.ID, func(u *world.User) { u.UPN = name })
		s.Touch(t)
	}
	c.audit(s, t, ch)
	e := c.anyObject(t, d.ID)
	if e == nil {
		return noContent()
	}
	return c.one(t, "directoryObjects", e.shape, e)
}

// purgeDeleted deletes for good.
func purgeDeleted(c *call, s *world.State, t *world.Tenant, d *world.Deleted) (*reply, error) {
	if d.User != nil {
		if err := c.maySensitive(s, t, standingBefore(d)); err != nil {
			return nil, err
		}
	}
	s.Purge(t, d.ID)
	ch := change{category: "ApplicationManagement", operation: "Delete"}
	switch {
	case d.User != nil:
		ch.activity, ch.category, ch.target = "Hard Delete user", "UserManagement", userTarget(d.User)
	case d.Group != nil:
		ch.activity, ch.category, ch.target = "Hard Delete group", "GroupManagement", groupTarget(d.Group)
	case d.App != nil:
		ch.activity, ch.target = "Hard Delete application", appTarget(d.App)
	default:
		ch.activity, ch.target = "Hard delete service principal", spTarget(d.SP)
	}
	c.audit(s, t, ch)
	return noContent()
}
