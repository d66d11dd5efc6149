// Package mailer hands mails to a server (SMTP, RFC 5321): over STARTTLS or TLS, with
// a password that goes over TLS alone. It bounds what a server may say and how long it
// may take, and never repeats what it said: it has seen the password.
//
// What a mail says is its caller's; it knows neither alerts nor the audit trail.
package mailer
