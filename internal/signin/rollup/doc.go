// Package rollup keeps a day of sign-ins small: who signed in to which app and
// resource, with which client and protocol, what came of it, how many times, when
// first and last, and where in the archive those rows are. The archive holds the rest.
//
// The data's way: rows that survive the fold -> [Fold] (its visitors, one a goroutine)
// -> [Day], one for each UTC day -> [Day.Encode] -> bytes that are kept.
//
// Days merge: however rows were split, and in whatever order parts are merged, the
// bytes are the same. A day keeps at most [MaxEntries] entries, those of the smallest
// keys, and counts the rows beyond. It does no I/O.
package rollup
