// Package probe asks whether access that should exist exists, and access that should not
// does not. It only reads: it never tries an act to see whether it is refused.
//
// What it can prove is told apart (Result.Proof). A token that the connected account
// gets in a customer's tenant names the roles that the account has there at that moment:
// that proves the account's own access, and nothing of other people's. For other people
// there is what Microsoft says of the assignment that should give them access, and, more,
// a sign-in of one of the group into the customer's tenant since.
//
// What could not be read is unknown: never met, and never gone.
//
// Followed: contracts.md sections 2.3, 3.11 and 4.4; contracts-2026-11.md section 3.3.
package probe
