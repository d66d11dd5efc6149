package verify_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/gatewaytest"
	"partnerguard/internal/gateway/verify"
)

// cpu is the processor time of this thread, which others on the machine do not lengthen
// as they do a clock's.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	const thread = 1 // RUSAGE_THREAD
	if err := syscall.Getrusage(thread, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkWarm: a token that was verified before.
func BenchmarkWarm(b *testing.B) {
	r := newRig(b, verify.Limits{})
	tok := r.Good()
	r.want(tok, gateway.Passed)
	runtime.LockOSThread()
	b.ReportAllocs()
	from := cpu(b)
	for b.Loop() {
		if _, reason := r.Verify(tok, here, now); reason != gateway.Passed {
			b.Fatal(reason)
		}
	}
	b.ReportMetric(float64(cpu(b)-from)/float64(b.N), "cpu-ns/op")
}

// BenchmarkCold takes turns at tokens that were never seen and at the standard library's
// signature alone, and gives the ratio of what they take.
func BenchmarkCold(b *testing.B) {
	r := newRig(b, verify.Limits{})
	var toks [256]string
	var sums [len(toks)][32]byte
	var sigs [len(toks)][]byte
	for i := range toks {
		toks[i] = r.Good(gatewaytest.Set("uti", fmt.Sprint(i)))
		dot := strings.LastIndexByte(toks[i], '.')
		sums[i] = sha256.Sum256([]byte(toks[i][:dot]))
		var err error
		if sigs[i], err = base64.RawURLEncoding.DecodeString(toks[i][dot+1:]); err != nil {
			b.Fatal(err)
		}
	}
	r.want(toks[0], gateway.Passed)
	pub := r.Newest().Private.Public().(*rsa.PublicKey)
	runtime.LockOSThread()
	var cold, bare time.Duration
	n, turn := 0, uint64(1)
	for b.Loop() {
		turn++
		r.turn(turn) // forgets all
		at := cpu(b)
		for i := range toks {
			if _, reason := r.Verify(toks[i], here, now); reason != gateway.Passed {
				b.Fatal(reason)
			}
		}
		between := cpu(b)
		for i := range toks {
			if rsa.VerifyPKCS1v15(pub, crypto.SHA256, sums[i][:], sigs[i]) != nil {
				b.Fatal("bad")
			}
		}
		cold, bare, n = cold+between-at, bare+cpu(b)-between, n+len(toks)
	}
	b.ReportMetric(float64(cold)/float64(n), "cold-cpu-ns")
	b.ReportMetric(float64(bare)/float64(n), "bare-cpu-ns")
	b.ReportMetric(float64(cold)/float64(bare), "cold/bare")
}
