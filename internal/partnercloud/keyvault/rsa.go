package keyvault

import (
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"math/big"
)

// stream is bytes without end that follow from a seed.
type stream struct {
	seed  []byte
	block uint64
	left  []byte
}

func (s *stream) read(n int) []byte {
	for len(s.left) < n {
		m := hmac.New(sha256.New, s.seed)
		m.Write(binary.BigEndian.AppendUint64(nil, s.block))
		s.block++
		s.left = m.Sum(s.left)
	}
	out := s.left[:n:n]
	s.left = s.left[n:]
	return out
}

const exponent = 65537

// prime is the first prime after a point of the stream that suits RSA.
func (s *stream) prime(bits int) *big.Int {
	p := new(big.Int).SetBytes(s.read(bits / 8))
	p.SetBit(p.SetBit(p.SetBit(p, bits-1, 1), bits-2, 1), 0, 1)
	two, e, one, rest := big.NewInt(2), big.NewInt(exponent), big.NewInt(1), new(big.Int)
	for {
		if p.ProbablyPrime(20) && rest.Mod(rest.Sub(p, one), e).Sign() != 0 {
			return p
		}
		p.Add(p, two)
	}
}

// makeKey is the RSA key of 2048 bits of a seed: the same seed, the same key.
// crypto/rsa makes another each time, and a laboratory must come out the same.
func makeKey(seed []byte) (*rsa.PrivateKey, error) {
	s := &stream{seed: seed}
	p, q := s.prime(1024), s.prime(1024)
	one := big.NewInt(1)
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	k := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: exponent},
		D:         new(big.Int).ModInverse(big.NewInt(exponent), phi), Primes: []*big.Int{p, q},
	}
	k.Precompute()
	return k, k.Validate()
}
