// Package selftest plays Entra ID's side against a running provider, and says what
// Entra ID would answer.
//
// Sources: contracts.md section 6, contracts-2026-11.md sections 0 and 2.
package selftest
