// Package leaf cuts records into salted leaves of a tree, so that members can be left
// out by rule and what remains is still proved; and folds trees. It does no I/O.
//
// A page is a list of records: the line that the archive has of it, what is around its
// list, and each element of the list. A record is its scalars in order, each with its
// path. Hashes are those of RFC 6962 section 2.1:
//
//	inner  = SHA-256(salt ‖ value)
//	leaf   = SHA-256(0x00 ‖ uvarint(len path) ‖ path ‖ inner)
//	record = tree of its leaves
//	page   = tree of SHA-256(0x00 ‖ record), for each record
//	segment= tree of SHA-256(0x00 ‖ page), for each entry
//
// Who is shown a leaf without its value is given inner, which tells nothing without the
// salt. docs/pack-form.md has all of it.
package leaf
