// Package past knows what was: which consent of a connection is the newest, which
// approvals stand, which invitations are spent, as the audit trail says it, so
// that whoever puts an older row or an older database in place brings nothing
// back.
//
// Only the installation's own words count: entries with a MAC under a key of the
// vault over what they say and how long the trail was (decisions/0008). What no
// entry can tell, that the whole database is older, is told by a file of this
// machine that remembers how long the trail was.
package past
