// Package upstream speaks to Exchange Online for the bridge: it opens a mailbox by
// XOAUTH2 for IMAP and POP3, and sends messages by SMTP submission.
//
// It owns the connections there: those for sending are kept and used again for a
// minute, at most three of a mailbox, as Exchange Online allows; those for reading are
// a device's for as long as it stays. It knows no device and no password, and prints no
// token. TLS is never optional, and names are always verified.
//
// Sources: Microsoft's page "Authenticate an IMAP, POP or SMTP connection using OAuth";
// RFC 5321, 4954, 3207, 3501, 4959, 1939, 5034.
package upstream
