package front

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"partnerguard/internal/bridge"
	"partnerguard/internal/problem"
)

// maxLine is the longest line that is taken, with its end: AUTH has 12,288 bytes (RFC
// 4954 section 4).
const maxLine = 12_288 + 2

// submission is one connection of a device that sends.
type submission struct {
	s     *Server
	c     *smtp.Conn
	own   *conn
	how   *bridge.Listen
	dev   *bridge.Device
	gone  func()
	fails int
	from  string
	to    []string
}

var _ smtp.AuthSession = (*submission)(nil)

func said(code int, enhanced smtp.EnhancedCode, text string) *smtp.SMTPError {
	return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: text}
}

// What is said to devices.
var (
	errWho      = said(530, smtp.EnhancedCode{5, 7, 0}, "Authentication required")
	errPassword = said(535, smtp.EnhancedCode{5, 7, 8}, "The user or the password of the device is wrong, or may not be used from here")
	errBusy     = said(454, smtp.EnhancedCode{4, 7, 0}, "It cannot be looked at now, try again later")
	errSender   = said(550, smtp.EnhancedCode{5, 7, 60}, "The device may not send as this sender: only as its mailbox")
	errAddress  = said(501, smtp.EnhancedCode{5, 1, 3}, "The address is none that is taken here")
	errHead     = said(554, smtp.EnhancedCode{5, 6, 0}, "The message's head is not as RFC 5322 has it: it needs one From, the device's mailbox")
	errFull     = said(452, smtp.EnhancedCode{4, 3, 1}, "There is no room for messages now, try again later")
	errKept     = said(451, smtp.EnhancedCode{4, 3, 0}, "The message could not be kept, try again later")
	errLetGo    = said(421, smtp.EnhancedCode{4, 7, 0}, "The device may not be here any more")
)

func (s *Server) submission(c *smtp.Conn, how *bridge.Listen) (smtp.Session, error) {
	own := connOf(c.Conn())
	if own == nil {
		return nil, errBusy
	}
	return &submission{s: s, c: c, own: own, how: how}, nil
}

// AuthMechanisms are for passwords alone.
func (x *submission) AuthMechanisms() []string { return []string{sasl.Plain, sasl.Login} }

// Auth begins a sign-in.
func (x *submission) Auth(mech string) (sasl.Server, error) {
	if x.dev != nil {
		return nil, said(503, smtp.EnhancedCode{5, 5, 1}, "Already authenticated")
	}
	switch mech {
	case sasl.Plain:
		return &once{sasl.NewPlainServer(func(identity, user, password string) error {
			if identity != "" && identity != user {
				return errPassword
			}
			return x.signIn(user, password)
		})}, nil
	case sasl.Login:
		return &login{in: x.signIn}, nil
	}
	return nil, said(504, smtp.EnhancedCode{5, 5, 4}, "The device's password is taken by PLAIN or LOGIN")
}

func (x *submission) signIn(user, password string) error {
	d, how := x.s.enter(context.Background(), x.own.from, bridge.SMTP, user, password)
	if how != in {
		if x.fails++; x.fails >= maxFails {
			x.own.within(0, 0) // the answer goes out, and the next read ends it
		}
		if how == busy {
			return errBusy
		}
		return errPassword
	}
	x.dev = &d
	x.gone = x.s.d.Doors.Live(d.ID, func() { _ = x.own.Close() })
	x.own.within(smtpIdle, 0)
	return nil
}

// Mail begins a message.
func (x *submission) Mail(from string, _ *smtp.MailOptions) error {
	if x.dev == nil {
		return errWho
	}
	if !bridge.IsAddress(from) || !x.dev.MayWriteAs(from) {
		return errSender
	}
	switch err := x.s.d.Doors.Still(context.Background(), x.dev.ID); {
	case errors.Is(err, bridge.ErrRefused):
		x.own.within(0, 0)
		return errLetGo
	case err != nil:
		return errBusy
	}
	x.from, x.to = from, nil
	return nil
}

// Rcpt adds a recipient, once.
func (x *submission) Rcpt(to string, _ *smtp.RcptOptions) error {
	if x.dev == nil {
		return errWho
	}
	if !bridge.IsAddress(to) {
		return errAddress
	}
	if !slices.ContainsFunc(x.to, func(s string) bool { return strings.EqualFold(s, to) }) {
		x.to = append(x.to, to)
	}
	return nil
}

// Data takes the message: it is on the disk when this returns without an error.
func (x *submission) Data(r io.Reader) error {
	if x.dev == nil || x.from == "" || len(x.to) == 0 {
		return errWho
	}
	x.own.within(smtpIdle, perMessage)
	defer x.own.within(smtpIdle, 0)
	d, err := x.s.d.Begin()
	if err != nil {
		return x.unkept(err)
	}
	id, err := take(d, r, x.s.d.Name, x.s.d.Now(), x.dev.MayWriteAs)
	if err != nil {
		d.Abort()
		return x.unkept(err)
	}
	_, err = d.Keep(context.Background(), Envelope{Device: x.dev.ID, Mailbox: x.dev.Mailbox, Sender: x.from, Recipients: x.to, MessageID: id})
	if err != nil {
		return x.unkept(err)
	}
	return nil
}

// unkept is what a device is told of a message that was not taken.
func (x *submission) unkept(err error) error {
	if e, ok := errors.AsType[*smtp.SMTPError](err); ok {
		return e
	}
	if errors.Is(err, problem.Limit) {
		return errFull
	}
	x.s.d.Log.Warn("a message was not taken", "device", x.dev.ID, "err", err)
	return errKept
}

// Reset forgets the message, not who sends.
func (x *submission) Reset() { x.from, x.to = "", nil }

// Logout ends.
func (x *submission) Logout() error {
	if x.gone != nil {
		x.gone()
		x.gone = nil
	}
	return nil
}

// once is a mechanism whose every fault is a refusal.
type once struct{ sasl.Server }

func (o *once) Next(response []byte) (challenge []byte, done bool, err error) {
	challenge, done, err = o.Server.Next(response)
	if _, ours := errors.AsType[*smtp.SMTPError](err); err != nil && !ours {
		err = errPassword
	}
	return challenge, done, err
}

// login is the old mechanism LOGIN, which printers have and nothing specifies: a user,
// then a password, each asked for.
type login struct {
	in    func(user, password string) error
	step  int
	user  string
	asked bool
}

// Next takes an answer; nil asks.
func (l *login) Next(response []byte) (challenge []byte, done bool, err error) {
	if response == nil && l.asked {
		return nil, false, errPassword
	}
	if bytes.IndexByte(response, 0) >= 0 || len(response) > 1024 {
		return nil, false, errPassword
	}
	switch {
	case response == nil:
		l.asked = true
		return []byte("Username:"), false, nil
	case l.step == 0:
		l.step, l.user, l.asked = 1, string(response), true
		return []byte("Password:"), false, nil
	case l.step == 1:
		l.step = 2
		return nil, true, l.in(l.user, string(response))
	}
	return nil, false, errPassword
}
