// Package automation finds the scripts and services that sign in with a user's
// credentials, and keeps the list of them until each is verified gone.
//
// The data's way: rows of the sign-in log -> [Fold] (a visitor of the fold in
// signin: bounded, mergeable, the same however the input was split) -> [Items]
// (which of them are automation, how sure, and why) -> [Store] (owner, state and
// note over time). This is the only place that decides what counts as
// automation with user credentials; assess asks here.
//
// The states of an item:
//
//	found ---> planned ---> moved ---> verified gone
//	  ^           |           |             |
//	  +-----------+-----------+-------------+
//
// People move it between the first three. Only evidence makes it verified gone:
// a log that covers at least [QuietDays] days after it was moved, without a
// sign-in of it. A sign-in after it was moved brings it back to found, and the
// item says so.
//
// Sources: contracts.md sections 3.1, 5 and 9.1. What has no source there (user
// agents of programs, the signs of nobody at the keyboard) is a rule of ours and
// is named in the item's reasons.
package automation
