// Package trail is the audit trail: who did what, to what, with which outcome. It
// records, verifies, searches and exports, and holds itself against places
// outside of the database.
//
// An entry's canonical bytes are the JSON that [Entry] describes, written one
// way only (see [Canonical]). They are the leaves of a Merkle tree (RFC 6962). So
// no entry can be changed, removed, moved or inserted without a break at a place
// that [Trail.Verify] names. Trails of before were a hash chain; Open checks and
// carries them over, and the chain of their entries stays checked.
//
// What the tree cannot show by itself: whoever may write the whole database can
// write the whole tree anew, or cut off its end and set the head row back.
// Against that checkpoints, signed with a key of the vault, are handed to an
// [Anchor], and [Trail.VerifyAnchored] compares.
//
// Entries are kept in pages, one a commit: many recorders at once share one
// transaction and one flush to disk. Entries are never updated or deleted. It
// records words, never secrets: a token is named by its fingerprint.
package trail
