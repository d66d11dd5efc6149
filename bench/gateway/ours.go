package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"flag"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/front"
)

// gateway starts ours: lean or all by net/http, with the check or with the mode off.
func (s *signer) gateway(name, at, upstream string, c cell, lean, check bool) *process {
	self, err := os.Executable()
	must(err)
	args := []string{"serve", "-at", at, "-upstream", upstream, "-dir", s.dir, "-kid", s.kid, "-workers", strconv.Itoa(c.workers)}
	for flag, on := range map[string]bool{"-tls": c.tls, "-lean": lean, "-check": check} {
		if on {
			args = append(args, flag)
		}
	}
	return start(name, at, self, args...)
}

type fakes struct {
	route *gateway.Route
	seen  sync.Map
	check bool
	facts [][2]string
}

func (f *fakes) Judge(r *gateway.Request) gateway.Decision {
	d := gateway.Decision{Route: f.route, Identity: &gateway.Identity{}}
	if !f.check {
		return d
	}
	t, ok := strings.CutPrefix(r.Authorization, "Bearer ")
	if !ok || len(t) < 300 {
		d.Reason, d.Refused = gateway.NoToken, true
		return d
	}
	sum := sha256.Sum256([]byte(t))
	if _, ok := f.seen.Load(sum); !ok {
		f.seen.Store(sum, true)
	}
	return d
}

func (f *fakes) Headers(dst [][2]string, d *gateway.Decision, r *gateway.Request, _ string) [][2]string {
	if !f.check {
		return dst
	}
	return append(append(dst, f.facts...), [2]string{"X-Request-Id", r.ID})
}

func (f *fakes) Strip(name []byte) bool {
	if c := name[0] | 0x20; c != 'x' && c != 'f' && c != 'p' {
		return false
	}
	return strings.HasPrefix(string(name), "X-Partner")
}

func serveMain(args []string) {
	set := flag.NewFlagSet("serve", flag.ExitOnError)
	at, up, dir := set.String("at", "", ""), set.String("upstream", "", ""), set.String("dir", "", "")
	workers, overTLS, lean, check := set.Int("workers", 1, ""), set.Bool("tls", false, ""), set.Bool("lean", false, ""), set.Bool("check", false, "")
	set.String("kid", "", "")
	profile := set.String("profile", "", "")
	must(set.Parse(args))
	runtime.GOMAXPROCS(*workers)
	f := &fakes{check: *check, route: &gateway.Route{Name: "panel", Upstream: "http://" + *up, Plain: true, Bearer: true}}
	for _, h := range []string{"User", "Object-Id", "Tenant", "App", "MFA", "Auth-Time", "Route", "Assertion"} {
		f.facts = append(f.facts, [2]string{"X-Partnerguard-" + h, strings.Repeat("x", 30)})
	}
	f.facts[7][1] = strings.Repeat("y", 500)
	u, err := url.Parse("http://" + *up)
	must(err)
	proxy := &httputil.ReverseProxy{
		Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 512},
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(u)
			for _, h := range f.facts {
				r.Out.Header.Set(h[0], h[1])
			}
		},
	}
	d := front.Deps{
		Lean: *lean, Judge: f, Assert: f,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if f.Judge(&gateway.Request{Authorization: r.Header.Get("Authorization")}).Refused {
				w.WriteHeader(401)
				return
			}
			proxy.ServeHTTP(w, r)
		}),
		CheckHead: func([]byte) error { return nil },
		Find:      func(string, string) (*gateway.Route, gateway.Reason) { return f.route, gateway.Passed },
		Answer: func(*gateway.Decision, *gateway.Request) front.Reply {
			return front.Reply{Status: 401, Header: [][2]string{{"WWW-Authenticate", "Bearer"}}}
		},
		Refuse: func(_ *gateway.Request, status int, _ gateway.Reason) front.Reply { return front.Reply{Status: status} },
		Failed: func(_ *gateway.Decision, _ *gateway.Request, status int, _ error) front.Reply { return front.Reply{Status: status} },
	}
	fr, err := front.New(d)
	must(err)
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
	must(fr.Serve(ctx, []net.Listener{l}))
	limit, free := context.WithTimeout(context.Background(), 2*time.Second)
	defer free()
	_ = fr.Shutdown(limit)
}
