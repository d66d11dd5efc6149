// Package ledger says how a subscription stands at a moment and what it has cost: the
// terms that came and went, what was charged, and when.
//
// It reads what happened (world.Deal) and the catalogue (package market), and changes
// nothing: what was charged follows from what happened, so a month that is over can
// never be charged otherwise later. It has no clock; moments are given.
//
// The rules are new commerce's as Microsoft describes them: a subscription is billed
// while it is suspended, can be cancelled or lose seats in the first seven days of a
// term, and does not renew when it is suspended at the end of one (Microsoft: Manage
// subscription states through their lifecycle; New commerce cancellation policy).
package ledger
