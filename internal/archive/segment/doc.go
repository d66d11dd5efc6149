// Package segment is the form of the archive's objects: pages as they were
// answered, each with what it answers, in zstd frames, under one Merkle root, so
// that one page can be proved without the rest. The whole object is a stream that
// zstd -d reads. docs/archive.md describes it for those who write a reader.
//
// It opens nothing: what it writes to and reads from is handed in. Everything
// read has limits, and nothing is given out that does not fit the root.
package segment
