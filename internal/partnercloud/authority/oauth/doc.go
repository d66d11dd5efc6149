// Package oauth owns the rules of OAuth 2.0 and OpenID Connect that need no
// state: the errors and their words, the claims request, PKCE, the match of
// redirect URIs, and the shape of client assertions.
//
// It keeps nothing, looks nothing up and reads no clock: what it is told decides.
//
// Sources: contracts.md sections 4.2, 4.5; RFC 6749, 7521, 7523, 7636, 8252
// (loopback redirects), 9700 (security best current practice); OpenID Connect
// Core section 5.5.
package oauth
