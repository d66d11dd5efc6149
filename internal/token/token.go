package token

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"partnerguard/internal/secret"
)

// Bytes gives n random bytes. It never fails: without randomness the process
// ends (crypto/rand).
func Bytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

// Text is a secret of 256 random bits in base64url without padding: 43
// characters, safe in URLs, headers and file names.
func Text() secret.Text { return secret.New(base64.RawURLEncoding.EncodeToString(Bytes(32))) }

// State binds an authorization response to the request that caused it
// (RFC 6749 section 10.12); as hex, since some gateways change case or padding.
func State() secret.Text { return secret.New(hex.EncodeToString(Bytes(32))) }

// Nonce binds an id token to its request (OpenID Connect Core 3.1.2.1).
func Nonce() secret.Text { return Text() }

// Verifier is a PKCE code verifier (RFC 7636 section 4.1).
func Verifier() secret.Text { return Text() }

// Challenge is the S256 code challenge of a verifier (RFC 7636 section 4.2).
func Challenge(verifier secret.Text) string {
	sum := sha256.Sum256([]byte(verifier.Reveal()))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// ID is an identifier with a prefix that says of what: 80 random bits in lower
// case base32, easy to select and to read aloud. It is no secret.
func ID(prefix string) string {
	return prefix + "-" + strings.ToLower(base32.StdEncoding.EncodeToString(Bytes(10)))
}

// GUID is a random UUID (RFC 9562 section 5.4), as Microsoft's interfaces take
// them for request and correlation ids.
func GUID() string {
	b := Bytes(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// Fingerprint is what may be written down of a token, to find it again without
// having it: the first 128 bits of its SHA-256 in hex. Only for values with
// at least that much randomness of their own.
func Fingerprint(t secret.Text) string {
	sum := sha256.Sum256([]byte(t.Reveal()))
	return hex.EncodeToString(sum[:16])
}
