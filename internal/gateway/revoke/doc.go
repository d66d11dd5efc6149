// Package revoke keeps who may not come in any more: users, sessions, apps, tokens.
//
// A revocation is a row of gateway_revocations, marked by the vault, and an entry of the
// audit trail that says the same in full, written in one transaction. What holds is
// [Store.Look]'s union of both: a row that was taken away, or put back as it was before,
// revokes by the trail's word; a row that was forged revokes nobody by itself and is told.
// [Store.Revoked] answers from memory, without a lock; the memory is made anew at once for
// what this process did, and every two seconds for what others did. Where it cannot be
// made anew, the old one stays, and [Store.Standing] says since when.
//
// It never ends anything at Entra ID, and knows no token but its id.
package revoke
