package secret

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// Redacted is what a secret looks like to everybody else.
const Redacted = "[redacted]"

// Text is a secret string. The zero value is the empty secret. It is a value
// type and safe for concurrent use; it cannot be compared with == by mistake.
type Text struct {
	_ [0]func() // not comparable
	s string
}

// New wraps s.
func New(s string) Text { return Text{s: s} }

// Reveal returns the plaintext. Every call is a place to review.
func (t Text) Reveal() string { return t.s }

// IsZero reports whether there is no secret at all.
func (t Text) IsZero() bool { return t.s == "" }

// Equal compares in constant time, lengths included.
func (t Text) Equal(other Text) bool {
	a, b := sha256.Sum256([]byte(t.s)), sha256.Sum256([]byte(other.s))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// String, GoString and Format keep the secret out of every fmt verb.
func (t Text) String() string { return Redacted }

// GoString keeps it out of %#v.
func (t Text) GoString() string { return Redacted }

// Format keeps it out of every other verb.
func (t Text) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Redacted) }

// MarshalText keeps it out of JSON, XML and flags.
func (t Text) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// LogValue keeps it out of log/slog.
func (t Text) LogValue() slog.Value { return slog.StringValue(Redacted) }
