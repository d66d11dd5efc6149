// Package directory owns what a tenant's directory says: users with their
// registration, groups, roles, applications, credentials, grants, licences;
// and the account classes derived from them.
//
// Types decode from the JSON of Microsoft Graph and of ScubaGear's provider
// export (keys compare without case; values are read leniently). [Directory]
// collects them by id; a later record of the same id replaces an earlier one
// only where it says more. It does no I/O and decides nothing about MFA.
//
// Sources: contracts.md sections 3.3, 3.4, 3.9, 3.10, 8.
package directory
