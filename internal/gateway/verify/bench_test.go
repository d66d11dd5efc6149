package verify_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/gatewaytest"
	"partnerguard/internal/gateway/verify"
)

// BenchmarkWarm: a token that was verified before.
func BenchmarkWarm(b *testing.B) {
	r := newRig(b, verify.Limits{})
	tok := r.Good()
	r.want(tok, gateway.Passed)
	b.SetBytes(int64(len(tok)))
	b.ReportAllocs()
	for b.Loop() {
		if _, reason := r.Verify(tok, here, now); reason != gateway.Passed {
			b.Fatal(reason)
		}
	}
}

// BenchmarkCold: tokens that were never seen, to be held against BenchmarkBare.
func BenchmarkCold(b *testing.B) {
	r := newRig(b, verify.Limits{})
	var toks [512]string
	for i := range toks {
		toks[i] = r.Good(gatewaytest.Set("uti", fmt.Sprint(i)))
	}
	r.want(toks[0], gateway.Passed)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if i%len(toks) == 0 {
			b.StopTimer()
			r.turn(uint64(i)) // forgets all
			b.StartTimer()
		}
		if _, reason := r.Verify(toks[i%len(toks)], here, now); reason != gateway.Passed {
			b.Fatal(reason)
		}
		i++
	}
}

// BenchmarkBare is the standard library's signature alone.
func BenchmarkBare(b *testing.B) {
	a := gatewaytest.NewAuthority()
	tok := a.Good()
	dot := strings.LastIndexByte(tok, '.')
	sig, err := base64.RawURLEncoding.DecodeString(tok[dot+1:])
	if err != nil {
		b.Fatal(err)
	}
	pub := a.Newest().Private.Public().(*rsa.PublicKey)
	sum := sha256.Sum256([]byte(tok[:dot]))
	b.ReportAllocs()
	for b.Loop() {
		if rsa.VerifyPKCS1v15(pub, crypto.SHA256, sum[:], sig) != nil {
			b.Fatal("bad")
		}
	}
}
