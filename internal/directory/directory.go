package directory

import (
	"sort"
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/lenient"
)

// Directory collects records by id. Methods that add are not safe for
// concurrent use; reading is, once adding is done. Ids compare without case.
type Directory struct {
	Users             map[string]*User         // by lower-case id, else lower-case UPN
	Registrations     map[string]*Registration // by lower-case user id, else UPN
	RoleDefinitions   map[string]*RoleDefinition
	Assignments       map[string]*RoleAssignment // by what it says, so that copies fold
	Groups            map[string]*Group
	Applications      map[string]*Application
	ServicePrincipals map[string]*ServicePrincipal
	Grants            map[string]*PermissionGrant
	SKUs              map[string]*SKU
	PrivilegedUsers   map[string]*PrivilegedUser
	Organizations     []Organization
	byUPN             map[string]string // lower-case UPN -> key in Users
}

// New returns an empty Directory.
func New() *Directory {
	return &Directory{
		Users: map[string]*User{}, Registrations: map[string]*Registration{}, RoleDefinitions: map[string]*RoleDefinition{},
		Assignments: map[string]*RoleAssignment{}, Groups: map[string]*Group{}, Applications: map[string]*Application{},
		ServicePrincipals: map[string]*ServicePrincipal{}, Grants: map[string]*PermissionGrant{}, SKUs: map[string]*SKU{},
		PrivilegedUsers: map[string]*PrivilegedUser{}, byUPN: map[string]string{},
	}
}

// Key is how ids and UPNs are compared: lower case, the id where there is one.
func Key(id, upn string) string {
	if id != "" {
		return strings.ToLower(id)
	}
	return strings.ToLower(upn)
}

// AddUser keeps u, or fills the gaps of the user of the same id: a members list
// says less than /users and must not erase it.
func (d *Directory) AddUser(u User) {
	key := Key(u.ID, u.UserPrincipalName)
	if key == "" {
		return
	}
	old := d.Users[key]
	if old == nil {
		d.Users[key] = &u
		if u.UserPrincipalName != "" {
			d.byUPN[strings.ToLower(u.UserPrincipalName)] = key
		}
		return
	}
	if old.UserPrincipalName == "" {
		old.UserPrincipalName = u.UserPrincipalName
	}
	if old.DisplayName == "" {
		old.DisplayName = u.DisplayName
	}
	if old.UserType == "" {
		old.UserType = u.UserType
	}
	if !old.AccountEnabled.Set {
		old.AccountEnabled, old.Source = u.AccountEnabled, u.Source
	}
	if !old.OnPremisesSyncEnabled.Set {
		old.OnPremisesSyncEnabled = u.OnPremisesSyncEnabled
	}
	if !old.CreatedDateTime.Set {
		old.CreatedDateTime = u.CreatedDateTime
	}
	for _, text := range []struct{ to, from *lenient.String }{
		{&old.CreationType, &u.CreationType}, {&old.ExternalUserState, &u.ExternalUserState},
		{&old.IdentityParentID, &u.IdentityParentID},
	} {
		if *text.to == "" {
			*text.to = *text.from
		}
	}
	if old.Purpose() == "" {
		old.Mailbox = u.Mailbox
	}
	if !old.Agent() && u.Agent() { // a members list may name the type where the users do not
		old.Type = u.Type
	}
	if old.PerUserMFAState == "" {
		old.PerUserMFAState = u.PerUserMFAState
	}
	if old.SignInActivity == nil {
		old.SignInActivity = u.SignInActivity
	}
	if old.UserPrincipalName != "" {
		d.byUPN[strings.ToLower(old.UserPrincipalName)] = key
	}
}

// KeyByUPN finds the key of the user with this UPN, or "".
func (d *Directory) KeyByUPN(upn string) string { return d.byUPN[strings.ToLower(upn)] }

// AddRegistration keeps the newer of two records for one user.
func (d *Directory) AddRegistration(r Registration) {
	key := Key(r.ID, r.UserPrincipalName)
	if old := d.Registrations[key]; key != "" && (old == nil || r.LastUpdated.After(old.LastUpdated.Time)) {
		d.Registrations[key] = &r
	}
}

// AddAssignment keeps one copy of what an assignment says.
func (d *Directory) AddAssignment(a RoleAssignment) {
	if a.PrincipalID == "" || a.RoleDefinitionID == "" {
		return
	}
	if p := a.Principal; p != nil && strings.EqualFold(p.ID, a.PrincipalID) {
		d.addPrincipal(p, a.Source)
	}
	key := strings.ToLower(a.PrincipalID + "|" + a.RoleDefinitionID + "|" + string(a.DirectoryScopeID))
	if a.Eligible {
		key += "|eligible"
	}
	if old := d.Assignments[key]; old == nil || a.EndDateTime.After(old.EndDateTime.Time) {
		d.Assignments[key] = &a
	}
}

// addPrincipal learns who an expanded principal is.
func (d *Directory) addPrincipal(p *Principal, src evidence.Source) {
	switch kind := strings.ToLower(p.Type); {
	case strings.HasSuffix(kind, ".user"):
		d.AddUser(User{ID: p.ID, UserPrincipalName: p.UserPrincipalName, DisplayName: p.DisplayName, Source: src})
	case strings.HasSuffix(kind, ".group"):
		d.AddGroup(Group{ID: p.ID, DisplayName: p.DisplayName, Source: src})
	case strings.HasSuffix(kind, ".serviceprincipal"):
		if id := strings.ToLower(p.ID); d.ServicePrincipals[id] == nil {
			d.ServicePrincipals[id] = &ServicePrincipal{ID: p.ID, AppID: p.AppID, DisplayName: p.DisplayName, Source: src}
		}
	}
}

// AddDirectoryRole turns the legacy form into a definition and assignments.
func (d *Directory) AddDirectoryRole(r DirectoryRole) {
	d.RoleDefinitions[strings.ToLower(r.RoleTemplateID)] = mergeRole(d.RoleDefinitions[strings.ToLower(r.RoleTemplateID)], RoleDefinition{ID: r.RoleTemplateID, DisplayName: r.DisplayName, Source: r.Source})
	for _, m := range r.Members.Items {
		m.Source = r.Source
		d.AddUser(m)
		d.AddAssignment(RoleAssignment{ID: r.ID, PrincipalID: m.ID, RoleDefinitionID: r.RoleTemplateID, Source: r.Source})
	}
}

// AddPrivilegedRole takes ScubaGear's form.
func (d *Directory) AddPrivilegedRole(r PrivilegedRole) {
	d.AddRoleDefinition(RoleDefinition{ID: r.RoleTemplateID, DisplayName: r.DisplayName, Source: r.Source})
	for _, a := range r.Assignments.Items {
		a.Source = r.Source
		if a.RoleDefinitionID == "" {
			a.RoleDefinitionID = r.RoleTemplateID
		}
		d.AddAssignment(a)
	}
}

// AddRoleDefinition keeps a role under its id and under its template id.
func (d *Directory) AddRoleDefinition(r RoleDefinition) {
	for _, key := range []string{strings.ToLower(r.ID), strings.ToLower(string(r.TemplateID))} {
		if key != "" {
			d.RoleDefinitions[key] = mergeRole(d.RoleDefinitions[key], r)
		}
	}
}

func mergeRole(old *RoleDefinition, r RoleDefinition) *RoleDefinition {
	if old == nil {
		return &r
	}
	if old.DisplayName == "" {
		old.DisplayName = r.DisplayName
	}
	if !old.IsPrivileged.Set {
		old.IsPrivileged = r.IsPrivileged
	}
	return old
}

// AddGroup keeps a group, joining members of copies.
func (d *Directory) AddGroup(g Group) {
	key := strings.ToLower(g.ID)
	old := d.Groups[key]
	if key == "" || old == nil {
		if key != "" {
			d.Groups[key] = &g
		}
		return
	}
	if g.Members.Set {
		old.Members.Set = true
		old.Members.Items = append(old.Members.Items, g.Members.Items...)
	}
}

// HeldRole is one role of one account.
type HeldRole struct {
	TemplateID string
	Name       string
	Privileged bool
	Eligible   bool   // must be activated first
	Via        string // the group it comes through, or ""
}

// RolesByPrincipal resolves every assignment, through nested groups, to the
// users who hold or may activate it. Cycles are harmless. Unreadable groups
// (no members in the export) are returned by id.
func (d *Directory) RolesByPrincipal() (roles map[string][]HeldRole, closedGroups []string) {
	roles = map[string][]HeldRole{}
	closed := map[string]bool{}
	for _, a := range d.Assignments {
		h := d.heldRole(a.RoleDefinitionID)
		h.Eligible = a.Eligible
		principal := strings.ToLower(a.PrincipalID)
		g := d.Groups[principal]
		if g == nil {
			roles[principal] = append(roles[principal], h)
			continue
		}
		h.Via = g.DisplayName
		d.eachMember(g, map[string]bool{}, closed, func(id string) { roles[id] = append(roles[id], h) })
	}
	byName := map[string]string{} // policies name roles by template id
	for _, r := range d.RoleDefinitions {
		if id := r.TemplateID; id != "" {
			byName[strings.ToLower(r.DisplayName)] = strings.ToLower(string(id))
		} else if byName[strings.ToLower(r.DisplayName)] == "" {
			byName[strings.ToLower(r.DisplayName)] = strings.ToLower(r.ID)
		}
	}
	for id, p := range d.PrivilegedUsers {
		for _, name := range p.Roles {
			roles[id] = append(roles[id], HeldRole{TemplateID: byName[strings.ToLower(name)], Name: name, Privileged: true})
		}
	}
	for id, held := range roles {
		sort.Slice(held, func(i, j int) bool {
			if held[i].Name != held[j].Name {
				return held[i].Name < held[j].Name
			}
			if held[i].Eligible != held[j].Eligible {
				return !held[i].Eligible
			}
			return held[i].TemplateID > held[j].TemplateID // the copy that knows its template first
		})
		out := held[:0]
		for _, h := range held {
			if len(out) == 0 || out[len(out)-1].Name != h.Name {
				out = append(out, h)
			}
		}
		roles[id] = out
	}
	for id := range closed {
		closedGroups = append(closedGroups, id)
	}
	sort.Strings(closedGroups)
	return roles, closedGroups
}

// Role names a role by the id of its definition, as far as it was exported.
func (d *Directory) Role(definition string) HeldRole { return d.heldRole(definition) }

func (d *Directory) heldRole(id string) HeldRole {
	key := strings.ToLower(id)
	h := HeldRole{TemplateID: key, Name: id, Privileged: privilegedRoles[key]}
	if r := d.RoleDefinitions[key]; r != nil {
		if r.TemplateID != "" {
			h.TemplateID = strings.ToLower(string(r.TemplateID))
		}
		if r.DisplayName != "" {
			h.Name = r.DisplayName
		}
		h.Privileged = r.IsPrivileged.True() || privilegedRoles[h.TemplateID]
	}
	return h
}

func (d *Directory) eachMember(g *Group, seen, closed map[string]bool, f func(id string)) {
	key := strings.ToLower(g.ID)
	if seen[key] {
		return
	}
	seen[key] = true
	if !g.Members.Set {
		closed[key] = true
		return
	}
	for _, m := range g.Members.Items {
		id := strings.ToLower(m.ID)
		if nested := d.Groups[id]; nested != nil {
			d.eachMember(nested, seen, closed, f)
		} else if id != "" && !seen[id] {
			seen[id] = true
			f(id)
		}
	}
}

// GroupsByMember gives, for every account, the groups it is in, nested ones
// included, by lower-case id and sorted. Cycles are harmless.
func (d *Directory) GroupsByMember() map[string][]string {
	out := map[string][]string{}
	for id, g := range d.Groups {
		d.eachMember(g, map[string]bool{}, map[string]bool{}, func(member string) { out[member] = append(out[member], id) })
	}
	for _, groups := range out {
		sort.Strings(groups)
	}
	return out
}

// ClosedGroups says of every group whether its members, or those of a group
// nested in it, are missing from the export.
func (d *Directory) ClosedGroups() map[string]bool {
	out := map[string]bool{}
	for id, g := range d.Groups {
		closed := map[string]bool{}
		d.eachMember(g, map[string]bool{}, closed, func(string) {})
		out[id] = len(closed) > 0
	}
	return out
}

// HasServicePlan reports whether a licence in force carries one of the plans,
// by plan name (contracts.md section 3.9).
func (d *Directory) HasServicePlan(names ...string) bool {
	for _, s := range d.SKUs {
		status := strings.ToLower(string(s.CapabilityStatus))
		if status != "" && status != "enabled" && status != "warning" {
			continue
		}
		if s.PrepaidUnits.Enabled.Set && s.PrepaidUnits.Enabled.Value <= 0 && s.PrepaidUnits.Warning.Value <= 0 {
			continue
		}
		for _, p := range s.ServicePlans.Items {
			for _, n := range names {
				if strings.EqualFold(p.Name, n) && !strings.EqualFold(string(p.Status), "Disabled") {
					return true
				}
			}
		}
	}
	return false
}
