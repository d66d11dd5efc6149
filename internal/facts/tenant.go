package facts

import (
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/directory"
	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
)

// Tenant brings the facts to the form the access engine decides by, with what
// is not known marked as such. The result shares nothing that later changes to
// the facts would touch but the policies themselves.
func (f *Facts) Tenant() *access.Tenant {
	d := f.Directory
	t := &access.Tenant{
		Defaults: f.Defaults, At: f.At, BaselineScopes: f.BaselineScopes, KnownGroups: map[string]bool{}, Names: f.names(),
		OpenGroups: map[string]string{}, OpenActivation: map[string]string{}, OpenEligible: map[string]string{}, OpenRoles: map[string]string{},
		CustomRoles: map[string]bool{}, OwnApps: map[string]bool{},
	}
	t.Policies = f.policies()
	for _, l := range f.Locations {
		t.Locations = append(t.Locations, l)
	}
	slices.SortFunc(t.Locations, func(a, b *access.NamedLocation) int { return strings.Compare(a.ID, b.ID) })
	for _, s := range f.Strengths {
		t.Strengths = append(t.Strengths, s)
	}
	slices.SortFunc(t.Strengths, func(a, b *access.Strength) int { return strings.Compare(a.ID, b.ID) })

	st := f.standing()
	f.openGroups(t, st)
	f.openRoles(t, st)
	excluded, partly := f.excluded(st), f.RolesPartly()
	kinds := f.kindsMatter()
	add := func(key string, u *directory.User) {
		s := f.subject(key, u, st, excluded[key], partly)
		if !kinds && len(s.Kinds) > 1 { // nothing tells them apart
			s.External, s.Kinds = s.Kinds[0], nil
		}
		t.Users = append(t.Users, s)
	}
	for key, u := range d.Users {
		add(key, u)
	}
	// Accounts known only from their registration are judged too.
	for key, r := range d.Registrations {
		if d.FindUser(r.ID, r.UserPrincipalName) == "" {
			add(key, &directory.User{ID: r.ID, UserPrincipalName: r.UserPrincipalName, DisplayName: r.UserDisplayName, UserType: r.UserType, Source: r.Source})
		}
	}
	// ScubaGear lists privileged users only, by id and name.
	for key, p := range d.PrivilegedUsers {
		if d.Users[key] == nil && d.Registrations[key] == nil {
			add(key, &directory.User{ID: p.ID, DisplayName: p.DisplayName, Source: p.Source})
		}
	}
	t.Users = slices.DeleteFunc(t.Users, func(s access.Subject) bool { return s.ID == "" })
	slices.SortFunc(t.Users, func(a, b access.Subject) int { return strings.Compare(a.ID, b.ID) })
	t.Whole = f.Whole(evidence.User) && len(d.Users) > 0
	for _, c := range f.Cuts(evidence.User) {
		t.UsersLack = append(t.UsersLack, evidence.Ask(c.Thing(), c.Settle()))
	}
	for _, c := range f.Cuts(evidence.ConditionalAccessPolicy) {
		t.PoliciesLack = append(t.PoliciesLack, evidence.Ask(c.Thing(), c.Settle()))
	}
	if !f.Whole(evidence.NamedLocation) {
		t.LocationsLack = evidence.RequestFor(evidence.NamedLocation)
	}
	if len(t.PoliciesLack) == 0 && !f.listed(evidence.ConditionalAccessPolicy) && !f.Defaults.On() {
		t.PoliciesLack = append(t.PoliciesLack, "all Conditional Access policies (no list of them is in the export): "+
			evidence.RequestFor(evidence.ConditionalAccessPolicy))
	}
	return t
}

func (f *Facts) names() map[string]string {
	d := f.Directory
	names := map[string]string{}
	for id, g := range d.Groups {
		names[id] = g.DisplayName
	}
	for id, r := range d.RoleDefinitions {
		names[id] = r.DisplayName
	}
	for _, a := range d.Applications {
		names[strings.ToLower(a.AppID)] = a.DisplayName
	}
	for _, s := range d.ServicePrincipals {
		names[strings.ToLower(s.AppID)] = s.DisplayName
	}
	return names
}

// openGroups fills what is known of groups: whose members are all here, and who
// else may come in by an activation.
func (f *Facts) openGroups(t *access.Tenant, st *directory.Standing) {
	request := func(id string) string {
		return fmt.Sprintf("GET /groups/%s/transitiveMembers, every page (GroupMember.Read.All)", id)
	}
	pim := f.Whole(evidence.GroupEligibility) || f.withoutP2()
	excluded := map[string]bool{}
	for _, p := range t.Policies {
		if p.MayBeEnforced() {
			for _, g := range p.Conditions.Users.ExcludeGroups {
				excluded[strings.ToLower(g)] = true
			}
		}
	}
	for id, g := range f.Directory.Groups {
		switch why := st.OpenGroups[id]; {
		case why == directory.WhyNoIDs:
			t.OpenGroups[id] = evidence.Ask("who is in the group "+g.DisplayName+" ("+why+")", evidence.RequestFor(evidence.User))
		case why != "":
			t.OpenGroups[id] = "the members of group " + g.DisplayName + " (" + why + "): " + request(id)
		case !pim && activatable(g) && excluded[id]:
			t.KnownGroups[id] = true
			t.OpenActivation[id] = "who may activate membership of group " + g.DisplayName + " under PIM for groups: " +
				strings.ReplaceAll(evidence.RequestFor(evidence.GroupEligibility), "{id}", id)
		default:
			t.KnownGroups[id] = true
		}
	}
	// A group that a policy names and nobody exported.
	for _, p := range t.Policies {
		for _, id := range slices.Concat(p.Conditions.Users.IncludeGroups, p.Conditions.Users.ExcludeGroups) {
			if k := strings.ToLower(id); f.Directory.Groups[k] == nil {
				t.OpenGroups[k] = "the members of group " + id + ": " + request(id)
			}
		}
	}
	for _, a := range f.Directory.Applications {
		t.OwnApps[strings.ToLower(a.AppID)] = true
	}
	for _, s := range f.Directory.ServicePrincipals {
		if owner := strings.ToLower(string(s.AppOwnerOrganizationID)); owner != "" && owner != entra.TenantMicrosoftServices && owner != entra.TenantMicrosoft {
			t.OwnApps[strings.ToLower(s.AppID)] = true
		}
	}
}

// activatable reports a group that PIM for groups can hold: not one whose
// members a rule or another directory decides (contracts-2026-11).
func activatable(g *directory.Group) bool {
	dynamic := slices.ContainsFunc(g.GroupTypes, func(s string) bool { return strings.EqualFold(s, "DynamicMembership") })
	return !dynamic && !g.OnPremisesSyncEnabled.True()
}

// withoutP2 reports a tenant whose licences, all of them read, carry neither
// Entra ID P2 nor Governance: there is no PIM.
func (f *Facts) withoutP2() bool {
	return f.Seen[evidence.RoleEligibility]+f.Seen[evidence.GroupEligibility]+f.Seen[evidence.GroupAssignment] == 0 && // which speak of PIM themselves
		f.Whole(evidence.SubscribedSku) && !f.Directory.HasServicePlan("AAD_PREMIUM_P2", "Entra_Identity_Governance", "ENTRA_ID_GOVERNANCE",
		"Entra_Premium_Identity_Governance")
}

// openRoles fills what is known of roles: whose holders are all here, and who
// else may activate them.
func (f *Facts) openRoles(t *access.Tenant, st *directory.Standing) {
	t.RolesKnown = f.RolesKnown()
	for role, why := range st.OpenRoles {
		t.OpenRoles[role] = fmt.Sprintf("who holds the role %s (%s): %s", t.RoleName(role), why, evidence.RequestFor(evidence.RoleAssignment))
	}
	if !f.Whole(evidence.GroupEligibility) && !f.withoutP2() {
		for id, roles := range st.GroupRoles {
			g := f.Directory.Groups[id]
			if g == nil || !activatable(g) {
				continue
			}
			for _, role := range roles {
				t.OpenEligible[role] = "who may activate membership of group " + g.DisplayName + ", which holds the role " + t.RoleName(role) + ": " +
					strings.ReplaceAll(evidence.RequestFor(evidence.GroupEligibility), "{id}", id)
			}
		}
	}
	if !t.RolesKnown {
		t.RolesLack = evidence.RequestFor(evidence.RoleAssignment)
	}
	if !f.Whole(evidence.RoleEligibility) && !f.withoutP2() {
		t.EligibleLack = evidence.RequestFor(evidence.RoleEligibility)
	}
	for _, p := range t.Policies {
		for _, id := range slices.Concat(p.Conditions.Users.IncludeRoles, p.Conditions.Users.ExcludeRoles) {
			if f.Directory.CustomRole(id) == directory.Surely {
				t.CustomRoles[strings.ToLower(id)] = true
			}
		}
	}
}

// SettingsKnown reports that the export shows what decides sign-ins: security
// defaults that are on, or the whole list of Conditional Access policies.
// Without it the absence of a policy says nothing.
func (f *Facts) SettingsKnown() bool {
	return f.Defaults.On() || f.Whole(evidence.ConditionalAccessPolicy)
}

// RolesKnown reports that role assignments were read in some form, be it an
// empty list, and to their end.
func (f *Facts) RolesKnown() bool {
	return f.Whole(evidence.RoleAssignment) || f.Whole(evidence.DirectoryRole) || f.Whole(evidence.ScubaPrivilegedRole)
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

// kindsMatter reports that some policy tells kinds of accounts apart.
func (f *Facts) kindsMatter() bool {
	for _, p := range f.Policies {
		u := &p.Conditions.Users
		if len(u.IncludeExternals.Items)+len(u.ExcludeExternals.Items) > 0 {
			return true
		}
		for _, id := range slices.Concat(u.IncludeUsers, u.ExcludeUsers) {
			if strings.EqualFold(id, "guestsOrExternalUsers") {
				return true
			}
		}
	}
	return false
}

// excluded are the accounts that enforced policies asking for MFA leave out, by
// id or through a group.
func (f *Facts) excluded(st *directory.Standing) map[string]bool {
	out := map[string]bool{}
	groups := map[string]bool{}
	for _, p := range f.policies() {
		if !p.Enforced() || !p.RequiresMFA() {
			continue
		}
		for _, id := range p.Conditions.Users.ExcludeUsers {
			out[strings.ToLower(id)] = true
		}
		for _, id := range p.Conditions.Users.ExcludeGroups {
			groups[strings.ToLower(id)] = true
		}
	}
	for key, in := range st.Groups {
		if slices.ContainsFunc(in, func(g string) bool { return groups[g] }) {
			out[key] = true
		}
	}
	return out
}

// subject makes one account. Disabled accounts cannot sign in and are exempt,
// as is directory synchronisation.
func (f *Facts) subject(key string, u *directory.User, st *directory.Standing, excluded, rolesPartly bool) access.Subject {
	s := access.Subject{
		ID: strings.ToLower(u.ID), Name: u.UserPrincipalName, Groups: st.Groups[key], PerhapsGroups: st.Perhaps[key],
		Activate: st.Activate[key], PerUserMFA: f.Directory.PerUserMFAOf(u), Unidentified: u.ID == "",
	}
	if s.ID == "" {
		s.ID = key
	}
	if s.Name == "" {
		s.Name = u.DisplayName
	}
	held := st.Roles[key]
	for i := range held {
		h := &held[i]
		id := h.TemplateID
		if id == "" { // a role known by name alone: it counts as one, and no policy names it so
			id = "name:" + strings.ToLower(h.Name)
		}
		s.Admin = s.Admin || h.Sure == directory.Surely || h.ScopeOpen
		switch counts := h.Counts(); {
		case counts == directory.Perhaps:
			s.PerhapsRoles = append(s.PerhapsRoles, id)
		case counts == 0:
		case h.Eligible:
			s.Eligible = append(s.Eligible, id)
		default:
			s.Roles = append(s.Roles, id)
		}
	}
	class := directory.Classify(u, directory.Signs{Roles: held, Excluded: excluded, RolesPartly: rolesPartly})
	s.Exempt = !class.InScope()
	s.MayBeExempt = rolesPartly && !s.Exempt && (&directory.Signs{Roles: held}).MaySync()
	s.BreakGlass = class == directory.ClassBreakGlass
	kinds := externals(u)
	s.External = kinds[0]
	if len(kinds) > 1 {
		s.Kinds = kinds
	}
	if r := f.Directory.Registrations[key]; r != nil {
		s.Methods, s.MethodsKnown = r.MethodsRegistered, true
	}
	return s
}

// externals reads what kind of account it may be, the likeliest first. An
// invited account (creationType Invitation, or #EXT# in its name) signs in at
// another tenant; userType tells guest from member. What the export does not
// say stays open.
func externals(u *directory.User) []access.External {
	upn := strings.ToUpper(u.UserPrincipalName)
	invited := strings.Contains(upn, "#EXT#") || strings.EqualFold(u.CreationType.Value, "Invitation") || u.ExternalUserState != ""
	guest, member := strings.EqualFold(string(u.UserType), "guest"), strings.EqualFold(string(u.UserType), "member")
	// A name can be changed after an invitation: only the creation type rules it out.
	own := u.CreationType.Set
	switch {
	case invited && guest:
		return []access.External{access.CollaborationGuest}
	case invited && member:
		return []access.External{access.CollaborationMember}
	case invited:
		return []access.External{access.CollaborationGuest, access.CollaborationMember}
	case guest && own:
		return []access.External{access.InternalGuest}
	case guest:
		return []access.External{access.InternalGuest, access.CollaborationGuest}
	case member:
		return []access.External{access.Member}
	case own:
		return []access.External{access.Member, access.InternalGuest}
	}
	return []access.External{access.Member, access.InternalGuest, access.CollaborationGuest}
}

// GroupsByMember gives, for every account, the groups it is surely in, nested
// ones included, by lower-case id.
func (f *Facts) GroupsByMember() map[string][]string { return f.standing().Groups }
