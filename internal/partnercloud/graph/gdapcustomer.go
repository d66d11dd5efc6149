package graph

import (
	"net/http"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

const gdapCustomersPath = "tenantRelationships/delegatedAdminCustomers"

// gdapCustomer is a customer with an active relationship.
type gdapCustomer struct{ id, name string }

func newGDAPCustomerShape() *shape {
	type cust = gdapCustomer
	return newShape("delegatedAdminCustomer", func(x any) string { return x.(cust).id },
		f("id", func(x cust) any { return x.id }),
		f("tenantId", func(x cust) any { return x.id }),
		f("displayName", func(x cust) any { return x.name }),
	)
}

func gdapCustomers(c *call, t *world.Tenant) []gdapCustomer {
	out, seen := []gdapCustomer{}, map[string]bool{}
	for r := range t.Relationships.All() {
		if r.Customer != "" && !seen[r.Customer] && r.StatusAt(c.now) == "active" {
			seen[r.Customer] = true
			out = append(out, gdapCustomer{r.Customer, r.CustomerName})
		}
	}
	return out
}

func listGDAPCustomers(c *call, s *world.State, t *world.Tenant) (*reply, error) {
	return c.list(t, gdapCustomersPath, c.g.sh.customer, slice(gdapCustomers(c, t), c.g.sh.customer.key))
}

func findGDAPCustomer(c *call, _ *world.State, t *world.Tenant) (gdapCustomer, error) {
	for _, x := range gdapCustomers(c, t) {
		if strings.EqualFold(x.id, c.params[0]) {
			return x, nil
		}
	}
	return gdapCustomer{}, refuse(http.StatusNotFound, "ResourceNotFound", "The delegated admin customer '%s' does not exist.", clip(c.params[0]))
}

func getGDAPCustomer(c *call, s *world.State, t *world.Tenant, x gdapCustomer) (*reply, error) {
	return c.one(t, gdapCustomersPath, c.g.sh.customer, x)
}

// detail is where a service of a customer is administered.
type detail struct{ name, url string }

func newDetailShape() *shape {
	return newShape("delegatedAdminServiceManagementDetail", func(x any) string { return x.(detail).name },
		f("id", func(x detail) any { return strings.ReplaceAll(strings.ToLower(x.name), " ", "-") }),
		f("serviceName", func(x detail) any { return x.name }),
		f("serviceManagementUrl", func(x detail) any { return x.url }),
	)
}

func listDetails(c *call, s *world.State, t *world.Tenant, x gdapCustomer) (*reply, error) {
	domain := x.id
	if ct := t.Customers.Get(x.id); ct != nil && ct.Domain != "" {
		domain = ct.Domain
	}
	all := []detail{
		{"Exchange", "https://admin.exchange.microsoft.com/?delegatedOrg=" + domain},
		{"Microsoft 365", "https://" + entra.M365AdminHost + "/Partner/BeginClientSession.aspx?CTID=" + x.id + "&CSDEST=o365admincenter"},
		{"Microsoft Entra", "https://entra.microsoft.com/" + domain},
		{"Microsoft Intune", "https://intune.microsoft.com/" + domain},
		{"Microsoft Azure", "https://portal.azure.com/" + domain},
	}
	return c.list(t, gdapCustomersPath+"('"+x.id+"')/serviceManagementDetails", c.g.sh.detail, slice(all, c.g.sh.detail.key))
}
