// Package backup writes and reads one file that has a whole installation: every
// table of its database as rows, the sealed vault among them, and its settings.
//
// The file is a stream sealed under the vault's key ([vault.Vault.SealStream]):
// whoever has the master key of its time can open it, and nobody can change it. In
// it is zstd, in that a tar: first manifest.json, which says what comes; then
// db/TABLE/NUMBER.jsonl, pieces of a table with one row a line, a JSON array of
// texts, numbers, base64 and null; then files/NAME; last sums.json with rows, bytes
// and SHA-256 of each. Names only say what comes next: nothing is ever written to a
// path that a backup names.
//
// Rows have one form for both databases, so a backup of one restores into the
// other. Jobs of the queue are not in it: serve plans them anew.
package backup
