// Package delegation owns what a partner may do at its customers, and by which way: per
// customer DAP with its evidence, every delegated admin relationship in every state with
// its access assignments, the security groups behind them with nested and eligible
// members, rights in Azure, consents, and the kind of the reseller relationship. It
// follows each way from a person to a role at a customer.
//
// What was not read is unknown: a group whose members were cut, a relationship whose
// assignments were not read, and a customer whose DAP nobody says, stay so. The package is
// pure: it reads no clock and does no I/O, and changes nothing.
//
// Followed: Graph's delegatedAdminRelationship v1.0 and Partner Center's customers
// (contracts.md sections 2.3, 3.11, 7.3; contracts-2026-11.md section 3).
package delegation
