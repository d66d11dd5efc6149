package mail

import (
	"bytes"
	"errors"
	"io"
	"net/mail"
	"strings"

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
	errBasic     = smtpError(535, smtp.EnhancedCode{5, 7, 139}, "Authentication unsuccessful, basic authentication is disabled.")
	errToken     = smtpError(535, smtp.EnhancedCode{5, 7, 3}, "Authentication unsuccessful")
	errAnonymous = smtpError(530, smtp.EnhancedCode{5, 7, 57}, "Client not authenticated to send mail.")
)

// AuthMechanisms offers LOGIN too, as Exchange Online does, to refuse it.
func (s *submission) AuthMechanisms() []string { return []string{sasl.Login, mechanism} }

// Auth begins an authentication. A password is refused before it is sent.
func (s *submission) Auth(mech string) (sasl.Server, error) {
	if mech != mechanism {
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
