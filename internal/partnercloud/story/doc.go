// Package story owns the stories that the partner cloud plays by its clock: attacks on a
// customer's Azure subscription, and a legitimate deployment that looks like one. A story
// is a list of acts, each at its distance from the beginning. What an act does it does to
// the world as its own services would: rows of the sign-in log, the directory audit and
// the activity log, role assignments, credentials, quotas, resources that are paid for
// from then on, and Microsoft's alerts hours later. A jump of the clock plays every act
// that came due, dated at its own moment.
//
// An attacker who was stopped does no more: an account that is disabled or whose sessions
// were revoked, an assignment or credential that was removed, a subscription that is off.
//
// It never decides what an API answers, and calls nothing outside the world.
//
// Sources: contracts.md sections 2.7, 2.9, 3.13 and 7, contracts-2026-11.md section 4.
package story
