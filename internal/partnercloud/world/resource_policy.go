package world

// policyScopes are the delegated permissions of Microsoft Graph for policies,
// methods, reports and recovery (microsoftgraph/microsoft-graph-devx-content).
func policyScopes() []Scope {
	return []Scope{
		{ID: "a6ea9dd7-4dd9-4484-a80a-ac9ad981dcf1", Value: "EntraBackup.Read.All", Admin: true},
		{ID: "cef123a8-c18c-4eba-852e-d90cfbf67c91", Value: "EntraBackup.ReadWrite.Preview", Admin: true},
		{ID: "8269c6ff-41d7-4172-a783-b2ce38322e42", Value: "EntraBackup.ReadWrite.Recovery", Admin: true},
		{ID: "8f6a01e7-0391-4ee5-aa22-a3af122cef27", Value: "IdentityRiskEvent.Read.All", Admin: true},
		{ID: "3616a4b0-6746-49c4-a678-4c237599074d", Value: "Policy.Read.DeviceConfiguration", Admin: true},
		{ID: "414de6ea-2d92-462f-b120-6e2a809a6d01", Value: "Policy.Read.PermissionGrant", Admin: true},
		{ID: "b27add92-efb2-4f16-84f5-8108ba77985c", Value: "Policy.ReadWrite.ApplicationConfiguration", Admin: true},
		{ID: "edb72de9-4252-4d03-a925-451deef99db7", Value: "Policy.ReadWrite.AuthenticationFlows", Admin: true},
		{ID: "edd3c878-b384-41fd-95ad-e7407dd775be", Value: "Policy.ReadWrite.Authorization", Admin: true},
		{ID: "4d135e65-66b8-41a8-9f8b-081452c91774", Value: "Policy.ReadWrite.ConsentRequest", Admin: true},
		{ID: "014b43d0-6ed4-4fc6-84dc-4b6f7bae7d85", Value: "Policy.ReadWrite.CrossTenantAccess", Admin: true},
		{ID: "2672f8bb-fd5e-42e0-85e1-ec764dd2614e", Value: "Policy.ReadWrite.PermissionGrant", Admin: true},
		{ID: "64733abd-851e-478a-bffb-e47a14b18235", Value: "SecurityEvents.Read.All", Admin: true},
		{ID: "6aedf524-7e1c-45a7-bd76-ded8cab8d0fc", Value: "SecurityEvents.ReadWrite.All", Admin: true},
		{ID: "76caaf3a-ebdb-40a3-9299-4196e636f290", Value: "UserAuthMethod-Email.Read.All", Admin: true},
		{ID: "074f680f-c89e-45be-880e-5d0642860a1c", Value: "UserAuthMethod-Email.ReadWrite.All", Admin: true},
		{ID: "4f69a4e2-2aa0-43a7-ad6b-98b4cda1f23f", Value: "UserAuthMethod-Password.Read.All", Admin: true},
		{ID: "7f5b683d-df96-4690-a88d-6e336ed6dc7c", Value: "UserAuthMethod-Password.ReadWrite.All", Admin: true},
		{ID: "20cf4ae1-09b9-4d29-a6f8-43e1820ce60c", Value: "UserAuthMethod-Phone.Read.All", Admin: true},
		{ID: "48c99302-9a24-4f27-a8a7-acef4debba14", Value: "UserAuthMethod-Phone.ReadWrite.All", Admin: true},
		{ID: "6976c635-c9c2-41e6-a21d-e6913a155273", Value: "UserAuthMethod-TAP.Read.All", Admin: true},
		{ID: "05de4a66-e51a-4312-842a-30c8094698d2", Value: "UserAuthMethod-TAP.ReadWrite.All", Admin: true},
	}
}

// policyRoles are the application permissions for the same.
func policyRoles() []Scope {
	return []Scope{
		{ID: "56eda3c5-3834-4815-bd41-6f8fa1295247", Value: "EntraBackup.Read.All", Admin: true},
		{ID: "6e472fd1-ad78-48da-a0f0-97ab2c6b769e", Value: "IdentityRiskEvent.Read.All", Admin: true},
		{ID: "bdba4817-6ba1-4a7c-8a01-be9bc7c242dd", Value: "Policy.Read.DeviceConfiguration", Admin: true},
		{ID: "9e640839-a198-48fb-8b9a-013fd6f6cbcd", Value: "Policy.Read.PermissionGrant", Admin: true},
		{ID: "be74164b-cff1-491c-8741-e671cb536e13", Value: "Policy.ReadWrite.ApplicationConfiguration", Admin: true},
		{ID: "25f85f3c-f66c-4205-8cd5-de92dd7f0cec", Value: "Policy.ReadWrite.AuthenticationFlows", Admin: true},
		{ID: "fb221be6-99f2-473f-bd32-01c6a0e9ca3b", Value: "Policy.ReadWrite.Authorization", Admin: true},
		{ID: "999f8c63-0a38-4f1b-91fd-ed1947bdd1a9", Value: "Policy.ReadWrite.ConsentRequest", Admin: true},
		{ID: "338163d7-f101-4c92-94ba-ca46fe52447c", Value: "Policy.ReadWrite.CrossTenantAccess", Admin: true},
		{ID: "a402ca1c-2696-4531-972d-6e5ee4aa11ea", Value: "Policy.ReadWrite.PermissionGrant", Admin: true},
		{ID: "bf394140-e372-4bf9-a898-299cfc7564e5", Value: "SecurityEvents.Read.All", Admin: true},
		{ID: "d903a879-88e0-4c09-b0c9-82f6a1333f84", Value: "SecurityEvents.ReadWrite.All", Admin: true},
		{ID: "a1e58be0-1095-422b-b067-73434bd7d40f", Value: "UserAuthMethod-Email.Read.All", Admin: true},
		{ID: "e8ecb853-1435-4a49-95ba-ec5b31b11672", Value: "UserAuthMethod-Email.ReadWrite.All", Admin: true},
		{ID: "8d2c17ff-b93d-40d5-9def-d843680509cb", Value: "UserAuthMethod-Password.Read.All", Admin: true},
		{ID: "f6d38dfd-ec08-4995-8f07-23e929df0936", Value: "UserAuthMethod-Password.ReadWrite.All", Admin: true},
		{ID: "f529a223-ea70-43ec-b268-5012de2fbaa2", Value: "UserAuthMethod-Phone.Read.All", Admin: true},
		{ID: "6e85d483-7092-4375-babe-0a94a8213a58", Value: "UserAuthMethod-Phone.ReadWrite.All", Admin: true},
		{ID: "bf82209c-b22b-4747-ac88-a68be99032cf", Value: "UserAuthMethod-TAP.Read.All", Admin: true},
		{ID: "627169a8-8c15-451c-861a-5b80e383de5c", Value: "UserAuthMethod-TAP.ReadWrite.All", Admin: true},
	}
}
