// Package lenient reads single JSON values the way exports really write them:
// a boolean as "TRUE", a number as text, a list as one comma-joined string or
// as JSON inside a string, and clocks in a dozen formats.
//
// It never guesses silently: a value of a wrong type becomes the zero value
// with Set left false, so that the engines can tell absent from false. It does
// no I/O.
package lenient
