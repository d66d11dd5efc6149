package gatewaytest

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"strings"

	"partnerguard/internal/gateway"
)

// digestInfo is what PKCS 1 puts before a SHA-256 (RFC 8017 section 9.2).
const digestInfo = "3031300d060960864801650304020105000420"

func unb64(s string) []byte {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// power is the bare RSA operation on a block.
func power(k *rsa.PrivateKey, block []byte) []byte {
	m := new(big.Int).SetBytes(block)
	return m.Exp(m, k.D, k.N).FillBytes(make([]byte, k.Size()))
}

// block is 00 kind pad 00 rest, of 256 bytes.
func block(kind, pad byte, rest []byte) []byte {
	return append(append([]byte{0, kind}, bytes.Repeat([]byte{pad}, 256-3-len(rest))...), append([]byte{0}, rest...)...)
}

// signatureCases have signatures that lax readers of PKCS 1 take, and wrong ones.
func signatureCases() []Case {
	var out []Case
	add := func(name string, sign func(k *rsa.PrivateKey, digest []byte) []byte) {
		out = append(out, Case{Name: "signature " + name, Reason: gateway.BadSignature, Make: func(a *Authority) string {
			k := a.Newest().Private.(*rsa.PrivateKey)
			return a.Good(signed(func(input string) []byte {
				sum := sha256.Sum256([]byte(input))
				return sign(k, sum[:])
			}))
		}})
	}
	info := unhex(digestInfo)
	with := func(name, prefix string, more ...byte) {
		add(name, func(k *rsa.PrivateKey, d []byte) []byte {
			return power(k, block(1, 0xff, bytes.Join([][]byte{unhex(prefix), d, more}, nil)))
		})
	}
	with("without the NULL of its hash's name", "302f300b0609608648016503040201"+"0420")
	with("with a byte behind the hash", digestInfo, 0)
	with("with the name of SHA-1", "3021300906052b0e03021a05000414")
	with("with the name of SHA-384", "3041300d060960864801650304020205000430")
	with("without a name of its hash", "")
	with("with a length in two bytes", "308131300d060960864801650304020105000420")
	honest := func(k *rsa.PrivateKey, d []byte) []byte {
		return power(k, block(1, 0xff, append(bytes.Clone(info), d...)))
	}
	add("with padding of eight bytes and rubbish behind", func(k *rsa.PrivateKey, d []byte) []byte {
		b := append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, 8)...)
		b = append(append(append(b, 0), info...), d...)
		return power(k, append(b, bytes.Repeat([]byte{0x5a}, 256-len(b))...))
	})
	add("padded for encryption", func(k *rsa.PrivateKey, d []byte) []byte {
		return power(k, block(2, 0xff, append(bytes.Clone(info), d...)))
	})
	add("padded with zeros", func(k *rsa.PrivateKey, d []byte) []byte {
		return power(k, block(0, 0, append(bytes.Clone(info), d...)))
	})
	add("that is the hash alone", power)
	add("of nothing", func(k *rsa.PrivateKey, _ []byte) []byte {
		e := sha256.Sum256(nil)
		return honest(k, e[:])
	})
	add("zero", func(*rsa.PrivateKey, []byte) []byte { return make([]byte, 256) })
	add("one", func(*rsa.PrivateKey, []byte) []byte { return append(make([]byte, 255), 1) })
	add("the modulus", func(k *rsa.PrivateKey, _ []byte) []byte { return k.N.Bytes() })
	add("the modulus less one", func(k *rsa.PrivateKey, _ []byte) []byte { return new(big.Int).Sub(k.N, big.NewInt(1)).Bytes() })
	add("the modulus more", func(k *rsa.PrivateKey, d []byte) []byte {
		return new(big.Int).Add(new(big.Int).SetBytes(honest(k, d)), k.N).FillBytes(make([]byte, 257))
	})
	add("taken from the modulus", func(k *rsa.PrivateKey, d []byte) []byte {
		return new(big.Int).Sub(k.N, new(big.Int).SetBytes(honest(k, d))).FillBytes(make([]byte, 256))
	})
	add("cut", func(k *rsa.PrivateKey, d []byte) []byte { return honest(k, d)[:255] })
	add("with a zero before", func(k *rsa.PrivateKey, d []byte) []byte { return append([]byte{0}, honest(k, d)...) })
	add("with a zero behind", func(k *rsa.PrivateKey, d []byte) []byte { return append(honest(k, d), 0) })
	add("twice", func(k *rsa.PrivateKey, d []byte) []byte { s := honest(k, d); return append(s, s...) })
	add("with its first bit turned", func(k *rsa.PrivateKey, d []byte) []byte { s := honest(k, d); s[0] ^= 0x80; return s })
	add("with its last bit turned", func(k *rsa.PrivateKey, d []byte) []byte { s := honest(k, d); s[255] ^= 1; return s })
	add("in hex", func(k *rsa.PrivateKey, d []byte) []byte { return []byte(hex.EncodeToString(honest(k, d))) })
	for i, name := range []string{"of the header alone", "of the claims alone"} {
		out = append(out, Case{Name: "signature " + name, Reason: gateway.BadSignature, Make: func(a *Authority) string {
			return a.Good(signed(func(input string) []byte { return a.Newest().Sign(strings.Split(input, ".")[i]) }))
		}})
	}
	return out
}
