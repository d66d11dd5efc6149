package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"

	"partnerguard/internal/entra"
)

// Challenge is what a code's verifier will be compared with (RFC 7636). The zero
// Challenge asks for none.
type Challenge struct {
	value string
	plain bool // the challenge is the verifier itself
}

// None reports that the client sent no challenge.
func (c Challenge) None() bool { return c.value == "" }

// ParseChallenge reads the PKCE parameters of an authorization request. As Entra ID
// does, it takes both methods, and plain where none is named: that RFC 9700 advises
// against it is for policy to say.
func ParseChallenge(challenge, method string) (Challenge, *Fault) {
	c := Challenge{challenge, method != "S256"}
	switch {
	case challenge == "" && method == "":
		return c, nil
	case method != "" && method != "plain" && method != "S256", !unreserved(challenge),
		c.plain && !verifierSize(challenge), !c.plain && len(challenge) != 43:
		return Challenge{}, Refuse(entra.CodeChallengeInvalid)
	}
	return c, nil
}

// Check compares a code verifier with the challenge of the code. A verifier for a
// code without challenge is a downgrade and refused.
func (c Challenge) Check(verifier string) *Fault {
	switch {
	case c.None() && verifier == "":
		return nil
	case c.None() || verifier == "":
		return Refuse(entra.CodeVerifierMissing)
	case !verifierSize(verifier) || !unreserved(verifier):
		return Refuse(entra.CodeVerifierWrong)
	}
	have := verifier
	if !c.plain {
		sum := sha256.Sum256([]byte(verifier))
		have = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	if subtle.ConstantTimeCompare([]byte(have), []byte(c.value)) != 1 {
		return Refuse(entra.CodeVerifierWrong)
	}
	return nil
}

func verifierSize(s string) bool { return len(s) >= 43 && len(s) <= 128 }

func unreserved(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '.' || c == '_' || c == '~') {
			return false
		}
	}
	return true
}
