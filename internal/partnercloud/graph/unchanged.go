package graph

import (
	"encoding/json"
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// shapeOf is how a row of a directory object is shown; nil for rows of others.
func (sh *shapes) shapeOf(row any) *shape {
	switch row.(type) {
	case *world.User:
		return sh.user
	case *world.Group:
		return sh.group
	case *world.Application:
		return sh.app
	case *world.ServicePrincipal:
		return sh.sp
	case *world.GroupSetting:
		return sh.groupSetting
	case *world.Grant:
		return sh.grant
	case *world.Tenant:
		return sh.organization
	case *world.Unit:
		return sh.unit
	}
	return nil
}

// membersOf reads the members of a row as they are shown; nil for rows of others.
func (c *call) membersOf(s *world.State, row any) func(name string) (any, bool) {
	sh := c.g.sh.shapeOf(row)
	switch x := row.(type) {
	case *world.Application:
		row = c.shownApp(x)
	case *world.ServicePrincipal:
		row = fullSP(s, x)
	case *world.CustomRole:
		sh, row = c.g.sh.definition, customDef(x)
	case *world.Document:
		now := decodeObject(x.Raw)
		now["id"] = x.ID
		return func(name string) (any, bool) { v, ok := now[name]; return v, ok }
	case *entity:
		sh = x.shape
	}
	if sh == nil {
		return nil
	}
	e, typ := c.entity(sh, row), sh.typ
	if sh.kind != nil {
		typ = sh.kind(e.row)
	}
	return func(name string) (any, bool) {
		name = spelled(typ, name)
		if known, _ := knownProperty(typ, name, c.beta); !known {
			return nil, false
		}
		return e.Field(name)
	}
}

// dropUnchanged takes those members out of the body of a change that say what is so
// already: clients send an object back as they read it, read-only members and all.
// Where what is left out means something (PUT), only the read-only ones of whole go.
func (c *call) dropUnchanged(s *world.State, row any, whole fields) {
	of := c.membersOf(s, row)
	if of == nil {
		return
	}
	for k, v := range c.in {
		now, ok := of(k)
		if !ok || whole != nil && (whole[k] == nil || whole[k].kind != kReadOnly) {
			continue
		}
		var a any
		if json.Unmarshal(appendValue(nil, now), &a) == nil && says(a, v) {
			delete(c.in, k)
		}
	}
}

// says reports a value that changes nothing of what is so: of objects the members
// that are given, since a change lets the others be. Many clients leave out what is
// null.
func says(now, said any) bool {
	switch x := said.(type) {
	case map[string]any:
		y, ok := now.(map[string]any)
		if !ok && now != nil {
			return false
		}
		for k, v := range x {
			if !strings.Contains(k, "@odata.") && !says(y[k], v) {
				return false
			}
		}
		return true
	case []any:
		y, ok := now.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x { // a collection is replaced whole: what is left out of an element is gone
			if !says(y[i], x[i]) || !says(x[i], y[i]) {
				return false
			}
		}
		return true
	}
	switch now.(type) {
	case map[string]any, []any:
		return false
	}
	return now == said
}
