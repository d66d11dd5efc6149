// Command gateway-bench measures the enforcement gateway beside HAProxy, Apache's
// mod_auth_openidc and nginx: answers per second of the server's own processor time.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"time"
)

func main() {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "keep":
			keepToken(os.Args[2])
			return
		case "load":
			loadMain()
			return
		case "upstream":
			upstreamMain(os.Args[2])
			return
		case "serve":
			serveMain(os.Args[2:])
			return
		}
	}
	smoke := flag.Bool("smoke", false, "seconds: only whether all agree")
	rounds := flag.Int("rounds", 5, "turns of each server")
	each := flag.Duration("each", time.Second, "length of a turn")
	only := flag.String("only", "", "servers, by their names' beginnings, with commas")
	cells := flag.String("cells", "", "cells, as 1/32/plain, with commas; cold; flood; all by default")
	mixed := flag.Bool("mixed", false, "each request of a connection with another token, as from a proxy in front")
	flag.Parse()
	endAll()
	if err := install(); err != nil {
		fmt.Println("THE PEERS ARE NOT THERE, and cannot be installed:", err)
		if !*smoke {
			os.Exit(1)
		}
		*only = "featured,lean,nethttp"
	}
	dir, err := os.MkdirTemp("", "gateway-bench")
	must(err)
	defer os.RemoveAll(dir)
	must(os.Chmod(dir, 0o755))
	b := &bench{signer: newSigner(dir), rounds: *rounds, each: *each, only: *only, cells: *cells, mixed: *mixed}
	if *smoke {
		b.smoke()
		return
	}
	b.table()
}

type bench struct {
	signer *signer
	rounds int
	each   time.Duration
	only   string
	cells  string
	mixed  bool
}

// wanted says whether -only names the server.
func (b *bench) wanted(name string) bool {
	if b.only == "" {
		return true
	}
	for p := range strings.SplitSeq(b.only, ",") {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// servers starts all of a cell. Whoever is not measured sleeps.
func (b *bench) servers(c cell, upstream string) (list []*process) {
	for _, s := range []struct {
		name  string
		start func(at string) *process
	}{
		{"haproxy", func(at string) *process { return b.signer.haproxy(at, upstream, c) }},
		{"apache", func(at string) *process { return b.signer.apache(at, upstream, c) }},
		{"nginx", func(at string) *process { return b.signer.nginx(at, upstream, c) }},
		{"featured", func(at string) *process { return b.signer.gateway("featured", at, upstream, c, true, true) }},
		{"lean", func(at string) *process { return b.signer.gateway("lean", at, upstream, c, true, true) }},
		{"lean-unchecked", func(at string) *process { return b.signer.gateway("lean-unchecked", at, upstream, c, true, false) }},
		{"nethttp", func(at string) *process { return b.signer.gateway("nethttp", at, upstream, c, false, true) }},
		{"nethttp-unchecked", func(at string) *process { return b.signer.gateway("nethttp-unchecked", at, upstream, c, false, false) }},
	} {
		if b.wanted(s.name) {
			list = append(list, s.start(freePort()))
		}
	}
	return list
}

func stopAll(list []*process) {
	for _, p := range list {
		p.stop()
	}
}

// load runs one job in a process of its own. ready, where it is not nil, is called when
// its connections stand and nothing was asked yet.
func load(j job, ready func()) result {
	self, err := os.Executable()
	must(err)
	cmd := exec.Command(self, "load")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	must(err)
	out, err := cmd.StdoutPipe()
	must(err)
	must(cmd.Start())
	must(json.NewEncoder(in).Encode(j))
	from := json.NewDecoder(out)
	var word string
	must(from.Decode(&word))
	if ready != nil {
		ready()
	}
	must(json.NewEncoder(in).Encode("go"))
	var r result
	must(from.Decode(&r))
	_ = in.Close()
	must(cmd.Wait())
	return r
}

func startUpstream() *process {
	self, err := os.Executable()
	must(err)
	at := freePort()
	return start("upstream", at, self, "upstream", at)
}

// smoke holds all to the same answers.
func (b *bench) smoke() {
	up := startUpstream()
	defer up.stop()
	good := b.signer.mint(b.signer.claims(1))
	late := b.signer.claims(2)
	late["exp"] = time.Now().Unix() - 7200
	other := b.signer.claims(3)
	other["aud"] = "api://another"
	bad := map[string]string{"bad signature": good[:len(good)-8] + "AAAAAAAA", "expired": b.signer.mint(late), "wrong audience": b.signer.mint(other)}
	failed := false
	for _, c := range []cell{{1, false}, {2, true}} {
		list := b.servers(c, up.at)
		for _, p := range list {
			say := func(what string, r result) {
				if r.Bad > 0 || r.Good == 0 {
					failed = true
					fmt.Printf("%-16s %v %s: %d well, %d not: %s\n", p.name, c, what, r.Good, r.Bad, r.First)
				}
			}
			j := job{At: p.at, TLS: c.tls, Conns: 2, For: 100 * time.Millisecond, Tokens: []string{good}}
			say("good token", load(j, nil))
			if strings.HasSuffix(p.name, "unchecked") || p.name == "nginx" {
				continue
			}
			j.Refused = true
			for what, token := range bad {
				j.Tokens = []string{token}
				say(what, load(j, nil))
			}
		}
		stopAll(list)
	}
	if failed {
		os.Exit(1)
	}
	fmt.Println("all agree")
}

// table measures all cells.
func (b *bench) table() {
	up := startUpstream()
	defer up.stop()
	if b.cells == "cold" {
		b.cold(up.at)
		return
	}
	tokens := make([]string, 64)
	for i := range tokens {
		tokens[i] = b.signer.mint(b.signer.claims(i))
	}
	fmt.Printf("%d cores, load at the start %s; tokens of %d bytes; %d rounds of %v\n\n", runtime.NumCPU(), loadavg(), len(tokens[0]), b.rounds, b.each)
	for _, c := range []cell{{1, false}, {1, true}, {runtime.NumCPU(), false}, {runtime.NumCPU(), true}} {
		for _, conns := range []int{32, 256} {
			name := fmt.Sprintf("%d/%d/%s", c.workers, conns, map[bool]string{true: "tls", false: "plain"}[c.tls])
			if b.cells != "" && !slices.Contains(strings.Split(b.cells, ","), name) {
				continue
			}
			b.cell(name, c, conns, up.at, tokens)
		}
	}
	if b.cells == "" {
		b.cold(up.at)
	}
	if b.cells == "" || b.cells == "flood" {
		b.flood(up.at, tokens)
	}
	fmt.Printf("load at the end %s\n", loadavg())
}

func (b *bench) cell(name string, c cell, conns int, upstream string, tokens []string) {
	list := b.servers(c, upstream)
	defer stopAll(list)
	rates := map[string][]float64{}
	j := job{TLS: c.tls, Conns: conns, Tokens: tokens, Mixed: b.mixed}
	for round := range b.rounds + 1 {
		for i := range list {
			p := list[(i+round)%len(list)]
			j.At, j.For = p.at, b.each
			if round == 0 { // it warms up
				j.For = 300 * time.Millisecond
			}
			before := time.Duration(0)
			r := load(j, func() { before = p.spent() })
			cpu := p.spent() - before
			if r.Bad > 0 {
				fmt.Printf("%s, %s: %d failed: %s\n", name, p.name, r.Bad, r.First)
			}
			if round > 0 {
				rates[p.name] = append(rates[p.name], float64(r.Good)/cpu.Seconds())
			}
		}
	}
	fmt.Printf("| %s | answers per CPU-second | spread | beside HAProxy | beside Apache |\n|---|---|---|---|---|\n", name)
	for _, p := range list {
		m := median(rates[p.name])
		fmt.Printf("| %s | %.0f | %.0f %% | %s | %s |\n", p.name, m, 100*spread(rates[p.name]), ratio(m, rates["haproxy"]), ratio(m, rates["apache"]))
	}
	fmt.Println()
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	if len(s) == 0 {
		return 0
	}
	return s[len(s)/2]
}

// spread is how far the outer rounds lie apart, beside the median.
func spread(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	return (slices.Max(v) - slices.Min(v)) / median(v)
}

func ratio(m float64, other []float64) string {
	if len(other) == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", m/median(other))
}

func loadavg() string {
	text, _ := os.ReadFile("/proc/loadavg")
	return strings.Join(strings.Fields(string(text))[:3], " ")
}

// profiled writes a processor profile where path names a file.
func profiled(path string) func() {
	if path == "" {
		return func() {}
	}
	f, err := os.Create(path)
	must(err)
	must(pprof.StartCPUProfile(f))
	return func() { pprof.StopCPUProfile(); _ = f.Close() }
}

// keepToken leaves a good token and the keys for somebody who profiles by hand.
func keepToken(dir string) {
	s := newSigner(dir)
	write(dir+"/keys.json", s.keySet())
	write(dir+"/token", []byte(s.mint(s.claims(1))))
}
