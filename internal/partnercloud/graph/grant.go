package graph

import (
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/world"
)

const grantsPath = "oauth2PermissionGrants"

func newGrantShape() *shape {
	type r = *world.Grant
	return newShape("oAuth2PermissionGrant", func(x any) string { return x.(r).ID },
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
}

func grants(c *call, _ *world.State, t *world.Tenant) (*reply, error) {
	return c.show(t, grantsPath, c.g.sh.grant, rows(&t.Grants))
}

func listGrantsOfSP(c *call, s *world.State, t *world.Tenant, sp *world.ServicePrincipal) (*reply, error) {
	all := rowsWhere(&t.Grants, func(g *world.Grant) bool { return strings.EqualFold(g.Client, sp.ID) })
	return c.list(t, grantsPath, c.g.sh.grant, all)
}

// judgeGrant refuses a consent to what does not exist or is not published.
func judgeGrant(s *world.State, t *world.Tenant, g *world.Grant) error {
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
		if !slices.ContainsFunc(full.scopes, func(x world.Scope) bool { return strings.EqualFold(x.Value, v) && x.Enabled() }) {
			return badRequest("Permission entry: the scope '%s' is not published by '%s'.", clip(v), res.Name)
		}
	}
	return nil
}

func (c *call) auditGrant(s *world.State, t *world.Tenant, activity, operation string, g *world.Grant, old, next any) {
	ch := change{activity: activity, category: "ApplicationManagement", operation: operation, target: target("ServicePrincipal", g.Resource, "")}
	if sp := t.SPs.Get(g.Resource); sp != nil {
		ch.target = spTarget(sp)
	}
	ch.changed("DelegatedPermissionGrant.Scope", old, next)
	ch.changed("ServicePrincipal.ObjectID", nil, g.Client)
	c.audit(s, t, ch)
}

func createGrant(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	fs := fields{
		"clientId": text().need(), "consentType": enum("AllPrincipals Principal").need(), "principalId": text(), "resourceId": text().need(),
		"scope": text().need(), "id": readOnly(), "startTime": text(), "expiryTime": text(),
	}
	if err := fs.check("", c.in); err != nil {
		return nil, err
	}
	g := &world.Grant{
		ID: world.NewSecret()[:43], Client: str(c.in, "clientId"), Resource: str(c.in, "resourceId"), Principal: str(c.in, "principalId"),
		Scopes: strings.Fields(str(c.in, "scope")),
	}
	if (str(c.in, "consentType") == "AllPrincipals") != (g.Principal == "") || str(c.in, "consentType") == "" {
		return nil, badRequest("The consentType AllPrincipals has no principalId, and Principal needs one.")
	}
	if err := judgeGrant(s, t, g); err != nil {
		return nil, err
	}
	for o := range t.Grants.All() {
		if strings.EqualFold(o.Client, g.Client) && strings.EqualFold(o.Resource, g.Resource) && strings.EqualFold(o.Principal, g.Principal) {
			return nil, refuse(http.StatusConflict, "Request_MultipleObjectsWithSameKeyValue", "Permission entry already exists.")
		}
	}
	t.Grants.Put(g)
	s.Touch(t)
	c.auditGrant(s, t, "Add delegated permission grant", "Assign", g, nil, strings.Join(g.Scopes, " "))
	return c.created(t, grantsPath, c.g.sh.grant, g)
}

func changeGrant(c *call, s *world.State, t *world.Tenant, old *world.Grant) (*reply, error) {
	if err := (fields{
		"scope": text().need(), "clientId": readOnly(), "consentType": readOnly(), "principalId": readOnly(), "resourceId": readOnly(),
		"id": readOnly(),
	}).check("", c.in); err != nil {
		return nil, err
	}
	g := *old
	g.Scopes = strings.Fields(str(c.in, "scope"))
	if err := judgeGrant(s, t, &g); err != nil {
		return nil, err
	}
	t.Grants.Put(&g)
	s.Touch(t)
	c.auditGrant(s, t, "Update delegated permission grant", "Update", &g, strings.Join(old.Scopes, " "), strings.Join(g.Scopes, " "))
	return noContent()
}

func deleteGrant(c *call, s *world.State, t *world.Tenant, g *world.Grant) (*reply, error) {
	t.Grants.Delete(g.ID)
	s.Touch(t)
	c.auditGrant(s, t, "Remove delegated permission grant", "Unassign", g, strings.Join(g.Scopes, " "), nil)
	return noContent()
}
