// Package bridge lets old mail clients go on: SMTP submission, IMAP and POP3 with a
// password of the device's own in front, and XOAUTH2 to Exchange Online behind.
//
// This room owns the devices: their passwords, who may use one from where, the
// slowing of whoever guesses, and the file that says how a bridge stands (bridge.yaml).
// Below it: front speaks to devices, queue keeps what is to be sent until it is,
// upstream speaks to Exchange Online, and run joins them.
//
// It keeps nothing of a message beyond the queue of what is to be sent, and proves no
// second factor: what a device may do is bounded by its password's row. A device's
// password is never one of Entra ID, and opens nothing but this bridge.
//
// Sources: RFC 6409, 5321, 4954, 3501, 1939, 5034; contracts.md section 9.
package bridge
