// Package pattern holds regular expressions that are compiled when they are first used.
// Most commands use few of them, and compiling all of them was half of what starting any
// command took.
//
// The expressions are texts in our own code; the package never compiles what comes from
// outside. It does no I/O and imports nothing of ours.
package pattern
