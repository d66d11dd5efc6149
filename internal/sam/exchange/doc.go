// Package exchange turns a connection's refresh token into access tokens: one
// for each tenant, resource and set of scopes, asked for in that tenant's path
// (contracts.md sections 4.2, 4.3 and 5.3).
//
// Access tokens are kept in memory only, until shortly before they end by the
// wall clock and by the monotonic one, whichever says so first. Many who want
// the same token share one request. Requests of one connection take turns: the
// callers in rounds, each caller's own in their order, and no tenant more than
// its share, so that a tenant whose requests hang or are throttled holds up
// nobody else. A throttled tenant is told so at once until its time is over. A
// final refusal is remembered for a moment; what may pass is not.
//
// A connection that is not active is never used. Nothing is written anywhere,
// except that a new refresh token is offered to the [Keeper].
package exchange
