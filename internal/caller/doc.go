// Package caller proves who asks: programs of other machines, by a client
// certificate (mutual TLS) or by a workload's OIDC token of an issuer that is
// known. What a caller may have is no business of its.
//
// A certificate counts by its key, or by a name in it when a known authority
// made it; TLS has shown that the caller holds the key. A token is verified
// strictly (claim.Verify): issuer, audience, times, algorithm, a key of the
// issuer's set. Key sets are kept for an hour, read anew when they are old or a
// key is unknown, one reading at a time and at most every three minutes,
// whoever asks; while an issuer is away they do for a day.
//
// It keeps no token, and remembers none: one can be used again until it ends.
//
// Followed: RFC 5280, 6125 (names, without wildcards), 7469 section 2.4 (the
// pin), 7517, 7519, 8725; OpenID Connect Core 3.1.3.7.
package caller
