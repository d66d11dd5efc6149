// Package oath is the second route of our seeds into Entra ID: uploaded as hardware
// OATH tokens, whose codes satisfy authentication strengths, which External MFA does
// not. It plans first, and does what was planned after.
//
// It keeps nothing and shows no seed: a seed goes from where it is sealed into one
// request, and neither to a file nor to a terminal. It never replaces a token that is
// there, and never takes one from its user.
//
// The interface of Graph is beta and in the global cloud alone.
//
// Source: contracts-2026-11.md section 6.
package oath
