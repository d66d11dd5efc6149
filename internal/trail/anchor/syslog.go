package anchor

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/problem"
	"partnerguard/internal/trail"
)

// Syslog sends checkpoints to a syslog server (RFC 5424), over TLS (RFC 5425),
// TCP or UDP, or to the machine's own. It cannot be asked what it holds, and over
// UDP not whether anything came.
type Syslog struct {
	to    *url.URL
	every time.Duration
	tls   *tls.Config // nil is the system's authorities
}

// NewSyslog names a server: tls://host:6514, tcp://host:601, udp://host:514 or
// unix:///dev/log.
func NewSyslog(to string, every time.Duration, conf *tls.Config) (*Syslog, error) {
	u, err := url.Parse(to)
	ports := map[string]string{"tls": "6514", "tcp": "601", "udp": "514", "unix": ""}
	port, ok := "", false
	if err == nil {
		port, ok = ports[u.Scheme]
	}
	if !ok || u.User != nil || u.RawQuery != "" ||
		u.Scheme != "unix" && (u.Hostname() == "" || u.Path != "") || u.Scheme == "unix" && (u.Path == "" || u.Host != "") {
		return nil, problem.New(problem.Usage, "the syslog server %q cannot be read", to).
			WithHint("tls://host:6514, tcp://host:601, udp://host:514 or unix:///dev/log")
	}
	if u.Scheme != "unix" && u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), port)
	}
	return &Syslog{u, every, conf}, nil
}

// Name is syslog: and the address.
func (s *Syslog) Name() string { return "syslog:" + s.to.String() }

// Every is how often it gets a checkpoint.
func (s *Syslog) Every() time.Duration { return s.every }

// Send writes one message. nil means that it left this machine.
func (s *Syslog) Send(ctx context.Context, c *trail.Sending) ([]byte, error) {
	l := line{Form: form, At: c.At.UTC(), Note: string(c.Note)}
	text, err := l.bytes()
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the checkpoint could not be written")
	}
	host, _ := os.Hostname()
	if host == "" {
		host = "-"
	}
	// Facility 13, log audit; severity 5, notice.
	msg := fmt.Appendf(nil, "<%d>1 %s %.255s partnerguard %d checkpoint - %s", 13*8+5,
		c.At.UTC().Format("2006-01-02T15:04:05.000000Z"), host, os.Getpid(), text[:len(text)-1])
	conn, err := s.dial(ctx)
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the syslog server %s does not answer", s.to.Host)
	}
	defer conn.Close()
	if until, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(until)
	}
	if s.to.Scheme == "tls" || s.to.Scheme == "tcp" { // octet counting, RFC 6587
		msg = append(strconv.AppendInt(nil, int64(len(msg)), 10), append([]byte{' '}, msg...)...)
	}
	if _, err := conn.Write(msg); err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the syslog server %s took no message", s.to.Host)
	}
	return nil, nil
}

func (s *Syslog) dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	switch s.to.Scheme {
	case "tls":
		return (&tls.Dialer{NetDialer: &d, Config: s.tls}).DialContext(ctx, "tcp", s.to.Host)
	case "unix":
		c, err := d.DialContext(ctx, "unixgram", s.to.Path)
		if err != nil {
			c, err = d.DialContext(ctx, "unix", s.to.Path)
		}
		return c, err
	}
	return d.DialContext(ctx, s.to.Scheme, s.to.Host)
}

// Held says that a syslog server does not show what it holds.
func (s *Syslog) Held(context.Context, []note.Verifier, []trail.Kept, func(trail.Mark) error) error {
	return trail.ErrBlind
}
