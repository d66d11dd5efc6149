// Package alert owns what people are told by itself: which finding is an alert, how
// many of them are one, who hears of it and when, and the dates ahead.
//
// The data's way: [Source]s say what is wrong now, one [Finding] a cause -> [Store.Look]
// holds that against the open alerts, opens, changes and resolves them, and queues what
// is to be told for each channel -> what waits longer than the window, outside of quiet
// hours or at the digest's hour becomes one message -> package notify delivers it.
//
// One alert a cause: a policy's edit that opens 27 accounts is one alert with 27 in it.
// A finding has a key that is the same while its cause lasts, so the same alert is not
// opened twice, over restarts and by several processes. What a source could not read is
// not resolved: unknown is not well. An exception in force, a snooze or an
// acknowledgement keeps an alert from being sent; it stays in the list, and the verdict
// stays what it is. A worse turn breaks a snooze.
//
// Snoozes, acknowledgements and the secrets of calendars carry a mark of the vault: one
// that something else wrote into the database counts for nothing. The secret of a
// calendar is kept as a hash. Nothing that is sent holds a secret, or a link that acts
// without signing in: the only links are to pages of the console.
//
// It imports no other feature. What it needs of them comes as [Source]s, [Dater]s and
// functions in [Deps]; app supplies them.
//
// Calendars follow RFC 5545.
package alert
