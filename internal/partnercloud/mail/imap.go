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
	m   *Mail
	box *box
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
		r.box = r.m.box(a)
		r.UserSession = imapmemserver.NewUserSession(r.box.user)
		return nil
	}}, nil
}

// Append is refused: a client sends by SMTP, and copies in folders are its own.
func (r *reading) Append(string, imap.LiteralReader, *imap.AppendOptions) (*imap.AppendData, error) {
	return nil, imapNo("APPEND is not part of the partner cloud.")
}

// Copy copies into a folder that is not full. Without a bound a client doubles a folder
// with each command.
func (r *reading) Copy(numbers imap.NumSet, folder string) (*imap.CopyData, error) {
	switch d, err := r.Status(folder, &imap.StatusOptions{NumMessages: true}); {
	case err != nil:
		return nil, err
	case d.NumMessages != nil && *d.NumMessages >= maxPerBox:
		return nil, imapNo("The folder is full.")
	}
	return r.UserSession.Copy(numbers, folder)
}

// Create makes a folder, as long as there are not too many.
func (r *reading) Create(name string, o *imap.CreateOptions) error {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	if r.box.folders >= maxFolders || len(name) > 250 {
		return imapNo("No more folders can be made.")
	}
	err := r.UserSession.Create(name, o)
	if err == nil {
		r.box.folders++
	}
	return err
}

func appendOptions(at time.Time) *imap.AppendOptions { return &imap.AppendOptions{Time: at} }
