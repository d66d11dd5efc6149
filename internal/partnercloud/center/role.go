package center

import (
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// Role template ids that the operations ask for (contracts.md section 8.1).
const (
	roleGlobalAdministrator      = entra.RoleGlobalAdministrator
	roleGlobalReader             = entra.RoleGlobalReader
	roleSecurityAdministrator    = entra.RoleSecurityAdministrator
	roleSecurityReader           = entra.RoleSecurityReader
	roleDirectoryReaders         = entra.RoleDirectoryReaders
	roleDirectoryWriters         = entra.RoleDirectoryWriters
	roleUserAdministrator        = entra.RoleUserAdministrator
	roleHelpdeskAdministrator    = entra.RoleHelpdeskAdministrator
	roleLicenseAdministrator     = entra.RoleLicenseAdministrator
	rolePrivilegedRole           = entra.RolePrivilegedRoleAdministrator
	rolePrivilegedAuthentication = entra.RolePrivilegedAuthenticationAdministrator
	roleApplication              = entra.RoleApplicationAdministrator
	roleCloudApplication         = entra.RoleCloudApplicationAdministrator
	roleServiceSupport           = entra.RoleServiceSupportAdministrator
)

// roleName is the display name of a role template, or its id.
func roleName(id string) string { return world.RoleName(strings.ToLower(id)) }
