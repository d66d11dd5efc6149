package suite

import (
	"strings"

	"partnerguard/internal/msapi"
	"partnerguard/internal/sam"
)

// Target is a tenant as a connection's tokens ask it: the partner's own, or a
// customer's by id. Partner Center is always asked in the partner's name.
func (s *Suite) Target(c sam.Connection, tenant string) msapi.Target {
	cloud := s.cloudOf(c)
	return msapi.Target{Cloud: cloud, Tenant: tenant, App: c.ClientID, Bearer: func(resource string) msapi.Bearer {
		who := tenant
		if strings.EqualFold(tenant, c.Tenant) || resource == cloud.PartnerCenterResource {
			who = "partner"
		}
		return s.bearer(c, who, resource)
	}}
}
