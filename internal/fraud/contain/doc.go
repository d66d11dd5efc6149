//go:build !judge

// Package contain owns stopping the bleeding: a plan with its blast radius, a second person's
// approval, its steps, and taking back what can be taken back.
//
// Sources: contracts.md sections 7.1 to 7.3, contracts-2026-11.md section 4.
package contain
