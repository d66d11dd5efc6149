//go:build !judge

// Package desk owns the alerts at hand: reading them from Microsoft, keeping them with what
// people did, the clock, and the answers that wait to be sent.
//
// Sources: contracts.md sections 2.9 and 3.13, contracts-2026-11.md section 4.
package desk
