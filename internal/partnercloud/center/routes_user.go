package center

import (
	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/kit"
)

// userRoutes are a customer's users: their licences and passwords.
func userRoutes() []*route {
	look := inside(entra.RoleDirectoryReaders, entra.RoleDirectoryWriters, entra.RoleGlobalReader, entra.RoleUserAdministrator,
		entra.RoleHelpdeskAdministrator, entra.RoleLicenseAdministrator, entra.RolePrivilegedRoleAdministrator,
		entra.RolePrivilegedAuthenticationAdministrator, entra.RoleGlobalAdministrator)
	give := inside(entra.RoleLicenseAdministrator, entra.RoleUserAdministrator, entra.RoleDirectoryWriters, entra.RoleGlobalAdministrator)
	person := inside(entra.RoleUserAdministrator, entra.RoleHelpdeskAdministrator, entra.RolePrivilegedAuthenticationAdministrator,
		entra.RoleGlobalAdministrator)
	return from(kit.Read, "Microsoft: Customer users, passwords and licences",
		op("PATCH", "/v1/customers/{customer}/users/{user}/resetpassword", found((*call).userOf, resetPassword), func(r *route) {
			person(r)
			r.ahead = hashPassword
		}),
		op("GET", "/v1/customers/{customer}/users/{user}/licenses", found((*call).userOf, licencesOfUser), look).takes("licenseGroupIds"),
		op("POST", "/v1/customers/{customer}/users/{user}/licenseupdates", found((*call).userOf, updateLicences), give),
	)
}
