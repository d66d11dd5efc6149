// Package ca owns the certificate authority of the partner cloud: a local one,
// made on first use, whose certificates a client must be handed on purpose.
//
// It can never serve for anything else. The root carries a critical name
// constraint (RFC 5280, 4.2.1.10) that permits only the host names the partner
// cloud answers for, localhost and the loopback addresses; it may sign server
// certificates only (extended key usage), with no authority below it (path
// length 0). Leafs live for days and share one key, so that a browser under
// test can be told to accept that key by its hash.
//
// The package never installs anything in a system, browser or language store,
// never gives out a private key, and works with the machine's own clock: a jump
// of the partner cloud's clock does not age its certificates, because clients
// check them against theirs.
package ca
