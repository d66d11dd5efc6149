// Package trail is the hash-chained audit trail: who did what, to what, with
// which outcome. It records, verifies, searches and exports.
//
// An entry's canonical bytes are the JSON that [Entry] describes, written one
// way only (see [Canonical]). Its hash is SHA-256 over the 32 bytes of the
// hash before it, followed by its canonical bytes; the first entry follows the
// anchor, 32 random bytes that belong to this trail alone. So no entry can be
// changed, removed, moved or inserted without breaking the chain at a place
// that [Trail.Verify] names.
//
// What the chain cannot show by itself: whoever may write the whole database
// can write the whole chain anew, or cut off its end and set the head row back.
// Against that a head is written down elsewhere (`trail verify` prints it): a
// chain that does not hold the head is another chain, or a shorter one.
//
// Entries are kept in pages, one a commit: many recorders at once share one
// transaction and one flush to disk. Nothing here is ever updated or deleted.
// It records words, never secrets: a token is named by its fingerprint.
package trail
