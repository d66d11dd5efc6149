// Package anchor is the places outside of the database that keep the audit
// trail's checkpoints: a file on another disk, a syslog server, a witness that
// cosigns (C2SP tlog-witness), a time stamping authority (RFC 3161).
//
// Everything that comes from one is hostile until its signature fits: sizes are
// bounded, redirects are not followed, and what does not parse is refused.
package anchor
