// Package verify says whether an access token is genuine, in time and of an accepted
// authority, on the hot path: a strict parser of our own, the standard library's
// signatures, keys that roll, and what was verified kept for a while.
package verify
