// Package page owns what every page of Partnerguard shares: the shell of an
// HTML page with its one style sheet, what was read and what was not, and the
// primitives of plots. Words, numbers and cleaning are print's.
//
// It knows no report: a feature brings a view and a template and fills the
// shell. HTML goes through html/template under a policy that allows no script
// and loads nothing, with one style sheet allowed by its hash; equal views give
// equal bytes.
//
// Followed: CSP Level 3, WCAG 2.2 AA.
package page
