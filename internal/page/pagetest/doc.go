// Package pagetest checks what renderers write: that text is plain, that a
// page is well formed and holds nothing that acts, that CSV cannot become a
// formula, and that JSON keeps its schema and the schema its Go types. It also
// has the texts that must never act. Tests only.
package pagetest
