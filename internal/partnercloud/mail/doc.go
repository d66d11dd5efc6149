// Package mail is the partner cloud's Exchange Online, as far as programs send and
// read mail there: SMTP submission with STARTTLS, IMAP and POP3 over TLS, with
// XOAUTH2 alone. A password is never read: basic authentication is refused as
// Exchange Online refuses it.
//
// A token is one for Exchange Online (outlook.office365.com). A user's opens the
// user's own mailbox, with SMTP.Send, IMAP.AccessAsUser.All or POP.AccessAsUser.All;
// an app's any mailbox of its tenant, with SMTP.SendAsApp, IMAP.AccessAsApp or
// POP.AccessAsApp. Exchange's own permissions of apps on mailboxes are not there.
//
// Every address of the cloud's tenants has an inbox, in memory, bounded, gone with
// the process. Mail to anybody else comes back as undeliverable: nothing leaves the
// machine. It listens only when it is asked to.
//
// Sources: Microsoft's page "Authenticate an IMAP, POP or SMTP connection using
// OAuth" (answers, scopes); RFC 6409, 9051, 3501, 1939, 5034.
package mail
