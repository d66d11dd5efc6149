package world

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
)

// derive is the keyed hash all that is reproducible comes from.
func (s *State) derive(what string) []byte {
	var seed [8]byte
	binary.BigEndian.PutUint64(seed[:], s.Seed)
	m := hmac.New(sha256.New, seed[:])
	m.Write([]byte(what))
	return m.Sum(nil)
}

// GUID is the reproducible id of a thing of the seeded world.
func (s *State) GUID(what string) string { return guid(s.derive("guid/" + what)) }

// NewGUID is a fresh random id.
func NewGUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return guid(b[:])
}

func guid(b []byte) string {
	var g [16]byte
	copy(g[:], b)
	g[6], g[8] = g[6]&0x0f|0x40, g[8]&0x3f|0x80
	h := hex.EncodeToString(g[:])
	return fmt.Sprintf("%s-%s-%s-%s-%s", h[:8], h[8:12], h[12:16], h[16:20], h[20:])
}

// IsGUID reports the form 8-4-4-4-12 of hexadecimal digits.
func IsGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
			return false
		}
	}
	return true
}

// NewSecret is a fresh random string of 256 bits, safe in URLs.
func NewSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:])
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
}

// HashSecret is how bearer secrets are kept: they have full entropy, so one
// SHA-256 suffices.
func HashSecret(v string) string {
	sum := sha256.Sum256([]byte(v))
	return hex.EncodeToString(sum[:])
}
