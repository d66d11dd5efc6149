// Package render shows a [dates.Report]: as text for a terminal, as CSV and as
// JSON. It decides nothing. What a report says may come from a file that
// somebody else wrote: text loses control characters, CSV cells cannot become
// formulas.
package render
