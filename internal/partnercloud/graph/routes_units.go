package graph

import (
	"slices"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/kit"
)

var (
	mayReadUnits   = allow("AdministrativeUnit.Read.All AdministrativeUnit.ReadWrite.All Directory.Read.All Directory.ReadWrite.All")
	mayWriteUnits  = allow("AdministrativeUnit.ReadWrite.All Directory.ReadWrite.All").with(entra.RolePrivilegedRoleAdministrator)
	mayAssignUnits = allow("RoleManagement.ReadWrite.Directory").with(entra.RolePrivilegedRoleAdministrator)
)

// unitRoutes are administrative units, at directory/ and, in beta, at the root too,
// and directory roles besides the old table's.
func unitRoutes() []*route {
	at := func(base string) []*route {
		return []*route{
			get(base, mayReadUnits, listUnits).objects().units(2),
			get(base+"/{}", mayReadUnits, found(findUnit, getUnit)),
			post(base, mayWriteUnits, createUnit),
			patch(base+"/{}", mayWriteUnits, found(findUnit, changeUnit)),
			del(base+"/{}", mayWriteUnits, found(findUnit, deleteUnit)),
			get(base+"/{}/members", mayReadUnits, found(findUnit, listUnitMembers)).objects().units(3),
			get(base+"/{}/members/{}", mayReadUnits, found(findUnit, oneUnitMember)),
			post(base+"/{}/members/$ref", mayWriteUnits, found(findUnit, addToUnit)),
			del(base+"/{}/members/{}/$ref", mayWriteUnits, found(findUnit, removeFromUnit)),
			get(base+"/{}/scopedRoleMembers", mayReadRoles, found(findUnit, scopedMembers)).pages(100, 999),
			get(base+"/{}/scopedRoleMembers/{}", mayReadRoles, found(findUnit, scopedMembers)),
			post(base+"/{}/scopedRoleMembers", mayAssignUnits, found(findUnit, addScopedMember)),
			del(base+"/{}/scopedRoleMembers/{}", mayAssignUnits, found(findUnit, removeScopedMember)),
		}
	}
	root := at("administrativeUnits")
	for _, r := range root {
		r.beta()
	}
	return slices.Concat(
		from(kit.Read, "Graph: administrativeUnit resource", at("directory/administrativeUnits")...),
		from(kit.Read, "Graph beta: administrativeUnit resource", root...),
		from(kit.Read, "Graph: unifiedRoleDefinition resource",
			post(roleBase+"roleDefinitions", mayAssignRoles, createDefinition),
			patch(roleBase+"roleDefinitions/{}", mayAssignRoles, found(findCustom, changeDefinition)),
			del(roleBase+"roleDefinitions/{}", mayAssignRoles, found(findCustom, deleteDefinition)),
		),
		from(kit.Read, "Graph: directoryRole resource",
			get("directoryRoleTemplates", mayReadRoles, roleTemplates).whole().units(2),
			get("directoryRoleTemplates/{}", mayReadRoles, roleTemplates),
			post("directoryRoles", mayAssignRoles, activateRole),
			get("directoryRoles/{}/members/{}", mayReadRoles, found(findActive, oneRoleMember)),
			post("directoryRoles/{}/members/$ref", mayAssignRoles, found(findActive, addRoleMember)),
			del("directoryRoles/{}/members/{}/$ref", mayAssignRoles, found(findActive, removeRoleMember)),
			get("directoryRoles/{}/scopedMembers", mayReadRoles, found(findActive, scopedOfRole)).pages(100, 999),
		),
	)
}
