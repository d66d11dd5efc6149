package syslog

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"partnerguard/internal/problem"
)

// Server is a syslog server. Safe for concurrent use.
type Server struct {
	to  *url.URL
	tls *tls.Config // nil is the system's authorities
}

// New names a server: tls://host:6514, tcp://host:601, udp://host:514 or
// unix:///dev/log. Kind problem.Usage where it cannot be read.
func New(to string, conf *tls.Config) (*Server, error) {
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
	return &Server{u, conf}, nil
}

// String is the server's address.
func (s *Server) String() string { return s.to.String() }

// Message is one line for a syslog server.
type Message struct {
	Facility, Severity int // RFC 5424 section 6.2.1
	At                 time.Time
	ID                 string // MSGID: printing ASCII, at most 32
	// Data are the parameters of one element, of which Element is the SD-ID; "" has
	// none. Values are escaped.
	Element string
	Data    [][2]string
	Text    []byte // UTF-8 or anything; what is longer than the server takes is cut
	UTF8    bool   // a byte order mark says that Text is UTF-8
}

// The most bytes that go into one message: over UDP what RFC 5426 section 3.2 has
// every receiver take, else what is common.
const (
	maxUDP  = 2048
	maxElse = 32 << 10
)

// Bytes is the message by RFC 5424, of at most limit bytes: its text is cut.
func (m *Message) Bytes(limit int) []byte {
	host, _ := os.Hostname()
	if host = printing(host, 255); host == "" {
		host = "-"
	}
	id := printing(m.ID, 32)
	if id == "" {
		id = "-"
	}
	b := fmt.Appendf(nil, "<%d>1 %s %s partnerguard %d %s ", m.Facility*8+m.Severity, m.At.UTC().Format("2006-01-02T15:04:05.000000Z"), host,
		os.Getpid(), id)
	if m.Element == "" {
		b = append(b, '-')
	} else {
		b = append(append(b, '['), m.Element...)
		for _, d := range m.Data {
			b = fmt.Appendf(b, ` %s="%s"`, printing(d[0], 32), escape.Replace(d[1]))
		}
		b = append(b, ']')
	}
	b = append(b, ' ')
	if m.UTF8 {
		b = append(b, "\ufeff"...)
	}
	text := m.Text
	if room := limit - len(b); len(text) > room {
		text = text[:max(room, 0)]
		for m.UTF8 && len(text) > 0 && !utf8.Valid(text) {
			text = text[:len(text)-1]
		}
	}
	return append(b, text...)
}

// escape is RFC 5424 section 6.3.3.
var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`)

// printing keeps the printing ASCII of a text, without spaces.
func printing(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || r == '=' || r == ']' || r == '"' {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), most)]
}

// Send writes one message. nil means that it left this machine.
func (s *Server) Send(ctx context.Context, m *Message) error {
	limit := maxElse
	if s.to.Scheme == "udp" || s.to.Scheme == "unix" {
		limit = maxUDP
	}
	msg := m.Bytes(limit)
	conn, err := s.dial(ctx)
	if err != nil {
		return problem.Wrap(err, problem.BadInput, "the syslog server %s does not answer", s.to.Host)
	}
	defer conn.Close()
	if until, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(until)
	}
	if s.to.Scheme == "tls" || s.to.Scheme == "tcp" { // octet counting, RFC 6587
		msg = append(strconv.AppendInt(nil, int64(len(msg)), 10), append([]byte{' '}, msg...)...)
	}
	if _, err := conn.Write(msg); err != nil {
		return problem.Wrap(err, problem.BadInput, "the syslog server %s took no message", s.to.Host)
	}
	return nil
}

func (s *Server) dial(ctx context.Context) (net.Conn, error) {
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
