// Package sam is the Secure Application Model: a connection is one account's
// consent to one app, proven to carry MFA, kept as a sealed refresh token,
// renewed, and used to hand out short access tokens.
//
// Here are the nouns and the store. The doings are in rooms of their own:
// capture (consent with proof), renew (renewal and forecast), exchange (access
// tokens per customer and resource), consent (customers' consents), broker
// (handing out, by policy). Refresh tokens and private keys exist in memory and
// in the vault only.
//
// Source: contracts.md sections 4.3 and 5.
package sam
