//go:build !judge

// Package move owns the change: plans, and per customer a durable state machine that makes
// the new relationship, has the customer approve it, gives its roles to groups, probes,
// ends what it replaces and takes DAP away; with stages, cancelling, and rollback while it
// can be had.
//
// Followed: contracts.md sections 2.3 and 3.11, contracts-2026-11.md section 3.3.
package move
