package front

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"partnerguard/internal/bridge"
	"partnerguard/internal/bridge/upstream"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// Doors lets devices in; *bridge.Store does.
type Doors interface {
	Enter(ctx context.Context, a bridge.Attempt) (bridge.Device, error)
	// Still says whether a device that is in may be yet.
	Still(ctx context.Context, id string) error
	Live(device string, cut func()) (gone func())
}

// Mailboxes opens mailboxes for reading; *upstream.Upstream does.
type Mailboxes interface {
	Open(ctx context.Context, protocol, mailbox string) (*upstream.Session, error)
}

// Envelope is what is known of a message when it is kept.
type Envelope struct {
	Device, Mailbox, Sender, MessageID string
	Recipients                         []string
}

// Draft is a message that is being taken: written, then kept or given up, once.
type Draft interface {
	io.Writer
	Keep(ctx context.Context, e Envelope) (id string, err error)
	Abort()
}

// Deps is everything a Server needs.
type Deps struct {
	Name      string        // required: how it calls itself
	TLS       *tls.Config   // required where a listener has TLS
	Limits    bridge.Limits // required
	Doors     Doors         // required
	Mailboxes Mailboxes     // required where IMAP or POP3 is listened to
	// Begin takes room for a message. Kind problem.Limit where there is none.
	Begin func() (Draft, error)
	Now   func() time.Time // required
	Log   *slog.Logger     // nil discards
}

// Counts are what came since the start.
type Counts struct {
	Connections, Turned, In, Refused int64
}

// Server answers devices. Safe for concurrent use.
type Server struct {
	d Deps

	mu      sync.Mutex // guards what follows
	closed  bool
	conns   map[*conn]struct{}
	sources map[netip.Addr]int
	ends    []io.Closer
	counts  Counts

	open sync.WaitGroup // connections
}

// New makes a Server; it does not listen.
func New(d Deps) (*Server, error) {
	if d.Name == "" || d.Doors == nil || d.Now == nil || d.Begin == nil || d.Limits.Connections == 0 {
		return nil, errors.New("front: Name, Limits, Doors, Begin and Now are required")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Server{d: d, conns: map[*conn]struct{}{}, sources: map[netip.Addr]int{}}, nil
}

// Serve answers what comes to l until Close; its error is [net.ErrClosed] then.
func (s *Server) Serve(l net.Listener, how *bridge.Listen) error {
	var at net.Listener = &gate{l, how, s}
	if how.TLS == bridge.Implicit {
		at = tls.NewListener(at, s.d.TLS)
	}
	if how.Protocol == bridge.SMTP {
		return s.serveSMTP(at, how)
	}
	if !s.ending(l) {
		return net.ErrClosed
	}
	for {
		c, err := at.Accept()
		if err != nil {
			if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
				continue
			}
			return err
		}
		go s.talk(c, how)
	}
}

// ending has Close end something; false where it is closed already.
func (s *Server) ending(c io.Closer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = c.Close()
		return false
	}
	s.ends = append(s.ends, c)
	return true
}

func (s *Server) serveSMTP(l net.Listener, how *bridge.Listen) error {
	x := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return s.submission(c, how) }))
	x.Domain, x.TLSConfig = s.d.Name, s.d.TLS
	x.MaxMessageBytes, x.MaxRecipients, x.MaxLineLength = s.d.Limits.MessageBytes, s.d.Limits.Recipients, maxLine
	x.AllowInsecureAuth = how.TLS == bridge.NoTLS
	x.ErrorLog = slog.NewLogLogger(s.d.Log.Handler(), slog.LevelDebug) // connections that devices give up
	if !s.ending(x) {
		return net.ErrClosed
	}
	if err := x.Serve(l); err != nil && !errors.Is(err, smtp.ErrServerClosed) {
		return err
	}
	return net.ErrClosed
}

// Stop takes nobody any more, and waits for those who are in until ctx ends; then it
// cuts them off.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	ends := s.ends
	s.ends = nil
	s.mu.Unlock()
	var all []error
	for _, c := range ends {
		if x, ok := c.(*smtp.Server); ok {
			done, cancel := context.WithCancel(context.Background())
			cancel() // it stops to listen, and waits for nobody
			_ = x.Shutdown(done)
		} else if err := c.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			all = append(all, err)
		}
	}
	gone := make(chan struct{})
	go func() { s.open.Wait(); close(gone) }()
	select {
	case <-gone:
		return errors.Join(all...)
	case <-ctx.Done():
	}
	s.mu.Lock()
	var list []*conn
	for c := range s.conns {
		list = append(list, c)
	}
	s.mu.Unlock()
	for _, c := range list {
		_ = c.Close()
	}
	<-gone
	return errors.Join(all...)
}

// Counts gives what came since the start, and how many are here now.
func (s *Server) Counts() (c Counts, now int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts, len(s.conns)
}

func (s *Server) count(add func(*Counts)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	add(&s.counts)
}

// verdict is how an attempt ended, for all protocols alike.
type verdict int

const (
	in verdict = iota
	refused
	busy // too many, or it cannot be known now
)

// pause is before each refusal: a guesser has few tries of a connection, and waits.
const (
	pause    = 500 * time.Millisecond
	maxFails = 3
)

// enter lets a device in, or says how it was refused.
func (s *Server) enter(ctx context.Context, from netip.Addr, protocol, user, password string) (bridge.Device, verdict) {
	d, err := s.d.Doors.Enter(ctx, bridge.Attempt{User: user, Password: secret.New(password), Protocol: protocol, Address: from})
	switch {
	case err == nil:
		s.count(func(c *Counts) { c.In++ })
		return d, in
	case errors.Is(err, bridge.ErrRefused):
		s.count(func(c *Counts) { c.Refused++ })
		time.Sleep(pause)
		return d, refused
	}
	if !errors.Is(err, problem.Limit) {
		s.d.Log.ErrorContext(ctx, "nobody can be let in", "err", err)
	}
	time.Sleep(pause)
	return d, busy
}
