// Package bridge lets old mail clients go on: SMTP submission, IMAP and POP3 with a
// password of the device's own in front, and XOAUTH2 to Exchange Online behind.
//
// It keeps nothing of a message beyond the queue of what is to be sent, and proves no
// second factor: what a device may do is bounded by its password's row.
//
// Sources: RFC 6409, 5321, 4954, 3501, 1939, 5034; contracts.md section 9.
package bridge
