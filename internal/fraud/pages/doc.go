//go:build !judge

// Package pages owns the console's pages of fraud: what waits with its clock, and one alert
// whole, with what is known of it, what speaks for and against, and what can be done. They are
// made for a phone at two in the morning first.
//
// It decides nothing and keeps nothing; whoever is limited to some customers sees theirs alone.
//
// Source: contracts.md section 7.4.
package pages
