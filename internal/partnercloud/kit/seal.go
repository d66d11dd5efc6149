package kit

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

// Sealer makes tokens for clients to carry, such as of pages, that none can make or
// change outside. Its key ends with the process.
type Sealer struct{ key [32]byte }

// NewSealer makes one with a fresh key.
func NewSealer() *Sealer {
	s := new(Sealer)
	_, _ = rand.Read(s.key[:])
	return s
}

// tagSize is how much of the HMAC-SHA256 goes into a token.
const tagSize = 16

// maxToken bounds a token that is looked at.
const maxToken = 4096

func (s *Sealer) tag(bound string, payload []byte) []byte {
	m := hmac.New(sha256.New, s.key[:])
	_ = binary.Write(m, binary.BigEndian, uint64(len(bound))) // so that no two pairs read the same
	m.Write([]byte(bound))
	m.Write(payload)
	return m.Sum(nil)[:tagSize]
}

// Seal makes a token of payload, good for what it is bound to: the caller, the
// question.
func (s *Sealer) Seal(bound string, payload []byte) string {
	return base64.RawURLEncoding.EncodeToString(append(s.tag(bound, payload), payload...))
}

// Open gives the payload of a token of ours; ok is false for any other, and for one
// that was bound to something else.
func (s *Sealer) Open(bound, token string) (payload []byte, ok bool) {
	if len(token) > maxToken {
		return nil, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) <= tagSize || !hmac.Equal(raw[:tagSize], s.tag(bound, raw[tagSize:])) {
		return nil, false
	}
	return raw[tagSize:], true
}
