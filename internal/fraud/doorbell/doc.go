//go:build !judge

// Package doorbell owns the webhook at which Partner Center rings: it believes a ring only by
// Microsoft's signature, and tells no more than that there is something to read.
//
// Source: contracts.md section 2.7.
package doorbell
