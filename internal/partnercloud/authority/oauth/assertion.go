package oauth

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // x5t is defined as SHA-1
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/entra"
)

// MaxAssertion bounds what is parsed of an assertion.
const MaxAssertion = 32 << 10

// AssertionType is the only client_assertion_type.
const AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// skew is how far the clocks may differ.
const skew = 5 * time.Minute

// Assertion is a client assertion whose claims are read and whose signature is
// not yet checked: see [Assertion.VerifyCert] and [Assertion.VerifySet].
type Assertion struct {
	Issuer, Subject, ID string
	Audience            []string
	NotBefore, Expires  time.Time
	KeyID               string

	sig     *jose.JSONWebSignature
	payload []byte
}

// ParseAssertion reads the shape: a compact JWS with RS256 or PS256 and nothing
// else, so that neither "none" nor a MAC with a public key gets any further.
func ParseAssertion(text string) (*Assertion, *Fault) {
	if len(text) > MaxAssertion {
		return nil, Refuse(entra.CodeAssertionInvalid)
	}
	sig, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.RS256, jose.PS256})
	if err != nil || len(sig.Signatures) != 1 {
		return nil, Refuse(entra.CodeAssertionInvalid)
	}
	a := &Assertion{sig: sig, payload: sig.UnsafePayloadWithoutVerification(), KeyID: sig.Signatures[0].Protected.KeyID}
	var c struct {
		Iss string          `json:"iss"`
		Sub string          `json:"sub"`
		Jti string          `json:"jti"`
		Aud json.RawMessage `json:"aud"`
		Nbf json.Number     `json:"nbf"`
		Exp json.Number     `json:"exp"`
	}
	d := json.NewDecoder(bytes.NewReader(a.payload))
	d.UseNumber()
	if d.Decode(&c) != nil {
		return nil, Refuse(entra.CodeAssertionInvalid)
	}
	a.Issuer, a.Subject, a.ID = c.Iss, c.Sub, c.Jti
	var one string
	switch {
	case json.Unmarshal(c.Aud, &one) == nil:
		a.Audience = []string{one}
	case json.Unmarshal(c.Aud, &a.Audience) == nil && len(a.Audience) > 0:
	default:
		return nil, Refuse(entra.CodeAssertionElsewhere)
	}
	if a.Expires = moment(c.Exp); a.Expires.IsZero() {
		return nil, Refuse(entra.CodeAssertionNotInTime)
	}
	a.NotBefore = moment(c.Nbf)
	return a, nil
}

// moment reads seconds since 1970; zero when they are none, or absurd.
func moment(n json.Number) time.Time {
	f, err := n.Float64()
	if err != nil || f <= 0 || f > 1e11 {
		return time.Time{}
	}
	return time.Unix(int64(f), 0)
}

// Timely checks the times. No more than a day ahead is believed.
func (a *Assertion) Timely(now time.Time) *Fault {
	if !now.Before(a.Expires.Add(skew)) || a.Expires.Sub(now) > 24*time.Hour+skew || a.NotBefore.After(now.Add(skew)) {
		return Refuse(entra.CodeAssertionNotInTime)
	}
	return nil
}

// Digest names this very assertion.
func (a *Assertion) Digest() [32]byte {
	return sha256.Sum256(append(append([]byte{}, a.payload...), a.sig.Signatures[0].Signature...))
}

// VerifyCert checks the signature with a certificate that the header names by
// x5t#S256 or x5t. ok is false where it names another.
func (a *Assertion) VerifyCert(cert *x509.Certificate) (ok bool) {
	head := a.sig.Signatures[0].Protected.ExtraHeaders
	s256, _ := head["x5t#S256"].(string)
	s1, _ := head["x5t"].(string)
	sum := sha256.Sum256(cert.Raw)
	old := sha1.Sum(cert.Raw) //nolint:gosec // x5t is defined as SHA-1
	switch {
	case s256 != "":
		ok = same(s256, sum[:])
	case s1 != "":
		ok = same(s1, old[:])
	}
	if !ok {
		return false
	}
	_, err := a.sig.Verify(cert.PublicKey)
	return err == nil
}

// same compares a thumbprint with a hash. RFC 7515 has it in the URL alphabet of
// base64 without padding; Microsoft's own libraries write the standard one too.
func same(thumb string, sum []byte) bool {
	plain := strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(thumb, "="))
	return subtle.ConstantTimeCompare([]byte(plain), []byte(base64.RawURLEncoding.EncodeToString(sum))) == 1
}

// VerifySet checks the signature with a key set, by kid where both have one.
func (a *Assertion) VerifySet(set *jose.JSONWebKeySet) bool {
	for i := range set.Keys {
		k := &set.Keys[i]
		if a.KeyID != "" && k.KeyID != "" && k.KeyID != a.KeyID || !k.IsPublic() {
			continue
		}
		if _, err := a.sig.Verify(k.Key); err == nil {
			return true
		}
	}
	return false
}
