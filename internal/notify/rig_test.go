package notify_test

import (
	"bufio"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/notify"
)

// reference is the secret that Standard Webhooks gives its vector for.
const reference = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// password is one that must be seen nowhere but at the mail server.
const password = "correct-horse-battery"

var at = time.Date(2026, 11, 30, 10, 0, 0, 0, time.UTC)

// certified is a certificate for 127.0.0.1, and the file of its authority.
func certified(t *testing.T) (*tls.Config, string) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	t.Cleanup(s.Close)
	path := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: s.TLS.Certificates}, path
}

// kept is a file of a secret.
func kept(t *testing.T, s string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(s+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return "file:" + path
}

// outbox is one over a database with channels.
func outbox(t *testing.T, d *db.DB, list ...notify.Setting) *notify.Outbox {
	t.Helper()
	o, err := notify.New(notify.Deps{DB: d, Config: &notify.Config{Channels: list}, Now: func() time.Time { return at }, Base: "https://guard.example",
		Proxy: func(*http.Request) (*url.URL, error) { return nil, nil }})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// channel is one channel, opened.
func channel(t *testing.T, s notify.Setting) notify.Channel {
	t.Helper()
	s.Name = "it"
	c, err := outbox(t, dbtest.SQLite(t), s).Channel("it")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// send sends a message that was cleaned.
func send(t *testing.T, c notify.Channel, m *notify.Message) (notify.Answer, error) {
	t.Helper()
	kept := *m
	kept.Clean("https://guard.example")
	return c.Send(t.Context(), &kept)
}

// alarm is a message with everything in it.
func alarm() *notify.Message {
	return &notify.Message{ID: "m-1", Event: "alert.opened", Severity: notify.Urgent, At: at, Thread: "a-1", Title: "The policy was edited: 27 accounts opened",
		Text: "A group was left out.", Fields: []notify.Field{{Name: "Affected", Value: "27 of 214 accounts"}},
		Items: []notify.Item{{ID: "a-2", Severity: notify.Warning, Title: "Another", Text: "because"}}, Commands: []string{"partnerguard changes"},
		Link: "https://guard.example/alerts?row=a-1"}
}

// postbox is a mail server (github.com/emersion/go-smtp) that keeps what it is given.
type postbox struct {
	mu     sync.Mutex
	mails  []string
	to     []string
	in     bool
	refuse *smtp.SMTPError // of the data
}

func (p *postbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &visit{p: p}, nil }

type visit struct{ p *postbox }

func (v *visit) AuthMechanisms() []string { return []string{sasl.Plain} }

func (v *visit) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, pass string) error {
		if user != "guard" || pass != password {
			return errors.New("535 no: " + pass)
		}
		v.p.mu.Lock()
		defer v.p.mu.Unlock()
		v.p.in = true
		return nil
	}), nil
}

func (v *visit) Mail(string, *smtp.MailOptions) error { return nil }
func (v *visit) Reset()                               {}
func (v *visit) Logout() error                        { return nil }

func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error {
	v.p.mu.Lock()
	defer v.p.mu.Unlock()
	v.p.to = append(v.p.to, to)
	return nil
}

func (v *visit) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	v.p.mu.Lock()
	defer v.p.mu.Unlock()
	if v.p.refuse != nil {
		return v.p.refuse
	}
	v.p.mails = append(v.p.mails, string(b))
	return err
}

// serve serves the postbox, and gives host and port.
func (p *postbox) serve(t *testing.T, conf *tls.Config, direct bool) string {
	t.Helper()
	s := smtp.NewServer(p)
	s.Domain, s.TLSConfig, s.AllowInsecureAuth = "localhost", conf, false
	s.ErrorLog = log.New(io.Discard, "", 0)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if direct {
		l = tls.NewListener(l, conf)
	}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return l.Addr().String()
}

// syslogServer gives what comes at a syslog server: datagrams, or messages by octet counting.
func syslogServer(t *testing.T, scheme string, conf *tls.Config) (address string, got <-chan string) {
	t.Helper()
	out := make(chan string, 100)
	if scheme == "udp" {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		go func() {
			b := make([]byte, 64<<10)
			for {
				n, _, err := c.ReadFrom(b)
				if err != nil {
					return
				}
				out <- string(b[:n])
			}
		}()
		return "udp://" + c.LocalAddr().String(), out
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	if scheme == "tls" {
		l = tls.NewListener(l, conf)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				r := bufio.NewReader(c)
				for {
					n, err := r.ReadString(' ')
					if err != nil {
						return
					}
					size, err := strconv.Atoi(strings.TrimSpace(n))
					if err != nil {
						out <- "NO COUNT " + n
						return
					}
					b := make([]byte, size)
					if _, err := io.ReadFull(r, b); err != nil {
						out <- "SHORT"
						return
					}
					out <- string(b)
				}
			}()
		}
	}()
	return scheme + "://" + l.Addr().String(), out
}

func within[T any](t *testing.T, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(2 * time.Minute):
		t.Fatal("nothing came")
	}
	return v
}
