package claim_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/claim"
	"partnerguard/internal/secret"
)

// jwk is the RSA key "rsa" of the tests as a JSON Web Key with members on top.
func jwk(t testing.TB, more string) string {
	t.Helper()
	b, err := json.Marshal(jose.JSONWebKey{Key: keys().private["rsa"].Public(), KeyID: "rsa"})
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(b), "}") + more + "}"
}

func rsaKey(n *big.Int, e int64) string {
	return fmt.Sprintf(`{"kty":"RSA","kid":"k","n":%q,"e":%q}`, b64(n.Bytes()), b64(big.NewInt(e).Bytes()))
}

// rocaModulus is built as the flawed generator builds its primes' product: a
// power of 65537 modulo the small primes.
func rocaModulus() *big.Int {
	m := big.NewInt(1)
	for p := int64(2); p <= 701; p++ {
		if big.NewInt(p).ProbablyPrime(8) {
			m.Mul(m, big.NewInt(p))
		}
	}
	n := new(big.Int).Exp(big.NewInt(65537), big.NewInt(123457), m)
	k := new(big.Int).Lsh(big.NewInt(1), 2047)
	return n.Add(n, k.Div(k, m).Add(k, big.NewInt(2)).Mul(k, m))
}

// TestReadKeySetLeavesOut: keys that are not for verifying, or not sound.
func TestReadKeySetLeavesOut(t *testing.T) {
	t.Parallel()
	n := keys().private["rsa"].Public().(*rsa.PublicKey).N
	long := new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 8200), big.NewInt(1))
	private, err := json.Marshal(jose.JSONWebKey{Key: keys().private["rsa"], KeyID: "p"})
	if err != nil {
		t.Fatal(err)
	}
	small, _ := json.Marshal(jose.JSONWebKey{Key: keys().private["small"].Public(), KeyID: "s"})
	for name, key := range map[string]string{
		"use enc": jwk(t, `,"use":"enc"`), "use empty list": jwk(t, `,"use":[]`), "use in capitals": jwk(t, `,"use":"SIG"`),
		"key_ops sign": jwk(t, `,"key_ops":["sign"]`), "key_ops empty": jwk(t, `,"key_ops":[]`), "key_ops a text": jwk(t, `,"key_ops":"verify"`),
		"key_ops encrypt": jwk(t, `,"key_ops":["encrypt","wrapKey"]`), "key_ops twice": jwk(t, `,"key_ops":["verify","verify"]`),
		"key_ops numbers": jwk(t, `,"key_ops":["verify",1]`),
		"key_ops VERIFY":  jwk(t, `,"key_ops":["VERIFY"]`),
		"alg none":        jwk(t, `,"alg":"none"`), "alg RSA-OAEP": jwk(t, `,"alg":"RSA-OAEP"`), "alg HS256": jwk(t, `,"alg":"HS256"`),
		"alg ES256 of RSA": jwk(t, `,"alg":"ES256"`), "alg a number": jwk(t, `,"alg":1`),
		"kid twice": jwk(t, `,"kid":"other"`), "issuer empty": jwk(t, `,"issuer":""`), "issuer a list": jwk(t, `,"issuer":["x"]`),
		"no kid": strings.Replace(jwk(t, ""), `"kid":"rsa",`, "", 1), "private": string(private),
		"shared":    `{"kty":"oct","kid":"k","k":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}`,
		"1024 bits": string(small), "8201 bits": rsaKey(long, 65537), "roca": rsaKey(rocaModulus(), 65537),
		"exponent 1": rsaKey(n, 1), "exponent 2": rsaKey(n, 2), "exponent 65536": rsaKey(n, 65536), "exponent 0": rsaKey(n, 0),
		"exponent huge": rsaKey(n, 1<<33+1),
		"even modulus":  rsaKey(new(big.Int).Add(n, big.NewInt(1)), 65537),
	} {
		if s, err := claim.ReadKeySet([]byte(`{"keys":[` + key + `]}`)); err == nil {
			t.Errorf("%s: taken: %d keys", name, len(s.For("").Keys))
		}
	}
	for name, more := range map[string]string{
		"bare": "", "use": `,"use":"sig"`, "key_ops": `,"key_ops":["verify"]`, "key_ops both": `,"key_ops":["sign","verify"]`, "alg": `,"alg":"PS256"`,
		"other members": `,"more":{"y":[1]}`,
	} {
		if s, err := claim.ReadKeySet([]byte(`{"keys":[` + jwk(t, more) + `]}`)); err != nil || !s.Has("rsa") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestROCA: no key of a sound generator looks like a flawed one.
func TestROCA(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"rsa", "rsa2", "stranger"} {
		if _, err := claim.ReadKeySet([]byte(`{"keys":[` + rsaKey(keys().private[name].Public().(*rsa.PublicKey).N, 65537) + `]}`)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestKeyOfAnotherIssuer: a key that another tenant's issuer marks as its own
// verifies nobody else's token.
func TestKeyOfAnotherIssuer(t *testing.T) {
	t.Parallel()
	const a, b = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
	v2 := func(tenant string) string { return "https://login.microsoftonline.com/" + tenant + "/v2.0" }
	for _, c := range []struct {
		issuer string
		want   int
	}{{"", 1}, {v2("{tenantid}"), 1}, {v2(a), 1}, {v2(b), 0}, {"https://evil.example/{tenantid}/v2.0", 0}, {"{tenantid}", 0}, {v2("{TENANTID}"), 0}} {
		more := ""
		if c.issuer != "" {
			more = fmt.Sprintf(`,"issuer":%q`, c.issuer)
		}
		s, err := claim.ReadKeySet([]byte(`{"keys":[` + jwk(t, more) + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := len(s.For(a, "https://sts.windows.net/"+a+"/", v2(a)).Keys); got != c.want {
			t.Errorf("%s: %d keys", c.issuer, got)
		}
	}
}

// TestSaltLength: of PS256's salts only the one as long as its hash is taken.
func TestSaltLength(t *testing.T) {
	t.Parallel()
	key := keys().private["rsa"].(*rsa.PrivateKey)
	input := b64([]byte(`{"alg":"PS256","kid":"rsa"}`)) + "." + b64([]byte(`{"iss":"https://issuer.example/","aud":"api://us","sub":"s","exp":1790000600}`))
	sum := sha256.Sum256([]byte(input))
	for _, salt := range []int{1, 8, 16, 20, 31, 32, 33, 48, 64, 100, 222} {
		sig, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: salt})
		if err != nil {
			t.Fatal(err)
		}
		_, err = claim.Verify(secret.New(input+"."+b64(sig)), keys().
			set, claim.Expect{Now: now, Audiences: []string{"api://us"}, Issuer: "https://issuer.example/"})
		if (err == nil) != (salt == 32) || err != nil && !errors.Is(err, claim.BadSignature) {
			t.Errorf("a salt of %d bytes: %v", salt, err)
		}
	}
}

func FuzzReadKeySet(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"RSA","kid":"k","n":"AQAB","e":"AQAB"}]}`))
	f.Add([]byte(`{"keys":[` + jwk(f, `,"issuer":"x","key_ops":["verify"]`) + `]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := claim.ReadKeySet(raw)
		if err != nil {
			return
		}
		for _, k := range s.For("", "x").Keys {
			if !k.IsPublic() || k.KeyID == "" {
				t.Errorf("taken: %v", k.KeyID)
			}
		}
	})
}
