// Command gen writes docs/exports.md, the table of all requests, from the table
// itself.
package main
