// Package practice judges the CSP security best practices: dated, recommended rules of the
// rule book, each decided by facts, by a person's dated word, or by both. What was not read
// is unknown, and what no export shows is attested with an end or stays unknown.
//
// It does no I/O and reads no clock. Source: contracts-2026-11 section 7.
package practice
