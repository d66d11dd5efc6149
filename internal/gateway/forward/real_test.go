package forward_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"partnerguard/internal/gateway/gatewaytest"
)

const docs = "../../../docs/"

// real is one of the proxies that docs/gateway-forward.md has a configuration for.
type real struct {
	program string
	block   string // the language of its block in the page
	file    string // what the configuration is called
	args    []string
	wrap    func(dir, config string) string
}

var reals = []real{
	{"nginx", "nginx", "nginx.conf", []string{"-e", "stderr", "-p", ".", "-c", "nginx.conf"}, func(dir, config string) string {
		temp := ""
		for _, what := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
			temp += what + "_temp_path " + dir + ";\n"
		}
		return "daemon off;\nworker_processes 1;\npid " + dir + "/nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n" + temp + config + "}\n"
	}},
	{"haproxy", "haproxy", "haproxy.cfg", []string{"-db", "-f", "haproxy.cfg"}, nil},
	{"caddy", "caddyfile", "Caddyfile", []string{"run", "--config", "Caddyfile", "--adapter", "caddyfile"}, func(_, config string) string {
		return "{\n\tadmin off\n\tauto_https off\n}\n" + config
	}},
	{"traefik", "yaml", "dynamic.yaml", nil, nil},
}

// example gives the block of the page; of yaml the one that Traefik reads.
func example(t *testing.T, language string) string {
	t.Helper()
	raw, err := os.ReadFile(docs + "gateway-forward.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(string(raw), "```"+language+"\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		if language != "yaml" || strings.HasPrefix(block, "http:") {
			return block
		}
	}
	t.Fatalf("the page has no block of %s", language)
	return ""
}

func port(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, p, _ := net.SplitHostPort(l.Addr().String())
	return p
}

// bench is a proxy that runs, before an upstream and a gateway.
type bench struct {
	*rig
	upstream *gatewaytest.Upstream
	at       string
	gateway  *httptest.Server // the endpoint
}

func start(t *testing.T, p real) *bench {
	t.Helper()
	path, err := exec.LookPath(p.program)
	if err != nil {
		if os.Getenv("CI") != "" && p.program != "traefik" {
			t.Fatalf("no %s to test with: %v", p.program, err)
		}
		t.Skipf("NOT TESTED with %s: %v", p.program, err)
	}
	b := &bench{rig: newRig(t), upstream: gatewaytest.NewUpstream(t)}
	b.gateway = httptest.NewServer(b.Endpoint)
	own := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "own page of %s", r.Host) }))
	t.Cleanup(own.Close)
	t.Cleanup(b.gateway.Close)
	dir, err := os.MkdirTemp("", "pg-forward-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	listen := port(t)
	b.at = "127.0.0.1:" + listen
	config := strings.NewReplacer(":8080", ":"+listen, "listen 8080", "listen "+b.at, "bind :8080", "bind "+b.at, "127.0.0.1:8481",
		b.gateway.Listener.Addr().String(),
		"127.0.0.1:8480", own.Listener.Addr().String(), "127.0.0.1:9000", b.upstream.Listener.Addr().String(), "panel.contoso.example",
		"panel.example").Replace(example(t, p.block))
	if p.wrap != nil {
		config = p.wrap(dir, config)
	}
	lua, err := os.ReadFile(docs + "gateway-haproxy.lua")
	if err != nil {
		t.Fatal(err)
	}
	args := p.args
	if p.program == "traefik" {
		args = []string{"--entrypoints.web.address=" + b.at, "--providers.file.filename=dynamic.yaml", "--global.checknewversion=false",
			"--global.sendanonymoususage=false"}
	}
	for name, text := range map[string]string{p.file: config, "gateway-haproxy.lua": string(lua)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if os.Geteuid() == 0 { // its workers are nobody's
		if err := os.Chmod(dir, 0o777); err != nil { //nolint:gosec // for a test
			t.Fatal(err)
		}
	}
	cmd := exec.Command(path, args...)
	var out strings.Builder
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &out
	cmd.Env = []string{"HOME=" + dir, "XDG_DATA_HOME=" + dir, "XDG_CONFIG_HOME=" + dir, "PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", p.program, out.String())
		}
	})
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", b.at); err == nil {
			_ = c.Close()
			return b
		}
		if time.Now().After(end) {
			t.Fatalf("%s does not listen", p.program)
		}
	}
}

// send writes a request as it stands, and gives the answer, its body, and what the
// upstream saw of it; nil where it saw nothing.
func (b *bench) send(t *testing.T, method, target, body string, headers ...said) (*http.Response, string, *gatewaytest.Seen) {
	t.Helper()
	before := len(b.upstream.Seen())
	c, err := net.Dial("tcp", b.at)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	var raw strings.Builder
	fmt.Fprintf(&raw, "%s %s HTTP/1.1\r\nHost: panel.example\r\nConnection: close\r\n", method, target)
	if body != "" {
		fmt.Fprintf(&raw, "Content-Length: %d\r\n", len(body))
	}
	for _, h := range headers {
		fmt.Fprintf(&raw, "%s: %s\r\n", h[0], h[1])
	}
	if _, err := io.WriteString(c, raw.String()+"\r\n"+body); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if seen := b.upstream.Seen(); len(seen) > before {
		return res, string(got), &seen[len(seen)-1]
	}
	return res, string(got), nil
}

// saw says what the upstream saw, without tokens.
func saw(s *gatewaytest.Seen) string {
	if s == nil {
		return "the upstream saw nothing"
	}
	out := "the upstream saw " + s.Method + " " + s.Target
	for name, v := range s.Header {
		if name != "Authorization" && !strings.Contains(name, "Assertion") {
			out += fmt.Sprintf("\n  %s: %q", name, v)
		}
	}
	return out
}

// TestRealProxies runs each proxy with the configuration of the page, before an upstream
// that tells what it saw.
func TestRealProxies(t *testing.T) {
	for _, p := range reals {
		t.Run(p.program, func(t *testing.T) {
			b := start(t, p)
			t.Run("served", b.served)
			t.Run("refused", b.refused)
			t.Run("spoofed", b.spoofed)
			t.Run("away", b.away)
		})
	}
}

func (b *bench) served(t *testing.T) {
	good := bearer(b.Good())
	for _, method := range []string{"GET", "HEAD", "POST", "DELETE", "PATCH"} {
		body := map[string]string{"POST": "a=1&b=2", "PATCH": "{}"}[method]
		res, _, seen := b.send(t, method, "/api/x?y=1", body, good, said{"X-Partnerguard-User", "root"}, said{"x-partnerguard-roles", "Admin"},
			said{"X_Partnerguard_User", "root"}, said{"X-Partnerguard_User", "root"}, said{"X_Partnerguard-User", "root"},
			said{"X-Partnerguard-Groups-Elsewhere", "false"}, said{"X-Partnerguard-Customer", gatewaytest.Customer})
		if res.StatusCode != 200 || seen == nil || seen.Target != "/api/x?y=1" || seen.Body != body || seen.Method != method {
			t.Fatalf("%s: %d, %s", method, res.StatusCode, saw(seen))
		}
		h := http.Header(seen.Header)
		if h.Get("X-Partnerguard-Object-Id") != gatewaytest.Person || h.Get("X-Partnerguard-Mfa") != "true" ||
			strings.Count(h.Get("X-Partnerguard-Assertion"), ".") != 2 {
			t.Errorf("%s: %s", method, saw(seen))
		}
		if raw,
			_ := json.Marshal(h); strings.Contains(string(raw), "root") || h.Get("X-Partnerguard-Roles") == "Admin" || h.Get("X-Partnerguard-Customer") != "" {
			t.Errorf("%s: what the caller said of itself comes through: %s", method, saw(seen))
		}
	}
	res, _, seen := b.send(t, "GET", "/public/x", "", said{"X-Partnerguard-Object-Id", gatewaytest.Person}, said{"X-Partnerguard-Assertion", "a.b.c"})
	if res.StatusCode != 200 || seen == nil ||
		strings.Join(append(seen.Header["X-Partnerguard-Object-Id"], seen.Header["X-Partnerguard-Assertion"]...), "") != "" {
		t.Errorf("%d, %s", res.StatusCode, saw(seen))
	}
	res, body, seen := b.send(t, "GET", "/.partnerguard/sign-in?to=%2F", "")
	if res.StatusCode != 200 || body != "own page of panel.example" || seen != nil {
		t.Errorf("the gateway's own pages: %d %q", res.StatusCode, body)
	}
}

func (b *bench) refused(t *testing.T) {
	single := b.Good(gatewaytest.Set("amr", []string{"pwd"}))
	for _, c := range []struct {
		name      string
		target    string
		headers   []said
		status    int
		challenge string
		location  string
	}{
		{"nobody", "/api", nil, 401, "Bearer ", ""},
		{"single factor", "/api", []said{bearer(single)}, 401, `claims="`, ""},
		{"forged", "/api", []said{bearer(b.Good(gatewaytest.ForgedBy(gatewaytest.Stranger())))}, 401, `error="invalid_token"`, ""},
		{"foreign", "/api", []said{bearer(b.Mint(gatewaytest.V1(gatewaytest.Elsewhere)))}, 403, "", ""},
		{"a page", "/start?a=1", page, 302, "", "http://panel.example/.partnerguard/sign-in?"},
	} {
		res, _, seen := b.send(t, "GET", c.target, "", c.headers...)
		if res.StatusCode != c.status || seen != nil {
			t.Errorf("%s: %d, want %d; %s", c.name, res.StatusCode, c.status, saw(seen))
		}
		if got := res.Header.Values("Www-Authenticate"); c.challenge != "" && (len(got) != 1 || !strings.Contains(got[0], c.challenge)) {
			t.Errorf("%s: the challenge is %q", c.name, got)
		}
		if got := res.Header.Get("Location"); !strings.HasPrefix(got, c.location) || c.location == "" && got != "" {
			t.Errorf("%s: sent to %q", c.name, got)
		}
	}
}

// spoofed: whatever a caller says of what it asks for, it is judged by what it gets.
func (b *bench) spoofed(t *testing.T) {
	for _, headers := range [][]said{
		{{"X-Forwarded-Uri", "/public/"}}, {{"X-Original-URI", "/public/"}}, {{"X-Original-URL", "/public/"}}, {{"X-Rewrite-URL", "/public/"}},
		{{"X-Forwarded-Method", "OPTIONS"}}, {{"X-Original-Method", "OPTIONS"}}, {{"X-Forwarded-Host", "soon.example"}}, {{"X-Original-Host", "soon.example"}},
		{{"X-Forwarded-Uri", "/public/"}, {"X-Forwarded-Host", "panel.example"}, {"X-Forwarded-Method", "GET"}}, {{"X_Forwarded_Uri", "/public/"}},
		{{"X-Original-URI", "/public/"}, {"X-Original-Host", "panel.example"}, {"X-Original-Method", "GET"}},
		{{"X-Forwarded-Uri", "/public/"}, {"X-Forwarded-Uri", "/public/"}},
		{{"X-Forwarded-Host", "soon.example"}, {"X-Original-Host", "soon.example"}, {"X-Forwarded-For", "127.0.0.1"}}, {{"X-HTTP-Method-Override", "OPTIONS"}},
	} {
		res, _, seen := b.send(t, "GET", "/api/x", "", headers...)
		if res.StatusCode < 400 || seen != nil {
			t.Errorf("%v: %d, %s", headers, res.StatusCode, saw(seen))
		}
	}
	for _, target := range []string{"/public/../api/x", "/public/%2e%2e/api/x", "//api/x", "/public/..%2fapi/x", "/public/..;/api/x", "/public/./../api/x",
		"/./api/x", "/%61pi/x"} {
		res, _, seen := b.send(t, "GET", target, "")
		if res.StatusCode < 400 || seen != nil {
			t.Errorf("%s: %d, %s", target, res.StatusCode, saw(seen))
		}
	}
	if res, _, seen := b.send(t, "GET", "/api", "", bearer(b.Good()), bearer("x")); res.StatusCode < 400 || seen != nil {
		t.Errorf("two tokens: %d", res.StatusCode)
	}
}

// away: without the gateway nobody passes.
func (b *bench) away(t *testing.T) {
	b.gateway.Close()
	if res, _, seen := b.send(t, "GET", "/api/x", "", bearer(b.Good())); res.StatusCode < 500 || seen != nil {
		t.Errorf("without a gateway: %d, %s", res.StatusCode, saw(seen))
	}
}
