package world

// directoryScopes are delegated permissions of Microsoft Graph for the directory,
// besides those of graphScopes (microsoftgraph/microsoft-graph-devx-content).
func directoryScopes() []Scope {
	return []Scope{
		{ID: "b4e74841-8e56-480b-be8b-910348b18b4c", Value: "User.ReadWrite", Admin: false},
		{ID: "63dd7cd9-b489-4adf-a28c-ac38b9a0f962", Value: "User.Invite.All", Admin: true},
		{ID: "f55016cc-149c-447e-8f21-7cf3ec1d6350", Value: "LicenseAssignment.ReadWrite.All", Admin: true},
		{ID: "3361d15d-be43-4de6-b441-3c746d05163d", Value: "AdministrativeUnit.Read.All", Admin: true},
		{ID: "7b8a2d34-6b3f-4542-a343-54651608ad81", Value: "AdministrativeUnit.ReadWrite.All", Admin: true},
		{ID: "46ca0847-7e6b-426e-9775-ea810a948356", Value: "Organization.ReadWrite.All", Admin: true},
		{ID: "81594d25-e88e-49cf-ac8c-fecbff49f994", Value: "CrossTenantInformation.ReadBasic.All", Admin: true},
	}
}

// directoryRoles are its application permissions.
func directoryRoles() []Scope {
	return []Scope{
		{ID: "09850681-111b-4a89-9bed-3f2cae46d706", Value: "User.Invite.All", Admin: true},
		{ID: "5facf0c1-8979-4e95-abcf-ff3d079771c0", Value: "LicenseAssignment.ReadWrite.All", Admin: true},
		{ID: "134fd756-38ce-4afd-ba33-e9623dbe66c2", Value: "AdministrativeUnit.Read.All", Admin: true},
		{ID: "5eb59dd3-1da2-4329-8733-9dabdc435916", Value: "AdministrativeUnit.ReadWrite.All", Admin: true},
		{ID: "292d869f-3427-49a8-9dab-8c70152b74e9", Value: "Organization.ReadWrite.All", Admin: true},
		{ID: "cac88765-0581-4025-9725-5ebc13f729ee", Value: "CrossTenantInformation.ReadBasic.All", Admin: true},
	}
}
