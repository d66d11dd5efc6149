package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"

	"partnerguard/internal/entra"
)

// CheckChallenge judges the PKCE parameters of an authorization request: S256
// is the only method (RFC 9700 section 2.1.1), and required says that this
// client may not go without.
func CheckChallenge(challenge, method string, required bool) *Fault {
	switch {
	case challenge == "" && method == "" && !required:
		return nil
	case challenge == "" || method != "S256" || len(challenge) != 43 || !unreserved(challenge):
		return Refuse(entra.CodeChallengeInvalid)
	}
	return nil
}

// CheckVerifier compares a code verifier with the challenge of the code. A
// verifier for a code without challenge is a downgrade and refused.
func CheckVerifier(challenge, verifier string) *Fault {
	switch {
	case challenge == "" && verifier == "":
		return nil
	case challenge == "" || verifier == "":
		return Refuse(entra.CodeVerifierMissing)
	case len(verifier) < 43 || len(verifier) > 128 || !unreserved(verifier):
		return Refuse(entra.CodeVerifierWrong)
	}
	sum := sha256.Sum256([]byte(verifier))
	if subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) != 1 {
		return Refuse(entra.CodeVerifierWrong)
	}
	return nil
}

func unreserved(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '.' || c == '_' || c == '~') {
			return false
		}
	}
	return true
}
