package mailer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	stdmail "net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// Options say which server, and as whom.
type Options struct {
	// Server is smtp://host:587 (STARTTLS is required), smtps://host:465 (TLS from
	// the start), or smtp+plain://127.0.0.1:25, on this machine alone.
	Server string
	User   string // "" signs in nowhere
	// Secret gives the user's password, each time it is needed.
	Secret func(context.Context) (secret.Text, error)
	Roots  *x509.CertPool // of the server's certificate; nil is the system's
}

// Server is a mail server. Safe for concurrent use.
type Server struct {
	o    Options
	host string
	port int
	kind string // the scheme
}

const (
	// MaxTo bounds to how many one mail goes.
	MaxTo = 16
	// maxTalk bounds what a mail server may say in one sending, in bytes: lines
	// are read whole.
	maxTalk = 256 << 10
	// wait is how long all of a sending may take where the context does not say.
	wait = 20 * time.Second
)

// New names a server. Kind problem.Usage where it cannot be one.
func New(o Options) (*Server, error) {
	u, err := url.Parse(o.Server)
	ports := map[string]int{"smtp": 587, "smtps": 465, "smtp+plain": 25}
	if err != nil || ports[u.Scheme] == 0 || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" {
		return nil, problem.New(problem.Usage, "the mail server cannot be read").
			WithHint("smtp://host:587 (STARTTLS), smtps://host:465, or smtp+plain://127.0.0.1:25 on this machine")
	}
	m := &Server{o: o, host: u.Hostname(), port: ports[u.Scheme], kind: u.Scheme}
	if u.Port() != "" {
		if m.port, err = strconv.Atoi(u.Port()); err != nil || m.port < 1 || m.port > 65535 {
			return nil, problem.New(problem.Usage, "the port of the mail server %s is none", m.host)
		}
	}
	switch {
	case m.kind == "smtp+plain" && !Loopback(m.host):
		return nil, problem.New(problem.Usage, "the mail server %s is not on this machine: without TLS mail is sent to none other", m.host)
	case m.kind == "smtp+plain" && o.User != "":
		return nil, problem.New(problem.Usage, "a password goes to the mail server %s over TLS only", m.host)
	case (o.User == "") != (o.Secret == nil):
		return nil, problem.New(problem.Usage, "the user of the mail server %s and the secret go together", m.host)
	case strings.ContainsFunc(o.User, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return nil, problem.New(problem.Usage, "the user of the mail server %s has control characters", m.host)
	}
	return m, nil
}

// Addresses refuses, as problem.Usage, who cannot send or get a mail.
func Addresses(from string, to []string) error {
	if len(to) == 0 || len(to) > MaxTo {
		return problem.New(problem.Usage, "mail goes to between 1 and %d addresses", MaxTo)
	}
	for _, a := range append([]string{from}, to...) {
		if err := Address(a); err != nil {
			return err
		}
	}
	return nil
}

// Address refuses what is not one plain address, as problem.Usage: names, lists
// and anything that could begin another header.
func Address(s string) error {
	a, err := stdmail.ParseAddress(s)
	plain := !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),:;<>[\]`, r) })
	if err != nil || a.Name != "" || a.Address != s || !plain || len(s) > 254 {
		return problem.New(problem.Usage, "%.80q is not a plain address", s).WithHint("auditors@contoso.example")
	}
	return nil
}

// Loopback says that a host is this machine, by its name.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (m *Server) server() string { return net.JoinHostPort(m.host, strconv.Itoa(m.port)) }

// String is the server's address with its scheme.
func (m *Server) String() string { return m.kind + "://" + m.server() }

// Refusal is that a server did not take a mail.
type Refusal struct {
	Code int  // its answer, 100 to 999; 0 where it gave none
	Last bool // it would not take it another time either
	err  error
}

func (r *Refusal) Error() string { return r.err.Error() }

// Unwrap is the error in words that may be shown.
func (r *Refusal) Unwrap() error { return r.err }

// Send hands a mail to everybody that it names, at once. nil means that the server
// took it for all of them; else the error is a *Refusal, or of reading the password.
func (m *Server) Send(ctx context.Context, msg *mail.Msg) error {
	var conn net.Conn
	defer func() { // the library leaves it open where a server is none
		if conn != nil {
			_ = conn.Close()
		}
	}()
	c, err := m.client(ctx, &conn)
	if err != nil {
		return err
	}
	if err := c.DialWithContext(ctx); err != nil {
		return m.words(ctx, err)
	}
	defer func() { _ = c.Close() }()
	if err := c.Send(msg); err != nil {
		return m.words(ctx, err)
	}
	return nil
}

func (m *Server) client(ctx context.Context, conn *net.Conn) (*mail.Client, error) {
	conf := &tls.Config{ServerName: m.host, RootCAs: m.o.Roots, MinVersion: tls.VersionTLS12}
	opts := []mail.Option{mail.WithPort(m.port), mail.WithTLSConfig(conf), mail.WithTimeout(wait), mail.WithoutNoop(),
		mail.WithoutRset(), mail.WithTLSPolicy(mail.TLSMandatory), mail.WithDialContextFunc(m.dial(conf, conn))}
	switch m.kind {
	case "smtps":
		opts = append(opts, mail.WithSSL())
	case "smtp+plain":
		opts = append(opts, mail.WithTLSPolicy(mail.NoTLS))
	}
	if m.o.User != "" {
		password, err := m.o.Secret(ctx)
		if err != nil {
			return nil, err
		}
		opts = append(opts, mail.WithUsername(m.o.User), mail.WithPassword(password.Reveal()), mail.WithOpportunisticSMTPAuth(
			mail.SMTPAuthSCRAMSHA256PLUS, mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthSCRAMSHA1PLUS, mail.SMTPAuthSCRAMSHA1,
			mail.SMTPAuthPlain, mail.SMTPAuthLogin))
	}
	c, err := mail.NewClient(m.host, opts...)
	if err != nil {
		return nil, problem.New(problem.Internal, "the mail server %s cannot be used", m.server())
	}
	return c, nil
}

// dial bounds what the server may say and how long all of it may take.
func (m *Server) dial(conf *tls.Config, conn *net.Conn) mail.DialContextFunc {
	return func(ctx context.Context, network, _ string) (net.Conn, error) { // the library's address has no brackets
		c, err := new(net.Dialer).DialContext(ctx, network, m.server())
		if err != nil {
			return nil, err
		}
		until, ok := ctx.Deadline()
		if !ok {
			until = time.Now().Add(wait)
		}
		c = &brief{Conn: c, left: maxTalk, until: until}
		*conn = c
		if err := c.SetDeadline(until); err != nil || m.kind != "smtps" {
			return c, err
		}
		t := tls.Client(c, conf)
		if err := t.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		return t, nil
	}
}

// brief is a connection that ends after so many bytes, and by its time, whatever
// time the library gives it.
type brief struct {
	net.Conn
	left  int
	until time.Time
}

func (b *brief) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

func (b *brief) bound(t time.Time) time.Time {
	if t.IsZero() || t.After(b.until) {
		return b.until
	}
	return t
}

func (b *brief) SetDeadline(t time.Time) error      { return b.Conn.SetDeadline(b.bound(t)) }
func (b *brief) SetReadDeadline(t time.Time) error  { return b.Conn.SetReadDeadline(b.bound(t)) }
func (b *brief) SetWriteDeadline(t time.Time) error { return b.Conn.SetWriteDeadline(b.bound(t)) }

// words says what failed, by kinds of failure and the three digits of the answer.
func (m *Server) words(ctx context.Context, err error) error {
	r := &Refusal{}
	say := func(hint, format string, args ...any) error {
		r.err = problem.New(problem.BadInput, "the mail server %s %s", m.server(), fmt.Sprintf(format, args...)).WithHint("%s", hint)
		return r
	}
	if send, ok := errors.AsType[*mail.SendError](err); ok {
		code := ""
		if n := send.ErrorCode(); n >= 100 && n <= 999 {
			code = fmt.Sprintf(" (%d)", n)
			r.Code, r.Last = n, n >= 500
		}
		switch send.Reason {
		case mail.ErrSMTPMailFrom:
			return say("from has to be an address that the user may send as", "does not take the sender%s", code)
		case mail.ErrSMTPRcptTo:
			return say("look at to: all of it has to be taken; some servers send elsewhere only for who signed in", "does not take a recipient%s", code)
		}
		return say("the server's own log says why", "did not take the mail%s", code)
	}
	var certificate *tls.CertificateVerificationError
	var timeout net.Error
	switch {
	case errors.As(err, &certificate):
		return say("roots names a PEM file of the authorities it comes from", "has a certificate that does not verify")
	case ctx.Err() != nil, errors.As(err, &timeout) && timeout.Timeout():
		return say("is it the right port, and is it open to this machine?", "did not answer in time")
	case strings.HasPrefix(err.Error(), "STARTTLS mode"): // the library's own words; a server's begin with digits
		return say("smtps://host:465 is TLS from the start", "offers no STARTTLS")
	case strings.HasPrefix(err.Error(), "SMTP AUTH failed"):
		return say("look at user and secret; some servers want a password for apps", "does not take the user and the password")
	case strings.HasPrefix(err.Error(), "server does not support SMTP AUTH"), errors.Is(err, mail.ErrNoSupportedAuthDiscovered):
		return say("leave out user and secret, or use the port for submission (587)", "offers no way to sign in that is known here")
	}
	return say("is it a mail server, and is TLS what the port speaks?", "does not answer as one")
}
