package graph

import (
	"slices"
)

// Who may do what, as the table of routes names it (contracts.md sections 3 and 8.3).

const (
	readUsers   = "User.Read.All User.ReadWrite.All Directory.Read.All Directory.ReadWrite.All"
	writeUsers  = "User.ReadWrite.All Directory.ReadWrite.All"
	ownUser     = "User.Read User.ReadWrite"
	readGroups  = "GroupMember.Read.All Group.Read.All Group.ReadWrite.All Directory.Read.All Directory.ReadWrite.All"
	readApps    = "Application.Read.All Application.ReadWrite.All Directory.Read.All Directory.ReadWrite.All"
	writeApps   = "Application.ReadWrite.All Directory.ReadWrite.All"
	writeGroups = "Group.ReadWrite.All Directory.ReadWrite.All"
)

var (
	mayListUsers       = allow(readUsers + " User.ReadBasic.All")
	mayReadUser        = mayListUsers.orOwn(ownUser)
	mayReadMemberships = allow(readUsers + " GroupMember.Read.All Group.Read.All").orOwn(ownUser)
	mayRevoke          = allow("User.RevokeSessions.All "+writeUsers).
				with(userAdmin, helpdeskAdmin, passwordAdmin, privilegedAuthAdmin, authAdmin, directoryWriters).orOwn("User.ReadWrite User.RevokeSessions.All")
	mayCreateUser = allow(writeUsers).with(userAdmin, directoryWriters, privilegedAuthAdmin)
	mayChangeUser = mayCreateUser.with(slices.Concat(mayCreateUser.roles, []string{authAdmin, helpdeskAdmin, passwordAdmin})...)
	mayDeleteUser = allow(writeUsers).with(userAdmin, privilegedAuthAdmin)

	mayReadGroups   = allow(readGroups)
	mayCreateGroup  = allow(writeGroups).with(groupsAdmin, userAdmin, directoryWriters)
	mayChangeGroup  = allow(writeGroups) // the handlers ask for the role or the ownership
	mayChangeMember = allow("GroupMember.ReadWrite.All " + writeGroups)

	mayReadApps      = allow(readApps)
	mayWriteApps     = allow(writeApps).with(applicationAdmin, cloudAppAdmin)
	mayReadAppRoles  = allow(readApps + " AppRoleAssignment.ReadWrite.All")
	mayWriteAppRoles = allow("AppRoleAssignment.ReadWrite.All").and(readApps).with(privilegedRoleAdmin)
	mayReadGrants    = allow("Directory.Read.All Directory.ReadWrite.All DelegatedPermissionGrant.ReadWrite.All").with(directoryReaders, directoryWriters, globalReader,
		applicationAdmin, cloudAppAdmin, privilegedRoleAdmin, userAdmin, securityReader, securityAdmin)
	mayWriteGrants = allow("DelegatedPermissionGrant.ReadWrite.All Directory.ReadWrite.All").with(applicationAdmin, cloudAppAdmin, privilegedRoleAdmin)
)
