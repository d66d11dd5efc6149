// Package verify says whether an access token is genuine, in time and of an accepted
// authority, on the hot path: a strict parser of our own, the standard library's
// signatures, keys that roll, and what was verified kept for a while.
//
// It takes what the claim engine ([claim.Verify]) takes of Entra ID's tokens, and less:
// moments are whole seconds, lists are lists, a tenant is named. Tests hold it to the
// engine, to go-jose and to golang-jwt: what any of them refuses is refused here, and the
// verdict about MFA is the engine's. What is cheap is looked at before what is dear, so a
// token that is wrong in several ways may be given a later reason of [gateway.Reasons]
// before an earlier one: the issuer names whose keys are asked, and claims of a wrong form
// need no signature to be refused.
//
// It never decides about tenants, audiences, revocation or MFA: that is rule's. It keeps
// no token but the last of a connection, which goes with it ([gateway.Memory]): another is
// known again by its SHA-256. It has no clock: the moment comes with
// each question. It never reaches out but for keys, and then never for one caller alone.
//
// Followed: RFC 7515, RFC 7517, RFC 7518 section 3, RFC 7519, RFC 8725, contracts.md
// sections 4.4 and 4.6.
package verify
