// Package answer says no in the way that who asks understands: a claims challenge for
// MSAL's clients, a problem document, a page or a way to sign in for a browser. It decides nothing, and never
// shows a token, nor where to sign in but on the host that was asked. It also
// says what a route will ask for, and from when.
//
// It decides nothing, keeps nothing and knows no connection: an [Answer] is a status,
// headers and bytes, the same for net/http, the lean path and other people's proxies. No
// token, cookie or claim of somebody is ever in one.
//
// Followed: contracts.md section 4.5, contracts-2026-11 section 8, RFC 6750, RFC 9457,
// RFC 9470, OpenID Connect Core 1.0 section 5.5, Fetch Metadata, CSP Level 3.
package answer
