package world

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"strings"
)

var base32Text = base32.StdEncoding.WithPadding(base32.NoPadding)

// pbkdf2Rounds is OWASP's floor for PBKDF2-HMAC-SHA256.
const pbkdf2Rounds = 600_000

// Password is what a user types. The zero value is the reproducible password of
// a seeded account; one set later is kept as a salted hash only.
type Password struct {
	Salt string `json:"salt,omitempty"`
	Hash string `json:"hash,omitempty"`
	// None marks an account that cannot sign in by password at all.
	None bool `json:"none,omitempty"`
}

// NewPassword hashes a password that somebody chose.
func NewPassword(plain string) Password {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt)
	return Password{Salt: hex.EncodeToString(salt), Hash: hex.EncodeToString(stretch(plain, salt))}
}

func stretch(plain string, salt []byte) []byte {
	key, err := pbkdf2.Key(sha256.New, plain, salt, pbkdf2Rounds, 32)
	if err != nil { // only for absurd parameters
		panic("world: " + err.Error())
	}
	return key
}

// SeededPassword is the reproducible password of a seeded account: it is for a
// local world of invented people and is meant to be printed. ok is false when
// the account has another password, or none.
func (s *State) SeededPassword(u *User) (plain string, ok bool) {
	if u.Password.None || u.Password.Hash != "" {
		return "", false
	}
	return "Pc!" + base32Text.EncodeToString(s.derive("password/" + strings.ToLower(u.UPN)))[:13], true
}

// CheckPassword compares in constant time. It is slow for chosen passwords:
// call it outside the lock with copies.
func CheckPassword(p Password, seeded string, plain string) bool {
	switch {
	case p.None:
		return false
	case p.Hash == "":
		return subtle.ConstantTimeCompare([]byte(seeded), []byte(plain)) == 1
	}
	salt, err := hex.DecodeString(p.Salt)
	if err != nil {
		return false
	}
	return hmac.Equal([]byte(p.Hash), []byte(hex.EncodeToString(stretch(plain, salt))))
}

// TOTPSecret is a software token's secret in base32: its own when registered
// here, else the reproducible one of a seeded account.
func (s *State) TOTPSecret(u *User, m *Method) string {
	if m.Secret != "" {
		return m.Secret
	}
	return base32Text.EncodeToString(s.derive("totp/" + strings.ToLower(u.ID) + "/" + m.ID)[:20])
}

// SeededSecret is a reproducible client secret of a seeded app.
func (s *State) SeededSecret(appID string) string {
	return "pc8Q~" + strings.ToLower(base32Text.EncodeToString(s.derive("secret/" + strings.ToLower(appID))))[:35]
}
