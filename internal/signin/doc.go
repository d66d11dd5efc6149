// Package signin is the engine that reads sign-in events of every export shape
// and judges each one.
//
// The data's way: bytes of one record -> [Event] (decode) -> [Judgement]
// (Judge) -> [Fold], which de-duplicates by id, groups interrupted prompts with
// the success they led to, and adds up a [Summary]; on request it also writes
// the CSV report row by row and shows the rows of users to a [Visitor]. The
// fold is mergeable: split the input any way, the summary is the same.
//
// Two things are decided only when everything was read: clocks written as people
// write them, by the whole input (late.go), and rows whose authentication steps
// stand in another file of the portal's download (joinsteps.go).
//
// Verdicts, one meaning each, are listed at [Verdict]. The rule that matters
// most: authenticationRequirement=singleFactorAuthentication alone proves
// nothing, and neither does the absence of a field that this export never has.
//
// The package is pure: it opens no file and reads no clock. Scratch space for
// what does not fit in memory is handed in.
//
// Sources: contracts.md sections 3.1, 3.2, 9.1 and 10.
package signin
