// Package reading owns the console's page of the audit trail: whether it is whole, what
// was recorded, and for each entry the proof that it is in the tree. It reads, and has the
// trail verified by a job, whose result it keeps; it records nothing of its own.
//
// A page holds a bounded window of the trail, paged in the database: the newest entries
// that match. The whole trail is exported by partnerguard trail export, and verified
// without this program by whoever has the key and an export.
package reading
