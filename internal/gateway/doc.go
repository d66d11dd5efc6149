// Package gateway has the nouns of the enforcement gateway: no MFA claim, no entry.
//
// A request comes to a host and a path, which name a [Route]. Who asks is proven by a
// bearer token or by a session of a browser, and is an [Identity]. The route's rule
// makes a [Decision] of both, with a [Reason] where it is not well; whether it is
// refused is up to the route's [Mode] of that moment. What is well goes to the route's
// upstream, what is refused is challenged in a way that clients understand.
//
// The rooms: verify (tokens), rule (the decision), guard (all of that for one request),
// answer (challenges, refusals), session (browsers), assert (what an upstream is told),
// proxy (every HTTP), front (listeners, and the lean path), forward (for other proxies),
// ledger (what was decided), pages (the console's), run (all of it).
//
// No token, cookie or secret is in any of these types but where its name says so, and
// none is ever kept. Followed: RFC 6750, RFC 7515, RFC 7519, RFC 9110, RFC 9112, RFC
// 9470, contracts.md section 4, contracts-2026-11 section 8.
package gateway
