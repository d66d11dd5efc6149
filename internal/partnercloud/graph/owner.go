package graph

import (
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// Owners of applications and service principals.

// owned is what has owners: an application or a service principal.
type owned struct {
	id     string
	owners []string
	noun   string // of the audit log
	target world.AuditTarget
	put    func(owners []string)
}

func ownedApp(c *call, s *world.State, t *world.Tenant) (*owned, error) {
	a, err := findApp(c, s, t)
	if err != nil {
		return nil, err
	}
	return &owned{a.ID, a.Owners, "application", appTarget(a), func(owners []string) {
		next := *a
		next.Owners = owners
		s.PutApp(t, &next)
	}}, nil
}

func ownedSP(c *call, s *world.State, t *world.Tenant) (*owned, error) {
	sp, err := findSP(c, s, t)
	if err != nil {
		return nil, err
	}
	return &owned{sp.ID, sp.Owners, "service principal", spTarget(sp), func(owners []string) {
		t.SPs.Change(sp.ID, func(sp *world.ServicePrincipal) { sp.Owners = owners })
		s.Touch(t)
	}}, nil
}

func listOwners(c *call, s *world.State, t *world.Tenant, o *owned) (*reply, error) {
	return c.objects(t, c.ownersOf(t, o.owners))
}

// findOwner finds the owner that the path names.
func findOwner(c *call, t *world.Tenant, o *owned) (*entity, error) {
	id := c.params[1]
	if hasFold(o.owners, id) {
		if e := c.object(t, id); e != nil {
			return e, nil
		}
	}
	return nil, notFound(id)
}

// getOwner gives one owner, or the reference to it.
func getOwner(c *call, s *world.State, t *world.Tenant, o *owned) (*reply, error) {
	e, err := findOwner(c, t, o)
	if err != nil {
		return nil, err
	}
	if c.route.last() != "$ref" {
		return c.one(t, "directoryObjects", e.shape, e)
	}
	for _, name := range c.q.Select { // what clients ask of a reference
		if name != "id" && name != "url" {
			return nil, refuse(http.StatusBadRequest, "BadRequest", "Could not find a property named '%s' on a reference.", clip(name))
		}
	}
	id := e.key(e.row)
	return give(object{
		{"@odata.context", c.root() + "/$metadata#$ref"}, {"@odata.type", "#microsoft.graph." + e.typ}, {"@odata.id", c.root() + "/directoryObjects/" + id},
		{"id", id}, {"url", c.root() + "/directoryObjects/" + id},
	})
}

func addOwner(c *call, s *world.State, t *world.Tenant, o *owned) (*reply, error) {
	ref, err := c.refBody()
	if err != nil {
		return nil, err
	}
	id, err := c.bound(t, ref)
	if err != nil {
		return nil, err
	}
	if err := mayOwn(t, id); err != nil {
		return nil, err
	}
	if hasFold(o.owners, id) {
		return nil, badRequest("One or more added object references already exist for the following modified properties: 'owners'.")
	}
	o.put(append(slices.Clone(o.owners), id))
	c.auditOwner(s, t, o, "Add owner to "+o.noun, "Assign", id)
	return noContent()
}

func removeOwner(c *call, s *world.State, t *world.Tenant, o *owned) (*reply, error) {
	is := func(v string) bool { return strings.EqualFold(v, c.params[1]) }
	if !slices.ContainsFunc(o.owners, is) {
		return nil, notFound(c.params[1])
	}
	o.put(slices.DeleteFunc(slices.Clone(o.owners), is))
	c.auditOwner(s, t, o, "Remove owner from "+o.noun, "Unassign", c.params[1])
	return noContent()
}

func (c *call) auditOwner(s *world.State, t *world.Tenant, o *owned, activity, operation, id string) {
	ch := change{activity: activity, category: "ApplicationManagement", operation: operation, target: o.target}
	ch.changed("Owner.ObjectID", nil, id)
	c.audit(s, t, ch)
}

// mayOwn: users and service principals own, groups do not.
func mayOwn(t *world.Tenant, id string) error {
	if t.Users.Get(id) == nil && t.SPs.Get(id) == nil {
		return badRequest("The object '%s' cannot be an owner: only users and service principals can.", clip(id))
	}
	return nil
}

// boundOwners are the owners of something being made: those that the body binds,
// and the user who makes it.
func (c *call) boundOwners(s *world.State, t *world.Tenant) ([]string, error) {
	owners, err := c.boundAll(t, "owners@odata.bind")
	if err != nil {
		return nil, err
	}
	for _, id := range owners {
		if err := mayOwn(t, id); err != nil {
			return nil, err
		}
	}
	if u, home := c.user(s, t); !c.caller.AppOnly() && u != nil && home == t && len(owners) == 0 {
		owners = []string{u.ID}
	}
	return owners, nil
}

// ownings lists the applications, service principals and groups that something
// owns.
func (c *call) ownings(t *world.Tenant, id string) []*entity {
	is := func(v string) bool { return strings.EqualFold(v, id) }
	out := []*entity{}
	for a := range t.Apps.All() {
		if slices.ContainsFunc(a.Owners, is) {
			out = append(out, c.fully(&entity{shape: c.g.sh.app, row: c.shownApp(a), beta: c.beta, mark: true}))
		}
	}
	for p := range t.SPs.All() {
		if slices.ContainsFunc(p.Owners, is) {
			out = append(out, c.fully(&entity{shape: c.g.sh.sp, row: p, beta: c.beta, mark: true}))
		}
	}
	for g := range t.Groups.All() {
		if slices.ContainsFunc(g.Owners, is) {
			out = append(out, c.fully(&entity{shape: c.g.sh.group, row: g, beta: c.beta, mark: true}))
		}
	}
	return out
}

func ownedBySP(c *call, s *world.State, t *world.Tenant, sp *world.ServicePrincipal) (*reply, error) {
	return c.objects(t, c.ownings(t, sp.ID))
}

func ownedByUser(c *call, s *world.State, t *world.Tenant, u *world.User) (*reply, error) {
	return c.objects(t, c.ownings(t, u.ID))
}
