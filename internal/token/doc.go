// Package token makes random values, each by its purpose: the state and nonce
// of a sign-in, a PKCE verifier, the header of a local endpoint, identifiers.
//
// Everything comes from crypto/rand. Values that are secrets come as
// [secret.Text]; identifiers are plain strings. It stores nothing.
package token
