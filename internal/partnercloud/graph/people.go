package graph

import (
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// A user's manager, reports and what the user owns and made.

// managerOf finds a user's manager, or nil.
func managerOf(t *world.Tenant, u *world.User) *world.User {
	if u.Profile == nil || u.Profile.Manager == "" {
		return nil
	}
	return t.Users.Get(u.Profile.Manager)
}

func noManager() error {
	return refuse(404, "Request_ResourceNotFound", "Resource 'manager' does not exist or one of its queried reference-property objects are not present.")
}

func (c *call) userEntity(u *world.User) *entity {
	return c.fully(&entity{shape: c.g.sh.user, row: u, beta: c.beta, mark: true})
}

func getManager(c *call, _ *world.State, t *world.Tenant, u *world.User) (*reply, error) {
	m := managerOf(t, u)
	if m == nil {
		return nil, noManager()
	}
	return c.one(t, "directoryObjects", c.g.sh.user, c.userEntity(m))
}

// setManager answers PUT and DELETE of manager/$ref.
func setManager(c *call, s *world.State, t *world.Tenant, u *world.User) (*reply, error) {
	old, id := managerOf(t, u), ""
	if c.route.method == "DELETE" {
		if old == nil {
			return nil, noManager()
		}
	} else {
		ref, err := c.refBody()
		if err != nil {
			return nil, err
		}
		if id, err = c.bound(t, ref); err != nil {
			return nil, err
		}
		if t.Users.Get(id) == nil {
			return nil, badRequest("Invalid object type for 'manager': it must be a user.")
		}
		if strings.EqualFold(id, u.ID) {
			return nil, badRequest("A user cannot be the own manager.")
		}
	}
	if err := c.mayEditUser(s, t, u); err != nil {
		return nil, err
	}
	n := s.Change()
	t.Users.Change(u.ID, func(u *world.User) {
		u.Changed, u.Profile = n, u.Profile.With(func(p *world.Profile) { p.Manager = id })
	})
	s.Touch(t)
	ch := change{activity: "Update user", category: "UserManagement", target: userTarget(u)}
	was := ""
	if old != nil {
		was = old.ID
	}
	ch.changed("Manager", []string{was}, []string{id})
	c.audit(s, t, ch)
	return noContent()
}

// refBody reads the reference that a body holds, alone.
func (c *call) refBody() (string, error) {
	ref := str(c.in, "@odata.id")
	for k := range c.in {
		if k != "@odata.id" && k != "@odata.type" && k != "@odata.context" {
			return "", badRequest("Invalid property '%s'.", clip(k))
		}
	}
	if ref == "" {
		return "", badRequest("The body must hold @odata.id.")
	}
	return ref, nil
}

// mayEditUser asks for the role that changing a user's plain properties needs.
func (c *call) mayEditUser(s *world.State, t *world.Tenant, u *world.User) error {
	if c.caller.AppOnly() || c.hasRole(mayCreateUser.roles...) {
		return nil
	}
	return denied()
}

// reportsOf lists the users whose manager this one is.
func (c *call) reportsOf(t *world.Tenant, u *world.User) (out []*entity) {
	for x := range t.Users.All() {
		if x.Profile != nil && strings.EqualFold(x.Profile.Manager, u.ID) {
			out = append(out, c.userEntity(x))
		}
	}
	return out
}

func directReports(c *call, _ *world.State, t *world.Tenant, u *world.User) (*reply, error) {
	return c.objects(t, c.reportsOf(t, u))
}

// createdObjects lists what the audit log says that the user made and that still is.
func createdObjects(c *call, _ *world.State, t *world.Tenant, u *world.User) (*reply, error) {
	var out []*entity
	for _, a := range t.Audits {
		if a.Operation != "Add" || a.By.User == nil || !strings.EqualFold(a.By.User.ID, u.ID) {
			continue
		}
		for _, x := range a.Targets {
			if e := c.object(t, x.ID); e != nil {
				out = append(out, c.fully(e))
			}
		}
	}
	return c.objects(t, out)
}
