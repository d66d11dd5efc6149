package anchor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
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
	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/trail"
)

// MailOptions say where checkpoints are mailed to, and how.
type MailOptions struct {
	// Server is smtp://host:587 (STARTTLS is required), smtps://host:465 (TLS from
	// the start), or smtp+plain://127.0.0.1:25, on this machine alone.
	Server string
	From   string   // an address without a name
	To     []string // likewise; at most maxTo
	User   string   // "" signs in nowhere
	// Secret gives the user's password, each time it is needed.
	Secret func() (secret.Text, error)
	Roots  *x509.CertPool // of the server's certificate; nil is the system's
	Every  time.Duration
}

// Mail sends checkpoints by mail (SMTP), in words and as an attachment. A mailbox
// cannot be asked what it holds: what somebody saved of it is compared by
// [Checkpoints].
type Mail struct {
	o    MailOptions
	host string
	port int
	kind string // the scheme
}

const (
	maxTo = 16
	// maxTalk bounds what a mail server may say in one sending, in bytes: lines
	// are read whole.
	maxTalk = 256 << 10
)

// NewMail names a server and who gets the mail. Addresses that would change a
// header are refused.
func NewMail(o MailOptions) (*Mail, error) {
	u, err := url.Parse(o.Server)
	ports := map[string]int{"smtp": 587, "smtps": 465, "smtp+plain": 25}
	if err != nil || ports[u.Scheme] == 0 || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" {
		return nil, problem.New(problem.Usage, "the mail server cannot be read").
			WithHint("smtp://host:587 (STARTTLS), smtps://host:465, or smtp+plain://127.0.0.1:25 on this machine")
	}
	m := &Mail{o: o, host: u.Hostname(), port: ports[u.Scheme], kind: u.Scheme}
	if u.Port() != "" {
		if m.port, err = strconv.Atoi(u.Port()); err != nil || m.port < 1 || m.port > 65535 {
			return nil, problem.New(problem.Usage, "the port of the mail server %s is none", m.host)
		}
	}
	switch {
	case m.kind == "smtp+plain" && !loopback(m.host):
		return nil, problem.New(problem.Usage, "the mail server %s is not on this machine: without TLS mail is sent to none other", m.host)
	case m.kind == "smtp+plain" && o.User != "":
		return nil, problem.New(problem.Usage, "a password goes to the mail server %s over TLS only", m.host)
	case (o.User == "") != (o.Secret == nil):
		return nil, problem.New(problem.Usage, "the user of the mail server %s and the secret go together", m.host)
	case strings.ContainsFunc(o.User, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return nil, problem.New(problem.Usage, "the user of the mail server %s has control characters", m.host)
	case len(o.To) == 0 || len(o.To) > maxTo:
		return nil, problem.New(problem.Usage, "mail goes to between 1 and %d addresses", maxTo)
	}
	for _, a := range append([]string{o.From}, o.To...) {
		if err := MailAddress(a); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// MailAddress refuses what is not one plain address, as problem.Usage: names, lists
// and anything that could begin another header.
func MailAddress(s string) error {
	a, err := stdmail.ParseAddress(s)
	plain := !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),:;<>[\]`, r) })
	if err != nil || a.Name != "" || a.Address != s || !plain || len(s) > 254 {
		return problem.New(problem.Usage, "%.80q is not a plain address", s).WithHint("auditors@contoso.example")
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (m *Mail) server() string { return net.JoinHostPort(m.host, strconv.Itoa(m.port)) }

// Name is mail: with the server and who gets it.
func (m *Mail) Name() string {
	return "mail:" + m.kind + "://" + m.server() + " to " + strings.Join(m.o.To, ",")
}

// Every is how often it gets a checkpoint.
func (m *Mail) Every() time.Duration { return m.o.Every }

// Send mails the checkpoint to everybody at once. nil means that the server took
// it for all of them. What a server says is never repeated: it has seen the
// password.
func (m *Mail) Send(ctx context.Context, s *trail.Sending) ([]byte, error) {
	msg, err := m.write(s)
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the mail could not be written")
	}
	var conn net.Conn
	defer func() { // the library leaves it open where a server is none
		if conn != nil {
			_ = conn.Close()
		}
	}()
	c, err := m.client(&conn)
	if err != nil {
		return nil, err
	}
	if err := c.DialWithContext(ctx); err != nil {
		return nil, m.words(ctx, err)
	}
	defer func() { _ = c.Close() }()
	if err := c.Send(msg); err != nil {
		return nil, m.words(ctx, err)
	}
	return nil, nil
}

func (m *Mail) client(conn *net.Conn) (*mail.Client, error) {
	conf := &tls.Config{ServerName: m.host, RootCAs: m.o.Roots, MinVersion: tls.VersionTLS12}
	opts := []mail.Option{mail.WithPort(m.port), mail.WithTLSConfig(conf), mail.WithTimeout(20 * time.Second), mail.WithoutNoop(),
		mail.WithoutRset(), mail.WithTLSPolicy(mail.TLSMandatory), mail.WithDialContextFunc(m.dial(conf, conn))}
	switch m.kind {
	case "smtps":
		opts = append(opts, mail.WithSSL())
	case "smtp+plain":
		opts = append(opts, mail.WithTLSPolicy(mail.NoTLS))
	}
	if m.o.User != "" {
		password, err := m.o.Secret()
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
func (m *Mail) dial(conf *tls.Config, conn *net.Conn) mail.DialContextFunc {
	return func(ctx context.Context, network, _ string) (net.Conn, error) { // the library's address has no brackets
		c, err := new(net.Dialer).DialContext(ctx, network, m.server())
		if err != nil {
			return nil, err
		}
		until, ok := ctx.Deadline()
		if !ok {
			until = time.Now().Add(20 * time.Second)
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
func (m *Mail) words(ctx context.Context, err error) error {
	say := func(format string, args ...any) error {
		return problem.New(problem.BadInput, "the mail server %s %s", m.server(), fmt.Sprintf(format, args...))
	}
	if send, ok := errors.AsType[*mail.SendError](err); ok {
		code := ""
		if n := send.ErrorCode(); n >= 100 && n <= 999 {
			code = fmt.Sprintf(" (%d)", n)
		}
		switch send.Reason {
		case mail.ErrSMTPMailFrom:
			return say("does not take the sender%s", code)
		case mail.ErrSMTPRcptTo:
			return say("does not take a recipient%s", code)
		}
		return say("did not take the mail%s", code)
	}
	var certificate *tls.CertificateVerificationError
	var timeout net.Error
	switch {
	case errors.As(err, &certificate):
		return say("has a certificate that does not verify")
	case ctx.Err() != nil, errors.As(err, &timeout) && timeout.Timeout():
		return say("did not answer in time")
	case strings.HasPrefix(err.Error(), "STARTTLS mode"): // the library's own words; a server's begin with digits
		return say("offers no STARTTLS")
	case strings.HasPrefix(err.Error(), "SMTP AUTH failed"):
		return say("does not take the user and the password")
	case strings.HasPrefix(err.Error(), "server does not support SMTP AUTH"), errors.Is(err, mail.ErrNoSupportedAuthDiscovered):
		return say("offers no way to sign in that is known here")
	}
	return say("does not answer as one")
}

// write makes the mail: words for a person, and the signed note as it is.
func (m *Mail) write(s *trail.Sending) (*mail.Msg, error) {
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := msg.From(m.o.From); err != nil {
		return nil, err
	}
	if err := msg.To(m.o.To...); err != nil {
		return nil, err
	}
	root := base64.StdEncoding.EncodeToString(s.Checkpoint.Root[:])
	msg.Subject(fmt.Sprintf("Checkpoint of the audit trail: %d entries", s.Size))
	msg.SetDateWithValue(s.At)
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(mail.TypeTextPlain, fmt.Sprintf(`This is a checkpoint of an audit trail that Partnerguard keeps.

Trail    %s
Entries  %d
Root     %s
Sent     %s

Please keep this mail. Whoever may write the database of the trail could cut off
its end or write it anew; this mail shows that. To compare, save the mail or its
attachment where partnerguard runs, and say:

    partnerguard trail verify --checkpoint FILE

The attachment is the checkpoint itself, signed by the trail's key.
`, s.Origin, s.Size, root, s.At.UTC().Format(time.RFC3339)))
	return msg, msg.AttachReader(fmt.Sprintf("checkpoint-%d.txt", s.Size), strings.NewReader(string(s.Note)),
		mail.WithFileContentType("text/plain; charset=utf-8"), mail.WithFileEncoding(mail.EncodingB64))
}

// Held says that a mailbox does not show what it holds.
func (m *Mail) Held(context.Context, []note.Verifier, []trail.Kept, func(trail.Mark) error) error {
	return trail.ErrBlind
}
