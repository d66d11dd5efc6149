package graph

import "slices"

// leftOutRoutes name what Graph has, a partner's clients ask for and the partner cloud
// has not: they answer 501 by that name, so that nobody takes a gap for an empty
// answer. What belongs to a resource that is served stands with it.
func leftOutRoutes() (rows []*route) {
	for _, x := range [][2]string{
		{"roleManagement/directory/resourceNamespaces", "Resource namespaces of roles"},
		{"roleManagement/directory/resourceNamespaces/{}/resourceActions", "The actions that roles may allow"},
		{"subscriptions", "Change notifications"}, {"sites", "SharePoint"}, {"drives", "OneDrive"}, {"teams", "Teams"}, {"devices", "Devices"},
		{"deviceManagement", "Intune"}, {"identityGovernance", "Identity governance"}, {"schemaExtensions", "Schema extensions"},
		{"tenantRelationships/multiTenantOrganization", "Multitenant organizations"},
		{"security/alerts_v2", "Microsoft Defender"}, {"security/incidents", "Microsoft Defender"},
		{"admin/serviceAnnouncement/healthOverviews", "Service health"}, {"admin/serviceAnnouncement/issues", "Service health"},
		{"admin/serviceAnnouncement/messages", "The message centre"},
		{"users/{}/messages", "Mail"}, {"users/{}/mailFolders", "Mail"}, {"users/{}/sendMail", "Mail"}, {"users/{}/events", "Calendars"},
		{"users/{}/calendar", "Calendars"}, {"users/{}/drive", "OneDrive"}, {"users/{}/photo", "Photos"}, {"groups/{}/drive", "SharePoint"},
		{"groups/{}/sites", "SharePoint"}, {"groups/{}/team", "Teams"}, {"groups/{}/conversations", "Conversations"}, {"groups/{}/photo", "Photos"},
	} {
		rows = append(rows, leftOut(x[0], permit{}, x[1])...)
	}
	return slices.Clip(rows)
}
