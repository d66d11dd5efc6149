// Package fold adds up sign-ins: [Fold] drops superseded copies by id, groups
// interrupted prompts with the success they led to, and gives a [signin.Summary];
// on request it also writes the CSV report row by row and shows the rows of users
// to a [signin.Visitor]. It is mergeable: split the input any way, the summary is
// the same.
//
// Two things are decided only when everything was read: clocks written as people
// write them, by the whole input (late.go), and rows whose authentication steps
// stand in another file of the portal's download (joinsteps.go).
//
// It opens no file: scratch space for what does not fit in memory is handed in.
package fold
