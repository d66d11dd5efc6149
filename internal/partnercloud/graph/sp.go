package graph

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// spRow is a service principal with what its application publishes, looked up
// within the lock.
type spRow struct {
	*world.ServicePrincipal
	scopes, roles []world.Scope
	uris, replies []string
	audience      string
	app           map[string]any // what the application keeps as written
}

// own is a member of the service principal's own, or what its application says.
func (x *spRow) own(name string, otherwise any) any {
	if v, ok := x.More[name]; ok {
		return v
	}
	return otherwise
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
	kept := func(names string) {
		for _, name := range words(names) {
			add(name, func(x *spRow) any { return shownKept(keptBySPs(), x.More, name) })
		}
	}
	add("id", func(x *spRow) any { return x.ID })
	add("deletedDateTime", func(*spRow) any { return nil })
	add("accountEnabled", func(x *spRow) any { return x.Enabled })
	add("appDisplayName", func(x *spRow) any { return x.Name })
	add("appDescription", func(x *spRow) any { return x.app["description"] })
	add("appId", func(x *spRow) any { return x.AppID })
	add("applicationTemplateId", func(*spRow) any { return nil })
	add("appOwnerOrganizationId", func(x *spRow) any {
		if x.Owner == "" {
			return nil
		}
		return x.Owner
	})
	add("appRoleAssignmentRequired", func(x *spRow) any { return x.AssignmentRequired })
	add("disabledByMicrosoftStatus", func(*spRow) any { return nil })
	add("displayName", func(x *spRow) any { return x.Name })
	add("homepage", func(x *spRow) any { return x.own("homepage", inner(x.app, "web")["homePageUrl"]) })
	add("info", func(x *spRow) any {
		info, _ := x.own("info", x.app["info"]).(map[string]any)
		return fill(keptBySPs()["info"].props, info)
	})
	add("logoutUrl", func(x *spRow) any { return x.own("logoutUrl", inner(x.app, "web")["logoutUrl"]) })
	kept(`addIns alternativeNames description loginUrl notes notificationEmailAddresses preferredSingleSignOnMode
		preferredTokenSigningKeyThumbprint samlMetadataUrl samlSingleSignOnSettings tokenEncryptionKeyId`)
	add("replyUrls", func(x *spRow) any { return x.own("replyUrls", orEmpty(x.replies)) })
	add("resourceSpecificApplicationPermissions", func(*spRow) any { return []object{} })
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
		row.scopes, row.roles = a.Scopes, a.Roles // the disabled ones too
		row.replies = slices.Concat(a.Web, a.SPA, a.Public)
		row.audience, row.app = a.Audience, a.More
	}
	row.uris = slices.DeleteFunc(slices.Clone(row.uris), func(u string) bool { return u == p.AppID })
	return row
}

func findSP(c *call, _ *world.State, t *world.Tenant) (*world.ServicePrincipal, error) {
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

func listSPs(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	all := rowsAs(&t.SPs, func(p *world.ServicePrincipal) any { return fullSP(s, p) })
	return c.list(t, "servicePrincipals", c.g.sh.sp, all)
}

func getSP(c *call, s *world.State, t *world.Tenant, sp *world.ServicePrincipal) (*reply, error) {
	return c.one(t, "servicePrincipals", c.g.sh.sp, fullSP(s, sp))
}

func createSP(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	fs := spFields()
	fs["appId"], fs["owners@odata.bind"] = text().need(), list(text()).upTo(20)
	if err := fs.check("", c.in); err != nil {
		return nil, err
	}
	id := str(c.in, "appId")
	if t.SP(id) != nil {
		return nil, refuse(http.StatusConflict, "Request_MultipleObjectsWithSameKeyValue",
			"The service principal cannot be created, updated, or restored because the service principal name %s is already in use.", clip(id))
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
	owners, err := c.boundOwners(s, t)
	if err != nil {
		return nil, err
	}
	keys, err := replaceKeys(nil, objs(c.in, "keyCredentials"))
	if err != nil {
		return nil, err
	}
	if err := c.judgeSP(s, id); err != nil {
		return nil, err
	}
	sp := s.EnsureSP(t, id)
	if sp == nil {
		return nil, notFound(id)
	}
	t.SPs.Change(sp.ID, func(p *world.ServicePrincipal) {
		c.applySP(p)
		p.Owners, p.Keys = owners, keys
	})
	s.Touch(t)
	sp = t.SPs.Get(sp.ID)
	c.audit(s, t, change{activity: "Add service principal", category: "ApplicationManagement", operation: "Add", target: spTarget(sp)})
	return c.created(t, "servicePrincipals", c.g.sh.sp, fullSP(s, sp))
}

func changeSP(c *call, s *world.State, t *world.Tenant, sp *world.ServicePrincipal) (*reply, error) {
	if err := spFields().check("", c.in); err != nil {
		return nil, err
	}
	if err := c.judgeSP(s, sp.AppID); err != nil {
		return nil, err
	}
	keys, err := replaceKeys(sp.Keys, objs(c.in, "keyCredentials"))
	if err != nil {
		return nil, err
	}
	ch := change{activity: "Update service principal", category: "ApplicationManagement", target: spTarget(sp)}
	old := *sp
	t.SPs.Change(sp.ID, func(p *world.ServicePrincipal) {
		c.applySP(p)
		if given(c.in, "keyCredentials") {
			p.Keys = keys
		}
	})
	s.Touch(t)
	next := t.SPs.Get(sp.ID)
	ch.changed("AccountEnabled", old.Enabled, next.Enabled)
	ch.changed("AppRoleAssignmentRequired", old.AssignmentRequired, next.AssignmentRequired)
	ch.changed("Tags", old.Tags, next.Tags)
	ch.changed("KeyDescription", described(nil, old.Keys), described(nil, next.Keys))
	for _, name := range slices.Sorted(maps.Keys(keptBySPs())) {
		ch.changed(strings.ToUpper(name[:1])+name[1:], old.More[name], next.More[name])
	}
	c.audit(s, t, ch)
	return noContent()
}

func deleteSP(c *call, s *world.State, t *world.Tenant, sp *world.ServicePrincipal) (*reply, error) {
	s.Delete(t, "servicePrincipal", sp.ID) // consents go with it
	c.audit(s, t, change{activity: "Remove service principal", category: "ApplicationManagement", operation: "Delete", target: spTarget(sp)})
	return noContent()
}

func (c *call) applySP(p *world.ServicePrincipal) {
	take(c.in, "accountEnabled", &p.Enabled, truth)
	take(c.in, "appRoleAssignmentRequired", &p.AssignmentRequired, truth)
	take(c.in, "tags", &p.Tags, strs)
	p.More = keep(keptBySPs(), p.More, c.in)
}

// judgeSP refuses what contradicts the application: its name is the application's.
func (c *call) judgeSP(s *world.State, appID string) error {
	if name := str(c.in, "displayName"); name != "" {
		client, known := s.Client(appID)
		if r := s.Resource(appID); !known && r != nil {
			client.Name, known = r.Name, true
		}
		if known && client.Name != name {
			return badRequest("Property displayName on the service principal does not match the application object.")
		}
	}
	for _, mail := range strs(c.in, "notificationEmailAddresses") {
		if at := strings.IndexByte(mail, '@'); at < 1 || at == len(mail)-1 {
			return badRequest("Invalid value specified for property 'notificationEmailAddresses' of resource 'ServicePrincipal'.")
		}
	}
	return nil
}
