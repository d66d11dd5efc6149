package main

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/verify"
)

// cold measures tokens that nobody has seen, each once, beside crypto/rsa alone.
func (b *bench) cold(upstream string) {
	const n = 4000
	tokens := make([]string, n)
	for i := range tokens {
		tokens[i] = b.signer.mint(b.signer.claims(1000 + i))
	}
	bare := b.signer.bare(tokens)
	fmt.Print("| tokens seen for the first time | microseconds of processor each | beside crypto/rsa |\n|---|---|---|\n")
	fmt.Printf("| crypto/rsa alone | %.1f | 1.00 |\n", micros(bare, n))
	verified := b.signer.verified(tokens)
	fmt.Printf("| the gateway's verifier alone | %.1f | %.2f |\n", micros(verified, n), micros(verified, n)/micros(bare, n))
	for _, name := range []string{"featured, and no assertion", "featured", "nethttp"} {
		lean := name != "nethttp"
		var extra []float64
		for range b.rounds {
			p := b.signer.gateway(name, freePort(), upstream, cell{1, false}, lean, true)
			j := job{At: p.at, Conns: 32, For: time.Minute, Once: true, Tokens: repeat(tokens[:16], 250)}
			load(j, nil) // it warms up, and what follows is the same again, warm
			warm := spentIn(p, j)
			j.Tokens = tokens
			extra = append(extra, micros(spentIn(p, j)-warm, n))
			p.stop()
		}
		m := median(extra)
		fmt.Printf("| %s, beyond the same requests warm | %.1f | %.2f |\n", name, m, m/micros(bare, n))
	}
	fmt.Println()
}

func repeat(list []string, n int) (out []string) {
	for range n {
		out = append(out, list...)
	}
	return out
}

func spentIn(p *process, j job) time.Duration {
	before := time.Duration(0)
	if r := load(j, func() { before = p.spent() }); r.Bad > 0 {
		fmt.Printf("%s: %d failed: %s\n", p.name, r.Bad, r.First)
	}
	return p.spent() - before
}

func micros(d time.Duration, n int) float64 { return float64(d.Microseconds()) / float64(n) }

// verified is the processor time of the verifier on tokens that it has not seen.
func (s *signer) verified(tokens []string) time.Duration {
	path := filepath.Join(s.dir, "keys.json")
	write(path, s.keySet())
	v := verify.New(verify.Deps{Keys: keyFile(path)})
	must(v.Turn(1, []gateway.Authority{{Name: "bench", Keys: path, Issuers: []string{issuer}}}))
	from, now := netip.MustParseAddr("127.0.0.1"), time.Now()
	if _, why := v.Verify(s.mint(s.claims(999)), from, now); why != gateway.Passed { // it reads the keys
		must(fmt.Errorf("the verifier says %s", why))
	}
	before := rusage()
	for _, t := range tokens {
		if _, why := v.Verify(t, from, now); why != gateway.Passed {
			must(fmt.Errorf("the verifier says %s", why))
		}
	}
	return rusage() - before
}

// bare is the processor time of the signatures alone.
func (s *signer) bare(tokens []string) time.Duration {
	before := rusage()
	for _, t := range tokens {
		i := strings.LastIndexByte(t, '.')
		sig, err := base64.RawURLEncoding.DecodeString(t[i+1:])
		must(err)
		sum := sha256.Sum256([]byte(t[:i]))
		must(rsa.VerifyPKCS1v15(&s.key.PublicKey, crypto.SHA256, sum[:], sig))
	}
	return rusage() - before
}

func rusage() time.Duration {
	var r syscall.Rusage
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &r))
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// flood measures what good clients keep while others send tokens with wrong signatures,
// each another, as fast as they are answered up to a pace; and what memory that takes.
func (b *bench) flood(upstream string, tokens []string) {
	fmt.Println("| flood of wrong signatures | good answers a second, flood elsewhere | flood here | kept | floods a second | MB before | MB after |")
	fmt.Println("|---|---|---|---|---|---|---|")
	for _, name := range []string{"featured", "nethttp", "haproxy"} {
		var p *process
		c := cell{2, false}
		if name == "haproxy" {
			p = b.signer.haproxy(freePort(), upstream, c)
		} else {
			p = b.signer.gateway(name, freePort(), upstream, c, name == "featured", true)
		}
		good := job{At: p.at, Conns: 8, For: b.each, Tokens: tokens}
		load(good, nil)
		before := p.resident()
		var alone, beside []float64
		floods := int64(0)
		// The generator takes its part of the machine wherever the flood goes: to the upstream first.
		with := func(at string, refused bool) (float64, int64) {
			done := make(chan result)
			go func() {
				done <- load(job{At: at, Conns: 32, For: b.each + 400*time.Millisecond, Tokens: tokens[:1], Refused: refused, Forge: true,
					Pace: 20 * time.Millisecond, From: "127.0.0.2"}, nil)
			}()
			time.Sleep(200 * time.Millisecond)
			r := rate(load(good, nil))
			return r, (<-done).Good
		}
		for range b.rounds {
			r, _ := with(upstream, false)
			alone = append(alone, r)
			r, n := with(p.at, true)
			beside = append(beside, r)
			floods += n
		}
		a, z := median(alone), median(beside)
		fmt.Printf("| %s | %.0f | %.0f | %.0f %% | %.0f | %.0f | %.0f |\n", name, a, z, 100*z/a,
			float64(floods)/float64(b.rounds)/(b.each+400*time.Millisecond).Seconds(), before, p.resident())
		p.stop()
	}
	fmt.Println()
}

func rate(r result) float64 { return float64(r.Good) / r.Took.Seconds() }
