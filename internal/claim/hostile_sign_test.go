package claim_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // a wrong hash is what is tried
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"hash"
	"math/big"
	"strings"
)

// digestInfo is what PKCS 1 puts before a SHA-256 (RFC 8017 section 9.2).
const digestInfo = "3031300d060960864801650304020105000420"

// power is the bare RSA operation on a block, which shows a verifier anything.
func power(block []byte) []byte {
	k := keys().private["rsa"].(*rsa.PrivateKey)
	m := new(big.Int).SetBytes(block)
	return m.Exp(m, k.D, k.N).FillBytes(make([]byte, k.Size()))
}

// block is 00 kind pad 00 rest, of 256 bytes.
func block(kind, pad byte, rest []byte) []byte {
	return append(append([]byte{0, kind}, bytes.Repeat([]byte{pad}, 256-3-len(rest))...), append([]byte{0}, rest...)...)
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func rsaRecipes() []recipe {
	n := keys().private["rsa"].Public().(*rsa.PublicKey).N
	of := func(make func(digest []byte) []byte) func(*forged) {
		return func(f *forged) {
			f.sign = func(_ *forged, input string) []byte {
				sum := sha256.Sum256([]byte(input))
				return make(sum[:])
			}
		}
	}
	info := unhex(digestInfo)
	with := func(prefix string, more ...byte) func(*forged) {
		return of(func(d []byte) []byte { return power(block(1, 0xff, bytes.Join([][]byte{unhex(prefix), d, more}, nil))) })
	}
	honest := func(d []byte) []byte { return power(block(1, 0xff, append(bytes.Clone(info), d...))) }
	edit := func(change func(sig []byte) []byte) func(*forged) {
		return of(func(d []byte) []byte { return change(honest(d)) })
	}
	return each("access", "RS256: ", map[string]func(*forged){
		"without the NULL of its hash's name": with("302f300b0609608648016503040201" + "0420"),
		"with a byte behind the hash":         with(digestInfo, 0),
		"with the name of SHA-1":              with("3021300906052b0e03021a05000414"),
		"with the name of SHA-384":            with("3041300d060960864801650304020205000430"),
		"without a name of its hash":          with(""), "with a length in two bytes": with("308131300d060960864801650304020105000420"),
		"with padding of eight bytes and rubbish behind": of(func(d []byte) []byte {
			b := append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, 8)...)
			b = append(append(append(b, 0), info...), d...)
			return power(append(b, bytes.Repeat([]byte{0x5a}, 256-len(b))...))
		}),
		"padded for encryption":   of(func(d []byte) []byte { return power(block(2, 0xff, append(bytes.Clone(info), d...))) }),
		"padded with zeros":       of(func(d []byte) []byte { return power(block(0, 0, append(bytes.Clone(info), d...))) }),
		"padded with other bytes": of(func(d []byte) []byte { return power(block(1, 0xfe, append(bytes.Clone(info), d...))) }),
		"the hash alone":          of(power),
		"of a hash of nothing": of(func([]byte) []byte {
			e := sha256.Sum256(nil)
			return honest(e[:])
		}),
		"zero":                 of(func([]byte) []byte { return make([]byte, 256) }),
		"one":                  of(func([]byte) []byte { return append(make([]byte, 255), 1) }),
		"the modulus":          of(func([]byte) []byte { return n.Bytes() }),
		"the modulus less one": of(func([]byte) []byte { return new(big.Int).Sub(n, big.NewInt(1)).Bytes() }),
		"all ones":             of(func([]byte) []byte { return bytes.Repeat([]byte{0xff}, 256) }), "the modulus more": edit(func(s []byte) []byte {
			return new(big.Int).Add(new(big.Int).SetBytes(s), n).FillBytes(make([]byte, 257))
		}),
		"taken from the modulus": edit(func(s []byte) []byte {
			return new(big.Int).Sub(n, new(big.Int).SetBytes(s)).FillBytes(make([]byte, 256))
		}), "cut": edit(func(s []byte) []byte { return s[:255] }), "cut in front": edit(func(s []byte) []byte { return s[1:] }),
		"with a zero before": edit(func(s []byte) []byte { return append([]byte{0}, s...) }),
		"with a zero behind": edit(func(s []byte) []byte { return append(s, 0) }),
		"twice":              edit(func(s []byte) []byte { return append(s, s...) }),
		"the first bit":      edit(func(s []byte) []byte { s[0] ^= 0x80; return s }),
		"the last bit":       edit(func(s []byte) []byte { s[255] ^= 1; return s }),
		"back to front": edit(func(s []byte) []byte {
			for i := range 128 {
				s[i], s[255-i] = s[255-i], s[i]
			}
			return s
		}),
		"of the header alone": func(f *forged) {
			f.sign = func(_ *forged, input string) []byte {
				sum := sha256.Sum256([]byte(strings.Split(input, ".")[0]))
				return honest(sum[:])
			}
		},
		"of the claims alone": func(f *forged) {
			f.sign = func(_ *forged, input string) []byte {
				sum := sha256.Sum256([]byte(strings.Split(input, ".")[1]))
				return honest(sum[:])
			}
		},
		"in hex": func(f *forged) {
			f.sign = func(_ *forged, input string) []byte {
				sum := sha256.Sum256([]byte(input))
				return []byte(hex.EncodeToString(honest(sum[:])))
			}
		},
	})
}

// pss is the signature block of RFC 8017 section 9.1.1, with what may be wrong
// about it: hash and mask's hash, salt, trailer, the byte before the salt, the
// zeros before that byte and the bits on top.
func pss(digest []byte, h, mask func() hash.Hash, salt int, trailer, mark, before, top byte) []byte {
	m := h()
	m.Write(make([]byte, 8))
	m.Write(digest)
	m.Write(bytes.Repeat([]byte{7}, salt))
	sum := m.Sum(nil)
	db := append(bytes.Repeat([]byte{before}, 256-len(sum)-salt-2), mark)
	db = append(db, bytes.Repeat([]byte{7}, salt)...)
	for i, at := 0, 0; at < len(db); i++ {
		g := mask()
		g.Write(sum)
		g.Write([]byte{0, 0, 0, byte(i)})
		for _, b := range g.Sum(nil) {
			if at < len(db) {
				db[at] ^= b
				at++
			}
		}
	}
	db[0] = db[0]&0x7f | top
	return append(append(db, sum...), trailer)
}

func pssRecipes() []recipe {
	of := func(salt int, h, mask func() hash.Hash, trailer, mark, before, top byte) func(*forged) {
		return all(signedBy("rsa", "PS256"), func(f *forged) {
			f.sign = func(_ *forged, input string) []byte {
				sum := sha256.Sum256([]byte(input))
				return power(pss(sum[:], h, mask, salt, trailer, mark, before, top))
			}
		})
	}
	salt := func(n int) func(*forged) { return of(n, sha256.New, sha256.New, 0xbc, 1, 0, 0) }
	out := each("access", "PS256: ", map[string]func(*forged){
		"no salt":                       salt(0),
		"salt of 20 bytes, as of SHA-1": salt(20),
		"salt of 31 bytes":              salt(31),
		"salt of 33 bytes":              salt(33),
		"salt of 64 bytes":              salt(64),
		"salt of 222 bytes, the most":   salt(222),
		"mask of SHA-1":                 of(32, sha256.New, sha1.New, 0xbc, 1, 0, 0),
		"hash of SHA-1":                 of(32, sha1.New, sha256.New, 0xbc, 1, 0, 0),
		"trailer cc":                    of(32, sha256.New, sha256.New, 0xcc, 1, 0, 0),
		"trailer 00":                    of(32, sha256.New, sha256.New, 0, 1, 0, 0),
		"mark 02":                       of(32, sha256.New, sha256.New, 0xbc, 2, 0, 0),
		"mark 00":                       of(32, sha256.New, sha256.New, 0xbc, 0, 0, 0),
		"padding not of zeros":          of(32, sha256.New, sha256.New, 0xbc, 1, 0x40, 0),
	})
	return out
}

// goodPSS signs PS256 by the block of pss with nothing wrong about it.
func goodPSS(f *forged) {
	signedBy("rsa", "PS256")(f)
	f.sign = func(_ *forged, input string) []byte {
		sum := sha256.Sum256([]byte(input))
		return power(pss(sum[:], sha256.New, sha256.New, 32, 0xbc, 1, 0, 0))
	}
}

func curveRecipes() []recipe {
	var out []recipe
	for _, c := range []struct{ key, alg string }{{"p256", "ES256"}, {"p384", "ES384"}, {"p521", "ES512"}} {
		k := keys().private[c.key].(*ecdsa.PrivateKey)
		n, w, zero, one := k.Params().N, size(k), new(big.Int), big.NewInt(1)
		of := func(make func(r, s *big.Int) []byte) func(*forged) {
			return all(signedBy(c.key, c.alg), func(f *forged) {
				f.sign = func(f *forged, input string) []byte {
					sig := sign(f.t, c.key, c.alg, input)
					return make(new(big.Int).SetBytes(sig[:w]), new(big.Int).SetBytes(sig[w:]))
				}
			})
		}
		wide := func(by int, r, s *big.Int) []byte {
			return append(r.FillBytes(make([]byte, w+by)), s.FillBytes(make([]byte, w+by))...)
		}
		der := func(r, s *big.Int) []byte {
			b, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
			if err != nil {
				panic(err)
			}
			return b
		}
		pair := func(a, b *big.Int) func(*forged) { return of(func(_, _ *big.Int) []byte { return raw(k, a, b) }) }
		out = append(out, each("access", c.alg+": ", map[string]func(*forged){
			"r and s of 0":                pair(zero, zero),
			"r of 0, s of 1":              pair(zero, one),
			"r of 1, s of 0":              pair(one, zero),
			"r and s of 1":                pair(one, one),
			"r and s of n":                pair(n, n),
			"r of n, s of 1":              pair(n, one),
			"r of 1, s of n":              pair(one, n),
			"r and s of n less one":       pair(new(big.Int).Sub(n, one), new(big.Int).Sub(n, one)),
			"r of the field's prime":      pair(new(big.Int).Sub(k.Params().P, n).Abs(new(big.Int).Sub(k.Params().P, n)), one),
			"s of 0":                      of(func(r, _ *big.Int) []byte { return raw(k, r, zero) }),
			"r of 0":                      of(func(_, s *big.Int) []byte { return raw(k, zero, s) }),
			"s of n":                      of(func(r, _ *big.Int) []byte { return raw(k, r, n) }),
			"r and s turned round":        of(func(r, s *big.Int) []byte { return raw(k, s, r) }),
			"r taken from n":              of(func(r, s *big.Int) []byte { return raw(k, new(big.Int).Sub(n, r), s) }),
			"DER":                         of(der),
			"a byte wider":                of(func(r, s *big.Int) []byte { return wide(1, r, s) }),
			"32 bytes wider":              of(func(r, s *big.Int) []byte { return wide(32, r, s) }),
			"n more than r, a byte wider": of(func(r, s *big.Int) []byte { return wide(1, new(big.Int).Add(r, n), s) }),
			"n more than s, a byte wider": of(func(r, s *big.Int) []byte { return wide(1, r, new(big.Int).Add(s, n)) }),
			"cut":                         of(func(r, s *big.Int) []byte { return raw(k, r, s)[:2*w-1] }),
			"cut in front":                of(func(r, s *big.Int) []byte { return raw(k, r, s)[1:] }),
			"r alone":                     of(func(r, s *big.Int) []byte { return raw(k, r, s)[:w] }),
			"a byte behind":               of(func(r, s *big.Int) []byte { return append(raw(k, r, s), 0) }),
			"two zero bytes":              of(func(_, _ *big.Int) []byte { return []byte{0, 0} }),
			"a bit":                       of(func(r, s *big.Int) []byte { return raw(k, r, new(big.Int).Xor(s, one)) }),
		})...)
	}
	return out
}
