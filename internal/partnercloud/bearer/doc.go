// Package bearer owns the partner cloud's tokens: the signing keys with their
// rollover and JWKS, access and ID tokens with the claims of their version, and
// the check that every API of the cloud makes of an Authorization header.
//
// It knows no policy: who may have which token is decided by the authority. A
// key is worth nothing outside: its certificate names itself as the partner
// cloud's and every token carries the claim [MarkClaim].
//
// Sources: contracts.md sections 4.4, 4.6; RFC 7515, 7517, 7519, 8725 (JWT best
// current practice), 6750.
package bearer
