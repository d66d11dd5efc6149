// Package use owns what partners' people and apps were seen doing in one customer's tenant:
// technician rows of the directory's audit log, of sign-ins, of Azure's activity log and of
// Partner Center's audit records, resolved to who it was, added up by day, with how many days
// of which log were read. It says whether an act was done to somebody who held an
// administrator's role at that time. What it does not know stays unknown and is said.
//
// It never decides what an act called for: that is package role's and package recommend's.
// It is pure, reads no clock, and its memory is bounded by [MaxKinds] and [MaxTargets],
// whatever the size of a log.
//
// Followed: contracts-2026-11.md sections 3.1 and 3.2, contracts.md section 2.6.
package use
