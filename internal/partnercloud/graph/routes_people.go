package graph

import (
	"slices"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/kit"
)

var (
	mayReadLicences = mayReadUser.or("LicenseAssignment.Read.All LicenseAssignment.ReadWrite.All")
	mayLicense      = allow("LicenseAssignment.ReadWrite.All "+writeUsers).
			with(entra.RoleLicenseAdministrator, entra.RoleUserAdministrator, entra.RoleDirectoryWriters)
	// To give users and groups the use of an app is for those who manage apps too.
	mayAssignApps = allow("AppRoleAssignment.ReadWrite.All").by(appAdmins, entra.RolePrivilegedRoleAdministrator, entra.RoleUserAdministrator,
		entra.RoleGroupsAdministrator, entra.RoleDirectoryWriters)
	mayReadMembers  = allow(readUsers + " " + readGroups + " " + readApps)
	mayDeleteObject = allow(writeUsers + " Group.ReadWrite.All Application.ReadWrite.All AdministrativeUnit.ReadWrite.All") // more by type
	mayReadTenants  = allow("CrossTenantInformation.ReadBasic.All")
	// What a deleted item needs follows from its type, see mayDeleted.
	mayReadDeleted  = allow(readUsers + " Group.Read.All Group.ReadWrite.All Application.Read.All Application.ReadWrite.All")
	mayWriteDeleted = allow(writeUsers + " Group.ReadWrite.All Application.ReadWrite.All")
)

// peopleRoutes are what hangs on users: managers, memberships, licences, deletion and
// invitation.
func peopleRoutes() []*route {
	return slices.Concat(
		from(kit.Read, "Graph: user resource",
			get("users/{}/manager", mayReadUser, found((*call).findUser, getManager)),
			on("PUT", "users/{}/manager/$ref", mayChangeUser, found((*call).findUser, setManager)),
			del("users/{}/manager/$ref", mayChangeUser, found((*call).findUser, setManager)),
			get("users/{}/directReports", mayReadUser, found((*call).findUser, directReports)).objects().units(2),
			get("users/{}/createdObjects", mayReadUser, found((*call).findUser, createdObjects)).objects().units(2),
			get("users/{}/licenseDetails", mayReadLicences, found((*call).findUser, licenceDetails)).pages(100, 999),
			get("users/{}/licenseDetails/{}", mayReadLicences, found((*call).findUser, licenceDetails)),
			post("users/{}/assignLicense", mayLicense, found((*call).findUser, assignLicense)),
			post("users/{}/reprocessLicenseAssignment", mayLicense, found((*call).findUser, reprocess)).bodiless(),
		),
		from(kit.Read, "Graph: directoryObject resource", append(memberRoutes(), del("directoryObjects/{}", mayDeleteObject, deleteObject))...),
		from(kit.Read, "Graph: deletedItems",
			get("directory/deletedItems", mayReadDeleted, listDeleted).objects().units(2),
			get("directory/deletedItems/{}", mayReadDeleted, found(findDeleted, getDeleted)),
			post("directory/deletedItems/{}/restore", mayWriteDeleted, found(findDeleted, restoreDeleted)).bodiless(),
			del("directory/deletedItems/{}", mayWriteDeleted, found(findDeleted, purgeDeleted)),
		),
		from(kit.Read, "Graph: organization resource", patch("organization/{}", mayChangeOrganization, changeOrganization)),
		from(kit.Known, "Graph beta: user: validatePassword",
			post("users/validatePassword", mayReadUser.or("User.ReadWrite"), validatePassword).beta()),
		from(kit.Read, "Graph: invitation resource", post("invitations", mayInvite, invite)),
		from(kit.Read, "Graph: tenantRelationship resource",
			get("tenantRelationships/findTenantInformationByTenantId/{}", mayReadTenants, tenantInformation),
			get("tenantRelationships/findTenantInformationByDomainName/{}", mayReadTenants, tenantInformation),
		),
	)
}

// memberRoutes are the memberships of whatever can be a member, as ids and objects.
func memberRoutes() (rows []*route) {
	for _, head := range []string{"users", "groups", "servicePrincipals", "directoryObjects"} {
		base := head + "/{}/"
		for _, name := range []string{"getMemberGroups", "getMemberObjects"} {
			rows = append(rows, post(base+name, mayReadMembers.orOwn(ownUser), found(findMember, getMembers)))
		}
		for _, name := range []string{"checkMemberGroups", "checkMemberObjects"} {
			if head != "users" || name != "checkMemberGroups" { // the one in the old table
				rows = append(rows, post(base+name, mayReadMembers.orOwn(ownUser), found(findMember, checkMembers)))
			}
		}
	}
	for _, head := range []string{"users", "groups"} {
		base := head + "/{}/appRoleAssignments"
		rows = append(rows,
			get(base, mayReadAppRoles.or("Directory.Read.All User.Read.All Group.Read.All"), found(findMember, listMemberAppRoles)).pages(100, 999).units(2),
			get(base+"/{}", mayReadAppRoles, found(findMember, listMemberAppRoles)),
			post(base, mayAssignApps, found(findMember, createMemberAppRole)),
			del(base+"/{}", mayAssignApps, found(findMember, deleteMemberAppRole)))
	}
	for _, name := range []string{"memberOf", "transitiveMemberOf"} {
		rows = append(rows, get("servicePrincipals/{}/"+name, mayReadMembers, found(findMember, memberOf)).objects().units(2))
	}
	return rows
}
