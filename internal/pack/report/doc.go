// Package report makes what a pack says to people and to other programs: HTML, JSON, OSCAL
// assessment results, OCSF compliance findings, a bill of materials. It does no I/O.
package report
