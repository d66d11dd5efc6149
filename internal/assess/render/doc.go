// Package render shows an [assess.Report]: as text for a terminal, as one
// self-contained HTML page, as CSV, as JUnit XML and as JSON.
//
// It owns wording, order and layout, and it decides nothing: verdicts, counts
// and reasons are the report's. Mandatory requirements come before recommended
// ones, what does not hold before what does, and what does not apply last.
// JSON and CSV keep the report's own order.
//
// Everything in a report may come from a file that somebody else wrote. So no
// format lets input act: text loses control characters, terminal escape
// sequences and bidirectional overrides; HTML goes through html/template under
// a policy that allows no script and loads nothing; CSV cells cannot become
// formulas; XML holds only characters XML 1.0 allows. Long texts are cut where
// people read, never in JSON.
//
// Equal reports give equal bytes: no clock, no map order, no environment. The
// JSON is described by docs/report.schema.json; a test holds the two together.
//
// Followed: RFC 4180 (CSV), XML 1.0, WCAG 2.2 AA, JSON Schema 2020-12.
package render
