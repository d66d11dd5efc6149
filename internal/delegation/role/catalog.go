package role

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// Catalog is what is known of the directory's roles. It never changes: safe for concurrent use.
type Catalog struct {
	roles   []*known // by name
	byID    map[string]*known
	byName  map[string]*known
	entries map[string][]*entry // by activity, as fold gives it
	refined map[string]map[string][]string
	places  map[string][]place
	classes map[string]map[string]class
	calls   map[string][]call
	sources map[string]source
}

// known is a role with what it may do.
type known struct {
	Role
	actions map[string]bool // its own and inherited ones
	makes   Target          // what it makes of a user who holds it, by Microsoft's tables of who can act on whom
}

// source is where a table comes from.
type source struct {
	name string
	date time.Time
}

// Load gives the catalog of the embedded data, which is read once. It panics when the data
// cannot be read: it is part of the program, and a test reads it.
func Load() *Catalog { return load() }

var load = sync.OnceValue(func() *Catalog {
	c, err := read(data)
	if err != nil {
		panic("role data: " + err.Error())
	}
	return c
})

// Role finds a role by its template id, in any case.
func (c *Catalog) Role(id string) (Role, bool) {
	k, ok := c.byID[strings.ToLower(id)]
	if !ok {
		return Role{}, false
	}
	return k.copy(), true
}

// Name gives a role's name, or the id itself when the role is not known.
func (c *Catalog) Name(id string) string {
	if k, ok := c.byID[strings.ToLower(id)]; ok {
		return k.Name
	}
	return id
}

// ByName finds a role by a name that Microsoft gives it or gave it, in any case; "Admin" stands for Administrator.
func (c *Catalog) ByName(name string) (Role, bool) {
	n := fold(name)
	if cut, ok := strings.CutSuffix(n, " admin"); ok {
		n = cut + " administrator"
	}
	k, ok := c.byName[n]
	if !ok {
		return Role{}, false
	}
	return k.copy(), true
}

// All gives every role, by name.
func (c *Catalog) All() []Role {
	var out []Role
	for _, k := range c.roles {
		out = append(out, k.copy())
	}
	return out
}

// Offerable gives the roles that may be offered through GDAP, by name.
func (c *Catalog) Offerable() []Role {
	return slices.DeleteFunc(c.All(), func(r Role) bool { return r.Never })
}

// copy gives the role without what others share.
func (k *known) copy() Role {
	r := k.Role
	r.Workloads = slices.Clone(r.Workloads)
	return r
}

// TargetOf says what kind of target a user is who holds these roles, given as template ids.
// It is TargetOrdinary without any, and with those on which everybody who resets passwords may act.
func (c *Catalog) TargetOf(roles []string) Target {
	t := TargetOrdinary
	for _, id := range roles {
		k := c.byID[strings.ToLower(id)]
		switch {
		case k == nil || k.makes == TargetPrivileged: // a role of the customer's own, too
			return TargetPrivileged
		case k.makes == TargetLimited:
			t = TargetLimited
		}
	}
	return t
}

// can tells whether the role holds an action, or one that includes it: allTasks of the same
// entity, an action on all its properties, or the action on the entity that this one is a kind of.
func (k *known) can(action string) bool {
	if k.ID == GlobalAdministrator || k.actions[action] {
		return true
	}
	space, rest, ok := strings.Cut(action, "/")
	if !ok {
		return false
	}
	entity, rest, ok := strings.Cut(rest, "/")
	if !ok {
		return false
	}
	verb := rest[strings.LastIndexByte(rest, '/')+1:]
	if k.within(space, entity, rest, verb) {
		return true
	}
	kind, _, ok := strings.Cut(entity, ".")
	return ok && (k.actions[space+"/"+kind+"/"+rest] || k.within(space, kind, rest, verb))
}

// within tells whether the role may do all of an entity, or of the part of it that the action names.
func (k *known) within(space, entity, rest, verb string) bool {
	base := space + "/" + entity + "/"
	if k.actions[base+"allProperties/allTasks"] || k.actions[base+"allProperties/"+verb] {
		return true
	}
	for part := rest; ; {
		i := strings.LastIndexByte(part, '/')
		if i < 0 {
			return false
		}
		part = part[:i]
		if k.actions[base+part+"/allTasks"] || k.actions[base+part+"/allProperties/allTasks"] {
			return true
		}
	}
}
