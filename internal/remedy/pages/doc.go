// Package pages are the pages Remedy of the console: the plans that were applied, and of
// each what it changes in words, how far it came, the gates it passed or stands at, the
// proof before and after, and what is next.
//
// They change nothing by themselves: an act goes through package run, as on the command
// line. Whoever may not see people by name sees no account in a finding or a step.
// Followed: contracts-2026-11 section 5.
package pages
