// Package sample is the embedded sample partner: exports of an invented
// company, Contoso Cloud Partners, in the shapes real exports have, so that
// anybody can see a report before exporting anything.
//
// The files under exports are written by the program in gen and are never
// edited by hand; a test holds the two together. The package reads nothing
// else and decides nothing.
package sample
