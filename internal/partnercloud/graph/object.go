package graph

import (
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// Directory objects of any kind.

// object finds a directory object of any kind that can be a member.
func (c *call) object(t *world.Tenant, id string) *entity {
	sh := c.g.sh
	if u := t.Users.Get(id); u != nil {
		return &entity{shape: sh.user, row: u, beta: c.beta, mark: true}
	}
	if g := t.Groups.Get(id); g != nil {
		return &entity{shape: sh.group, row: g, beta: c.beta, mark: true}
	}
	if p := t.SPs.Get(id); p != nil {
		return &entity{shape: sh.sp, row: p, beta: c.beta, mark: true}
	}
	return nil
}

// objects lists directory objects of several types.
func (c *call) objects(t *world.Tenant, all []*entity) (*reply, error) {
	key := func(r any) string { e := r.(*entity); return e.key(e.row) }
	mixed := &shape{typ: "directoryObject", key: key}
	context := "directoryObjects"
	if c.cast != "" {
		context = c.cast + "s"
	}
	return c.list(t, context, mixed, slice(all, key))
}

// anyObject finds a directory object of any kind there is.
func (c *call) anyObject(t *world.Tenant, id string) *entity {
	if e := c.object(t, id); e != nil {
		return e
	}
	if a := t.Apps.Get(id); a != nil {
		return &entity{shape: c.g.sh.app, row: a, beta: c.beta, mark: true}
	}
	if u := t.Units.Get(id); u != nil {
		return &entity{shape: c.g.sh.unit, row: u, beta: c.beta, mark: true}
	}
	for _, role := range c.activeRoles(t) {
		if r := activeRole(t, role); strings.EqualFold(r.id, id) {
			return &entity{shape: c.g.sh.role, row: r, beta: c.beta, mark: true}
		}
	}
	return nil
}

func getObject(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	e := c.anyObject(t, c.params[0])
	if e == nil {
		return nil, notFound(c.params[0])
	}
	return c.one(t, "directoryObjects", e.shape, e)
}

// deleteObject deletes an object of any kind, by the rules of its kind.
func deleteObject(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	e := c.anyObject(t, c.params[0])
	if e == nil {
		return nil, notFound(c.params[0])
	}
	who, do := mayWriteApps, func() (*reply, error) {
		return nil, badRequest("Objects of the type %s cannot be deleted here.", e.typ)
	}
	switch x := e.row.(type) {
	case *world.User:
		who, do = mayDeleteUser, func() (*reply, error) { return deleteUser(c, s, t, x) }
	case *world.Group:
		who, do = mayChangeGroup, func() (*reply, error) { return deleteGroup(c, s, t, x) }
	case *world.Application:
		do = func() (*reply, error) { return deleteApp(c, s, t, x) }
	case *world.ServicePrincipal:
		do = func() (*reply, error) { return deleteSP(c, s, t, x) }
	case *world.Unit:
		who, do = mayWriteUnits, func() (*reply, error) { return deleteUnit(c, s, t, x) }
	}
	if err := c.allowed(who); err != nil {
		return nil, err
	}
	return do()
}

func objectsByID(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	if err := (fields{"ids": list(text()).need().upTo(1000), "types": list(text())}).check("", c.in); err != nil {
		return nil, err
	}
	if err := (&shape{typ: "directoryObject"}).checkNames(c, c.q); err != nil {
		return nil, err
	}
	types := strs(c.in, "types")
	page := []*entity{}
	for _, id := range strs(c.in, "ids") {
		e := c.anyObject(t, id)
		if e == nil {
			continue
		}
		c.fully(e)
		named := func(w string) bool { // some clients write types as @odata.type has them
			w, _ = cutNamespace(strings.TrimPrefix(w, "#"))
			return strings.EqualFold(w, e.typ) || strings.EqualFold(w, "directoryObject")
		}
		if len(types) == 0 || slices.ContainsFunc(types, named) {
			page = append(page, e)
		}
	}
	return c.page("directoryObjects", page, nil, -1, nil), nil
}
