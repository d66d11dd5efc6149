// Package vouch owns what people vouch for: a file in which somebody says, by
// name and until a day, that a requirement is met which no export can show
// (an attestation), or that an account is left out of one for a while and why (an
// exception). It reads such a file strictly, writes it, and says whether a
// statement counts on a day. What it means for a verdict is decided elsewhere.
//
// A file is at most [MaxFile] bytes with [MaxStatements] statements; keys that are
// not known, anchors, aliases and tags are refused, as is a statement without an
// end or with a life of more than a year. docs/attestations.md is for those who
// write one.
package vouch
