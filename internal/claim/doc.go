// Package claim is the engine that says what a token says about MFA: proven
// (by what), not proven, or cannot tell, always with the reason in words.
//
// Inspection is lenient and says so; verification is strict. It is pure: no
// network, no clock of its own. Everything that needs an answer about a
// token's MFA claim asks here: the capture of a consent, each renewal, the
// gateway, the token check (contracts.md sections 1.3, 4.4 and 5.1).
package claim
