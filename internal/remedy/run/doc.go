//go:build !judge

// Package run does plans, in stages, takes them back and watches that they stay done. Every
// change is written down before it is asked for, and again with its answer; who dies in
// between goes on by looking first.
//
// It changes nothing that its plan does not name, never writes back a value that it does
// not know, never goes on past a gate that is shut, and stops itself when a stage shows what
// nobody foretold.
//
// Sources: contracts-2026-11.md section 5, contracts.md sections 3.0 and 3.5 to 3.8.
package run
