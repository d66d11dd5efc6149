// Package signon owns the decision at every sign-in of the partner cloud: an
// [Attempt] goes through the access engine with the settings of the tenant it
// is for, and comes out as a [Ruling] that says what is demanded, what is met,
// and which error code follows. It also writes the sign-in row that such a
// ruling leaves in the log, so that logs, policies and registrations agree.
//
// It makes no token and shows no page (see authority), and generated history
// goes through it too.
//
// Sources: contracts.md sections 1.2, 3.1, 3.2, 3.6, 4.3, 9.4; decision of what
// security defaults call "when necessary" is ours and documented at [Judge].
package signon
