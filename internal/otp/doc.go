// Package otp is the application for one-time passwords on a desk without phones:
// seeds sealed in a file of the person's own, opened for a short while, and never
// shown again.
//
// The file ([Store]) belongs to one user of the operating system, who alone may read
// it. A random key seals the seeds (XChaCha20-Poly1305) together with all that the
// file says besides; what a vault's master key is, a passphrase (argon2id) or a
// systemd credential among others, wraps that key. A file that somebody changed does
// not open; an older copy that somebody put back does, and lacks what came later.
//
// Locked is the rule: each command asks for the passphrase and forgets it when it
// ends, and the view on a terminal ends by itself. Who wants to type it less often has
// [Agent], a process on a Unix socket that answers the same user alone, gives out
// codes and never seeds or the key, and forgets after the time it was given, when it
// is told to, and when the machine has slept. It asks for no passphrase, so whatever
// runs as this user has the codes of that time. Windows has no agent.
//
// A seed goes in and never comes out: there is no export. Codes are computed by the
// clock of the machine, corrected by what [Correction] found.
//
// It is no provider and knows no tenant: whoever issued a seed checks its codes. The
// page for shared floors is otp/page's.
//
// Sources: RFC 6238, RFC 9106 (argon2id), contracts-2026-11.md section 6.
package otp
