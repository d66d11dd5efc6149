package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/metrics"
	"runtime/pprof"
	"sync/atomic"
	"syscall"
	"time"

	"partnerguard/internal/bridge"
	"partnerguard/internal/bridge/run"
	"partnerguard/internal/bridge/upstream"
	"partnerguard/internal/db"
	"partnerguard/internal/secret"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault"
)

// middleman is what is between a device and the server, in a process of its own.
type middleman struct {
	kind string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	hello
}

// hello is what it first says.
type hello struct {
	SMTP, IMAP string
	User       string
	Password   string // of this run's device
}

// state is what it says when asked.
type state struct {
	CPU  time.Duration // user and system, since its start
	Peak int64         // resident, kB
	Heap uint64        // bytes of objects, the most that was seen
}

// elsewhere is the server, as what is between is told.
type elsewhere struct{ SMTP, IMAP, Certificate string }

func begin(kind string, f *far, profile string) (*middleman, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	at, err := json.Marshal(f.elsewhere)
	if err != nil {
		return nil, err
	}
	m := &middleman{kind: kind, cmd: exec.Command(self, "-profile", profile)}
	m.cmd.Env = append(os.Environ(), kindVar+"="+kind, farVar+"="+string(at))
	m.cmd.Stderr = os.Stderr
	if m.in, err = m.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := m.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	m.out = bufio.NewReader(out)
	if err := m.cmd.Start(); err != nil {
		return nil, err
	}
	return m, m.read(&m.hello)
}

func (m *middleman) read(v any) error {
	line, err := m.out.ReadBytes('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(line, v)
}

func (m *middleman) ask() (s state, err error) {
	if _, err = io.WriteString(m.in, "state\n"); err != nil {
		return s, err
	}
	return s, m.read(&s)
}

func (m *middleman) end() { _ = m.in.Close(); _ = m.cmd.Wait() }

// between is that process; it ends with its standard input.
func between(kind, profile string) error {
	var to elsewhere
	if err := json.Unmarshal([]byte(os.Getenv(farVar)), &to); err != nil {
		return err
	}
	var h hello
	var err error
	switch kind {
	case "proxy":
		h, err = proxy(to)
	case "bridge":
		var stop func()
		if h, stop, err = bridged(to); err == nil {
			defer stop()
		}
	default:
		err = fmt.Errorf("there is no %q", kind)
	}
	if err != nil {
		return err
	}
	if profile != "" && kind == "bridge" {
		f, err := os.Create(profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	var most atomic.Uint64
	go watch(&most)
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(h); err != nil {
		return err
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var use syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
			return err
		}
		if err := out.Encode(state{time.Duration(use.Utime.Nano() + use.Stime.Nano()), use.Maxrss, most.Load()}); err != nil {
			return err
		}
	}
	return nil
}

// watch keeps the most heap that was seen; reading it stops nothing.
func watch(most *atomic.Uint64) {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	for range time.Tick(5 * time.Millisecond) {
		metrics.Read(s)
		most.Store(max(most.Load(), s[0].Value.Uint64()))
	}
}

// proxy moves bytes as they are.
func proxy(to elsewhere) (h hello, err error) {
	h.User, h.Password = "ada@t.example", "any"
	for at, far := range map[*string]string{&h.SMTP: to.SMTP, &h.IMAP: to.IMAP} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return h, err
		}
		*at = l.Addr().String()
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go pass(c, far)
			}
		}()
	}
	return h, nil
}

func pass(c net.Conn, far string) {
	defer c.Close()
	u, err := net.Dial("tcp", far)
	if err != nil {
		return
	}
	defer u.Close()
	go func() { _, _ = io.Copy(u, c); _ = u.Close() }()
	_, _ = io.Copy(c, u)
}

// tokens gives a token without asking anybody.
type tokens struct{}

func (tokens) Token(context.Context, string, string, string) (secret.Text, error) {
	return secret.New("token"), nil
}

// bridged is the bridge as partnerguard bridge run has it.
func bridged(to elsewhere) (h hello, stop func(), err error) {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "partnerguard-bridge-")
	if err != nil {
		return h, nil, err
	}
	clean := []func(){func() { _ = os.RemoveAll(dir) }}
	stop = func() {
		for i := len(clean) - 1; i >= 0; i-- {
			clean[i]()
		}
	}
	defer func() {
		if err != nil {
			stop()
		}
	}()
	d, err := db.Open(ctx, filepath.Join(dir, "partnerguard.db"))
	if err != nil {
		return h, nil, err
	}
	clean = append(clean, func() { _ = d.Close() })
	t, err := trail.Open(ctx, d, trail.Options{})
	if err != nil {
		return h, nil, err
	}
	key := filepath.Join(dir, "key")
	if _, err := vault.MakeKeyFile(key); err != nil {
		return h, nil, err
	}
	v, err := vault.Open(ctx, d, vault.NewKeyFile(key), vault.Options{})
	if err != nil {
		return h, nil, err
	}
	f, err := bridge.ParseFile("bridge.yaml", fmt.Appendf(nil, `version: 1
name: localhost
owner: it@t.example
certificate: %[1]s
key: %[1]s
listen:
  - {protocol: smtp, tls: starttls, at: "127.0.0.1:0"}
  - {protocol: imap, tls: implicit, at: "127.0.0.1:0"}
limits: {perMinute: 10000, perDay: 1000000}
`, to.Certificate))
	if err != nil {
		return h, nil, err
	}
	roots, err := rootsOf(to.Certificate)
	if err != nil {
		return h, nil, err
	}
	b, err := run.New(run.Deps{DB: d, Vault: v, Trail: t, Folder: filepath.Join(dir, "queue"), Now: time.Now,
		Log:    slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Tokens: func(*bridge.File) upstream.Tokens { return tokens{} },
		Upstream: &run.Elsewhere{Hosts: bridge.Upstream{SMTP: to.SMTP, IMAP: to.IMAP, POP3: to.IMAP},
			Names: bridge.Upstream{SMTP: "localhost", IMAP: "localhost", POP3: "localhost"}, Roots: roots}})
	if err != nil {
		return h, nil, err
	}
	where, err := b.Start(ctx, f)
	if err != nil {
		return h, nil, err
	}
	clean = append(clean, func() {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if err := b.Stop(ctx); err != nil && !errors.Is(err, net.ErrClosed) {
			fmt.Fprintln(os.Stderr, "bridge: stop:", err)
		}
	})
	h.User, h.SMTP, h.IMAP = "ada@t.example", where[0].Addr.String(), where[1].Addr.String()
	_, password, err := b.Create(ctx, bridge.Device{Name: "Scanner", Mailbox: h.User, Protocols: []string{bridge.SMTP, bridge.IMAP},
		Ends: time.Now().Add(time.Hour)}, "local:bench")
	h.Password = password.Reveal()
	return h, stop, err
}
