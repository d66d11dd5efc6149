// Package render writes plans and checks of exports: for a terminal, as JSON,
// as CSV, as a PowerShell script, and the table of all requests as Markdown.
package render

//go:generate go run ../gen ../../../docs/exports.md
