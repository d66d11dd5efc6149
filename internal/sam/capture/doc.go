// Package capture takes an account's consent with proof of MFA: it sends a
// person's browser to sign in, takes the answer, verifies who, where and how,
// and only then gives the refresh token away to be kept.
//
// How MFA is forced: the v1 authorization endpoint with amr_values=mfa, for the
// Partner Center resource, as Microsoft's own partner-consent sample does
// (contracts.md sections 4.2, 5.1). It is the one parameter documented to force
// MFA whatever the tenant's policies say; a claims request for amr works too and
// is documented for challenges only. Partner Center's tokens are v1 tokens and
// always say amr, so the proof can be read where it counts. prompt=login makes
// the sign-in a fresh one: a refresh token freezes the moment and the methods of
// the sign-in it came from. None of that is trusted: what decides is the claim
// in the token that came back, and a token without it is thrown away.
//
// States of one capture, in memory only, at most ten minutes:
//
//	begun → answered (once) ┬→ refused, with words and a fix
//	                        └→ proven → kept
//
// Invariants: an answer is bound to its request by a state of 256 random bits,
// compared as hashes in constant time and taken once; the code by PKCE; the id
// token by its nonce; the authority by iss where it sends one (RFC 9207); on a
// server also the browser, by a cookie. Nothing is kept before tenant, app,
// account and MFA claim are proven. Forged answers end nothing but themselves.
//
// Sources: contracts.md sections 4, 5; RFC 6749, 7636, 8252, 9207, 9700; OpenID
// Connect Core 3.1.
package capture
