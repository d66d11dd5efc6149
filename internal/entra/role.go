package entra

import (
	"strings"
	"sync"
)

// Role is one of Microsoft's own directory roles.
type Role struct {
	ID   string // template id, the same in every tenant, in lower case
	Name string // as Microsoft's reference has it today
	// Exported is the name that exports still carry where it is not Name: the
	// service kept the older display name.
	Exported string
	// Privileged is Microsoft's mark, isPrivileged, with the corrections of the
	// second part of the contracts (section 8.1). The first part had fewer.
	Privileged bool
	Gist       string // what it may do, in a few words of ours; "" beyond [ContractRoles]
	Source     Source
}

// Listed is the name that the list of July 2026 and exports have.
func (r Role) Listed() string {
	if r.Exported != "" {
		return r.Exported
	}
	return r.Name
}

// Contract reports a role of the contracts' own list, see [ContractRoles].
func (r Role) Contract() bool { return r.Source == contractsRoles }

// Template ids of the roles that the code names.
const (
	RoleGlobalAdministrator                   = "62e90394-69f5-4237-9190-012177145e10"
	RolePartnerTier1Support                   = "4ba39ca4-527c-499a-b93d-d9b492c50246"
	RolePartnerTier2Support                   = "e00e864a-17c5-4a4b-9c06-f5b95a8d5bd8"
	RoleGlobalReader                          = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
	RoleApplicationAdministrator              = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"
	RoleCloudApplicationAdministrator         = "158c047a-c907-4556-b7ef-446551a6b5f7"
	RoleApplicationDeveloper                  = "cf1c38e5-3621-4004-a7cb-879624dced7c"
	RoleUserFlowAdministrator                 = "6e591065-9bad-43ed-90f3-e9424366d2f0"
	RoleGuestUser                             = "10dae51f-b6af-4016-8d66-8c2a99b929b3"
	RoleRestrictedGuestUser                   = "2af84b1e-32c8-42b7-82bc-daa82404023b"
	RoleUser                                  = "a0b1b346-4d3e-4e8b-98f8-753987be4970"
	RoleAuthenticationAdministrator           = "c4e39bd9-1100-46d3-8c65-fb160da0071f"
	RoleAuthenticationPolicyAdministrator     = "0526716b-113d-4c15-b2c8-68e3c22b9f80"
	RoleBillingAdministrator                  = "b0f54661-2d74-4c50-afa3-1ec803f12efe"
	RoleConditionalAccessAdministrator        = "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9"
	RoleCustomerRelationshipAdministrator     = "fc8ad4e2-40e4-4724-8317-bcda7503ecbf" // accepts, lists and ends GDAP
	RoleDirectoryReaders                      = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"
	RoleDirectoryWriters                      = "9360feb5-f418-4baa-8175-e2a00bac4301"
	RoleDirectorySync                         = "d29b2b05-8046-44ba-8758-1e26182fcf32"
	RoleOnPremisesDirectorySync               = "a92aed5d-d78a-4d16-b381-09adb37eb3b0"
	RoleDomainNameAdministrator               = "8329153b-31d0-4727-b945-745eb3bc5f31"
	RoleExternalIdentityProviderAdministrator = "be2f45a1-457d-42af-a067-6ec1fa63bc45"
	RoleHybridIdentityAdministrator           = "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2"
	RoleExchangeAdministrator                 = "29232cdf-9323-42fd-ade2-1d097af3e4de"
	RoleGroupsAdministrator                   = "fdd7a751-b60b-444a-984c-02652fe8fa1c"
	RoleGuestInviter                          = "95e79109-95c0-4d8e-aee3-d01accf2d47b"
	RoleHelpdeskAdministrator                 = "729827e3-9c14-49f7-bb1b-9608f156bbb8"
	RoleIdentityGovernanceAdministrator       = "45d8d3c5-c802-45c6-b32a-1d70b5e1e86e"
	RoleLicenseAdministrator                  = "4d6ac14f-3453-41d0-bef9-a3e0c569773a"
	RoleMessageCenterReader                   = "790c1fb9-7f7d-4f88-86a1-ef1f95c05c1b"
	RolePasswordAdministrator                 = "966707d0-3269-4727-9be2-8c3a10f19b9d"
	RolePrivilegedAuthenticationAdministrator = "7be44c8a-adaf-4e2a-84d6-ab2649e08a13"
	RolePrivilegedRoleAdministrator           = "e8611ab8-c189-46e8-94e1-60213ab1f814"
	RoleReportsReader                         = "4a5d8f65-41da-4de4-8968-e035b65339cf"
	RoleSecurityAdministrator                 = "194ae4cb-b126-40b2-bd5b-6091b380977d"
	RoleSecurityOperator                      = "5f2222b1-57c3-48ba-8ad5-d4759f1fde6f"
	RoleSecurityReader                        = "5d6b6bb7-de71-4623-b4af-96380a352509"
	RoleServiceSupportAdministrator           = "f023fd81-a637-4b56-95fd-791ac0226033"
	RoleSharePointAdministrator               = "f28a1f50-f6e7-4571-818b-6a12f2af6b6c"
	RoleUsageSummaryReportsReader             = "75934031-6c7e-415a-99d7-48dbd49e875e"
	RoleUserAdministrator                     = "fe930be7-5e62-47db-91af-98c3a49a38b1"
)

// Roles lists all of them by name. The slice is shared and must not be changed.
func Roles() []Role { return roles() }

// ContractRoles are those of contracts.md section 8.1 alone, by name: what the
// partner cloud has. The slice is shared and must not be changed.
func ContractRoles() []Role { return contractRoles() }

// FindRole finds a role by its template id, in any case.
func FindRole(id string) (Role, bool) {
	r, ok := rolesByID()[strings.ToLower(id)]
	return r, ok
}

// PrivilegedRole reports a role that Microsoft marks as privileged, by its
// template id in lower case.
func PrivilegedRole(id string) bool { return rolesByID()[id].Privileged }

var rolesByID = sync.OnceValue(func() map[string]Role {
	m := make(map[string]Role, len(roles()))
	for _, r := range roles() {
		m[r.ID] = r
	}
	return m
})

var contractRoles = sync.OnceValue(func() (out []Role) {
	for _, r := range roles() {
		if r.Contract() {
			out = append(out, r)
		}
	}
	return out
})
