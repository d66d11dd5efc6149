// Package render shows a [rehearse.Result]: as text for a terminal, as one
// self-contained HTML page, as CSV with one row a group, and as JSON.
//
// It owns wording, order and layout, and it decides nothing: effects, counts,
// reasons and ways out are the result's. What opens comes first, then what
// breaks, then what only gets asked for MFA.
//
// Everything in a result may come from a log that somebody else wrote; package
// print cleans it. Equal results give equal bytes. The JSON is described by
// docs/rehearsal.schema.json; a test holds the two together.
package render
