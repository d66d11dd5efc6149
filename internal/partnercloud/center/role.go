package center

import (
	"strings"

	"partnerguard/internal/partnercloud/world"
)

// Role template ids that the operations ask for (contracts.md section 8.1).
const (
	roleGlobalAdministrator      = "62e90394-69f5-4237-9190-012177145e10"
	roleGlobalReader             = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
	roleSecurityAdministrator    = "194ae4cb-b126-40b2-bd5b-6091b380977d"
	roleSecurityReader           = "5d6b6bb7-de71-4623-b4af-96380a352509"
	roleDirectoryReaders         = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"
	roleDirectoryWriters         = "9360feb5-f418-4baa-8175-e2a00bac4301"
	roleUserAdministrator        = "fe930be7-5e62-47db-91af-98c3a49a38b1"
	roleHelpdeskAdministrator    = "729827e3-9c14-49f7-bb1b-9608f156bbb8"
	roleLicenseAdministrator     = "4d6ac14f-3453-41d0-bef9-a3e0c569773a"
	rolePrivilegedRole           = "e8611ab8-c189-46e8-94e1-60213ab1f814"
	rolePrivilegedAuthentication = "7be44c8a-adaf-4e2a-84d6-ab2649e08a13"
	roleApplication              = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"
	roleCloudApplication         = "158c047a-c907-4556-b7ef-446551a6b5f7"
	roleServiceSupport           = "f023fd81-a637-4b56-95fd-791ac0226033"
)

// roleName is the display name of a role template, or its id.
func roleName(id string) string { return world.RoleName(strings.ToLower(id)) }
