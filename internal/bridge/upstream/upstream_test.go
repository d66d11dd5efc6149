package upstream_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"partnerguard/internal/bridge"
	"partnerguard/internal/bridge/upstream"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// far is a server of the test's making: it says what the script has it say.
type far struct {
	testing.TB
	conf  *tls.Config
	roots *x509.CertPool
	at    string

	mu    sync.Mutex
	conns int
	seen  []string // commands and bodies
	asked []string // what tokens were asked for, as refused
}

func newFar(t testing.TB) *far {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"far.example"}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	f := &far{TB: t, roots: x509.NewCertPool(), conf: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}}
	f.roots.AddCert(leaf)
	return f
}

func (f *far) note(s string) { f.mu.Lock(); defer f.mu.Unlock(); f.seen = append(f.seen, s) }

func (f *far) saw(s string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, v := range f.seen {
		if strings.HasPrefix(v, s) {
			n++
		}
	}
	return n
}

// listen answers each connection by serve, over TLS or not.
func (f *far) listen(secure bool, serve func(net.Conn)) {
	f.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	f.at = l.Addr().String()
	f.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			f.conns++
			f.mu.Unlock()
			if secure {
				c = tls.Server(c, f.conf)
			}
			go func() { defer c.Close(); serve(c) }()
		}
	}()
}

// Token implements upstream.Tokens.
func (f *far) Token(_ context.Context, _, _, refused string) (secret.Text, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, refused)
	return secret.New(fmt.Sprintf("token-%d", len(f.asked))), nil
}

func (f *far) up(change ...func(*upstream.Deps)) *upstream.Upstream {
	f.Helper()
	h, n := bridge.Upstream{SMTP: f.at, IMAP: f.at, POP3: f.at}, bridge.Upstream{SMTP: "far.example", IMAP: "far.example", POP3: "far.example"}
	d := upstream.Deps{Hosts: h, Names: n, TLS: &tls.Config{RootCAs: f.roots}, Hello: "bridge.example", Tokens: f,
		Timeout: 2 * time.Second, End: 2 * time.Second}
	for _, c := range change {
		c(&d)
	}
	u, err := upstream.New(d)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = u.Close() })
	return u
}

// smtp is a submission server whose answers change gives by the command; "" ends the
// connection, nil is the ordinary one.
func (f *far) smtp(change map[string]func(arg string) string) {
	f.listen(false, func(c net.Conn) {
		in, out := bufio.NewReader(c), c
		fmt.Fprint(out, "220 far ready\r\n")
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			word, arg, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
			word = strings.ToUpper(word)
			f.note(word + " " + arg)
			answer := map[string]string{"EHLO": "250-far\r\n250-STARTTLS\r\n250-AUTH XOAUTH2\r\n250-SIZE 1000000\r\n250 8BITMIME\r\n", "STARTTLS": "220 go\r\n",
				"AUTH": "235 in\r\n", "MAIL": "250 ok\r\n", "RCPT": "250 ok\r\n", "RSET": "250 ok\r\n", "DATA": "354 go\r\n",
				"QUIT": "221 bye\r\n", "NOOP": "250 ok\r\n"}[word]
			if say := change[word]; say != nil {
				answer = say(arg)
			}
			if answer == "" {
				return
			}
			fmt.Fprint(out, answer)
			switch {
			case word == "STARTTLS":
				s := tls.Server(c, f.conf)
				if s.Handshake() != nil {
					return
				}
				in, out = bufio.NewReader(s), s
			case word == "DATA" && strings.HasPrefix(answer, "354"):
				body, cut := f.data(in, change["BODY"])
				if cut {
					return
				}
				f.note("BODY " + body)
				answer = "250 taken\r\n"
				if say := change["END"]; say != nil {
					answer = say(body)
				}
				if answer == "" {
					return
				}
				fmt.Fprint(out, answer)
			}
		}
	})
}

// data reads a message to its end; more says "" to go away in its middle.
func (f *far) data(in *bufio.Reader, more func(string) string) (body string, cut bool) {
	var b strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			f.note("CUT " + b.String())
			return "", true
		}
		if line == ".\r\n" {
			return b.String(), false
		}
		b.WriteString(line)
		if more != nil && more(line) == "" {
			return "", true
		}
	}
}

const text = "From: a@b.example\r\n\r\nHello.\r\n.dot\r\n"

func message(to ...string) *upstream.Message {
	return &upstream.Message{Mailbox: "a@b.example", From: "a@b.example", To: to, Size: int64(len(text)),
		Body: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }, Ending: func() error { return nil }}
}

func silent(string) string { time.Sleep(4 * time.Second); return "" }

func says(s string) func(string) string { return func(string) string { return s } }

// moreLines are lines of an answer of more than a megabyte.
var moreLines = strings.Repeat("250-more of it\r\n", 100_000)

// What the server says of a message, and when it goes away, is told as it is: for good,
// for now, or in doubt.
func TestSendBadDays(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		change            map[string]func(string) string
		code              int
		final, doubt, tok bool
	}{
		"the greeting of MAIL is 4xx":        {map[string]func(string) string{"MAIL": says("451 4.7.500 Server busy\r\n")}, 451, false, false, false},
		"MAIL is 5xx":                        {map[string]func(string) string{"MAIL": says("550 5.7.60 no\r\n")}, 550, true, false, false},
		"DATA is 4xx":                        {map[string]func(string) string{"DATA": says("452 4.3.1 full\r\n")}, 452, false, false, false},
		"the end is 4xx":                     {map[string]func(string) string{"END": says("432 4.3.2 thread limit exceeded\r\n")}, 432, false, false, false},
		"the end is 5xx":                     {map[string]func(string) string{"END": says("554 5.2.252 SendAsDenied\r\n")}, 554, true, false, false},
		"it goes away at MAIL":               {map[string]func(string) string{"MAIL": says("")}, 0, false, false, false},
		"it goes away in the middle":         {map[string]func(string) string{"BODY": says("")}, 0, false, true, false},
		"it goes away at the end":            {map[string]func(string) string{"END": says("")}, 0, false, true, false},
		"it says nothing at the end":         {map[string]func(string) string{"END": silent}, 0, false, true, false},
		"it says nothing at RCPT":            {map[string]func(string) string{"RCPT": silent}, 0, false, false, false},
		"it talks nonsense":                  {map[string]func(string) string{"EHLO": says("hello there\r\n")}, 0, false, false, false},
		"it has no STARTTLS":                 {map[string]func(string) string{"EHLO": says("250 far\r\n")}, 0, false, false, false},
		"it does not take the token, ever":   {map[string]func(string) string{"AUTH": says("535 5.7.3 no\r\n")}, 535, false, false, true},
		"AUTH is throttled":                  {map[string]func(string) string{"AUTH": says("421 4.7.66 not now\r\n")}, 421, false, false, false},
		"it answers RCPT without an end":     {map[string]func(string) string{"RCPT": says(moreLines + "250 ok\r\n")}, 0, false, false, false},
		"it greets without an end":           {map[string]func(string) string{"EHLO": says(moreLines + "250 STARTTLS\r\n")}, 0, false, false, false},
		"it answers with control characters": {map[string]func(string) string{"MAIL": says("550 5.1.0 a\x1b[31mb\x00c\r\n")}, 550, true, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFar(t)
			f.smtp(x.change)
			ending := 0
			m := message("c@d.example")
			m.Ending = func() error { ending++; return nil }
			replies, err := f.up().Send(t.Context(), m)
			got, ok := errors.AsType[*upstream.Failure](err)
			if !ok {
				t.Fatalf("%v %v", replies, err)
			}
			// Who goes away in the middle may have been sent all of a short message.
			doubt := got.Doubtful == x.doubt || name == "it goes away in the middle" && ending == 0
			if got.Reply.Code != x.code || got.Final() != x.final || !doubt || got.Token != x.tok {
				t.Errorf("%+v: %v", got, err)
			}
			if strings.ContainsAny(got.Reply.Text, "\x00\x1b") || strings.Contains(err.Error(), "token-") {
				t.Errorf("%q", err)
			}
		})
	}
}

// Half a message is never ended: what cannot be read is not sent.
func TestNeverHalf(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*upstream.Message){
		"the body fails": func(m *upstream.Message) {
			m.Body = func() (io.ReadCloser, error) {
				return io.NopCloser(io.MultiReader(strings.NewReader(text), bad{})), nil
			}
		},
		"the row cannot be written": func(m *upstream.Message) { m.Ending = func() error { return problem.New(problem.Unavailable, "away") } },
	} {
		f := newFar(t)
		f.smtp(nil)
		m := message("c@d.example")
		change(m)
		u := f.up()
		if _, err := u.Send(t.Context(), m); err == nil {
			t.Errorf("%s: it is sent", name)
		}
		for end := time.Now().Add(5 * time.Second); f.saw("CUT") == 0 && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		}
		if f.saw("BODY") != 0 || f.saw("CUT") != 1 {
			t.Errorf("%s: %q", name, f.seen)
		}
	}
}

type bad struct{}

func (bad) Read([]byte) (int, error) {
	return 0, problem.New(problem.BadInput, "not as it was written")
}

// A server that reads nothing is given up.
func TestNeverReads(t *testing.T) {
	t.Parallel()
	f := newFar(t)
	stay := make(chan struct{})
	t.Cleanup(func() { close(stay) })
	f.smtp(map[string]func(string) string{"BODY": func(string) string { <-stay; return "" }})
	m := message("c@d.example")
	m.Body = func() (io.ReadCloser, error) { return io.NopCloser(io.LimitReader(endless{}, 256<<20)), nil }
	began := time.Now()
	_, err := f.up().Send(t.Context(), m)
	if g, ok := errors.AsType[*upstream.Failure](err); !ok || g.Doubtful || time.Since(began) > 20*time.Second {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
		if i%78 == 77 {
			b[i] = '\n'
		}
	}
	return len(b), nil
}

// Connections are used again, and one that died meanwhile costs nothing.
func TestReuse(t *testing.T) {
	t.Parallel()
	f := newFar(t)
	var sent atomic.Int64
	f.smtp(map[string]func(string) string{"RSET": func(string) string {
		if sent.Add(1) == 2 {
			return ""
		}
		return "250 ok\r\n"
	}})
	u := f.up()
	for i := range 4 {
		replies, err := u.Send(t.Context(), message("c@d.example", "e@f.example"))
		if err != nil || len(replies) != 2 || !replies[0].OK() {
			t.Fatalf("%d: %v %v", i, replies, err)
		}
	}
	if f.conns != 2 || f.saw("BODY") != 4 || f.saw("AUTH") != 2 {
		t.Errorf("%d connections, %q", f.conns, f.seen)
	}
	if f.saw("BODY From: a@b.example\r\n\r\nHello.\r\n..dot") != 4 {
		t.Errorf("%q", f.seen)
	}
}

// A token that is not taken is asked for anew, once.
func TestTokenAnew(t *testing.T) {
	t.Parallel()
	f := newFar(t)
	n := 0
	f.smtp(map[string]func(string) string{"AUTH": func(string) string {
		if n++; n == 1 {
			return "535 5.7.3 Authentication unsuccessful\r\n"
		}
		return "235 in\r\n"
	}})
	if _, err := f.up().Send(t.Context(), message("c@d.example")); err != nil {
		t.Fatal(err)
	}
	if len(f.asked) != 2 || f.asked[0] != "" || len(f.asked[1]) != 64 {
		t.Errorf("%q", f.asked)
	}
}

// Names are verified: another's certificate gets no token.
func TestOtherName(t *testing.T) {
	t.Parallel()
	f := newFar(t)
	f.smtp(nil)
	u := f.up(func(d *upstream.Deps) { d.Names.SMTP = "smtp.office365.com" })
	if _, err := u.Send(t.Context(), message("c@d.example")); err == nil || f.saw("AUTH") != 0 {
		t.Errorf("%v %q", err, f.seen)
	}
}

// IMAP and POP3: what a server says at the sign-in, good and bad.
func TestOpen(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		protocol string
		script   []string // lines the server says, each after a line of ours but the first
		want     string   // the capabilities, or ""
		err      error
	}{
		"IMAP": {"imap", []string{"* OK ready", "+ ", "* junk\r\np1 OK in",
			"* CAPABILITY IMAP4rev1 AUTH=PLAIN IDLE STARTTLS x{y SASL-IR MOVE\r\np2 OK"}, "IMAP4rev1 IDLE MOVE", nil},
		"IMAP refuses": {"imap", []string{"* OK ready", "+ ", "+ eyJzdGF0dXMiOiI0MDEifQ==", "p1 NO AUTHENTICATE failed."}, "", upstream.ErrRefused},
		"IMAP bye":     {"imap", []string{"* BYE Session invalidated - AccessTokenExpired"}, "", problem.Unavailable},
		"IMAP floods":  {"imap", []string{"* OK ready", strings.Repeat("* x\r\n", 500)}, "", problem.Unavailable},
		"IMAP long":    {"imap", []string{"* OK ready", strings.Repeat("x", 40_000)}, "", problem.Unavailable},
		"POP3":         {"pop3", []string{"+OK ready", "+ ", "+OK in"}, "", nil},
		"POP3 refuses": {"pop3", []string{"+OK ready", "+ ", "-ERR Authentication failure: unknown user name or bad password."}, "", upstream.ErrRefused},
		"POP3 odd":     {"pop3", []string{"hello"}, "", problem.Unavailable},
		"silent":       {"pop3", nil, "", problem.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFar(t)
			f.listen(true, func(c net.Conn) {
				in := bufio.NewReader(c)
				for i, s := range x.script {
					if i > 0 {
						if _, err := in.ReadString('\n'); err != nil {
							return
						}
					}
					fmt.Fprintf(c, "%s\r\n", s)
				}
				_, _ = io.Copy(io.Discard, in)
			})
			s, err := f.up().Open(t.Context(), x.protocol, "a@b.example")
			if x.err != nil {
				if !errors.Is(err, x.err) || strings.Contains(err.Error(), "token-") {
					t.Fatalf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer s.Conn.Close()
			if s.Caps != x.want {
				t.Errorf("%q", s.Caps)
			}
		})
	}
}

func FuzzClean(f *testing.F) {
	f.Add("550 5.1.1 x\r\n\x1b")
	f.Fuzz(func(t *testing.T, s string) {
		if got := upstream.Clean(s); len(got) > 300 || strings.ContainsFunc(got, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Fatalf("%q", got)
		}
	})
}
