package directory

import (
	"cmp"
	"slices"
	"sort"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
	"partnerguard/internal/lenient"
)

// holds says whether a schedule holds at [Directory.At]: 0 it does not.
func (d *Directory) holds(start, end time.Time, startRaw, endRaw string, s *ScheduleInfo, status string) Sure {
	switch strings.ToLower(status) {
	case "revoked", "canceled", "cancelled", "denied", "failed":
		return 0
	}
	unread := startRaw != "" && start.IsZero() || endRaw != "" && end.IsZero()
	if s != nil {
		if start.IsZero() {
			start, unread = s.StartDateTime.Time, unread || s.StartDateTime.Raw != "" && !s.StartDateTime.Set
		}
		if x := s.Expiration; x != nil && end.IsZero() {
			end, unread = x.EndDateTime.Time, unread || x.EndDateTime.Raw != "" && !x.EndDateTime.Set
			unread = unread || strings.EqualFold(string(x.Type), "afterDuration") && end.IsZero()
		}
	}
	switch {
	case d.At.IsZero() && (!start.IsZero() || !end.IsZero()):
		return Perhaps
	case !end.IsZero() && !end.After(d.At), !start.IsZero() && start.After(d.At):
		return 0
	case unread:
		return Perhaps
	}
	return Surely
}

// Alike reports that every schedule of a role or a group stands at b as it does at
// a.
func (d *Directory) Alike(a, b time.Time) bool {
	then, now := &Directory{At: a}, &Directory{At: b}
	differ := func(start, end lenient.Time, s *ScheduleInfo, status string) bool {
		return then.holds(start.Time, end.Time, start.Raw, end.Raw, s, status) != now.holds(start.Time, end.Time, start.Raw, end.Raw, s, status)
	}
	for _, r := range d.Assignments {
		if differ(r.StartDateTime, r.EndDateTime, r.Schedule, string(r.Status)) {
			return false
		}
	}
	for _, g := range d.GroupSchedules {
		if differ(g.StartDateTime, g.EndDateTime, g.Schedule, string(g.Status)) {
			return false
		}
	}
	return true
}

// roles works out who holds which role, through groups.
func (r *resolver) roles() {
	for _, a := range r.d.Assignments {
		h := r.d.heldRole(a)
		if h.Sure == 0 {
			continue
		}
		principal := strings.ToLower(a.PrincipalID)
		g := r.d.Groups[principal]
		kind := ""
		if a.Principal != nil {
			kind = shortType(a.Principal.Type)
		}
		why := ""
		switch {
		case g != nil:
			h.Via = cmp.Or(g.DisplayName, g.ID)
			r.members(principal, h.Sure, map[string]Sure{}, &why, func(m member) {
				held := h
				held.Sure = m.sure
				r.hold(m.key, held)
			})
			r.out.GroupRoles[principal] = append(r.out.GroupRoles[principal], h.TemplateID)
			for key, groups := range r.out.Activate { // who may join the group may hold its role
				if slices.Contains(groups, principal) {
					held := h
					held.Eligible = true
					r.hold(key, held)
				}
			}
			why = cmp.Or(why, r.out.OpenGroups[principal])
			if why != "" {
				why = "the group " + h.Via + " holds it, and of that group " + strings.Replace(why, "its members", "the members", 1)
			}
		case kind == "serviceprincipal":
		case r.d.ServicePrincipals[principal] != nil:
		default:
			is := "a holder of the role " + h.Name
			r.person(&Member{ID: a.PrincipalID, Type: kind}, h.Sure, map[string]Sure{}, &why, is, func(m member) { r.hold(m.key, h) })
			switch {
			case kind == "group":
				why = "the group " + a.PrincipalID + " holds it and is not in the export"
			case why != "":
				why = "its holder " + a.PrincipalID + " is in no exported list and may be a group"
			}
		}
		if why != "" && !h.Scoped && !h.Custom {
			r.out.OpenRoles[h.TemplateID] = why
		}
	}
	r.privileged()
	for id, held := range r.out.Roles {
		r.out.Roles[id] = strongest(held)
	}
}

func (r *resolver) hold(key string, h HeldRole) { r.out.Roles[key] = append(r.out.Roles[key], h) }

// privileged takes ScubaGear's list, which names roles by name.
func (r *resolver) privileged() {
	byName := map[string]string{} // policies name roles by template id
	for _, role := range entra.Roles() {
		byName[strings.ToLower(role.Listed())] = role.ID
	}
	for _, d := range r.d.RoleDefinitions {
		if id := d.TemplateID; id != "" {
			byName[strings.ToLower(d.DisplayName)] = strings.ToLower(string(id))
		} else if byName[strings.ToLower(d.DisplayName)] == "" {
			byName[strings.ToLower(d.DisplayName)] = strings.ToLower(d.ID)
		}
	}
	for id, p := range r.d.PrivilegedUsers {
		for _, name := range p.Roles {
			r.hold(id, HeldRole{TemplateID: byName[strings.ToLower(name)], Name: name, Privileged: true, Sure: Surely})
		}
	}
}

// strongest keeps, of each role, the way it is held that reaches furthest; a
// role that is both held and eligible is held.
func strongest(held []HeldRole) []HeldRole {
	weight := func(h *HeldRole) int {
		w := 0
		if !h.Eligible {
			w += 8
		}
		if !h.Scoped {
			w += 4
		}
		if h.Sure == Surely {
			w += 2
		}
		if h.TemplateID != "" {
			w++
		}
		return w
	}
	sort.SliceStable(held, func(i, j int) bool {
		a, b := &held[i], &held[j]
		return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(weight(b), weight(a)), strings.Compare(b.TemplateID, a.TemplateID),
			strings.Compare(a.Via, b.Via)) < 0
	})
	out := held[:0]
	for _, h := range held {
		// A sure active role says all; an unsure or scoped one leaves room for another way.
		if n := len(out); n > 0 && out[n-1].Name == h.Name && (out[n-1].Counts() == Surely && !out[n-1].Eligible || out[n-1] == h ||
			weight(&out[n-1]) >= weight(&h) && out[n-1].Eligible == h.Eligible) {
			continue
		}
		out = append(out, h)
	}
	return out
}

// heldRole reads what one assignment gives, but for its holder.
func (d *Directory) heldRole(a *RoleAssignment) HeldRole {
	key := strings.ToLower(a.RoleDefinitionID)
	if d.RoleDefinitions[key] == nil && !isGUID(key) { // some tools write the role's name
		key = cmp.Or(d.RoleByName(key), key)
	}
	h := HeldRole{TemplateID: key, Name: a.RoleDefinitionID, Privileged: entra.PrivilegedRole(key), Eligible: a.Eligible}
	h.Sure = d.holds(a.StartDateTime.Time, a.EndDateTime.Time, a.StartDateTime.Raw, a.EndDateTime.Raw, a.Schedule, string(a.Status))
	scope := strings.TrimSpace(a.DirectoryScopeID.Value)
	switch {
	case scope != "" && scope != "/", a.AppScopeID != "" && a.AppScopeID != "/":
		h.Scoped = true
	case scope == "" && h.Sure == Surely: // not exported, or null beside an app scope that was not
		h.Sure, h.ScopeOpen = Perhaps, true
	}
	r := d.RoleDefinitions[key]
	if r != nil {
		if r.TemplateID != "" {
			h.TemplateID = strings.ToLower(string(r.TemplateID))
		}
		if r.DisplayName != "" {
			h.Name = r.DisplayName
		}
		h.Privileged = r.IsPrivileged.True() || entra.PrivilegedRole(h.TemplateID)
	}
	switch role, known := entra.FindRole(h.TemplateID); {
	case known:
		if h.Name == a.RoleDefinitionID {
			h.Name = role.Listed()
		}
	case r != nil && r.IsBuiltIn.False():
		h.Custom = true
	case r == nil || !r.IsBuiltIn.Set: // a role that is not in Microsoft's list as of today
		if h.Sure == Surely {
			h.Sure = Perhaps
		}
	}
	return h
}

// Role names a role by the id of its definition, as far as it was exported.
func (d *Directory) Role(definition string) HeldRole {
	return d.heldRole(&RoleAssignment{RoleDefinitionID: definition, DirectoryScopeID: Optional{"/", true}})
}

// NamelessRole is the name of a role that is held and that nothing here knows:
// it may be any.
func (d *Directory) NamelessRole() (string, evidence.Source) {
	name, src := "", evidence.Source{}
	for _, a := range d.Assignments {
		id := a.RoleDefinitionID
		if d.RoleDefinitions[strings.ToLower(id)] == nil && !isGUID(id) && d.RoleByName(id) == "" && (name == "" || id < name) {
			name, src = id, a.Source
		}
	}
	return name, src
}

// CustomRole says whether a role id is one of the tenant's own, which has no
// effect in a policy: 0 it is built in.
func (d *Directory) CustomRole(id string) Sure {
	id = strings.ToLower(id)
	if _, builtIn := entra.FindRole(id); builtIn {
		return 0
	}
	switch r := d.RoleDefinitions[id]; {
	case r != nil && r.IsBuiltIn.True():
		return 0
	case r != nil && r.IsBuiltIn.False():
		return Surely
	}
	return Perhaps
}

// RoleByName finds the template id of a role by its name, or "".
func (d *Directory) RoleByName(name string) string {
	for _, r := range d.RoleDefinitions {
		if strings.EqualFold(r.DisplayName, name) {
			return strings.ToLower(cmp.Or(string(r.TemplateID), r.ID))
		}
	}
	for _, r := range entra.Roles() {
		if strings.EqualFold(r.Listed(), name) {
			return r.ID
		}
	}
	return ""
}

// roleGroups are the groups that hold a role: no others matter to who holds one, unless
// somebody may join a group by an activation; then it is nil, all.
func (d *Directory) roleGroups() map[string]bool {
	if len(d.GroupSchedules) > 0 {
		return nil
	}
	only := map[string]bool{}
	for _, a := range d.Assignments {
		only[strings.ToLower(a.PrincipalID)] = true
	}
	return only
}

// RolesByPrincipal resolves every assignment, through nested groups, to the
// users who hold or may activate it. closedGroups are groups that hold a role
// and whose members are not all in the export.
func (d *Directory) RolesByPrincipal() (roles map[string][]HeldRole, closedGroups []string) {
	s := d.resolve(true, d.roleGroups())
	for _, a := range d.Assignments {
		if id := strings.ToLower(a.PrincipalID); d.Groups[id] != nil && s.OpenGroups[id] != "" {
			closedGroups = append(closedGroups, id)
		}
	}
	slices.Sort(closedGroups)
	return s.Roles, slices.Compact(closedGroups)
}
