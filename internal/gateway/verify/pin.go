package verify

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"math/big"
	"sync/atomic"

	"github.com/go-jose/go-jose/v4"
)

// algorithm is a signature that is taken; 0 is none of them.
type algorithm uint8

const (
	rs256 algorithm = iota + 1
	ps256
	es256
)

func algorithmOf(name []byte) algorithm {
	switch string(name) {
	case "RS256":
		return rs256
	case "PS256":
		return ps256
	case "ES256":
		return es256
	}
	return 0
}

var algorithmNames = [...]string{"", "RS256", "PS256", "ES256"}

// key verifies by one algorithm and no other. It is never changed, but for gone.
type key struct {
	id   string
	alg  algorithm
	rsa  *rsa.PublicKey
	ec   *ecdsa.PublicKey
	ring *ring
	gone atomic.Bool // the authority has it no more: so is everything that it verified
}

// pin makes a key of a set's; nil where it is not for us. An RSA key that does not say
// what it is for is for RS256, as Entra ID's are.
func pin(j *jose.JSONWebKey, r *ring) *key {
	if j.KeyID == "" || len(j.KeyID) > maxKeyID || j.Use != "" && j.Use != "sig" {
		return nil
	}
	k := &key{id: j.KeyID, ring: r, alg: algorithmOf([]byte(j.Algorithm))}
	if k.alg == 0 && j.Algorithm != "" {
		return nil
	}
	switch p := j.Key.(type) {
	case *rsa.PublicKey:
		if k.alg == 0 {
			k.alg = rs256
		}
		if k.alg == es256 || p.N == nil || p.N.BitLen() < 2048 || p.N.BitLen() > 8192 || p.N.Bit(0) == 0 || p.E < 3 || p.E&1 == 0 || p.E > 1<<31-1 {
			return nil
		}
		k.rsa = p
	case *ecdsa.PublicKey:
		if k.alg == 0 {
			k.alg = es256
		}
		if k.alg != es256 || p.Curve != elliptic.P256() {
			return nil
		}
		k.ec = p
	default:
		return nil
	}
	return k
}

// same says whether two keys are one.
func (k *key) same(o *key) bool {
	return k.id == o.id && k.alg == o.alg && (k.rsa != nil && o.rsa != nil && k.rsa.Equal(o.rsa) || k.ec != nil && o.ec != nil && k.ec.Equal(o.ec))
}

// signed says whether sig is the key's signature of what has this SHA-256.
func (k *key) signed(sum [32]byte, sig []byte) bool {
	switch k.alg {
	case rs256:
		return rsa.VerifyPKCS1v15(k.rsa, crypto.SHA256, sum[:], sig) == nil
	case ps256: // RFC 7518 section 3.5 allows one length of salt
		return rsa.VerifyPSS(k.rsa, crypto.SHA256, sum[:], sig, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
	case es256:
		if len(sig) != 64 {
			return false
		}
		return ecdsa.Verify(k.ec, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
	}
	return false
}
