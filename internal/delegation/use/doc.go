// Package use owns what partners' people and apps were seen doing in one customer's tenant:
// technician rows of the directory's audit log, of sign-ins, of Azure's activity log and of
// Partner Center's audit records, resolved to who it was, added up, with how many days of
// which log were read. It maps acts to needs by package role; what it does not know stays
// unknown and is listed.
//
// Followed: contracts-2026-11.md sections 3.1 and 3.2.
package use
