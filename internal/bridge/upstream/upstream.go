package upstream

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"partnerguard/internal/bridge"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// Tokens gives the access tokens that open mailboxes.
type Tokens interface {
	// Token gives one for a mailbox and a protocol of the bridge. refused is the
	// SHA-256, in hex, of one that the server did not take: it is asked for anew.
	Token(ctx context.Context, mailbox, protocol, refused string) (secret.Text, error)
}

// Deps is everything an Upstream needs.
type Deps struct {
	Hosts  bridge.Upstream // required
	Names  bridge.Upstream // what their certificates are for, where that is not Hosts
	TLS    *tls.Config     // roots; nil is the machine's
	Hello  string          // how we call ourselves by EHLO; required
	Tokens Tokens          // required
	Log    *slog.Logger    // nil discards
	// Timeout is of one answer; 0 is a minute. The answer to the end of a message may
	// take ten (RFC 5321 section 4.5.3.2.6).
	Timeout time.Duration
	End     time.Duration // of that answer; 0 is ten minutes
}

// Upstream is Exchange Online. Safe for concurrent use. Close it.
type Upstream struct {
	d Deps

	mu    sync.Mutex // guards lanes, of which there is one a mailbox
	lanes map[string]*lane
}

// New makes an Upstream.
func New(d Deps) (*Upstream, error) {
	if d.Tokens == nil || d.Hello == "" || d.Hosts.SMTP == "" || d.Hosts.IMAP == "" || d.Hosts.POP3 == "" {
		return nil, errors.New("upstream: Hosts, Hello and Tokens are required")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Timeout <= 0 {
		d.Timeout = time.Minute
	}
	if d.End <= 0 {
		d.End = 10 * time.Minute
	}
	return &Upstream{d: d, lanes: map[string]*lane{}}, nil
}

// Session is a mailbox that is open for reading. The caller closes Conn.
type Session struct {
	Conn net.Conn
	// In has what was read ahead; the caller reads from it.
	In *bufio.Reader
	// Caps are the capabilities that the server told after the sign-in, as one text.
	Caps string
}

// Bounds of what a server may say before the mailbox is open (ours).
const (
	maxLine  = 16 << 10
	maxLines = 200
)

// ErrRefused says that the server did not take our token. Use errors.Is.
var ErrRefused = errors.New("upstream: the token was not taken")

// Open opens a mailbox by IMAP or POP3. Errors: kind problem.Forbidden and ErrRefused
// where the token is not taken, also when asked for anew; what Tokens gives; kind
// problem.Unavailable for everything else.
func (u *Upstream) Open(ctx context.Context, protocol, mailbox string) (*Session, error) {
	refused := ""
	for {
		token, err := u.d.Tokens.Token(ctx, mailbox, protocol, refused)
		if err != nil {
			return nil, err
		}
		s, err := u.open(ctx, protocol, mailbox, token)
		if !errors.Is(err, ErrRefused) || refused != "" {
			return s, err
		}
		refused = printOf(token)
	}
}

// printOf is how a token is named that was refused.
func printOf(t secret.Text) string {
	sum := sha256.Sum256([]byte(t.Reveal()))
	return hex.EncodeToString(sum[:])
}

func (u *Upstream) open(ctx context.Context, protocol, mailbox string, token secret.Text) (_ *Session, err error) {
	at, name := u.d.Hosts.IMAP, u.d.Names.IMAP
	if protocol == bridge.POP3 {
		at, name = u.d.Hosts.POP3, u.d.Names.POP3
	}
	raw, err := u.dial(ctx, at)
	if err != nil {
		return nil, err
	}
	conn := tls.Client(raw, u.tls(at, name))
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	defer func() {
		if !stop() && err == nil {
			err = ctx.Err()
		}
		if err != nil {
			_ = raw.Close()
		}
	}()
	_ = conn.SetDeadline(time.Now().Add(u.d.Timeout))
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, away(at, err)
	}
	t := &talk{at: at, in: bufio.NewReaderSize(conn, maxLine), conn: conn}
	response := base64.StdEncoding.EncodeToString(xoauth2(mailbox, token))
	caps := ""
	if protocol == bridge.POP3 {
		err = t.pop(response)
	} else {
		caps, err = t.imap(response)
	}
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Time{})
	return &Session{Conn: conn, In: t.in, Caps: caps}, nil
}

func (u *Upstream) dial(ctx context.Context, at string) (net.Conn, error) {
	c, err := (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext(ctx, "tcp", at)
	if err != nil {
		return nil, away(at, err)
	}
	return paced{c, u.d.Timeout}, nil
}

// paced ends a connection whose other side does not read: each write has its time.
type paced struct {
	net.Conn
	each time.Duration
}

func (p paced) Write(b []byte) (int, error) {
	_ = p.SetWriteDeadline(time.Now().Add(p.each))
	return p.Conn.Write(b)
}

// maxReply bounds the server's answers to one command for sending, in bytes: the client
// keeps the whole of an answer, however many lines it has.
const maxReply = 256 << 10

var errTalks = errors.New("upstream: its answer has no end")

// bounded ends a connection whose other side answers without an end.
type bounded struct {
	net.Conn
	left atomic.Int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left.Load() <= 0 {
		return 0, errTalks
	}
	n, err := b.Conn.Read(p)
	b.left.Add(-int64(n))
	return n, err
}

func (b *bounded) Write(p []byte) (int, error) {
	b.left.Store(maxReply)
	return b.Conn.Write(p)
}

// tls is the configuration for a host; Exchange Online takes 1.2 and newer.
func (u *Upstream) tls(at, name string) *tls.Config {
	c := &tls.Config{}
	if u.d.TLS != nil {
		c = u.d.TLS.Clone()
	}
	c.MinVersion = max(c.MinVersion, tls.VersionTLS12)
	if name == "" {
		name = at
	}
	if host, _, err := net.SplitHostPort(name); err == nil {
		name = host
	}
	c.ServerName = name
	return c
}

func away(at string, err error) error {
	return problem.Wrap(err, problem.Unavailable, "%s does not answer%s", at, problem.Reason(err)).
		WithHint("what is sent waits in the queue; is the network there?")
}

// xoauth2 is the response of the mechanism.
func xoauth2(mailbox string, token secret.Text) []byte {
	return []byte("user=" + mailbox + "\x01auth=Bearer " + token.Reveal() + "\x01\x01")
}

// oauth is the mechanism as go-smtp's client takes it. A challenge is the error
// document, which is answered by nothing.
type oauth struct {
	mailbox string
	token   secret.Text
}

func (o oauth) Start() (string, []byte, error) { return "XOAUTH2", xoauth2(o.mailbox, o.token), nil }
func (o oauth) Next([]byte) ([]byte, error)    { return []byte{}, nil }

// talk is the sign-in of a session.
type talk struct {
	at   string
	in   *bufio.Reader
	conn net.Conn
}

// line reads one line of the server.
func (t *talk) line() (string, error) {
	b, err := t.in.ReadSlice('\n')
	if err != nil {
		return "", away(t.at, err)
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

func (t *talk) say(s string) error {
	if _, err := fmt.Fprintf(t.conn, "%s\r\n", s); err != nil {
		return away(t.at, err)
	}
	return nil
}

func (t *talk) odd() error {
	return problem.New(problem.Unavailable, "%s answers in a way that is not its protocol's", t.at)
}

func (t *talk) refused() error {
	return problem.Wrap(ErrRefused, problem.Forbidden, "%s does not take the token of the mailbox", t.at).
		WithHint("is the protocol switched on for the mailbox, and the permission consented? docs/bridge.md says how to see it")
}

// imap signs in, and gives the capabilities told afterwards.
func (t *talk) imap(response string) (caps string, err error) {
	switch greeting, err := t.line(); {
	case err != nil:
		return "", err
	case !strings.HasPrefix(greeting, "* OK"):
		return "", t.odd()
	}
	if err := t.say("p1 AUTHENTICATE XOAUTH2"); err != nil {
		return "", err
	}
	given := false
	for range maxLines {
		line, err := t.line()
		if err != nil {
			return "", err
		}
		switch {
		case strings.HasPrefix(line, "+"):
			next := response
			if given { // the error document: an empty answer ends it
				next = ""
			}
			given = true
			if err := t.say(next); err != nil {
				return "", err
			}
		case strings.HasPrefix(line, "p1 OK"):
			return t.capabilities()
		case strings.HasPrefix(line, "p1 "):
			return "", t.refused()
		}
	}
	return "", t.odd()
}

func (t *talk) capabilities() (caps string, err error) {
	if err := t.say("p2 CAPABILITY"); err != nil {
		return "", err
	}
	for range maxLines {
		line, err := t.line()
		if err != nil {
			return "", err
		}
		if rest, ok := strings.CutPrefix(line, "* CAPABILITY "); ok {
			caps = capsOf(rest)
		}
		if strings.HasPrefix(line, "p2 ") {
			return caps, nil
		}
	}
	return "", t.odd()
}

// capsOf keeps the words that can be capabilities, and of these what still counts.
func capsOf(line string) string {
	var out []string
	for _, w := range strings.Fields(line) {
		up := strings.ToUpper(w)
		if len(w) > 60 || strings.ContainsFunc(w, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`[]{}()"\%*`, r) }) ||
			strings.HasPrefix(up, "AUTH=") || up == "STARTTLS" || up == "LOGINDISABLED" || up == "SASL-IR" || len(out) >= 60 {
			continue
		}
		out = append(out, w)
	}
	return strings.Join(out, " ")
}

// pop signs in.
func (t *talk) pop(response string) error {
	if greeting, err := t.line(); err != nil {
		return err
	} else if !strings.HasPrefix(greeting, "+OK") {
		return t.odd()
	}
	if err := t.say("AUTH XOAUTH2"); err != nil {
		return err
	}
	for n := range 3 {
		line, err := t.line()
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(line, "+OK"):
			return nil
		case strings.HasPrefix(line, "-ERR"):
			return t.refused()
		case !strings.HasPrefix(line, "+"):
			return t.odd()
		}
		next := response
		if n > 0 {
			next = ""
		}
		if err := t.say(next); err != nil {
			return err
		}
	}
	return t.odd()
}
