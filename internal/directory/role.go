package directory

import "partnerguard/internal/entra"

// IsSyncRole reports a role that is given to the directory synchronisation
// service alone.
func IsSyncRole(templateID string) bool {
	return templateID == entra.RoleDirectorySync || templateID == entra.RoleOnPremisesDirectorySync
}
