// Package notify owns the channels by which people are told something, the delivery of
// messages over them, and the memory of what was told once.
//
// A [Message] is said in plain words and says nothing twice: each channel writes it in
// its own form. Mail (SMTP), signed webhooks (Standard Webhooks), Microsoft Teams
// (Workflows, Adaptive Card 1.4), Slack (Block Kit) and syslog (RFC 5424) are there; a
// mail may be written by templates, for a ticket system. What a message says is cleaned
// when it is taken ([Message.Clean]): no line of it can become a header, a link, a
// mention or another message, and nothing that looks like a secret is left in it.
//
// The data's way: [Outbox.Put] keeps a message with a delivery a channel, in the
// caller's transaction, and adds a job each -> the job writes down that an attempt
// begins, sends, and writes down how it ended -> what may pass is tried again, later
// each time, for a day; then it is a dead letter, which [Outbox.Revive] sends again.
// Delivery is at least once: whoever dies in between leaves an attempt whose end nobody
// knows, and the message goes out again, with the same id for the receiver to know it by.
//
// The secrets of channels, also addresses that are secrets, come from files, systemd or
// the vault each time they are needed, and are in no error, log, row or trail. A server's
// answer is known by its number alone.
//
// It knows no feature: what is told, to whom and when is the business of whoever tells it.
package notify
