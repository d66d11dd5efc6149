package graph

import (
	"iter"
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// spRow is a service principal with what its application publishes, looked up
// within the lock.
type spRow struct {
	*world.ServicePrincipal
	scopes, roles []world.Scope
	uris, replies []string
	audience      string
}

func newSPShape() *shape {
	type r = *world.ServicePrincipal
	sh := newShape("servicePrincipal", func(x any) string { return spOf(x).ID })
	add := func(name string, get func(*spRow) any) {
		sh.index[name] = len(sh.fields)
		sh.fields = append(sh.fields, field{name: name, get: func(x any) any {
			if full, ok := x.(*spRow); ok {
				return get(full)
			}
			return get(&spRow{ServicePrincipal: x.(r)})
		}})
	}
	add("id", func(x *spRow) any { return x.ID })
	add("deletedDateTime", func(*spRow) any { return nil })
	add("accountEnabled", func(x *spRow) any { return x.Enabled })
	add("alternativeNames", func(*spRow) any { return []string{} })
	add("appDisplayName", func(x *spRow) any { return x.Name })
	add("appDescription", func(*spRow) any { return nil })
	add("appId", func(x *spRow) any { return x.AppID })
	add("appOwnerOrganizationId", func(x *spRow) any {
		if x.Owner == "" {
			return nil
		}
		return x.Owner
	})
	add("appRoleAssignmentRequired", func(x *spRow) any { return x.AssignmentRequired })
	add("description", func(*spRow) any { return nil })
	add("disabledByMicrosoftStatus", func(*spRow) any { return nil })
	add("displayName", func(x *spRow) any { return x.Name })
	add("homepage", func(*spRow) any { return nil })
	add("loginUrl", func(*spRow) any { return nil })
	add("logoutUrl", func(*spRow) any { return nil })
	add("notes", func(*spRow) any { return nil })
	add("notificationEmailAddresses", func(*spRow) any { return []string{} })
	add("replyUrls", func(x *spRow) any { return orEmpty(x.replies) })
	add("servicePrincipalNames", func(x *spRow) any { return append([]string{x.AppID}, x.uris...) })
	add("servicePrincipalType", func(x *spRow) any { return x.Type })
	add("signInAudience", func(x *spRow) any {
		if x.audience == "" {
			return "AzureADMultipleOrgs"
		}
		return x.audience
	})
	add("tags", func(x *spRow) any { return orEmpty(x.Tags) })
	add("appRoles", func(x *spRow) any { return permissionRoles(x.roles) })
	add("keyCredentials", func(x *spRow) any { return keys(x.Keys) })
	add("oauth2PermissionScopes", func(x *spRow) any { return permissionScopes(x.scopes) })
	add("passwordCredentials", func(x *spRow) any { return passwords(x.Passwords) })
	add("verifiedPublisher", func(*spRow) any {
		return object{{"displayName", nil}, {"verifiedPublisherId", nil}, {"addedDateTime", nil}}
	})
	return sh
}

func spOf(x any) *world.ServicePrincipal {
	if full, ok := x.(*spRow); ok {
		return full.ServicePrincipal
	}
	return x.(*world.ServicePrincipal)
}

// fullSP looks up what the application of a service principal publishes.
func fullSP(s *world.State, p *world.ServicePrincipal) *spRow {
	row := &spRow{ServicePrincipal: p}
	if r := s.Resource(p.AppID); r != nil {
		row.scopes, row.roles, row.uris = r.Scopes, r.Roles, r.URIs
	}
	if _, a := s.App(p.AppID); a != nil {
		row.replies = slices.Concat(a.Web, a.SPA, a.Public)
		row.audience = a.Audience
	}
	row.uris = slices.DeleteFunc(slices.Clone(row.uris), func(u string) bool { return u == p.AppID })
	return row
}

func findSP(c *call, t *world.Tenant) (*world.ServicePrincipal, error) {
	if id, ok := strings.CutPrefix(c.params[0], "appId="); ok {
		if sp := t.SP(id); sp != nil {
			return sp, nil
		}
		return nil, notFound(id)
	}
	if sp := t.SPs.Get(c.params[0]); sp != nil {
		return sp, nil
	}
	return nil, notFound(c.params[0])
}

func spTarget(p *world.ServicePrincipal) world.AuditTarget {
	return target("ServicePrincipal", p.ID, p.Name)
}

func (p *router) servicePrincipals(sh *shapes) {
	read := allow(readApps)
	write := allow(writeApps).with(appAdmins()...)
	p.add("GET", "servicePrincipals", route{permit: read, cost: 2, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		since := func(after string, at int) iter.Seq2[int, any] {
			return func(yield func(int, any) bool) {
				for i, r := range t.SPs.Since(after, at) {
					if !yield(i, fullSP(s, r)) {
						return
					}
				}
			}
		}
		return c.list(s, t, &listing{shape: sh.sp, context: "servicePrincipals", since: since, top: 100, max: 999, advanced: true})
	}})
	p.add("GET", "servicePrincipals/{}", route{permit: read, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		sp, err := findSP(c, t)
		if err != nil {
			return nil, err
		}
		return c.one(s, t, "servicePrincipals", sh.sp, fullSP(s, sp))
	}})
	p.add("POST", "servicePrincipals", route{permit: write, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		fs := fields{"appId": text().need(), "displayName": text(), "accountEnabled": flag(), "appRoleAssignmentRequired": flag(), "tags": list(text()), "id": readOnly()}
		if err := fs.check("", c.in); err != nil {
			return nil, err
		}
		id := str(c.in, "appId")
		if t.SP(id) != nil {
			return nil, refuse(http.StatusConflict, "Request_MultipleObjectsWithSameKeyValue", "The service principal cannot be created, updated, or restored because the service principal name %s is already in use.", clip(id))
		}
		owner, app := s.App(id)
		if app != nil && owner.ID != t.ID && !app.MultiTenant() {
			app = nil
		}
		if app == nil && world.FindResource(id) == nil {
			if client, ok := s.Client(id); !ok || !client.FirstParty {
				return nil, badRequest("The appId '%s' does not reference a valid application object.", clip(id))
			}
		}
		sp := s.EnsureSP(t, id)
		if sp == nil {
			return nil, notFound(id)
		}
		t.SPs.Change(sp.ID, func(p *world.ServicePrincipal) { c.applySP(p) })
		s.Touch(t)
		sp = t.SPs.Get(sp.ID)
		c.audit(s, t, change{activity: "Add service principal", category: "ApplicationManagement", operation: "Add", target: spTarget(sp)})
		return c.created(s, t, "servicePrincipals", sh.sp, fullSP(s, sp))
	}})
	p.add("PATCH", "servicePrincipals/{}", route{permit: write, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		sp, err := findSP(c, t)
		if err != nil {
			return nil, err
		}
		fs := fields{"displayName": readOnly(), "appId": readOnly(), "id": readOnly(), "accountEnabled": flag(), "appRoleAssignmentRequired": flag(), "tags": list(text()), "keyCredentials": readOnly(), "passwordCredentials": readOnly()}
		if err := fs.check("", c.in); err != nil {
			return nil, err
		}
		ch := change{activity: "Update service principal", category: "ApplicationManagement", target: spTarget(sp)}
		old := *sp
		t.SPs.Change(sp.ID, func(p *world.ServicePrincipal) { c.applySP(p) })
		s.Touch(t)
		next := t.SPs.Get(sp.ID)
		ch.changed("AccountEnabled", old.Enabled, next.Enabled)
		ch.changed("AppRoleAssignmentRequired", old.AssignmentRequired, next.AssignmentRequired)
		ch.changed("Tags", old.Tags, next.Tags)
		c.audit(s, t, ch)
		return noContent()
	}})
	p.add("DELETE", "servicePrincipals/{}", route{permit: write, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		sp, err := findSP(c, t)
		if err != nil {
			return nil, err
		}
		is := func(id string) bool { return strings.EqualFold(id, sp.ID) }
		for _, g := range t.Grants.List() { // consents go with it
			if is(g.Client) || is(g.Resource) {
				t.Grants.Delete(g.ID)
			}
		}
		for _, a := range t.AppRoles.List() {
			if is(a.Principal) || is(a.Resource) {
				t.AppRoles.Delete(a.ID)
			}
		}
		t.SPs.Delete(sp.ID)
		s.Touch(t)
		c.audit(s, t, change{activity: "Remove service principal", category: "ApplicationManagement", operation: "Delete", target: spTarget(sp)})
		return noContent()
	}})
	p.appRoles()
	p.grants()
}

func (c *call) applySP(p *world.ServicePrincipal) {
	if given(c.in, "accountEnabled") {
		p.Enabled = truth(c.in, "accountEnabled")
	}
	if given(c.in, "appRoleAssignmentRequired") {
		p.AssignmentRequired = truth(c.in, "appRoleAssignmentRequired")
	}
	if given(c.in, "tags") {
		p.Tags = strs(c.in, "tags")
	}
}

// appRoleRow is an assignment with the names it shows.
type appRoleRow struct {
	*world.AppRoleAssignment
	principal, resource string
}

func (p *router) appRoles() {
	type r = *appRoleRow
	sh := newShape("appRoleAssignment", func(x any) string { return x.(r).ID },
		f("id", func(x r) any { return x.ID }),
		f("deletedDateTime", func(r) any { return nil }),
		f("appRoleId", func(x r) any { return x.Role }),
		f("createdDateTime", func(x r) any { return x.Created }),
		f("principalDisplayName", func(x r) any { return x.principal }),
		f("principalId", func(x r) any { return x.Principal }),
		f("principalType", func(x r) any { return x.PrincipalType }),
		f("resourceDisplayName", func(x r) any { return x.resource }),
		f("resourceId", func(x r) any { return x.Resource }),
	)
	show := func(t *world.Tenant, a *world.AppRoleAssignment) *appRoleRow {
		row := &appRoleRow{AppRoleAssignment: a}
		switch {
		case t.SPs.Get(a.Principal) != nil:
			row.principal = t.SPs.Get(a.Principal).Name
		case t.Users.Get(a.Principal) != nil:
			row.principal = t.Users.Get(a.Principal).Name
		case t.Groups.Get(a.Principal) != nil:
			row.principal = t.Groups.Get(a.Principal).Name
		}
		if sp := t.SPs.Get(a.Resource); sp != nil {
			row.resource = sp.Name
		}
		return row
	}
	read := allow("Application.Read.All Application.ReadWrite.All Directory.Read.All Directory.ReadWrite.All AppRoleAssignment.ReadWrite.All")
	write := allow("AppRoleAssignment.ReadWrite.All").and("Application.Read.All Application.ReadWrite.All Directory.Read.All Directory.ReadWrite.All").with(privilegedRoleAdmin)
	for _, which := range []string{"appRoleAssignments", "appRoleAssignedTo"} {
		path := "servicePrincipals/{}/" + which
		context := func(sp *world.ServicePrincipal) string { return "servicePrincipals('" + sp.ID + "')/" + which }
		side := func(a *world.AppRoleAssignment) string {
			if which == "appRoleAssignments" {
				return a.Principal
			}
			return a.Resource
		}
		p.add("GET", path, route{permit: read, cost: 2, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
			sp, err := findSP(c, t)
			if err != nil {
				return nil, err
			}
			rows := []*appRoleRow{}
			for a := range t.AppRoles.All() {
				if strings.EqualFold(side(a), sp.ID) {
					rows = append(rows, show(t, a))
				}
			}
			return c.list(s, t, &listing{shape: sh, context: context(sp), since: slice(rows, sh.key), top: 100, max: 999})
		}})
		p.add("POST", path, route{permit: write, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
			sp, err := findSP(c, t)
			if err != nil {
				return nil, err
			}
			fs := fields{"principalId": text().need(), "resourceId": text().need(), "appRoleId": text().need(), "id": readOnly(), "principalType": readOnly()}
			if err := fs.check("", c.in); err != nil {
				return nil, err
			}
			a := &world.AppRoleAssignment{ID: strings.ReplaceAll(world.NewSecret()[:43], "=", ""), Principal: str(c.in, "principalId"), Resource: str(c.in, "resourceId"), Role: str(c.in, "appRoleId"), Created: c.now}
			if !strings.EqualFold(side(a), sp.ID) {
				return nil, badRequest("The service principal of the path is not the one of the body.")
			}
			switch {
			case t.SPs.Get(a.Principal) != nil:
				a.PrincipalType = "ServicePrincipal"
			case t.Users.Get(a.Principal) != nil:
				a.PrincipalType = "User"
			case t.Groups.Get(a.Principal) != nil:
				a.PrincipalType = "Group"
			default:
				return nil, notFound(a.Principal)
			}
			res := t.SPs.Get(a.Resource)
			if res == nil {
				return nil, notFound(a.Resource)
			}
			full := fullSP(s, res)
			name := ""
			for _, x := range full.roles {
				if strings.EqualFold(x.ID, a.Role) {
					name = x.Value
				}
			}
			if name == "" && a.Role != entra.NilID {
				return nil, badRequest("Permission being assigned was not found on application '%s'.", res.AppID)
			}
			for o := range t.AppRoles.All() {
				if strings.EqualFold(o.Principal, a.Principal) && strings.EqualFold(o.Resource, a.Resource) && strings.EqualFold(o.Role, a.Role) {
					return nil, badRequest("Permission being assigned already exists on the object.")
				}
			}
			t.AppRoles.Put(a)
			s.Touch(t)
			ch := change{activity: "Add app role assignment to service principal", category: "ApplicationManagement", operation: "Assign", target: spTarget(res)}
			ch.changed("AppRole.Value", nil, name)
			ch.changed("ServicePrincipal.ObjectID", nil, a.Principal)
			c.audit(s, t, ch)
			return c.created(s, t, context(sp), sh, show(t, a))
		}})
		p.add("DELETE", path+"/{}", route{permit: write, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
			sp, err := findSP(c, t)
			if err != nil {
				return nil, err
			}
			a := t.AppRoles.Get(c.params[1])
			if a == nil || !strings.EqualFold(side(a), sp.ID) {
				return nil, notFound(c.params[1])
			}
			t.AppRoles.Delete(a.ID)
			s.Touch(t)
			ch := change{activity: "Remove app role assignment from service principal", category: "ApplicationManagement", operation: "Unassign", target: spTarget(sp)}
			ch.changed("AppRole.Id", a.Role, nil)
			c.audit(s, t, ch)
			return noContent()
		}})
	}
}

func (p *router) grants() {
	type r = *world.Grant
	sh := newShape("oAuth2PermissionGrant", func(x any) string { return x.(r).ID },
		f("clientId", func(x r) any { return x.Client }),
		f("consentType", func(x r) any {
			if x.Principal == "" {
				return "AllPrincipals"
			}
			return "Principal"
		}),
		f("id", func(x r) any { return x.ID }),
		f("principalId", func(x r) any {
			if x.Principal == "" {
				return nil
			}
			return x.Principal
		}),
		f("resourceId", func(x r) any { return x.Resource }),
		f("scope", func(x r) any { return strings.Join(x.Scopes, " ") }),
	)
	read := allow("Directory.Read.All Directory.ReadWrite.All DelegatedPermissionGrant.ReadWrite.All").with(directoryReaders, directoryWriters, globalReader, applicationAdmin, cloudAppAdmin, privilegedRoleAdmin, userAdmin, securityReader, securityAdmin)
	write := allow("DelegatedPermissionGrant.ReadWrite.All Directory.ReadWrite.All").with(append(appAdmins(), privilegedRoleAdmin)...)
	const path = "oauth2PermissionGrants"
	p.add("GET", path, route{permit: read, cost: 2, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		return c.list(s, t, &listing{shape: sh, context: path, since: table(&t.Grants), top: 100, max: 999})
	}})
	p.add("GET", "servicePrincipals/{}/oauth2PermissionGrants", route{permit: read, cost: 2, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		sp, err := findSP(c, t)
		if err != nil {
			return nil, err
		}
		rows := []r{}
		for g := range t.Grants.All() {
			if strings.EqualFold(g.Client, sp.ID) {
				rows = append(rows, g)
			}
		}
		return c.list(s, t, &listing{shape: sh, context: path, since: slice(rows, sh.key), top: 100, max: 999})
	}})
	p.add("GET", path+"/{}", route{permit: read, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		if g := t.Grants.Get(c.params[0]); g != nil {
			return c.one(s, t, path, sh, g)
		}
		return nil, notFound(c.params[0])
	}})
	judge := func(s *world.State, t *world.Tenant, g *world.Grant) error {
		client, res := t.SPs.Get(g.Client), t.SPs.Get(g.Resource)
		switch {
		case client == nil:
			return notFound(g.Client)
		case res == nil:
			return notFound(g.Resource)
		case g.Principal != "" && t.Users.Get(g.Principal) == nil:
			return notFound(g.Principal)
		}
		full := fullSP(s, res)
		for _, v := range g.Scopes {
			if !slices.ContainsFunc(full.scopes, func(x world.Scope) bool { return strings.EqualFold(x.Value, v) }) {
				return badRequest("Permission entry: the scope '%s' is not published by '%s'.", clip(v), res.Name)
			}
		}
		return nil
	}
	note := func(c *call, s *world.State, t *world.Tenant, activity, operation string, g *world.Grant, old, next any) {
		ch := change{activity: activity, category: "ApplicationManagement", operation: operation, target: target("ServicePrincipal", g.Resource, "")}
		if sp := t.SPs.Get(g.Resource); sp != nil {
			ch.target = spTarget(sp)
		}
		ch.changed("DelegatedPermissionGrant.Scope", old, next)
		ch.changed("ServicePrincipal.ObjectID", nil, g.Client)
		c.audit(s, t, ch)
	}
	p.add("POST", path, route{permit: write, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		fs := fields{"clientId": text().need(), "consentType": enum("AllPrincipals Principal").need(), "principalId": text(), "resourceId": text().need(), "scope": text().need(), "id": readOnly(), "startTime": text(), "expiryTime": text()}
		if err := fs.check("", c.in); err != nil {
			return nil, err
		}
		g := &world.Grant{ID: world.NewSecret()[:43], Client: str(c.in, "clientId"), Resource: str(c.in, "resourceId"), Principal: str(c.in, "principalId"), Scopes: strings.Fields(str(c.in, "scope"))}
		if (str(c.in, "consentType") == "AllPrincipals") != (g.Principal == "") || str(c.in, "consentType") == "" {
			return nil, badRequest("The consentType AllPrincipals has no principalId, and Principal needs one.")
		}
		if err := judge(s, t, g); err != nil {
			return nil, err
		}
		for o := range t.Grants.All() {
			if strings.EqualFold(o.Client, g.Client) && strings.EqualFold(o.Resource, g.Resource) && strings.EqualFold(o.Principal, g.Principal) {
				return nil, refuse(http.StatusConflict, "Request_MultipleObjectsWithSameKeyValue", "Permission entry already exists.")
			}
		}
		t.Grants.Put(g)
		s.Touch(t)
		note(c, s, t, "Add delegated permission grant", "Assign", g, nil, strings.Join(g.Scopes, " "))
		return c.created(s, t, path, sh, g)
	}})
	p.add("PATCH", path+"/{}", route{permit: write, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		old := t.Grants.Get(c.params[0])
		if old == nil {
			return nil, notFound(c.params[0])
		}
		if err := (fields{"scope": text().need(), "clientId": readOnly(), "consentType": readOnly(), "principalId": readOnly(), "resourceId": readOnly(), "id": readOnly()}).check("", c.in); err != nil {
			return nil, err
		}
		g := *old
		g.Scopes = strings.Fields(str(c.in, "scope"))
		if err := judge(s, t, &g); err != nil {
			return nil, err
		}
		t.Grants.Put(&g)
		s.Touch(t)
		note(c, s, t, "Update delegated permission grant", "Update", &g, strings.Join(old.Scopes, " "), strings.Join(g.Scopes, " "))
		return noContent()
	}})
	p.add("DELETE", path+"/{}", route{permit: write, do: func(c *call, s *world.State, t *world.Tenant) (*reply, error) {
		g := t.Grants.Get(c.params[0])
		if g == nil {
			return nil, notFound(c.params[0])
		}
		t.Grants.Delete(g.ID)
		s.Touch(t)
		note(c, s, t, "Remove delegated permission grant", "Unassign", g, strings.Join(g.Scopes, " "), nil)
		return noContent()
	}})
}
