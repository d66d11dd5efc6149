// Package vault keeps secrets sealed in the database: refresh tokens, private
// keys, client secrets.
//
// Three layers. A row is sealed by XChaCha20-Poly1305 under a Tink keyset, with
// its three names ([Ref]) as associated data, so that a row copied to another
// place does not open. The keyset is sealed by a random data key. The data key
// is wrapped by the [Master], which never enters the database: a key file, a
// passphrase, a systemd credential, or a key in Azure Key Vault.
//
// XChaCha20-Poly1305 rather than AES-256-GCM: its nonces of 192 bits may be
// drawn at random by any number of processes for as long as a key lives, where
// GCM's 96 bits ask for a count that processes would have to share; and it runs
// in constant time on every machine.
//
// The keyset holds one key, or two while a rotation is under way: the newest
// seals, both open. Several processes may use one vault at once: each change of
// the keys raises a generation, which every writer reads within its own
// transaction, so a process that was not told notices. Every change of the
// keyset is one transaction: whenever a process dies, the vault opens.
//
// The vault never prints a secret and never sees what a secret means. It
// records what happens to itself through [Recorder].
package vault
