//go:build !judge

// Package eyes owns the detector at work on what is collected: what was folded of each customer
// from one round of reading to the next, what was found, and which customers cannot be seen.
//
// A row of a log may come again and in any order. Use is folded a day at a time, once the day is
// over and rated, so that what was folded never has to be taken back. It calls nobody, and knows
// of no database: app hands rows in, and keeps what comes out.
//
// Source: contracts-2026-11.md section 4.
package eyes
