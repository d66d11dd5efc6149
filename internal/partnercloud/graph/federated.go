package graph

import (
	"net/http"
	"slices"
	"strings"

	"partnerguard/internal/partnercloud/world"
)

func newFederatedShape() *shape {
	type row = world.FederatedCredential
	return newShape("federatedIdentityCredential", func(x any) string { return x.(row).ID },
		f("id", func(x row) any { return x.ID }),
		f("name", func(x row) any { return x.Name }),
		f("issuer", func(x row) any { return x.Issuer }),
		f("subject", func(x row) any { return x.Subject }),
		f("description", func(x row) any {
			if x.Description == "" {
				return nil
			}
			return x.Description
		}),
		f("audiences", func(x row) any { return orEmpty(x.Audiences) }),
	)
}

func federatedFields() fields {
	return fields{
		"id": readOnly(), "name": text().need().upTo(120), "issuer": text().need().upTo(600), "subject": text().need().upTo(600),
		"audiences": list(text().upTo(600)).need().upTo(1), "description": text().upTo(600),
	}
}

func federatedContext(a *world.Application) string {
	return "applications('" + a.ID + "')/federatedIdentityCredentials"
}

// federated is a credential and where it is in its application.
type federated struct {
	a *world.Application
	i int
}

func findFederated(c *call, s *world.State, t *world.Tenant) (x federated, err error) {
	a, err := findApp(c, s, t)
	if err != nil {
		return x, err
	}
	i := slices.IndexFunc(a.Federated, func(x world.FederatedCredential) bool {
		return strings.EqualFold(x.ID, c.params[1]) || x.Name == c.params[1]
	})
	if i < 0 {
		return x, notFound(c.params[1])
	}
	return federated{a, i}, nil
}

func listFederated(c *call, s *world.State, t *world.Tenant, a *world.Application) (*reply, error) {
	return c.list(t, federatedContext(a), c.g.sh.federated, slice(a.Federated, c.g.sh.federated.key))
}

func getFederated(c *call, s *world.State, t *world.Tenant, at federated) (*reply, error) {
	return c.one(t, federatedContext(at.a), c.g.sh.federated, at.a.Federated[at.i])
}

func createFederated(c *call, s *world.State, t *world.Tenant, a *world.Application) (*reply, error) {
	if err := federatedFields().check("", c.in); err != nil {
		return nil, err
	}
	x := world.FederatedCredential{
		ID: world.NewGUID(), Name: str(c.in, "name"), Issuer: str(c.in, "issuer"), Subject: str(c.in, "subject"),
		Audiences: strs(c.in, "audiences"), Description: str(c.in, "description"),
	}
	if x.Name == "" || x.Issuer == "" || x.Subject == "" || len(x.Audiences) != 1 {
		return nil, badRequest("A federated identity credential needs name, issuer, subject and one audience.")
	}
	if len(a.Federated) >= 20 {
		return nil, badRequest("An application can have 20 federated identity credentials at most.")
	}
	for _, o := range a.Federated {
		if o.Name == x.Name || o.Issuer == x.Issuer && o.Subject == x.Subject {
			return nil, refuse(http.StatusConflict, "Request_MultipleObjectsWithSameKeyValue", "FederatedIdentityCredential with name %s already exists.",
				clip(x.Name))
		}
	}
	c.setApp(s, t, a, func(a *world.Application) { a.Federated = append(slices.Clone(a.Federated), x) })
	return c.created(t, federatedContext(a), c.g.sh.federated, x)
}

func changeFederated(c *call, s *world.State, t *world.Tenant, at federated) (*reply, error) {
	fs := federatedFields()
	fs["name"] = readOnly()
	if err := fs.check("", c.in); err != nil {
		return nil, err
	}
	c.setApp(s, t, at.a, func(a *world.Application) {
		a.Federated = slices.Clone(a.Federated)
		x := &a.Federated[at.i]
		take(c.in, "issuer", &x.Issuer, str)
		take(c.in, "subject", &x.Subject, str)
		take(c.in, "audiences", &x.Audiences, strs)
		take(c.in, "description", &x.Description, str)
	})
	return noContent()
}

func deleteFederated(c *call, s *world.State, t *world.Tenant, at federated) (*reply, error) {
	c.setApp(s, t, at.a, func(a *world.Application) { a.Federated = slices.Delete(slices.Clone(a.Federated), at.i, at.i+1) })
	return noContent()
}
