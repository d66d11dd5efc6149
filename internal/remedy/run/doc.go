// Package run does plans, in stages, takes them back and watches that they stay done. Every change
// is written down before it is asked for; who dies in between goes on by looking first.
//
// It changes nothing that its plan does not name, and never writes back a value that it
// does not know.
package run
