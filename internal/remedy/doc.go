// Package remedy has the nouns of changing a tenant safely: a [Plan] of steps, each with
// the object as it was and as it is wanted, the [Stage]s in which it is done, and the
// [Gate] that must be passed before each.
//
// A plan is a file that people read, check, sign off and keep. What of it may not be
// believed is what its signature does not cover: an edited plan is one of nobody, and is
// checked and approved anew.
//
// The rooms: object (the forms of what is changed), gate (whether a change may be made),
// find (which change would meet a requirement), export (plans for people who manage by
// code), run (doing it, taking it back, watching that it stays), pages (the console's).
//
// This room does no I/O and reads no clock. It never holds a credential or a token: an
// application's credential is named by its id alone. Followed: contracts-2026-11 section
// 5, contracts.md sections 3.5 to 3.8.
package remedy
