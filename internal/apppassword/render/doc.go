// Package render writes the answer of apppassword decide as text, CSV and JSON.
//
// It decides nothing: every sentence comes from the report.
package render
