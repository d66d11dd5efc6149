package claim_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/claim"
	"partnerguard/internal/secret"
)

// publishedROCA is the modulus of a key that the flawed generator made, 2,048
// bits, public: mod03.txt among the test data of the finders' own detector,
// github.com/crocs-muni/roca (roca/tests/data).
const publishedROCA = "9dcd7420e420c270a68060eb8b5aa7457a9f6648f86fafed2775cc1f79ae962f1e63f1b9e51c55f9ea6fdc7332e9b005" +
	"8c9ff2eb1fc89855029cf6aafe21e689feb38ac9ffb12f1ce371bb5d0e9aae64161abce74b4244bf68f1edb4411f756a097c8929c14740245ea355f833" +
	"2d1aa36bb50c7dcb4505da8de02e4e53d38f8df06097da7524df0df93db48eac8cc4af2d3a16257eb2b2adca6ba464e5974fa92550d31b1babf161e769" +
	"2d00b86e3dd886ecab4abfbe1a8f8cc263ff4af55cdb45f4249a5193925f5e983d762f0b6800943eb0267b08f42ed311ce1f5c86eacbc8ce4d3cb7a2fe" +
	"e1ef5641423a1cf4114e5ecf50034a60a412523af9e6f4aa11"

// rocaPrimes is how many first primes M is the product of, for keys of 1,984 to
// 3,936 bits (Nemec and others, CCS 2017, table 1).
const rocaPrimes = 126

// rocaPrime makes a prime as the paper says that the flawed generator does:
// k*M + (65537^a mod M).
func rocaPrime(t *testing.T, bits int) *big.Int {
	t.Helper()
	m := big.NewInt(1)
	for p, n := int64(2), 0; n < rocaPrimes; p++ {
		if v := big.NewInt(p); v.ProbablyPrime(0) {
			m.Mul(m, v)
			n++
		}
	}
	below := new(big.Int).Lsh(big.NewInt(1), uint(bits))
	for range 100_000 {
		a, err := rand.Int(rand.Reader, m)
		k, kerr := rand.Int(rand.Reader, new(big.Int).Div(below, m))
		if err != nil || kerr != nil {
			t.Fatal(err, kerr)
		}
		p := new(big.Int).Exp(big.NewInt(65537), a, m)
		if p.Add(p, k.Mul(k, m)); p.BitLen() == bits && p.ProbablyPrime(4) {
			return p
		}
	}
	t.Fatal("no prime was found")
	return nil
}

// TestROCAVectors: the published modulus and moduli made by the paper's
// construction are refused, and nothing of a sound generator is.
func TestROCAVectors(t *testing.T) {
	t.Parallel()
	taken := func(n *big.Int) bool {
		_, err := claim.ReadKeySet([]byte(`{"keys":[` + rsaKey(n, 65537) + `]}`))
		return err == nil
	}
	n, ok := new(big.Int).SetString(publishedROCA, 16)
	if !ok || n.BitLen() != 2048 || taken(n) {
		t.Error("the published modulus is taken")
	}
	for _, bits := range []int{2048, 3072} {
		n := new(big.Int)
		for n.BitLen() != bits { // else the length alone would refuse it
			n.Mul(rocaPrime(t, bits/2), rocaPrime(t, bits/2))
		}
		if !coprime(n) || taken(n) {
			t.Errorf("%d bits made by the paper are taken", bits)
		}
	}
	for range 20 {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		if !taken(k.N) {
			t.Errorf("a sound key is refused: %x", k.N)
		}
	}
}

// TestROCARate: of odd numbers without small factors, which is all that the mark
// looks at, none of 4,000 is taken for flawed.
func TestROCARate(t *testing.T) {
	t.Parallel()
	raw := make([]byte, 256)
	var wrong, tried int
	n := new(big.Int)
	for range 4000 {
		if _, err := rand.Read(raw); err != nil {
			t.Fatal(err)
		}
		raw[0] |= 0x80
		raw[255] |= 1
		for n.SetBytes(raw); !coprime(n); n.Add(n, big.NewInt(2)) {
		}
		if _, err := claim.ReadKeySet([]byte(`{"keys":[` + rsaKey(n, 65537) + `]}`)); err != nil {
			wrong++
		}
		tried++
	}
	if wrong > 0 {
		t.Errorf("%d of %d sound moduli are taken for flawed", wrong, tried)
	}
}

var odd = sync.OnceValue(func() (list []uint64) {
	for p := int64(3); p < 752; p += 2 {
		if big.NewInt(p).ProbablyPrime(0) {
			list = append(list, uint64(p))
		}
	}
	return list
})

func coprime(n *big.Int) bool {
	var rest, by big.Int
	for _, p := range odd() {
		if rest.Mod(n, by.SetUint64(p)).Sign() == 0 {
			return false
		}
	}
	return true
}

// TestRSAVectors: exponents and moduli of RSA keys.
func TestRSAVectors(t *testing.T) {
	t.Parallel()
	n := bigKey(2048).pub.N
	times := func(p int64) *big.Int { return new(big.Int).Mul(big.NewInt(p), bigKey(2049).pub.N) }
	e := func(hex string) string {
		v, ok := new(big.Int).SetString(hex, 16)
		if !ok {
			t.Fatal(hex)
		}
		return fmt.Sprintf(`{"kty":"RSA","kid":"k","n":%q,"e":%q}`, b64(n.Bytes()), b64(v.Bytes()))
	}
	for name, c := range map[string]struct {
		key string
		ok  bool
	}{
		"e 3": {rsaKey(n, 3), true}, "e 17": {rsaKey(n, 17), true}, "e 65537": {rsaKey(n, 65537), true}, "e 2^31-1": {rsaKey(n, 1<<31-1), true},
		"e 0": {rsaKey(n, 0), false}, "e 1": {rsaKey(n, 1), false}, "e 2": {rsaKey(n, 2), false}, "e 4": {rsaKey(n, 4), false}, "e 65536": {rsaKey(n,
			65536), false},
		"e 2^31+1": {rsaKey(n, 1<<31+1), false}, "e 2^32+1": {rsaKey(n, 1<<32+1), false}, "e 2^62+1": {rsaKey(n, 1<<62+1), false},
		"e 2^64+3, which is 3 in 64 bits": {e("10000000000000003"), false}, "e 2^64+65537": {e("10000000000010001"), false},
		"e 2^63+1":                {e("8000000000000001"), false},
		"e as long as n":          {fmt.Sprintf(`{"kty":"RSA","kid":"k","n":%q,"e":%q}`, b64(n.Bytes()), b64(n.Bytes())), false},
		"e with a zero before it": {`{"kty":"RSA","kid":"k","n":"` + b64(n.Bytes()) + `","e":"AAEAAQ"}`, true},
		"e empty":                 {`{"kty":"RSA","kid":"k","n":"` + b64(n.Bytes()) + `","e":""}`, false},
		"e absent":                {`{"kty":"RSA","kid":"k","n":"` + b64(n.Bytes()) + `"}`, false},
		"e a number":              {`{"kty":"RSA","kid":"k","n":"` + b64(n.Bytes()) + `","e":65537}`, false},
		"e twice":                 {`{"kty":"RSA","kid":"k","n":"` + b64(n.Bytes()) + `","e":"AQAB","e":"Aw"}`, false},
		"n with a zero before it": {`{"kty":"RSA","kid":"k","n":"` + b64(append([]byte{0}, n.Bytes()...)) + `","e":"AQAB"}`, true},
		"n empty":                 {`{"kty":"RSA","kid":"k","n":"","e":"AQAB"}`, false},
		"n padded":                {`{"kty":"RSA","kid":"k","n":"` + b64(n.Bytes()) + `==","e":"AQAB"}`, false},
		"n even":                  {rsaKey(new(big.Int).Add(n, big.NewInt(1)), 65537), false},
		"n even, of 2^2048": {rsaKey(new(big.Int).Lsh(big.NewInt(1), 2048), 65537),
			false},
		"n with the factor 3": {rsaKey(times(3), 65537), false}, "n with the factor 5": {rsaKey(times(5), 65537), false},
		"n with the factor 743": {rsaKey(times(743), 65537), false}, "n with the factor 751": {rsaKey(times(751), 65537), false},
		"n with the factor 757": {rsaKey(times(757), 65537), true}, // not looked for: beyond what SP 800-89 asks
		"private":               {`{"kty":"RSA","kid":"k","n":"` + b64(n.Bytes()) + `","e":"AQAB","d":"AQAB"}`, false},
		"kty in lower case": {strings.Replace(rsaKey(n,
			65537), "RSA", "rsa", 1), false}, "kty of another": {strings.Replace(rsaKey(n, 65537), "RSA", "EC", 1), false},
		"N for n": {strings.Replace(rsaKey(n, 65537), `"n"`, `"N"`, 1), false}, "kid too long": {strings.Replace(rsaKey(n, 65537), `"k"`,
			`"`+strings.Repeat("k", 257)+`"`, 1), false},
	} {
		s, err := claim.ReadKeySet([]byte(`{"keys":[` + c.key + `]}`))
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
		if c.ok && err == nil && len(s.For("").Keys) != 1 {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// TestExponentOfOne: under an exponent of 1 a signature is its own block, which
// anyone writes; such a key verifies nothing, however it came into the set.
func TestExponentOfOne(t *testing.T) {
	t.Parallel()
	n := keys().private["rsa"].Public().(*rsa.PublicKey).N
	for _, e := range []int{-1, 0, 1, 2, 65536} {
		f := &forged{t: t, head: map[string]any{"alg": "RS256", "kid": "k"}, claims: profiles["work"].claims(), sign: func(_ *forged, input string) []byte {
			sum := sha256.Sum256([]byte(input))
			return block(1, 0xff, append(unhex(digestInfo), sum[:]...))
		}}
		set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &rsa.PublicKey{N: n, E: e}, KeyID: "k"}}}
		if _, err := claim.Verify(secret.New(f.build()), set, profiles["work"].expect()); !errors.Is(err, claim.NoKey) {
			t.Errorf("exponent %d: %v", e, err)
		}
	}
}

// TestUnsoundGiven: a set that nobody read holds no unsound key either.
func TestUnsoundGiven(t *testing.T) {
	t.Parallel()
	n := keys().private["rsa"].Public().(*rsa.PublicKey).N
	flawed, _ := new(big.Int).SetString(publishedROCA, 16)
	for name, n := range map[string]*big.Int{"even": new(big.Int).Add(n, big.NewInt(1)), "flawed": flawed, "none": nil, "zero": new(big.Int),
		"below zero": new(big.Int).Neg(n)} {
		f := &forged{t: t, key: "rsa", alg: "RS256", head: map[string]any{"alg": "RS256", "kid": "k"}, claims: profiles["work"].claims()}
		set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &rsa.PublicKey{N: n, E: 65537}, KeyID: "k"}}}
		if _, err := claim.Verify(secret.New(f.build()), set, profiles["work"].expect()); !errors.Is(err, claim.NoKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCurveVectors: points of elliptic keys.
func TestCurveVectors(t *testing.T) {
	t.Parallel()
	jwk := func(crv, x, y string) string {
		return fmt.Sprintf(`{"kty":"EC","kid":"k","crv":%q,"x":%q,"y":%q}`, crv, x, y)
	}
	for name, c := range map[string]struct {
		crv   string
		curve elliptic.Curve
	}{"p256": {"P-256", elliptic.P256()}, "p384": {"P-384", elliptic.P384()}, "p521": {"P-521", elliptic.P521()}} {
		k, w := keys().private[name].(*ecdsa.PrivateKey), size(keys().private[name].(*ecdsa.PrivateKey))
		at := func(v *big.Int) string { return b64(v.FillBytes(make([]byte, w))) }
		x, y, p := k.X, k.Y, c.curve.Params().P
		zero, one := new(big.Int), big.NewInt(1)
		for what, v := range map[string]struct {
			key string
			ok  bool
		}{
			"its point": {jwk(c.crv, at(x), at(y)), true}, "the point below": {jwk(c.crv, at(x), at(new(big.Int).Sub(p, y))), true}, // another sound key
			"off the curve": {jwk(c.crv, at(x), at(new(big.Int).Xor(y, one))), false}, "turned round": {jwk(c.crv, at(y), at(x)), false},
			"at infinity, as zeros":   {jwk(c.crv, at(zero), at(zero)), false},
			"at infinity, as nothing": {jwk(c.crv, "", ""), false}, "x of the prime": {jwk(c.crv, at(p), at(y)), false}, "y of the prime": {jwk(c.crv, at(x),
				at(p)), false}, "zero and one": {jwk(c.crv, at(zero), at(one)), false},
			"a byte short": {jwk(c.crv, b64(x.FillBytes(make([]byte, w))[1:]), at(y)), false}, "a zero before": {jwk(c.crv, b64(x.FillBytes(make([]byte,
				w+1))), at(y)), false}, "without y": {fmt.Sprintf(`{"kty":"EC","kid":"k","crv":%q,"x":%q}`, c.crv, at(x)), false},
			"private": {strings.TrimSuffix(jwk(c.crv, at(x), at(y)), "}") + `,"d":"AQ"}`, false}, "of an unknown curve": {jwk("secp256k1", at(x), at(y)),
				false}, "of a curve in lower case": {jwk(strings.ToLower(c.crv), at(x), at(y)), false},
			"of another curve": {jwk(map[string]string{"P-256": "P-384", "P-384": "P-521", "P-521": "P-256"}[c.crv], at(x), at(y)), false},
			"as an OKP":        {`{"kty":"OKP","kid":"k","crv":"Ed25519","x":"` + b64(make([]byte, 32)) + `"}`, false},
			"alg of another curve": {strings.TrimSuffix(jwk(c.crv, at(x), at(y)), "}") + `,"alg":"` + map[string]string{"P-256": "ES384", "P-384": "ES512",
				"P-521": "ES256"}[c.crv] + `"}`, false}, "alg of RSA": {strings.TrimSuffix(jwk(c.crv, at(x), at(y)), "}") + `,"alg":"RS256"}`, false},
		} {
			if _, err := claim.ReadKeySet([]byte(`{"keys":[` + v.key + `]}`)); (err == nil) != v.ok {
				t.Errorf("%s %s: %v", c.crv, what, err)
			}
		}
	}
}

// TestUseVectors: what a key is for, in its three members.
func TestUseVectors(t *testing.T) {
	t.Parallel()
	for more, ok := range map[string]bool{
		``: true, `,"use":"sig"`: true, `,"key_ops":["verify"]`: true, `,"use":"sig","key_ops":["verify"]`: true, `,"key_ops":["sign","verify"]`: true,
		`,"alg":"RS256"`: true, `,"alg":"PS256","use":"sig"`: true,
		`,"use":null`: true, `,"key_ops":null`: true, `,"alg":null`: true, `,"x5t":"AAAA"`: false /* of no such length */, `,"ext":true`: true,
		`,"use":"enc"`: false, `,"use":"Sig"`: false, `,"use":"sig "`: false, `,"use":""`: true, `,"use":7`: false, `,"use":["sig"]`: false,
		`,"use":"enc","key_ops":["verify"]`: false, `,"use":"sig","key_ops":["encrypt"]`: false,
		`,"use":"sig","key_ops":["sign"]`: false, `,"key_ops":["sign"]`: false, `,"key_ops":[]`: false, `,"key_ops":["Verify"]`: false,
		`,"key_ops":["verify","verify"]`: false, `,"key_ops":["verify","sign","sign"]`: false, `,"key_ops":["verify",null]`: false,
		`,"key_ops":["verify",7]`: false, `,"key_ops":"verify"`: false, `,"key_ops":{"verify":true}`: false, `,"key_ops":[["verify"]]`: false,
		`,"key_ops":["verify"],"key_ops":["sign"]`: false, `,"use":"enc","use":"sig"`: false,
		`,"key_ops":["verify","encrypt"]`: true, // RFC 7517 section 4.3 only advises against it
		`,"alg":"RS384"`:                  false, `,"alg":"none"`: false, `,"alg":"HS256"`: false, `,"alg":"rs256"`: false, `,"alg":""`: true,
		`,"alg":"RSA-OAEP-256"`: false, `,"alg":"ES256"`: false, `,"alg":["RS256"]`: false,
		`,"Use":"enc"`: true, // another name
	} {
		s, err := claim.ReadKeySet([]byte(`{"keys":[` + jwk(t, more) + `]}`))
		if (err == nil) != ok {
			t.Errorf("%s: %v", more, err)
		}
		if err == nil && !s.Has("rsa") {
			t.Errorf("%s: no such key", more)
		}
	}
}

// TestSets: whole sets, well formed and not.
func TestSets(t *testing.T) {
	t.Parallel()
	k := jwk(t, "")
	for set, keys := range map[string]int{
		`{"keys":[` + k + `]}`: 1, `{"keys":[` + k + `,` + k + `]}`: 2, `{"more":1,"keys":[5,null,"x",[],{},` + k + `]}`: 1, ` {"keys" : [ ` + k + ` ] } `: 1,
		``: 0, `null`: 0, `[]`: 0, `[` + k + `]`: 0, k: 0, `{}`: 0, `{"keys":null}`: 0, `{"keys":{}}`: 0, `{"keys":[]}`: 0, `{"keys":"x"}`: 0,
		`{"Keys":[` + k + `]}`: 0, `{"keys":[` + k + `],"keys":[]}`: 0, `{"keys":[],"k\u0065ys":[` + k + `]}`: 0,
		"\ufeff" + `{"keys":[` + k + `]}`: 0, `{"keys":[` + k + `]}x`: 0, `{"keys":[` + k: 0, `<html>`: 0, `{"keys":[` + strings.Repeat("[",
			100) + strings.Repeat("]", 100) + `]}`: 0,
		`{"keys":[` + k + strings.Repeat(`,{}`, 199) + `]}`: 1, `{"keys":[` + k + strings.Repeat(`,{}`, 200) + `]}`: 0,
		`{"keys":[` + k + `],"x":"` + strings.Repeat("x", claim.MaxKeySet) + `"}`: 0,
	} {
		s, err := claim.ReadKeySet([]byte(set))
		if got := len(s.For("").Keys); got != keys || (err == nil) != (keys > 0) {
			t.Errorf("%.80s: %d keys, %v", set, got, err)
		}
	}
}

// TestTemplates: a key that names its issuer by a template is each tenant's own.
func TestTemplates(t *testing.T) {
	t.Parallel()
	v2 := func(tenant string) string { return login + tenant + "/v2.0" }
	for _, c := range []struct {
		named, issuer, tenant string
		ok                    bool
	}{
		{v2("{tenantid}"), v2(tid), "", true}, {v2("{tenantid}"), v2(tid), tid, true}, {v2("{tenantid}"), v2(strings.ToUpper(tid)), tid, true},
		{v2("{tenantid}"), v2(elsewhat), tid, false},
		{v2("{tenantid}"), sts + tid + "/", "", false}, {v2("{tenantid}"), "https://evil.example/" + tid + "/v2.0", "", false}, {v2("{tenantid}"),
			v2("common"), "", false}, {v2("{tenantid}"), v2("{tenantid}"), "", true}, {v2("{tenantid}"), v2(tid) + "/", "", false},
		{v2("{tenantid}/{tenantid}"), v2(tid + "/" + tid), "", false}, {v2(elsewhat), v2(tid), "", false}, {v2(elsewhat), v2(elsewhat), "", true},
		{sts + "{tenantid}/", sts + tid + "/", "", true}, {"", v2(tid), "", true}, {v2(tid), "", tid, false}, {"{tenantid}", tid, "", false},
	} {
		more := ""
		if c.named != "" {
			b, _ := json.Marshal(c.named)
			more = `,"issuer":` + string(b)
		}
		s, err := claim.ReadKeySet([]byte(`{"keys":[` + jwk(t, more) + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		if got := len(s.For(c.tenant, c.issuer).Keys) == 1; got != c.ok {
			t.Errorf("%q for %q of %q: %t", c.named, c.issuer, c.tenant, got)
		}
	}
}
