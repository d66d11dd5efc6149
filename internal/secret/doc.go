// Package secret owns values that must never be seen: passwords, client
// secrets, refresh tokens.
//
// A [Text] prints as "[redacted]" through every door the standard library has
// (fmt, encoding/json, encoding.TextMarshaler, log/slog) and compares in
// constant time. It never writes anything anywhere. Sealing at rest belongs to
// the vault; this package only makes leaking by accident impossible.
package secret
