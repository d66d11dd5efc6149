package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/emersion/go-smtp"

	"partnerguard/internal/bridge"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// Message is one message on its way.
type Message struct {
	Mailbox string // whose it is, and whose token sends it
	From    string
	To      []string
	Size    int64
	// Body gives the message, its lines ended by CRLF. Where it fails nothing is sent: a
	// message is never ended that was not whole.
	Body func() (io.ReadCloser, error)
	// Ending is called when all but the end is sent. Where it fails nothing is sent.
	Ending func() error
}

// Reply is what the server said of a recipient.
type Reply struct {
	Code     int    // 250; 0 where the server said nothing
	Enhanced string // 2.1.5
	Text     string // cleaned
}

// OK says that it was taken.
func (r Reply) OK() bool { return r.Code/100 == 2 }

// Final says that it was refused for good.
func (r Reply) Final() bool { return r.Code/100 == 5 }

func (r Reply) String() string {
	return strings.TrimSpace(fmt.Sprintf("%d %s %s", r.Code, r.Enhanced, r.Text))
}

// Failure is why a message as a whole was not taken.
type Failure struct {
	Reply Reply // zero where it is the network's
	// Doubtful says that the end of the message was sent and no answer came: the server
	// may have taken it.
	Doubtful bool
	// Token says that the mailbox's token was not taken, or could not be had.
	Token bool
	cause error
}

func (f *Failure) Error() string {
	switch {
	case f.Reply.Code != 0:
		return "the server said: " + f.Reply.String()
	case f.Doubtful:
		return "no answer came to the end of the message"
	}
	return f.cause.Error()
}

// Unwrap gives what it came of.
func (f *Failure) Unwrap() error { return f.cause }

// Final says that trying again is of no use.
func (f *Failure) Final() bool { return f.Reply.Final() && !f.Token }

func replyOf(err error) Reply {
	e, ok := errors.AsType[*smtp.SMTPError](err)
	if !ok {
		return Reply{}
	}
	r := Reply{Code: e.Code, Text: Clean(e.Message)}
	if c := e.EnhancedCode; c[0] > 0 {
		r.Enhanced = fmt.Sprintf("%d.%d.%d", c[0], c[1], c[2])
	}
	return r
}

func failure(err error) *Failure { return &Failure{Reply: replyOf(err), cause: err} }

// Clean makes one line that can be shown of what a server said.
func Clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f {
			return ' '
		}
		return r
	}, s)
	if s = strings.Join(strings.Fields(s), " "); len(s) > 300 {
		s = s[:300]
	}
	return s
}

// lane are the connections of one mailbox for sending.
type lane struct {
	slot chan struct{}
	idle []*wire
}

// wire is one connection for sending.
type wire struct {
	c    *smtp.Client
	made time.Time
	used time.Time
}

// Of connections for sending: so many of a mailbox at once (Exchange Online takes
// three), kept so long for the next message, and used for so long in all.
const (
	lanesWide = 3
	keepIdle  = time.Minute
	keepAll   = 10 * time.Minute
)

// Send sends a message, and says of each recipient what the server said: a *[Failure]
// where it took the message for nobody.
func (u *Upstream) Send(ctx context.Context, m *Message) ([]Reply, error) {
	l := u.lane(m.Mailbox)
	select {
	case l.slot <- struct{}{}:
	case <-ctx.Done():
		return nil, &Failure{cause: ctx.Err()}
	}
	defer func() { <-l.slot }()
	for {
		w, fresh, err := u.wire(ctx, l, m.Mailbox)
		if err != nil {
			return nil, err
		}
		replies, begun, err := u.transact(ctx, w, m)
		if err == nil {
			u.keep(l, w)
			return replies, nil
		}
		_ = w.c.Close()
		// One that was kept may have died meanwhile; nothing was lost by it.
		if f, ok := errors.AsType[*Failure](err); fresh || begun || !ok || f.Reply.Code != 0 || ctx.Err() != nil {
			return nil, err
		}
	}
}

func (u *Upstream) lane(mailbox string) *lane {
	u.mu.Lock()
	defer u.mu.Unlock()
	l := u.lanes[mailbox]
	if l == nil {
		l = &lane{slot: make(chan struct{}, lanesWide)}
		u.lanes[mailbox] = l
	}
	return l
}

// wire gives a connection that is signed in.
func (u *Upstream) wire(ctx context.Context, l *lane, mailbox string) (w *wire, fresh bool, err error) {
	u.mu.Lock()
	if n := len(l.idle); n > 0 {
		w, l.idle = l.idle[n-1], l.idle[:n-1]
	}
	u.mu.Unlock()
	if w != nil {
		if time.Since(w.used) < keepIdle && time.Since(w.made) < keepAll {
			return w, false, nil
		}
		_ = w.c.Close()
	}
	refused := ""
	for {
		token, err := u.d.Tokens.Token(ctx, mailbox, bridge.SMTP, refused)
		if err != nil {
			return nil, false, &Failure{Token: true, cause: err}
		}
		c, err := u.signIn(ctx, mailbox, token)
		if err == nil {
			return &wire{c: c, made: time.Now()}, true, nil
		}
		if !errors.Is(err, ErrRefused) || refused != "" {
			return nil, false, err
		}
		refused = printOf(token)
	}
}

// signIn makes a connection with STARTTLS and the token.
func (u *Upstream) signIn(ctx context.Context, mailbox string, token secret.Text) (_ *smtp.Client, err error) {
	raw, err := u.dial(ctx, u.d.Hosts.SMTP)
	if err != nil {
		return nil, failure(err)
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	defer stop()
	defer func() {
		if err != nil {
			_ = raw.Close()
		}
	}()
	_ = raw.SetDeadline(time.Now().Add(u.d.Timeout))
	b := &bounded{Conn: raw}
	b.left.Store(maxReply)
	plain, err := smtp.NewClientStartTLS(b, u.tls(u.d.Hosts.SMTP, u.d.Names.SMTP))
	if err != nil {
		return nil, failure(wrapAway(u.d.Hosts.SMTP, err))
	}
	plain.CommandTimeout, plain.SubmissionTimeout = u.d.Timeout, u.d.End
	if err := plain.Hello(u.d.Hello); err != nil {
		return nil, failure(wrapAway(u.d.Hosts.SMTP, err))
	}
	if err := plain.Auth(oauth{mailbox, token}); err != nil {
		f := failure(wrapAway(u.d.Hosts.SMTP, err))
		if f.Reply.Code == 535 || f.Reply.Code == 534 {
			f.Token = true
			f.cause = errors.Join(ErrRefused, f.cause)
		}
		return nil, f
	}
	_ = raw.SetDeadline(time.Time{})
	return plain, nil
}

func wrapAway(at string, err error) error {
	if _, ok := errors.AsType[*smtp.SMTPError](err); ok {
		return err
	}
	return away(at, err)
}

// transact sends one message on a connection. begun says that some of the message was
// sent. After an error the connection is of no use: closing it is what keeps half a
// message from being taken for a whole one.
func (u *Upstream) transact(ctx context.Context, w *wire, m *Message) (replies []Reply, begun bool, err error) {
	stop := context.AfterFunc(ctx, func() { _ = w.c.Close() })
	defer stop()
	if !w.used.IsZero() {
		if err := w.c.Reset(); err != nil {
			return nil, false, &Failure{cause: err}
		}
	}
	if err := w.c.Mail(m.From, &smtp.MailOptions{Size: m.Size}); err != nil {
		return nil, false, failure(wrapAway(u.d.Hosts.SMTP, err))
	}
	taken := 0
	for _, to := range m.To {
		err := w.c.Rcpt(to, nil)
		r := replyOf(err)
		switch {
		case err == nil:
			r = Reply{Code: 250, Enhanced: "2.1.5"}
			taken++
		case r.Code == 0:
			return nil, false, failure(wrapAway(u.d.Hosts.SMTP, err))
		}
		replies = append(replies, r)
	}
	if taken == 0 {
		w.used = time.Now()
		return replies, false, nil
	}
	body, err := m.Body()
	if err != nil {
		return nil, false, &Failure{cause: err}
	}
	defer body.Close()
	data, err := w.c.Data()
	if err != nil {
		return nil, false, failure(wrapAway(u.d.Hosts.SMTP, err))
	}
	if _, err := io.Copy(data, body); err != nil {
		return nil, true, u.cutMid(err)
	}
	if err := m.Ending(); err != nil {
		return nil, true, &Failure{cause: err}
	}
	if err := data.Close(); err != nil {
		f := failure(err)
		f.Doubtful = f.Reply.Code == 0
		return nil, true, f
	}
	w.used = time.Now()
	return replies, true, nil
}

// cutMid is a message that was cut off in its middle: it was not ended, so it was not
// taken.
func (u *Upstream) cutMid(err error) error {
	if errors.Is(err, problem.BadInput) || errors.Is(err, problem.NotFound) { // it is ours that cannot be read
		return &Failure{cause: err}
	}
	return &Failure{cause: away(u.d.Hosts.SMTP, err)}
}

// keep lays a connection aside for the next message.
func (u *Upstream) keep(l *lane, w *wire) {
	u.mu.Lock()
	defer u.mu.Unlock()
	l.idle = append(l.idle, w)
}

// Tidy closes connections that nobody used for a while. It is called now and then.
func (u *Upstream) Tidy() {
	u.mu.Lock()
	var old []*wire
	for _, l := range u.lanes {
		rest := l.idle[:0]
		for _, w := range l.idle {
			if time.Since(w.used) < keepIdle {
				rest = append(rest, w)
			} else {
				old = append(old, w)
			}
		}
		l.idle = rest
	}
	u.mu.Unlock()
	for _, w := range old {
		_ = w.c.Quit()
	}
}

// Close closes the connections that are kept.
func (u *Upstream) Close() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, l := range u.lanes {
		for _, w := range l.idle {
			_ = w.c.Close()
		}
		l.idle = nil
	}
	return nil
}
