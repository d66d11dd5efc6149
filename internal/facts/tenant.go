package facts

import (
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
)

// Tenant brings the facts to the form the access engine decides by. The result
// shares nothing that later changes to the facts would touch but the policies
// themselves.
func (f *Facts) Tenant() *access.Tenant {
	d := f.Directory
	t := &access.Tenant{
		Defaults: f.Defaults, KnownGroups: map[string]bool{},
		RolesKnown: f.RolesKnown(), Names: map[string]string{},
	}
	for id, g := range d.Groups {
		t.Names[id] = g.DisplayName
	}
	for id, r := range d.RoleDefinitions {
		t.Names[id] = r.DisplayName
	}
	for _, a := range d.Applications {
		t.Names[strings.ToLower(a.AppID)] = a.DisplayName
	}
	for _, s := range d.ServicePrincipals {
		t.Names[strings.ToLower(s.AppID)] = s.DisplayName
	}
	for _, p := range f.Policies {
		t.Policies = append(t.Policies, p)
	}
	slices.SortFunc(t.Policies, func(a, b *access.Policy) int {
		return strings.Compare(a.DisplayName+"\x00"+a.ID+"\x00"+a.Source.String(), b.DisplayName+"\x00"+b.ID+"\x00"+b.Source.String())
	})
	for _, l := range f.Locations {
		t.Locations = append(t.Locations, l)
	}
	slices.SortFunc(t.Locations, func(a, b *access.NamedLocation) int { return strings.Compare(a.ID, b.ID) })
	for _, s := range f.Strengths {
		t.Strengths = append(t.Strengths, s)
	}
	slices.SortFunc(t.Strengths, func(a, b *access.Strength) int { return strings.Compare(a.ID, b.ID) })

	groups := d.GroupsByMember()
	for id, closed := range d.ClosedGroups() {
		if !closed {
			t.KnownGroups[id] = true
		}
	}
	roles, _ := d.RolesByPrincipal()
	excluded, partly := f.excludedByName(), f.RolesPartly()
	for key, u := range d.Users {
		t.Users = append(t.Users, f.subject(key, u, groups[key], roles[key], excluded[key], partly))
	}
	// Accounts known only from their registration are judged too.
	for key, r := range d.Registrations {
		if d.Users[key] == nil && d.KeyByUPN(r.UserPrincipalName) == "" {
			u := &directory.User{ID: r.ID, UserPrincipalName: r.UserPrincipalName, DisplayName: r.UserDisplayName, UserType: r.UserType, Source: r.Source}
			t.Users = append(t.Users, f.subject(key, u, groups[key], roles[key], excluded[key], partly))
		}
	}
	// ScubaGear lists privileged users only, by id and name.
	for key, p := range d.PrivilegedUsers {
		if d.Users[key] == nil && d.Registrations[key] == nil {
			t.Users = append(t.Users, f.subject(key, &directory.User{ID: p.ID, DisplayName: p.DisplayName, Source: p.Source}, groups[key], roles[key], excluded[key], partly))
		}
	}
	t.Users = slices.DeleteFunc(t.Users, func(s access.Subject) bool { return s.ID == "" })
	slices.SortFunc(t.Users, func(a, b access.Subject) int { return strings.Compare(a.ID, b.ID) })
	t.Whole = f.Whole(evidence.User) && len(d.Users) > 0
	return t
}

// SettingsKnown reports that the export shows what decides sign-ins: security
// defaults that are on, or the whole list of Conditional Access policies.
// Without it the absence of a policy says nothing.
func (f *Facts) SettingsKnown() bool {
	return f.Defaults != nil && f.Defaults.IsEnabled.True() || f.Whole(evidence.ConditionalAccessPolicy)
}

// RolesKnown reports that role assignments were read in some form, be it an
// empty list.
func (f *Facts) RolesKnown() bool {
	return f.Seen[evidence.RoleAssignment]+f.Seen[evidence.DirectoryRole]+f.Seen[evidence.ScubaPrivilegedRole] > 0 || f.Whole(evidence.RoleAssignment)
}

// RolesPartly reports that there is more of a list of roles than was read: an
// account may hold others beside those it is known to hold.
func (f *Facts) RolesPartly() bool {
	for _, kind := range []evidence.Kind{evidence.RoleAssignment, evidence.RoleEligibility, evidence.DirectoryRole, evidence.ScubaPrivilegedRole} {
		if f.Seen[kind] > 0 && !f.Whole(kind) {
			return true
		}
	}
	return false
}

// excludedByName are the ids that enforced policies asking for MFA leave out.
func (f *Facts) excludedByName() map[string]bool {
	out := map[string]bool{}
	for _, p := range f.Policies {
		if p.Enforced() && p.RequiresMFA() {
			for _, id := range p.Conditions.Users.ExcludeUsers {
				out[strings.ToLower(id)] = true
			}
		}
	}
	return out
}

// subject makes one account. Disabled accounts cannot sign in and are exempt,
// as is directory synchronisation.
func (f *Facts) subject(key string, u *directory.User, groups []string, held []directory.HeldRole, excluded, rolesPartly bool) access.Subject {
	s := access.Subject{ID: strings.ToLower(u.ID), Name: u.UserPrincipalName, Groups: groups, PerUserMFA: string(u.PerUserMFAState)}
	if s.ID == "" {
		s.ID = key
	}
	if s.Name == "" {
		s.Name = u.DisplayName
	}
	for _, r := range held {
		id := r.TemplateID
		if id == "" { // a role known by name alone: it counts as one, and no policy names it so
			id = "name:" + strings.ToLower(r.Name)
		}
		if r.Eligible {
			s.Eligible = append(s.Eligible, id)
		} else {
			s.Roles = append(s.Roles, id)
		}
	}
	class := directory.Classify(u, directory.Signs{Roles: held, Excluded: excluded, RolesPartly: rolesPartly})
	s.Exempt = !class.InScope()
	s.BreakGlass = class == directory.ClassBreakGlass
	s.External = external(u)
	if r := f.Directory.Registrations[key]; r != nil {
		s.Methods, s.MethodsKnown = r.MethodsRegistered, true
	}
	return s
}

// external reads the kind of account from its type and name: a guest whose
// name carries #EXT# signs in at another tenant, one without is an internal
// guest, and a member whose name carries it is a collaboration member.
func external(u *directory.User) access.External {
	ext := strings.Contains(strings.ToUpper(u.UserPrincipalName), "#EXT#")
	switch guest := strings.EqualFold(string(u.UserType), "guest"); {
	case guest && ext, ext && u.UserType == "":
		return access.CollaborationGuest
	case guest:
		return access.InternalGuest
	case ext:
		return access.CollaborationMember
	}
	return access.Member
}
