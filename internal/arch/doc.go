// Package arch holds no code, only tests of the house itself: which package
// stands on which floor, that imports point down only, that every package has
// a doc.go, and that engines and facts stay free of I/O.
//
// The floors are those of docs/ARCHITECTURE.md. The tests read the source
// themselves, because a test that asks the go command keeps its cached pass
// after a bad import was added.
package arch
