// Package print owns what every printed answer of Partnerguard shares: cleaning
// of text from the outside, the words of numbers and times, the lines of a
// terminal, JSON, and CSV that a spreadsheet cannot run.
//
// It knows no report: the renderers of a feature bring their words. It decides
// nothing, reads no clock and does no I/O but writing to the io.Writer it is
// given.
//
// The rules all renderers keep by using it: text loses control characters,
// terminal escape sequences and bidirectional overrides; CSV cells cannot
// become formulas; colour is never the only signal; equal values give equal
// bytes.
//
// Followed: RFC 4180 (CSV).
package print
