// Package render shows a [prove.Report] as text for a terminal, as one
// self-contained HTML page, as CSV with one row a gap, and as JSON; and one
// decided sign-in as text or in the shape of Microsoft's What If answer.
//
// It owns wording, order and layout, and it decides nothing. Gaps of
// break-glass accounts stand apart; every gap comes with one concrete sign-in
// and the command that decides it again.
//
// Everything in a proof may come from a file that somebody else wrote; package
// print cleans it. Equal reports give equal bytes. The JSON is described by
// docs/proof.schema.json; a test holds the two together.
package render
