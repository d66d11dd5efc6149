package suite

import (
	"strings"

	"partnerguard/internal/msapi"
	"partnerguard/internal/sam"
)

// there names a tenant as the exchange takes it: the partner's own is no customer.
func there(c sam.Connection, tenant string) string {
	if strings.EqualFold(c.Tenant, tenant) {
		return "partner"
	}
	return tenant
}

// ARM is Azure Resource Manager in the tenant of a customer, by its id, as a connection sees
// it.
func (s *Suite) ARM(c sam.Connection, tenant string) (*msapi.ARM, error) {
	cloud := s.cloudOf(c)
	return s.d.API.ARM(cloud, tenant, s.bearer(c, there(c, tenant), cloud.ARMResource))
}

// GraphOf is Graph in the tenant of a customer, by its id, as a connection sees it.
func (s *Suite) GraphOf(c sam.Connection, tenant string) (*msapi.Graph, error) {
	cloud := s.cloudOf(c)
	return s.d.API.Graph(cloud, tenant, s.bearer(c, there(c, tenant), cloud.GraphResource))
}
