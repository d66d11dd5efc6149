package graph

import (
	"iter"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// contracts are the partner's customers (contracts.md section 3.10).

func newContractShape() *shape {
	type cust = *world.Customer
	return newShape("contract", func(x any) string { return contractID(x.(cust).TenantID) },
		f("id", func(x cust) any { return contractID(x.TenantID) }),
		f("deletedDateTime", func(cust) any { return nil }),
		f("contractType", func(cust) any { return "ResellerPartnerContract" }),
		f("customerId", func(x cust) any { return x.TenantID }),
		f("defaultDomainName", func(x cust) any { return x.Domain }),
		f("displayName", func(x cust) any { return x.Name }),
	)
}

// agentOrReader: of a partner's users its agents, and who reads the directory.
func agentOrReader(c *call, _ *world.State, t *world.Tenant) error {
	if c.caller.AppOnly() || c.caller.AOBO || t.Kind != world.PartnerTenant {
		return nil
	}
	if t.InGroup(c.caller.ObjectID, world.AdminAgents) || t.InGroup(c.caller.ObjectID, world.HelpdeskAgents) ||
		c.hasRole(entra.RoleGlobalReader, entra.RoleDirectoryReaders, entra.RoleDirectoryWriters) {
		return nil
	}
	return denied()
}

func contracts(c *call, _ *world.State, t *world.Tenant) (*reply, error) {
	all := func(after string, at int) iter.Seq2[int, any] {
		return func(yield func(int, any) bool) {
			// The key of a contract is derived, the table's is the customer.
			i := at
			if after == "" {
				i = -1
			}
			for j, r := range t.Customers.Since("", 0) {
				if j > i && r.Relationship != "none" && !yield(j, r) {
					return
				}
			}
		}
	}
	return c.show(t, "contracts", c.g.sh.contract, all)
}

// contractID is the id of a contract with a customer.
func contractID(customer string) string {
	h := world.HashSecret("contract/" + strings.ToLower(customer))
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-8" + h[17:20] + "-" + h[20:32]
}
