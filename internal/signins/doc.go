// Package signins owns the page of recorded sign-ins: a chart by hour, the rows worth
// looking at, and each row down to the bytes that were archived, with its proof.
//
// The data's way: the judging pass sees every row; a [Builder] counts all of them by hour
// and by what they are about, and keeps the rows that count against a requirement and the
// newest of the others, both bounded; [Part] is kept as a snapshot. Numbers are of all
// rows; the list says how many of them it has. Older rows of an hour are read from the
// archive when somebody asks.
//
// Names of accounts are what a sign-in is about: every page here wants
// screen.SeePeople.
package signins
