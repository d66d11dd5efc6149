package claim

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"sync"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/problem"
)

// Limits of a key set.
const (
	MaxKeySet = 1 << 20 // bytes
	maxKeys   = 200
	maxKeyID  = 256
)

// RSA keys outside these bits are not used: shorter ones are weak, longer ones
// only cost time.
const (
	minRSA = 2048
	maxRSA = 8192
)

// The library reads keys of at most 4,096 bits unless it is told otherwise,
// before it reads any.
func init() { jose.MaxRSAModulusBits = maxRSA }

// KeySet is an issuer's keys that may verify signatures. Its zero value holds
// none.
type KeySet struct{ keys []setKey }

type setKey struct {
	key    jose.JSONWebKey
	issuer string // "" is not limited to one
}

// ReadKeySet reads a JSON Web Key Set (RFC 7517) and leaves out every key that
// is not for us: private and shared ones, without an id, not for verifying by
// use, key_ops or alg, with members that readers read differently, weak, or too
// large. Issuers publish such keys beside good ones. A set that is too long
// is kind problem.Limit, one without a usable key problem.BadInput.
func ReadKeySet(raw []byte) (KeySet, error) {
	if len(raw) > MaxKeySet {
		return KeySet{}, problem.New(problem.Limit, "the key set is longer than %d bytes", MaxKeySet)
	}
	o, err := readObject(raw)
	var all []json.RawMessage
	if err != nil || o.isTwice("keys") || json.Unmarshal(o.members["keys"], &all) != nil {
		return KeySet{}, problem.New(problem.BadInput, "the key set cannot be read")
	}
	if len(all) > maxKeys {
		return KeySet{}, problem.New(problem.Limit, "the key set has more than %d keys", maxKeys)
	}
	var set KeySet
	for _, r := range all {
		if k, ok := readKey(r); ok {
			set.keys = append(set.keys, k)
		}
	}
	if len(set.keys) == 0 {
		return KeySet{}, problem.New(problem.BadInput, "the key set has no key that can be used")
	}
	return set, nil
}

func readKey(raw []byte) (setKey, bool) {
	o, err := strictObject(raw)
	if err != nil {
		return setKey{}, false
	}
	for _, name := range []string{"kty", "kid", "use", "alg", "issuer"} {
		if form := o.form(name); form != formText && form != formAbsent {
			return setKey{}, false
		}
	}
	if ops, form := o.list("key_ops"); form != formAbsent {
		slices.Sort(ops)
		if form != formArray || !slices.Contains(ops, "verify") || len(slices.Compact(slices.Clone(ops))) != len(ops) {
			return setKey{}, false
		}
	}
	k := setKey{}
	if json.Unmarshal(raw, &k.key) != nil || k.key.KeyID == "" || len(k.key.KeyID) > maxKeyID || !k.key.IsPublic() || !k.key.Valid() ||
		k.key.Use != "" && k.key.Use != "sig" {
		return setKey{}, false
	}
	if !slices.ContainsFunc(Algorithms(), func(alg string) bool {
		return (k.key.Algorithm == "" || k.key.Algorithm == alg) && fits(k.key.Key, alg)
	}) || smallFactor(k.key.Key) {
		return setKey{}, false
	}
	issuer, form := o.text("issuer")
	if form == formText && issuer == "" {
		return setKey{}, false
	}
	k.issuer = issuer
	return k, true
}

// Has says whether a key of that id is among them, for any issuer.
func (s KeySet) Has(kid string) bool {
	return slices.ContainsFunc(s.keys, func(k setKey) bool { return k.key.KeyID == kid })
}

// For gives the keys that verify tokens of an issuer, known by any of its
// names. A key that says whose it is (Entra ID's issuer member, in which
// {tenantid} stands for tenant, or for the issuer's own tenant when that is "")
// is given to that issuer alone.
func (s KeySet) For(tenant string, issuers ...string) jose.JSONWebKeySet {
	var out jose.JSONWebKeySet
	for _, k := range s.keys {
		if k.issuer == "" || slices.ContainsFunc(issuers, func(i string) bool { return ownIssuer(k.issuer, i, tenant) }) {
			out.Keys = append(out.Keys, k.key)
		}
	}
	return out
}

// ownIssuer says whether an issuer is the one that a key names. {tenantid}
// there stands for tenant, or for that of the issuer itself where none is given.
func ownIssuer(named, issuer, tenant string) bool {
	if issuer == "" {
		return false
	}
	before, after, template := strings.Cut(named, "{tenantid}")
	if template && tenant == "" {
		tenant, _ = entraTenant(issuer)
	}
	if template && isGUID(tenant) {
		named = before + tenant + after
	}
	return strings.EqualFold(issuer, named)
}

// fits reports that a public key is of the kind, the curve and the strength
// that the algorithm needs.
func fits(key any, alg string) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return (alg == "RS256" || alg == "PS256") && sound(k)
	case *ecdsa.PublicKey:
		return k.Curve == map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}[alg]
	}
	return false // a shared or a private key least of all
}

// sound reports that an RSA key has a length, an exponent and a modulus as they
// ought to be.
func sound(k *rsa.PublicKey) bool {
	return k.N != nil && k.N.Sign() > 0 && k.N.BitLen() >= minRSA && k.N.BitLen() <= maxRSA && k.N.Bit(0) == 1 &&
		k.E >= 3 && k.E&1 == 1 && k.E <= 1<<31-1 && !roca(k.N)
}

// smallFactor says whether a modulus has a factor below 752 (NIST SP 800-89
// section 5.3.3), which it is asked once, when its set is read.
func smallFactor(key any) bool {
	k, ok := key.(*rsa.PublicKey)
	return ok && new(big.Int).GCD(nil, nil, k.N, smallPrimes()).Cmp(big.NewInt(1)) != 0
}

// smallPrimes is the product of the primes below 752.
var smallPrimes = sync.OnceValue(func() *big.Int {
	product := big.NewInt(1)
	for p := int64(2); p < 752; p++ {
		if n := big.NewInt(p); n.ProbablyPrime(0) { // exact so low
			product.Mul(product, n)
		}
	}
	return product
})

// rocaPrimes are the primes by which the flaw shows.
var rocaPrimes = []int64{
	11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157,
}

// rocaMarks hold, for each of rocaPrimes, the powers of 65537 modulo it.
var rocaMarks = sync.OnceValue(func() []map[int64]bool {
	marks := make([]map[int64]bool, len(rocaPrimes))
	for i, p := range rocaPrimes {
		marks[i] = map[int64]bool{}
		for v := int64(1); !marks[i][v]; v = v * 65537 % p {
			marks[i][v] = true
		}
	}
	return marks
})

// roca tells a modulus of the flawed generator of Infineon (CVE-2017-15361),
// which can be factored: its primes are powers of 65537 modulo many small
// primes, and so is their product (Nemec and others, "The Return of
// Coppersmith's Attack", CCS 2017, section 3). Of sound moduli fewer than one in
// a hundred million looks like one.
func roca(n *big.Int) bool {
	var rest big.Int
	marks := rocaMarks()
	for i, p := range rocaPrimes {
		if !marks[i][rest.Mod(n, big.NewInt(p)).Int64()] {
			return false
		}
	}
	return true
}
