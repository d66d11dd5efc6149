// Package session lets browsers in: OpenID Connect with code and PKCE, a sealed cookie,
// step-up, and the ways out.
package session
