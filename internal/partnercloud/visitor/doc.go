// Package visitor walks sign-in pages as a browser without script does: it
// opens, fills in the form that stands there, and sends it. It is for whoever has
// nobody at hand to do so: the first connection of a laboratory, and tests.
//
// It knows the pages, as anybody who looks at them does, and nothing of what is
// behind them: it proves by password and one-time passcode what a person would.
package visitor
