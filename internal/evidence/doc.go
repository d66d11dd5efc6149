// Package evidence owns the vocabulary of provenance: what kinds of record
// exist ([Kind]), where a record was read ([Source]), and what became of each
// input ([Input], [Note]).
//
// It does no I/O and decides nothing; the engines, intake and the reports all
// speak its words.
package evidence
