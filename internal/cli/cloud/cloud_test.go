package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/partnercloud/ca"
	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/partnercloud/gate"
	"partnerguard/internal/partnercloud/proxy"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/problem"
)

// lab is a partner cloud with the real ways in and one empty service.
type lab struct {
	info partnercloud.Info
	end  func()
	done chan struct{}
	once sync.Once
}

func (l *lab) Info() partnercloud.Info { return l.info }
func (l *lab) Wait() error             { <-l.done; return nil }
func (l *lab) Close(context.Context) error {
	l.once.Do(func() { l.end(); close(l.done) })
	return nil
}

func startLab(ctx context.Context, _ partnercloud.Options) (cloudServer, error) {
	a, err := ca.Open("", nil)
	if err != nil {
		return nil, err
	}
	g := gate.New(gate.Deps{})
	p, err := proxy.New(proxy.Deps{CA: a, Secret: "proxy-secret", Routes: map[string]http.Handler{
		"graph.microsoft.com": g.Wrap(gate.Graph, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "lab %s", r.URL.Path) })),
	}})
	if err != nil {
		return nil, err
	}
	var ls [3]net.Listener
	for i := range ls {
		if ls[i], err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return nil, err
		}
	}
	l := &lab{done: make(chan struct{})}
	l.info = partnercloud.Info{
		Name: "Lab", Control: ls[0].Addr().String(), ControlSecret: "control-secret", Proxy: p.URL(ls[1].Addr().String()), SNI: ls[2].Addr().String(),
		People: []partnercloud.Person{{UPN: "ada@contoso.example", Password: "pw-ada", TOTP: "JBSWY3DP"}},
	}
	c := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: control.New(control.Deps{
		Secret: l.info.ControlSecret, Clock: world.NewClock(nil), Gate: g, Info: func() any { return l.info }, CA: a.PEM,
	})}
	go func() { _ = c.Serve(ls[0]) }()
	go func() { _ = p.Serve(ls[1]) }()
	go func() { _ = p.ServeSNI(ls[2]) }()
	l.end = func() { _, _ = p.Close(), c.Close() }
	context.AfterFunc(ctx, func() { _ = l.Close(ctx) })
	return l, nil
}

// stand is a place to run cloud commands in.
type stand struct {
	dir      string
	out, err bytes.Buffer
}

func (s *stand) run(ctx context.Context, args ...string) error {
	s.out.Reset()
	s.err.Reset()
	env := &kit.Env{Stdin: strings.NewReader(""), Stdout: &s.out, Stderr: &s.err, Now: time.Now, Getenv: func(name string) string {
		if name == "XDG_RUNTIME_DIR" {
			return s.dir
		}
		return ""
	}}
	cmd := New(env, startLab)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	cmd.SetOut(&s.out)
	cmd.SetErr(&s.err)
	return cmd.ExecuteContext(ctx)
}

// background runs the cloud command until the test ends and returns when its
// control file is there.
func background(t *testing.T) *stand {
	t.Helper()
	s := &stand{dir: t.TempDir()}
	server := &stand{dir: s.dir}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- server.run(ctx) }()
	path := filepath.Join(s.dir, kit.FolderName+fmt.Sprint(os.Getuid()), "control.json")
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("an interrupted cloud ended with %v", err)
		}
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("the control file stayed: %v", err)
		}
		if out := server.out.String(); !strings.Contains(out, "pw-ada") || !strings.Contains(out, "JBSWY3DP") {
			t.Errorf("the start told nothing of its people: %s", out)
		}
	})
	for range 200 {
		if _, err := kit.ReadControl(path); err == nil {
			return s
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the cloud did not start")
	return nil
}

func TestCloudCommandsAttach(t *testing.T) {
	t.Parallel()
	s := background(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"people"}, "JBSWY3DP"},
		{[]string{"people", "--output", "json"}, `"password": "pw-ada"`},
		{[]string{"clock", "--output", "json"}, `"frozen": false`},
		{[]string{"clock", "freeze"}, "(frozen)"},
		{[]string{"clock", "thaw"}, "Z\n"},
		{[]string{"fault", "list"}, "no fault is on"},
		{[]string{"fault", "graph", "429", "--share", "25%", "--times", "3"}, "f1  graph 429, share 0.25, 3 times, Retry-After 5s"},
		{[]string{"fault", "list", "--output", "json"}, `"share": 0.25`},
		{[]string{"fault", "clear", "f1"}, "1 fault ended"},
		{[]string{"log", "requests"}, ""},
	} {
		if err := s.run(t.Context(), c.args...); err != nil || !strings.Contains(s.out.String(), c.want) {
			t.Errorf("%v: %v\n%s", c.args, err, &s.out)
		}
		if slices.Contains(c.args, "json") && !json.Valid(s.out.Bytes()) {
			t.Errorf("%v printed no JSON: %s", c.args, &s.out)
		}
	}
	if err := s.run(t.Context()); !errors.Is(err, problem.Limit) || !strings.Contains(problem.HintOf(err), "--control") {
		t.Errorf("a second cloud: %v, hint %q", err, problem.HintOf(err))
	}
	if err := s.run(t.Context(), "keys", "rollover"); !errors.Is(err, problem.NotFound) {
		t.Errorf("rollover of nothing: %v", err)
	}
}

func TestCloudMovesItsClock(t *testing.T) {
	t.Parallel()
	s := background(t)
	if err := s.run(t.Context(), "clock", "+95d"); err != nil {
		t.Fatal(err)
	}
	at, err := time.Parse(time.RFC3339, strings.TrimSpace(s.out.String()))
	if want := time.Now().Add(95 * 24 * time.Hour); err != nil || at.Sub(want).Abs() > time.Minute {
		t.Errorf("the clock says %s, want %s", &s.out, want)
	}
	if err := s.run(t.Context(), "clock", "2020-01-01"); !errors.Is(err, problem.Usage) || problem.HintOf(err) == "" {
		t.Errorf("back in time: %v", err)
	}
}

func TestCloudExec(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	t.Parallel()
	running := background(t)
	for name, s := range map[string]*stand{"attached": running, "its own": {dir: t.TempDir()}} {
		script := `echo $HTTPS_PROXY $SSL_CERT_FILE; cat $CURL_CA_BUNDLE; ls $SSL_CERT_DIR; test -s $PARTNERGUARD_CLOUD_CONTROL || exit 9; exit 7`
		err := s.run(t.Context(), "exec", "--", "sh", "-c", script)
		code, ok := errors.AsType[kit.Exit](err)
		if !ok || code != 7 {
			t.Fatalf("%s: %v\n%s%s", name, err, &s.out, &s.err)
		}
		first, rest, _ := strings.Cut(s.out.String(), "\n")
		proxyURL, file, _ := strings.Cut(first, " ")
		if !strings.Contains(proxyURL, "cloud:proxy-secret@127.0.0.1:") || !strings.Contains(rest, "BEGIN CERTIFICATE") ||
			strings.Contains(rest, "PRIVATE") || !strings.HasSuffix(rest, "ca.pem\n") {
			t.Errorf("%s: %s", name, &s.out)
		}
		if _, err := os.Stat(file); !os.IsNotExist(err) {
			t.Errorf("%s: %s was left behind (%v)", name, file, err)
		}
	}
	s := &stand{dir: t.TempDir()}
	if err := s.run(t.Context(), "exec", "--", "no-such-command-here"); !errors.Is(err, problem.NotFound) || problem.HintOf(err) == "" {
		t.Errorf("a missing command: %v", err)
	}
	if err := s.run(t.Context(), "exec"); !errors.Is(err, problem.Usage) {
		t.Errorf("no command: %v", err)
	}
	if err := s.run(t.Context(), "exec", "--control", filepath.Join(s.dir, "none"), "--", "true"); !errors.Is(err, problem.NotFound) {
		t.Errorf("a control file that is not there: %v", err)
	}
	if err := s.run(t.Context(), "exec", "true", "--unknown-flag"); err != nil {
		t.Errorf("flags of the command are the command's: %v", err)
	}
	err := s.run(t.Context(), "exec", "--", "sh", "-c", "kill -9 $$")
	if code, _ := errors.AsType[kit.Exit](err); code != 128+9 {
		t.Errorf("killed: %v", err)
	}
}

// TestCloudExecEnds: an end without a signal is told to the child, and its own
// answer to that is ours.
func TestCloudExecEnds(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	t.Parallel()
	s := background(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	err := s.run(ctx, "exec", "--", "sh", "-c", `trap 'kill $!; exit 5' TERM; sleep 20 & wait`)
	if code, _ := errors.AsType[kit.Exit](err); code != 5 {
		t.Errorf("%v", err)
	}
}

// TestCloudExecLeadsClients runs the clients this machine has.
func TestCloudExecLeadsClients(t *testing.T) {
	t.Parallel()
	s := background(t)
	const node = `
const https = require('https'), tls = require('tls');
const said = [], wait = [];
const add = (name, p) => wait.push(p.then((v) => said.push(name + '=' + v), (e) => said.push(name + '!' + ((e.cause && e.cause.message) || e.message))));
const get = (u) => new Promise((ok, no) => https.get(u, (r) => { let b = ''; r.on('data', (d) => b += d); r.on('end', () => ok(b)); }).on('error', no));
const raw = (...a) => new Promise((ok, no) => { const s = tls.connect(...a, () => { ok(s.authorized); s.destroy(); }); s.on('error', no); });
add('fetch', fetch('https://graph.microsoft.com/a').then((r) => r.text()));
add('https', get('https://graph.microsoft.com/b'));
add('tls', raw({ host: 'graph.microsoft.com', port: 443 }));
add('tls3', raw(443, 'graph.microsoft.com'));
add('outside', fetch('https://example.com/'));
add('outside2', get('https://example.com/'));
add('outside3', raw(443, '192.0.2.1'));
Promise.all(wait).then(() => console.log(said.sort().join('\n')));`
	for _, c := range []struct {
		args []string
		ok   bool
		want []string
	}{
		{[]string{"curl", "-sS", "https://graph.microsoft.com/x"}, true, []string{"lab /x"}},
		{[]string{"curl", "-sS", "https://example.com/x"}, false, nil},
		{[]string{"node", "-e", node}, true, []string{
			"fetch=lab /a", "https=lab /b", "tls=true", "tls3=true", "outside!refused: example.com is not part of the partner cloud",
			"outside2!refused: example.com", "outside3!refused: 192.0.2.1",
		}},
		{[]string{"python3", "-c", "import urllib.request as u; print(u.urlopen('https://graph.microsoft.com/p').read().decode())"}, true, []string{"lab /p"}},
	} {
		if _, err := exec.LookPath(c.args[0]); err != nil {
			t.Logf("%s is absent", c.args[0])
			continue
		}
		err := s.run(t.Context(), append([]string{"exec", "--"}, c.args...)...)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v\n%s%s", c.args[0], err, &s.out, &s.err)
		}
		for _, want := range c.want {
			if !strings.Contains(s.out.String(), want) {
				t.Errorf("%s lacks %q:\n%s%s", c.args[0], want, &s.out, &s.err)
			}
		}
	}
}

func TestClockWords(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	for text, want := range map[string]clockWord{
		"+95d": {jump: 95 * day}, "36h": {jump: 36 * time.Hour}, "freeze": {freeze: true}, "THAW": {thaw: true},
		"2026-12-01": {set: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}, "2026-12-01T06:00:00+02:00": {set: time.Date(2026, 12, 1, 4, 0, 0, 0, time.UTC)},
	} {
		got, err := parseClockWord([]string{text})
		if err != nil || got.jump != want.jump || got.freeze != want.freeze || got.thaw != want.thaw || !got.set.Equal(want.set) {
			t.Errorf("%q is %+v (%v)", text, got, err)
		}
	}
	for _, words := range [][]string{{"soon"}, {"95"}, {"-1d"}, {"0"}, {"+1d", "+2d"}, {""}, {"01/02/2026"}} {
		if got, err := parseClockWord(words); !errors.Is(err, problem.Usage) || problem.HintOf(err) == "" {
			t.Errorf("%q is %+v (%v)", words, got, err)
		}
	}
}

func TestPortion(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{"0.2": 0.2, "20%": 0.2, "1": 1, " 100% ": 1} {
		var p portion
		if err := p.Set(text); err != nil || p.value != want {
			t.Errorf("%q is %v (%v)", text, p.value, err)
		}
	}
	for _, text := range []string{"", "0", "-1", "1.1", "101%", "NaN", "half", "20%%"} {
		if err := new(portion).Set(text); err == nil {
			t.Errorf("%q is a share", text)
		}
	}
}
