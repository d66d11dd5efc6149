package graph

import "slices"

// leftOutRoutes name what Graph has, a partner's clients ask for and the partner cloud
// has not: they answer 501 by that name, so that nobody takes a gap for an empty
// answer. What belongs to a resource that is served stands with it, whole workloads
// in absentParts.
func leftOutRoutes() (rows []*route) {
	for _, x := range [][2]string{
		{"roleManagement/directory/resourceNamespaces", "Resource namespaces of roles"},
		{"roleManagement/directory/resourceNamespaces/{}/resourceActions", "The actions that roles may allow"},
		{"tenantRelationships/multiTenantOrganization", "Multitenant organizations"},
		{"security/alerts_v2", "Microsoft Defender"}, {"security/incidents", "Microsoft Defender"},
	} {
		rows = append(rows, leftOut(x[0], permit{}, x[1])...)
	}
	return slices.Clip(rows)
}
