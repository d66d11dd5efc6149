package world

import (
	"slices"
	"strings"
	"time"
)

// DeletedFor is how long a deleted object can be restored (Microsoft Graph,
// "deletedItems"), a policy or named location too (contracts-2026-11.md section 5): 30
// days of the world's clock.
const DeletedFor = 30 * 24 * time.Hour

// Deleted is a directory object that was deleted and can be restored, with what
// hung on it. One of User, Group, App and SP is set, as Kind says.
type Deleted struct {
	ID   string    `json:"id"`
	Kind string    `json:"kind"` // user, group, application, servicePrincipal
	At   time.Time `json:"at"`

	User  *User             `json:"user,omitempty"`
	Group *Group            `json:"group,omitempty"`
	App   *Application      `json:"app,omitempty"`
	SP    *ServicePrincipal `json:"sp,omitempty"`

	MemberOf []string             `json:"memberOf,omitempty"` // ids of groups
	OwnerOf  []string             `json:"ownerOf,omitempty"`
	Units    []string             `json:"units,omitempty"` // ids of administrative units
	Held     []*RoleAssignment    `json:"held,omitempty"`
	Eligible []*RoleAssignment    `json:"eligible,omitempty"`
	Scoped   []*RoleAssignment    `json:"scoped,omitempty"`
	Grants   []*Grant             `json:"grants,omitempty"`
	AppRoles []*AppRoleAssignment `json:"appRoles,omitempty"`
}

// Key is the object id.
func (d *Deleted) Key() string { return d.ID }

// soft reports a kind that goes to the recycle bin: users, applications, service
// principals and Microsoft 365 groups. Security groups are gone at once.
func (d *Deleted) soft() bool { return d.Group == nil || d.Group.Unified }

// Delete deletes a user, group, application or service principal (kind, as in
// [Deleted]) with what hangs on it: memberships, ownerships, roles, consents. All
// but security groups can be restored for [DeletedFor]. Delta queries hear of it.
// The home tenant's service principal of an application is another object: delete
// it first. false: there is no such object.
func (s *State) Delete(t *Tenant, kind, id string) bool {
	d := &Deleted{Kind: kind, At: s.Clock.Now()}
	switch kind {
	case "user":
		if d.User = t.Users.Get(id); d.User == nil {
			return false
		}
		d.ID = d.User.ID
		t.Users.Delete(id)
		s.free(t, d.User)
	case "group":
		if d.Group = t.Groups.Get(id); d.Group == nil {
			return false
		}
		d.ID = d.Group.ID
		t.Groups.Delete(id)
	case "application":
		if d.App = t.Apps.Get(id); d.App == nil {
			return false
		}
		d.ID = d.App.ID
		s.DeleteApp(t, id)
	case "servicePrincipal":
		if d.SP = t.SPs.Get(id); d.SP == nil {
			return false
		}
		d.ID = d.SP.ID
		t.SPs.Delete(id)
	default:
		return false
	}
	n := s.Change()
	d.unhang(t, n)
	if d.soft() {
		t.Deleted.Put(d)
	}
	t.Deletions = append(t.Deletions, Deletion{Kind: kind, ID: d.ID, Changed: n, Gone: !d.soft()})
	s.Touch(t)
	return true
}

// unhang takes everything that names the object out of the tenant and keeps it.
func (d *Deleted) unhang(t *Tenant, n int64) {
	is := func(v string) bool { return strings.EqualFold(v, d.ID) }
	for _, g := range t.Groups.List() {
		member, owner := slices.ContainsFunc(g.Members, is), slices.ContainsFunc(g.Owners, is)
		if !member && !owner {
			continue
		}
		if member {
			d.MemberOf = append(d.MemberOf, g.ID)
		}
		if owner {
			d.OwnerOf = append(d.OwnerOf, g.ID)
		}
		t.Groups.Change(g.ID, func(g *Group) {
			g.Members = slices.DeleteFunc(slices.Clone(g.Members), is)
			g.Owners = slices.DeleteFunc(slices.Clone(g.Owners), is)
			g.Changed = n
		})
	}
	for _, u := range t.Units.List() {
		if slices.ContainsFunc(u.Members, is) {
			d.Units = append(d.Units, u.ID)
			t.Units.Change(u.ID, func(u *Unit) { u.Members = slices.DeleteFunc(slices.Clone(u.Members), is) })
		}
	}
	takeRows(&t.Held, &d.Held, func(a *RoleAssignment) bool { return is(a.Principal) })
	takeRows(&t.Eligible, &d.Eligible, func(a *RoleAssignment) bool { return is(a.Principal) })
	takeRows(&t.Scoped, &d.Scoped, func(a *RoleAssignment) bool { return is(a.Principal) })
	takeRows(&t.Grants, &d.Grants, func(g *Grant) bool { return is(g.Principal) || is(g.Client) || is(g.Resource) })
	takeRows(&t.AppRoles, &d.AppRoles, func(a *AppRoleAssignment) bool { return is(a.Principal) || is(a.Resource) })
}

// takeRows moves rows out of a table.
func takeRows[T any, P interface {
	*T
	Row
}](from *Table[T, P], to *[]P, which func(P) bool) {
	for _, r := range from.List() {
		if which(r) {
			*to = append(*to, r)
			from.Delete(r.Key())
		}
	}
}

// DeletedItems lists what can be restored at this moment, oldest first; what was
// deleted longer ago is forgotten.
func (s *State) DeletedItems(t *Tenant) []*Deleted {
	var out []*Deleted
	for _, d := range t.Deleted.List() {
		if s.Clock.Now().Sub(d.At) >= DeletedFor {
			s.Purge(t, d.ID)
			continue
		}
		out = append(out, d)
	}
	return out
}

// DeletedItem finds what can be restored at this moment by id, or nil.
func (s *State) DeletedItem(t *Tenant, id string) *Deleted {
	d := t.Deleted.Get(id)
	if d != nil && s.Clock.Now().Sub(d.At) >= DeletedFor {
		s.Purge(t, d.ID)
		return nil
	}
	return d
}

// Restore brings a deleted object back with what hung on it, as far as the other
// ends exist; nil when there is none. Whether its names were taken meanwhile is
// for the caller to look at.
func (s *State) Restore(t *Tenant, id string) *Deleted {
	d := s.DeletedItem(t, id)
	if d == nil {
		return nil
	}
	t.Deleted.Delete(id)
	n := s.Change()
	switch {
	case d.User != nil:
		u := *d.User
		u.Changed = n
		t.Users.Put(&u)
		s.occupy(t, &u)
	case d.Group != nil:
		g := *d.Group
		g.Changed = n
		t.Groups.Put(&g)
	case d.App != nil:
		s.PutApp(t, d.App)
	case d.SP != nil:
		t.SPs.Put(d.SP)
	}
	for _, g := range d.MemberOf {
		t.Groups.Change(g, func(g *Group) { g.Members, g.Changed = append(slices.Clone(g.Members), d.ID), n })
	}
	for _, g := range d.OwnerOf {
		t.Groups.Change(g, func(g *Group) { g.Owners, g.Changed = append(slices.Clone(g.Owners), d.ID), n })
	}
	for _, u := range d.Units {
		t.Units.Change(u, func(u *Unit) { u.Members = append(slices.Clone(u.Members), d.ID) })
	}
	for _, a := range d.Held {
		t.Held.Put(a)
	}
	for _, a := range d.Eligible {
		t.Eligible.Put(a)
	}
	for _, a := range d.Scoped {
		t.Scoped.Put(a)
	}
	for _, g := range d.Grants {
		if t.SPs.Get(g.Client) != nil && t.SPs.Get(g.Resource) != nil {
			t.Grants.Put(g)
		}
	}
	for _, a := range d.AppRoles {
		if t.SPs.Get(a.Resource) != nil {
			t.AppRoles.Put(a)
		}
	}
	s.Touch(t)
	return d
}

// Purge deletes a deleted object for good and reports whether there was one.
func (s *State) Purge(t *Tenant, id string) bool {
	d := t.Deleted.Get(id)
	if d == nil {
		return false
	}
	t.Deleted.Delete(id)
	t.Deletions = append(t.Deletions, Deletion{Kind: d.Kind, ID: d.ID, Changed: s.Change(), Gone: true})
	return true
}

// free gives back the licences of a user who goes; occupy takes them again.
func (s *State) free(t *Tenant, u *User)   { consume(t, u, -1) }
func (s *State) occupy(t *Tenant, u *User) { consume(t, u, 1) }

func consume(t *Tenant, u *User, n int) {
	skus := slices.Clone(t.SKUs)
	for i := range skus {
		if slices.ContainsFunc(u.Licences, func(id string) bool { return strings.EqualFold(id, skus[i].ID) }) {
			skus[i].Consumed = max(0, skus[i].Consumed+n)
		}
	}
	t.SKUs = skus
}
