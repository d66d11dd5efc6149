// Package anchor is the places outside of the database that keep the audit
// trail's checkpoints: a file on another disk, a syslog server, a witness that
// cosigns (C2SP tlog-witness), a time stamping authority (RFC 3161), mail (SMTP),
// and object stores with retention (Azure Blob Storage, S3 Object Lock).
//
// Everything that comes from one is hostile until its signature fits: sizes are
// bounded, redirects are not followed, and what does not parse is refused. What a
// server that has seen a credential says is never repeated.
package anchor
