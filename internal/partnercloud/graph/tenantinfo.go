package graph

import (
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// tenantInformation answers findTenantInformationByTenantId and ...ByDomainName: what
// everybody may know of any tenant (Microsoft Graph, "tenantRelationship").
func tenantInformation(c *call, s *world.State, _ *world.Tenant) (*reply, error) {
	name := "tenantId"
	if strings.Contains(strings.ToLower(c.route.pattern), "domainname") {
		name = "domainName"
	}
	key, ok := strings.CutPrefix(c.params[0], name+"=")
	if !ok || key == "" || name == "tenantId" && !world.IsGUID(key) {
		return nil, badRequest("The parameter '%s' is missing or not valid.", name)
	}
	t := s.Tenant(key)
	if t == nil {
		return nil, refuse(404, "Directory_ObjectNotFound", "Unable to read the company information from the directory.")
	}
	return give(object{
		{"@odata.context", c.root() + "/$metadata#microsoft.graph.tenantInformation"}, {"tenantId", t.ID}, {"federationBrandName", nil},
		{"displayName", t.Name}, {"defaultDomainName", t.Domain()},
	})
}
