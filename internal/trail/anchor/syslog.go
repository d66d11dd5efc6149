package anchor

import (
	"context"
	"crypto/tls"
	"time"

	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/notify/syslog"
	"partnerguard/internal/problem"
	"partnerguard/internal/trail"
)

// Syslog sends checkpoints to a syslog server (RFC 5424), over TLS (RFC 5425),
// TCP or UDP, or to the machine's own. It cannot be asked what it holds, and over
// UDP not whether anything came.
type Syslog struct {
	server *syslog.Server
	every  time.Duration
}

// NewSyslog names a server: tls://host:6514, tcp://host:601, udp://host:514 or
// unix:///dev/log.
func NewSyslog(to string, every time.Duration, conf *tls.Config) (*Syslog, error) {
	s, err := syslog.New(to, conf)
	if err != nil {
		return nil, err
	}
	return &Syslog{s, every}, nil
}

// Name is syslog: and the address.
func (s *Syslog) Name() string { return "syslog:" + s.server.String() }

// Every is how often it gets a checkpoint.
func (s *Syslog) Every() time.Duration { return s.every }

// Send writes one message. nil means that it left this machine.
func (s *Syslog) Send(ctx context.Context, c *trail.Sending) ([]byte, error) {
	l := line{Form: form, At: c.At.UTC(), Note: string(c.Note)}
	text, err := l.bytes()
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the checkpoint could not be written")
	}
	// Facility 13, log audit; severity 5, notice.
	return nil, s.server.Send(ctx, &syslog.Message{Facility: 13, Severity: 5, At: c.At, ID: "checkpoint", Text: text[:len(text)-1]})
}

// Held says that a syslog server does not show what it holds.
func (s *Syslog) Held(context.Context, []note.Verifier, []trail.Kept, func(trail.Mark) error) error {
	return trail.ErrBlind
}
