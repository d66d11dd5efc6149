// Package console owns what every page and every printed answer of Partnerguard
// shares: cleaning of text from the outside, the lines of a terminal, CSV that
// a spreadsheet cannot run, the shell of an HTML page with its one style sheet,
// and the primitives of plots.
//
// It knows no report: the renderers of a feature bring their words and fill the
// shell. It decides nothing, reads no clock and does no I/O but writing to the
// io.Writer it is given.
//
// The rules all renderers keep by using it: text loses control characters,
// terminal escape sequences and bidirectional overrides; HTML goes through
// html/template under a policy that allows no script and loads nothing, with
// one style sheet allowed by its hash; CSV cells cannot become formulas; colour
// is never the only signal; equal values give equal bytes.
//
// Followed: RFC 4180 (CSV), CSP Level 3, WCAG 2.2 AA.
package console
