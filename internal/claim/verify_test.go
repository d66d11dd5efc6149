package claim_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/claim"
	"partnerguard/internal/secret"
)

var now = time.Unix(1790000000, 0).UTC()

// ring is the keys of the tests and the set that the verifier is given. Tokens
// are built and signed with the standard library alone, so that the library
// under test does not check its own work.
type ring struct {
	private map[string]crypto.Signer
	set     jose.JSONWebKeySet
}

var keys = sync.OnceValue(func() *ring {
	r := &ring{private: map[string]crypto.Signer{}}
	for _, name := range []string{"rsa", "rsa2", "stranger", "small"} {
		bits := 2048
		if name == "small" {
			bits = 1024
		}
		k, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			panic(err)
		}
		r.private[name] = k
	}
	for name, c := range map[string]elliptic.Curve{"p256": elliptic.P256(), "p384": elliptic.P384(), "p521": elliptic.P521()} {
		k, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			panic(err)
		}
		r.private[name] = k
	}
	for _, kid := range []string{"rsa", "rsa2", "small", "p256", "p384", "p521"} {
		r.set.Keys = append(r.set.Keys, jose.JSONWebKey{Key: r.private[kid].Public(), KeyID: kid, Use: "sig"})
	}
	pub := r.private["rsa"].Public()
	r.set.Keys = append(r.set.Keys,
		jose.JSONWebKey{Key: pub, KeyID: "twin"}, jose.JSONWebKey{Key: r.private["rsa2"].Public(), KeyID: "twin"},
		jose.JSONWebKey{Key: pub, KeyID: "enc", Use: "enc"}, jose.JSONWebKey{Key: pub, KeyID: "psonly", Algorithm: "PS256"},
		jose.JSONWebKey{Key: []byte("0123456789abcdef0123456789abcdef"), KeyID: "oct"}, jose.JSONWebKey{Key: r.private["rsa"], KeyID: "private"})
	return r
})

type wycheproof struct {
	ID         int            `json:"id"`
	Comment    string         `json:"comment"`
	Alg        string         `json:"alg"`
	Key        string         `json:"key"`
	Header     map[string]any `json:"header"`
	DropHeader []string       `json:"dropHeader"`
	RawHeader  string         `json:"rawHeader"`
	Claims     map[string]any `json:"claims"`
	Drop       []string       `json:"drop"`
	Payload    string         `json:"payload"`
	Hex        string         `json:"hex"` // replaces $HEX in payload
	Mutate     string         `json:"mutate"`
	Result     string         `json:"result"`
	Flaw       claim.Flaw     `json:"flaw"`
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// number lets a recipe write digits that float64 would lose.
func number(v any) any {
	if m, ok := v.(map[string]any); ok {
		if s, ok := m["$num"].(string); ok {
			return json.RawMessage(s)
		}
	}
	return v
}

func (c *wycheproof) build(t testing.TB) string {
	t.Helper()
	if c.Alg == "" {
		c.Alg = "RS256"
	}
	if c.Key == "" {
		c.Key = "rsa"
	}
	header := map[string]any{"alg": c.Alg, "typ": "JWT", "kid": c.Key}
	if strings.HasPrefix(c.Key, "hmac") {
		header["kid"] = "rsa"
	}
	for k, v := range c.Header {
		header[k] = v
	}
	for _, k := range c.DropHeader {
		delete(header, k)
	}
	if c.Mutate == "embed-jwk" {
		header["jwk"] = jose.JSONWebKey{Key: keys().private[c.Key].Public()}
	}
	h, err := json.Marshal(header)
	if c.RawHeader != "" {
		h = []byte(c.RawHeader)
	}
	claims := map[string]any{"iss": "https://issuer.example/", "aud": "api://us", "sub": "s", "exp": 1790000600, "nbf": 1789999700, "iat": 1789999700,
		"nonce": "n-1", "amr": []string{"pwd", "mfa"}}
	for k, v := range c.Claims {
		claims[k] = number(v)
	}
	for _, k := range c.Drop {
		delete(claims, k)
	}
	if c.Mutate == "huge" {
		claims["x"] = strings.Repeat("x", claim.MaxSize)
	}
	p, perr := json.Marshal(claims)
	if perr != nil || err != nil {
		t.Fatal(err, perr)
	}
	if c.Payload != "" {
		raw, err := hex.DecodeString(c.Hex)
		if err != nil {
			t.Fatal(err)
		}
		p = []byte(strings.Replace(c.Payload, "$HEX", string(raw), 1))
	}
	if c.Mutate == "nested" {
		inner := wycheproof{}
		p = []byte(inner.build(t))
	}
	head, body := b64(h), b64(p)
	switch c.Mutate {
	case "trailing-bits-header": // signed as it stands
		head = looseBits(t, head, h)
	case "pad-header":
		head += strings.Repeat("=", (4-len(head)%4)%4+boolInt(len(head)%4 == 0))
	case "std-alphabet":
		body = strings.NewReplacer("-", "+", "_", "/").Replace(b64([]byte(`{"x":"` + strings.Repeat("\u00ff\u07ff?>", 6) + `"}`)))
	case "empty-payload":
		body = ""
	}
	sig := sign(t, c.Key, c.Alg, head+"."+body)
	return mutate(t, c, head, body, sig)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// looseBits writes the same bytes with other unused bits at the end.
func looseBits(t testing.TB, s string, b []byte) string {
	t.Helper()
	for i := 0; len(s)%4 == 0; i++ { // no unused bits: make some
		b = append(b, ' ')
		s = b64(b)
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, s[len(s)-1])
	return s[:len(s)-1] + string(alphabet[last|1])
}

func sign(t testing.TB, key, alg, input string) []byte {
	t.Helper()
	hash := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[alg[2:]]
	h := hash.New()
	h.Write([]byte(input))
	digest := h.Sum(nil)
	var sig []byte
	var err error
	switch alg[:2] {
	case "HS":
		n := sha256.New
		if alg == "HS384" {
			n = sha512.New384
		}
		m := hmac.New(n, hmacKey(t, key))
		m.Write([]byte(input))
		return m.Sum(nil)
	case "RS":
		sig, err = keys().private[key].Sign(rand.Reader, digest, hash)
	case "PS":
		sig, err = keys().private[key].Sign(rand.Reader, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash})
	case "ES":
		k := keys().private[key].(*ecdsa.PrivateKey)
		r, s, serr := ecdsa.Sign(rand.Reader, k, digest)
		if serr != nil {
			t.Fatal(serr)
		}
		return raw(k, r, s)
	}
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

func hmacKey(t testing.TB, name string) []byte {
	t.Helper()
	pub := keys().private["rsa"].Public().(*rsa.PublicKey)
	switch name {
	case "hmac-pem":
		der, err := x509.MarshalPKIXPublicKey(pub)
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	case "hmac-n":
		return pub.N.Bytes()
	case "hmac-jwk":
		b, err := json.Marshal(jose.JSONWebKey{Key: pub, KeyID: "rsa"})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	return []byte{}
}

func size(k *ecdsa.PrivateKey) int { return (k.Curve.Params().BitSize + 7) / 8 }

func raw(k *ecdsa.PrivateKey, r, s *big.Int) []byte {
	n := size(k)
	return append(r.FillBytes(make([]byte, n)), s.FillBytes(make([]byte, n))...)
}

func mutate(t testing.TB, c *wycheproof, head, body string, sig []byte) string {
	t.Helper()
	join := func(p ...string) string { return strings.Join(p, ".") }
	ec, _ := keys().private[c.Key].(*ecdsa.PrivateKey)
	var r, s *big.Int
	if ec != nil {
		r, s = new(big.Int).SetBytes(sig[:size(ec)]), new(big.Int).SetBytes(sig[size(ec):])
	}
	signature := b64(sig)
	good := join(head, body, signature)
	with := func(b []byte) string { return join(head, body, b64(b)) }
	switch c.Mutate {
	case "", "embed-jwk", "nested", "huge", "trailing-bits-header", "pad-header", "std-alphabet", "empty-payload":
		return good
	case "sig-empty":
		return join(head, body, "")
	case "sig-truncate":
		return with(sig[:len(sig)-1])
	case "sig-first-half":
		return with(sig[:len(sig)/2])
	case "sig-extend":
		return with(append(bytes.Clone(sig), 0))
	case "sig-flip":
		sig[len(sig)/2] ^= 1
		return with(sig)
	case "sig-zero":
		return with(make([]byte, len(sig)))
	case "sig-of-header":
		return with(sign(t, c.Key, c.Alg, head))
	case "payload-flip":
		b, _ := base64.RawURLEncoding.DecodeString(body)
		return join(head, b64(bytes.Replace(b, []byte(`"s"`), []byte(`"t"`), 1)), signature)
	case "payload-swap":
		other := wycheproof{Claims: map[string]any{"sub": "root"}}
		return join(head, strings.Split(other.build(t), ".")[1], signature)
	case "ec-der":
		der, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
		if err != nil {
			t.Fatal(err)
		}
		return with(der)
	case "ec-r-zero":
		return with(raw(ec, new(big.Int), s))
	case "ec-s-zero":
		return with(raw(ec, r, new(big.Int)))
	case "ec-both-zero":
		return with(raw(ec, new(big.Int), new(big.Int)))
	case "ec-n":
		return with(raw(ec, ec.Params().N, s))
	case "ec-swap":
		return with(raw(ec, s, r))
	case "ec-r-plus-n": // the same number modulo n, one byte too wide or not at all
		n := size(ec)
		wide := new(big.Int).Add(r, ec.Params().N)
		return with(append(wide.FillBytes(make([]byte, n+1)), s.FillBytes(make([]byte, n+1))...))
	case "ec-high-s":
		return with(raw(ec, r, new(big.Int).Sub(ec.Params().N, s)))
	case "ec-pad-left":
		n := size(ec) + 1
		return with(append(r.FillBytes(make([]byte, n)), s.FillBytes(make([]byte, n))...))
	case "ec-pad-32":
		n := size(ec) + 32
		return with(append(r.FillBytes(make([]byte, n)), s.FillBytes(make([]byte, n))...))
	case "ec-zero-strip":
		return with(sig[1:])
	case "pad-payload":
		return join(head, body+"=", signature)
	case "pad-signature":
		return join(head, body, signature+"==")
	case "newline":
		return join(head, body[:8]+"\n"+body[8:], signature)
	case "crlf-in-signature":
		return join(head, body, signature[:8]+"\r\n"+signature[8:])
	case "space-before":
		return " " + good
	case "space-after":
		return good + "\n"
	case "bearer":
		return "Bearer " + good
	case "trailing-bits-signature":
		return join(head, body, looseBits(t, signature, sig))
	case "fourth-part":
		return good + ".x"
	case "two-parts":
		return join(head, body)
	case "one-part":
		return head
	case "empty-header":
		return join("", body, signature)
	case "detached":
		return join(head, "", signature)
	case "json-flattened":
		return fmt.Sprintf(`{"payload":%q,"protected":%q,"signature":%q}`, body, head, signature)
	case "json-general":
		return fmt.Sprintf(`{"payload":%q,"signatures":[{"protected":%q,"signature":%q}]}`, body, head, signature)
	case "jwe-five-parts":
		return join(head, "", b64([]byte("iv")), body, signature)
	case "nul-after":
		return good + "\x00"
	case "percent":
		return strings.Replace(good, ".", "%2E", 1)
	case "unicode-dot":
		return strings.Replace(good, ".", "\u3002", 1)
	}
	t.Fatalf("no mutation %q", c.Mutate)
	return ""
}

func expect() claim.Expect {
	return claim.Expect{Now: now, Leeway: time.Minute, Audiences: []string{"api://us"}, Issuer: "https://issuer.example/", Nonce: secret.New("n-1")}
}

func cases(t testing.TB) []wycheproof {
	t.Helper()
	b, err := os.ReadFile("testdata/verify.json")
	if err != nil {
		t.Fatal(err)
	}
	var f struct{ Cases []wycheproof }
	if err := json.Unmarshal(b, &f); err != nil || len(f.Cases) < 200 {
		t.Fatal(len(f.Cases), err)
	}
	return f.Cases
}
