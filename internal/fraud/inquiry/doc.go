//go:build !judge

// Package inquiry owns the investigation of an alert: the snapshot that is taken at once, the
// timeline over all sources, what speaks for fraud and what against, and the report.
//
// Sources: contracts.md section 7.4, contracts-2026-11.md section 4.
package inquiry
