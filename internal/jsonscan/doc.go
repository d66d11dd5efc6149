// Package jsonscan finds the structure of one JSON text quickly and validates
// what it passes over.
//
// Stage one, [Index.Scan], looks at 64 bytes at a time and lists the places of
// all tokens: braces, brackets, colons and commas outside strings, and the
// first byte of each string, number and literal. It also says whether the text
// has an open string, a control character inside a string, a backslash, or a
// byte outside ASCII. On amd64 with AVX2 it is assembly; elsewhere a portable
// twin gives the same answer, byte for byte, which the tests check.
// [Index.ScanLine] does the same for the first line of a text and finds its end
// on the way.
//
// Stage two, [Index.Skip], steps over one value and validates it fully: the
// grammar of objects, arrays, numbers and literals. Strings need no second
// look, because stage one already knows that they are closed and free of
// control characters and [Index.Scan] has checked their escapes.
//
// Together they accept what encoding/json accepts. Where they cannot be sure,
// they refuse, and the caller asks encoding/json; they never accept more.
//
// The package does no I/O and imports nothing of ours. An Index serves one
// goroutine.
package jsonscan
