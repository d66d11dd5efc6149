package mail

import (
	"bytes"
	"errors"
	"io"
	"net/mail"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// submission is one connection of a client that sends.
type submission struct {
	m    *Mail
	who  *account
	from string
	to   []string
}

var _ smtp.AuthSession = (*submission)(nil)

func smtpError(code int, enhanced smtp.EnhancedCode, text string) *smtp.SMTPError {
	return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: text}
}

// What Exchange Online says.
var (
	errBasic  = smtpError(535, smtp.EnhancedCode{5, 7, 139}, "Authentication unsuccessful, basic authentication is disabled.")
	errTenant = smtpError(535, smtp.EnhancedCode{5, 7, 139}, "Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. "+
		"Visit https://aka.ms/smtp_auth_disabled for more information.")
	errThreads   = smtpError(432, smtp.EnhancedCode{4, 3, 2}, "STOREDRV.ClientSubmit; sender thread limit exceeded")
	errToken     = smtpError(535, smtp.EnhancedCode{5, 7, 3}, "Authentication unsuccessful")
	errAnonymous = smtpError(530, smtp.EnhancedCode{5, 7, 57}, "Client not authenticated to send mail.")
)

// basicOff is when SMTP AUTH with a password is off by default in every tenant, at the
// end of December 2026 (contracts-2026-11.md 1.4). The tenants here have it off before,
// by an authentication policy, and an administrator who switches it on again is not
// played.
var basicOff = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

// maxThreads are the messages of one mailbox that are taken at the same time.
const maxThreads = 3

// AuthMechanisms offers LOGIN too, as Exchange Online does, to refuse it.
func (s *submission) AuthMechanisms() []string { return []string{sasl.Login, mechanism} }

// Auth begins an authentication. A password is refused before it is sent.
func (s *submission) Auth(mech string) (sasl.Server, error) {
	if mech != mechanism {
		if !s.m.world.Clock.Now().Before(basicOff) {
			return nil, errTenant
		}
		return nil, errBasic
	}
	return &xoauth2{func(user, token string) error {
		a, err := s.m.authenticate(user, token, "SMTP.Send", "SMTP.SendAsApp")
		if err != nil {
			return errToken
		}
		s.who = a
		return nil
	}}, nil
}

// Mail begins a message.
func (s *submission) Mail(from string, _ *smtp.MailOptions) error {
	if s.who == nil {
		return errAnonymous
	}
	s.from = from
	return nil
}

// Rcpt adds a recipient.
func (s *submission) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.who == nil {
		return errAnonymous
	}
	if len(to) > 320 || strings.Count(to, "@") != 1 {
		return smtpError(501, smtp.EnhancedCode{5, 1, 3}, "Invalid address")
	}
	s.to = append(s.to, to)
	return nil
}

// Data takes the message. Who sends as another is refused at its end.
func (s *submission) Data(r io.Reader) error {
	if s.who == nil {
		return errAnonymous
	}
	done, ok := s.m.thread(s.who)
	if !ok {
		return errThreads
	}
	defer done()
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	as, err := writer(raw)
	if err != nil {
		return smtpError(554, smtp.EnhancedCode{5, 6, 0}, "Invalid message content")
	}
	for _, address := range []string{s.from, as} {
		if !s.who.owns(address) {
			return smtpError(554, smtp.EnhancedCode{5, 2, 252}, "SendAsDenied; "+s.who.addresses[0]+" not allowed to send as "+clean(address)+
				"; STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied")
		}
	}
	s.m.deliver(s.who, s.to, raw)
	return nil
}

// thread counts a message of a mailbox that is being taken; false where there are too
// many.
func (m *Mail) thread(a *account) (done func(), ok bool) {
	key := a.tenant + "/" + a.user
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.threads[key] >= maxThreads {
		return nil, false
	}
	m.threads[key]++
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.threads[key]--; m.threads[key] == 0 {
			delete(m.threads, key)
		}
	}, true
}

// writer is the address of the From header.
func writer(raw []byte) (string, error) {
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return "", err
	}
	list, err := msg.Header.AddressList("From")
	if err != nil {
		return "", err
	}
	if len(list) != 1 {
		return "", errors.New("mail: not one writer")
	}
	return list[0].Address, nil
}

// Reset forgets the message, not who sends.
func (s *submission) Reset() { s.from, s.to = "", nil }

// Logout ends.
func (s *submission) Logout() error { return nil }
