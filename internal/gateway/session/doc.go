// Package session lets browsers in: OpenID Connect with code, PKCE, state and nonce, a
// sealed cookie, step-up, and the ways out. It answers what is below /.partnerguard/ on
// each host that has a route, and no upstream ever sees that.
//
// A session is its cookie: what the id token said of the sign-in, sealed, bound to the
// host and the cookie's name, and never longer than a browser keeps. Nothing of it is
// stored; what ended before its time is remembered here and told to whoever keeps
// revocations. The key is the vault's. A session never gains anything: what somebody was
// given since counts from the next sign-in on, and a set of routes that asks for roles or
// groups which the cookie was not asked about ends it.
//
// States of a browser:
//
//	nobody → sign-in → callback → session → sign-out, idle, end of life, logged out → nobody
//	                      ↑          ↓
//	                      └─ step-up ┘   by a person's press alone, so never in circles
//
// It never sends a browser to another host than the authority's, never takes an answer
// that this browser did not ask for, and never keeps or writes a token. Whether an
// identity satisfies a route is the rule's to say.
//
// Followed: OpenID Connect Core 1.0, Back-Channel and Front-Channel Logout 1.0, RFC 6265,
// RFC 7636, RFC 9207, RFC 9700, contracts.md section 4, contracts-2026-11 section 8.
package session
