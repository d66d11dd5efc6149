package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/assert"
	"partnerguard/internal/gateway/front"
	"partnerguard/internal/gateway/guard"
	"partnerguard/internal/gateway/proxy"
	"partnerguard/internal/gateway/verify"
)

// gateway starts ours: lean or all by net/http, with the check or with the mode off.
func (s *signer) gateway(name, at, upstream string, c cell, lean, check bool) *process {
	self, err := os.Executable()
	must(err)
	write(filepath.Join(s.dir, "keys.json"), s.keySet())
	args := []string{"serve", "-at", at, "-upstream", upstream, "-dir", s.dir, "-workers", strconv.Itoa(c.workers)}
	for flag, on := range map[string]bool{"-tls": c.tls, "-lean": lean, "-check": check, "-bare": strings.HasSuffix(name, "no assertion")} {
		if on {
			args = append(args, flag)
		}
	}
	return start(name, at, self, args...)
}

// file is the gateway's, as somebody would write it for one panel.
const file = `version: 1
listen: [{at: "127.0.0.1:1"}]
authorities: [{keys: %s, issuers: ["%s"]}]
tenants: [%s]
identity: {assertion: true}
routes:
  - {name: panel, path: /, audiences: ["%s"], upstream: "http://%s", callers: [api], mode: %s}
`

// keyFile is the authority's keys.
type keyFile string

// Keys implements verify.Source.
func (k keyFile) Keys(context.Context, gateway.Authority, string) (set jose.JSONWebKeySet, err error) {
	text, err := os.ReadFile(string(k))
	if err == nil {
		err = json.Unmarshal(text, &set)
	}
	return set, err
}

// serveMain is the gateway's process: the rooms as the product puts them together, without
// a database.
func serveMain(args []string) {
	set := flag.NewFlagSet("serve", flag.ExitOnError)
	at, up, dir := set.String("at", "", ""), set.String("upstream", "", ""), set.String("dir", "", "")
	workers, overTLS, lean, check := set.Int("workers", 1, ""), set.Bool("tls", false, ""), set.Bool("lean", false, ""), set.Bool("check", false, "")
	bare := set.Bool("bare", false, "")
	profile := set.String("profile", "", "")
	must(set.Parse(args))
	runtime.GOMAXPROCS(*workers)

	mode := "off"
	if *check {
		mode = "enforce"
	}
	keys := filepath.Join(*dir, "keys.json")
	read, err := gateway.Read(fmt.Appendf(nil, file, keys, issuer, tenant, audience, *up, mode), gateway.Names{Now: time.Now()})
	must(err)
	table := read.Compile(1)
	v := verify.New(verify.Deps{Keys: keyFile(keys)})
	must(v.Turn(1, table.Authorities))
	g, err := guard.New(guard.Deps{Verifier: v})
	must(err)
	g.Take(table)
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	told := assert.Deps{Key: signer}
	if *bare {
		told.Key = nil
	}
	a, err := assert.New(told)
	must(err)

	lines := front.NewLines(0)
	p, err := proxy.New(proxy.Deps{Judge: g, Assert: a, Plain: lines.Transport})
	must(err)
	must(p.Take(table))
	f, err := front.New(front.Deps{Handler: p, Lean: *lean, Judge: g, Assert: a, Lines: lines, Failed: proxy.Failed})
	must(err)
	f.Take(table)
	l, err := net.Listen("tcp", *at)
	must(err)
	if *overTLS {
		c, err := front.LoadCertificate(filepath.Join(*dir, "tls.crt"), filepath.Join(*dir, "tls.key"), nil)
		must(err)
		l = tls.NewListener(l, c.Config())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	defer profiled(*profile)()
	must(f.Serve(ctx, []net.Listener{l}))
	limit, free := context.WithTimeout(context.Background(), 2*time.Second)
	defer free()
	_ = f.Shutdown(limit)
}
