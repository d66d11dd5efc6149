package mail

import (
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-sasl"
)

func (m *Mail) imapServer(quiet imapserver.Logger) *imapserver.Server {
	return imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &reading{m: m}, nil, nil
		},
		Caps: imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapUIDPlus: {}, imap.CapNamespace: {}, imap.CapUnselect: {}, imap.CapChildren: {}, imap.CapMove: {},
			imap.CapIdle: {}},
		Logger: quiet,
	})
}

// reading is one connection of a client that reads. Its user is nil until it is in:
// the server lets nothing through to it before.
type reading struct {
	*imapmemserver.UserSession
	m *Mail
}

var _ imapserver.SessionSASL = (*reading)(nil)

func imapNo(text string) *imap.Error { return &imap.Error{Type: imap.StatusResponseTypeNo, Text: text} }

// Login refuses basic authentication, as Exchange Online does.
func (r *reading) Login(string, string) error { return imapNo("LOGIN failed.") }

// AuthenticateMechanisms offers XOAUTH2.
func (r *reading) AuthenticateMechanisms() []string { return []string{mechanism} }

// Authenticate begins an authentication.
func (r *reading) Authenticate(mech string) (sasl.Server, error) {
	if mech != mechanism {
		return nil, imapNo("AUTHENTICATE failed.")
	}
	return &xoauth2{func(user, token string) error {
		a, err := r.m.authenticate(user, token, "IMAP.AccessAsUser.All", "IMAP.AccessAsApp")
		if err != nil {
			return imapNo("AUTHENTICATE failed.")
		}
		r.m.mu.Lock()
		defer r.m.mu.Unlock()
		r.UserSession = imapmemserver.NewUserSession(r.m.box(a).user)
		return nil
	}}, nil
}

// Append is refused: a client sends by SMTP, and copies in folders are its own.
func (r *reading) Append(string, imap.LiteralReader, *imap.AppendOptions) (*imap.AppendData, error) {
	return nil, imapNo("APPEND is not part of the partner cloud.")
}

func appendOptions(at time.Time) *imap.AppendOptions { return &imap.AppendOptions{Time: at} }
