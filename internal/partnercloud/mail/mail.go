package mail

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-smtp"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/world"
)

// Deps is everything a Mail needs.
type Deps struct {
	World *world.World // required
	Keys  *bearer.Keys // required
	TLS   *tls.Config  // required
	Log   *slog.Logger // nil discards
}

// Mail is the service. Safe for concurrent use.
type Mail struct {
	world *world.World
	api   bearer.API
	tls   *tls.Config
	log   *slog.Logger
	smtp  *smtp.Server
	imap  *imapserver.Server
	pop   *popServer

	mu    sync.Mutex // guards what follows
	boxes map[string]*box
	held  int // bytes in all boxes
	// threads are the messages of each mailbox that are being taken.
	threads map[string]int
}

// Bounds (ours).
const (
	maxMessage    = 10 << 20
	maxRecipients = 100
	maxPerBox     = 500
	maxFolders    = 100 // that clients make, of a mailbox
	maxHeld       = 256 << 20
	maxLine       = 16 << 10 // of a command; tokens are long
	idle          = 10 * time.Minute
)

// box is the mailbox of one account. POP3 reads the messages, IMAP user.
type box struct {
	user     *imapmemserver.User
	messages [][]byte
	folders  int // made by clients
}

// New makes the service; it does not listen.
func New(d Deps) *Mail {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	m := &Mail{world: d.World, tls: d.TLS, log: d.Log, boxes: map[string]*box{}, threads: map[string]int{},
		api: bearer.API{Keys: d.Keys, World: d.World, Resource: entra.AppExchange}}
	quiet := slog.NewLogLogger(d.Log.Handler(), slog.LevelDebug) // connections that clients give up
	m.smtp = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &submission{m: m}, nil }))
	m.smtp.Domain, m.smtp.TLSConfig, m.smtp.ErrorLog = entra.SMTPHost, d.TLS, quiet
	m.smtp.MaxMessageBytes, m.smtp.MaxRecipients, m.smtp.MaxLineLength = maxMessage, maxRecipients, maxLine
	m.smtp.ReadTimeout, m.smtp.WriteTimeout = idle, idle
	m.imap = m.imapServer(quiet)
	m.pop = &popServer{m: m, conns: map[net.Conn]struct{}{}}
	return m
}

// ServeSMTP answers submissions until Close: plainly at first, with STARTTLS.
func (m *Mail) ServeSMTP(l net.Listener) error { return ended(m.smtp.Serve(l)) }

// ServeIMAP answers IMAP over TLS until Close.
func (m *Mail) ServeIMAP(l net.Listener) error { return ended(m.imap.Serve(tls.NewListener(l, m.tls))) }

// ServePOP answers POP3 over TLS until Close.
func (m *Mail) ServePOP(l net.Listener) error { return ended(m.pop.serve(tls.NewListener(l, m.tls))) }

// ended gives every orderly end of a server one name.
func ended(err error) error {
	if errors.Is(err, smtp.ErrServerClosed) || err == nil {
		return net.ErrClosed
	}
	return err
}

// Close ends listeners and connections at once.
func (m *Mail) Close() error {
	var all []error
	for _, err := range []error{m.smtp.Close(), m.imap.Close(), m.pop.close()} {
		if !errors.Is(err, net.ErrClosed) { // whoever opened a listener may have closed it
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

// account is a mailbox that somebody may use.
type account struct {
	tenant, user string
	addresses    []string // lower case
}

func (a *account) owns(address string) bool {
	for _, v := range a.addresses {
		if strings.EqualFold(v, address) {
			return true
		}
	}
	return false
}

// errDenied is every refusal of a token: what was wrong with it is not told.
var errDenied = errors.New("mail: authentication unsuccessful")

// authenticate opens the mailbox that a client names with a token that has the
// scope, or an app's with the role.
func (m *Mail) authenticate(name, token, scope, role string) (a *account, err error) {
	who, fault := m.api.Check(token)
	if fault != nil {
		return nil, errDenied
	}
	m.world.Read(func(s *world.State) {
		t := s.Tenant(who.Tenant)
		if t == nil {
			return
		}
		found := mailbox(t, name)
		switch {
		case found == nil:
		case who.AppOnly() && !who.HasRole(role):
		case !who.AppOnly() && (who.AOBO || !who.HasScope(scope) || !strings.EqualFold(found.ID, who.ObjectID)):
		default:
			a = accountOf(t, found)
		}
	})
	if a == nil {
		return nil, errDenied
	}
	return a, nil
}

// mailbox finds the account of an address in a tenant; nil where there is none that
// can have mail.
func mailbox(t *world.Tenant, address string) *world.User {
	if u := t.UserByName(address); u != nil {
		if u.Enabled && !u.Guest {
			return u
		}
		return nil
	}
	for u := range t.Users.All() {
		if u.Mail != "" && strings.EqualFold(u.Mail, address) && u.Enabled && !u.Guest {
			return u
		}
	}
	return nil
}

func accountOf(t *world.Tenant, u *world.User) *account {
	a := &account{tenant: t.ID, user: u.ID, addresses: []string{strings.ToLower(u.UPN)}}
	if u.Mail != "" && !strings.EqualFold(u.Mail, u.UPN) {
		a.addresses = append(a.addresses, strings.ToLower(u.Mail))
	}
	return a
}

// box gives an account's mailbox, made when it is first wanted. It is called with
// mu held.
func (m *Mail) box(a *account) *box {
	key := a.tenant + "/" + a.user
	b := m.boxes[key]
	if b == nil {
		b = &box{user: imapmemserver.NewUser(a.addresses[0], world.NewSecret())}
		for _, name := range []string{"INBOX", "Drafts", "Sent Items", "Deleted Items"} {
			if err := b.user.Create(name, nil); err != nil {
				m.log.Error("mailbox", "err", err)
			}
		}
		m.boxes[key] = b
	}
	return b
}

// errFull says that an inbox, or all of them together, hold too much.
var errFull = errors.New("mail: the mailbox is full")

// put lays a message into an inbox.
func (m *Mail) put(a *account, raw []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.box(a)
	if len(b.messages) >= maxPerBox || m.held+len(raw) > maxHeld {
		return errFull
	}
	if _, err := b.user.Append("INBOX", bytes.NewReader(raw), appendOptions(m.world.Clock.Now())); err != nil {
		return fmt.Errorf("mail: the message could not be kept: %w", err)
	}
	b.messages = append(b.messages, raw)
	m.held += len(raw)
	return nil
}

// deliver lays a message into the inboxes of its recipients; who has none, or a full
// one, is named in a message back to the sender.
func (m *Mail) deliver(sender *account, to []string, raw []byte) {
	var lost []string
	for _, address := range to {
		var a *account
		m.world.Read(func(s *world.State) {
			_, domain, _ := strings.Cut(address, "@")
			if t := s.Tenant(domain); domain != "" && t != nil {
				if u := mailbox(t, address); u != nil {
					a = accountOf(t, u)
				}
			}
		})
		if a == nil || m.put(a, raw) != nil {
			lost = append(lost, address)
		}
	}
	if len(lost) == 0 {
		return
	}
	if err := m.put(sender, m.undeliverable(sender, lost, raw)); err != nil {
		m.log.Info("undeliverable", "err", err)
	}
}

// undeliverable is the message about recipients who have no mailbox here.
func (m *Mail) undeliverable(sender *account, lost []string, raw []byte) []byte {
	subject := ""
	if msg, err := mail.ReadMessage(bytes.NewReader(raw)); err == nil {
		subject = clean(msg.Header.Get("Subject"))
	}
	_, domain, _ := strings.Cut(sender.addresses[0], "@")
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: Microsoft Outlook <postmaster@%s>\r\nTo: <%s>\r\nSubject: Undeliverable: %s\r\nDate: %s\r\nMessage-ID: <%s@%s>\r\n"+
		"Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n", domain, sender.addresses[0], subject,
		m.world.Clock.Now().UTC().Format(time.RFC1123Z), world.NewGUID(), domain)
	b.WriteString("Your message could not be delivered. This is a partner cloud: it has mailboxes of its own tenants alone.\r\n\r\n")
	for _, address := range lost {
		fmt.Fprintf(&b, "  550 5.1.10 RESOLVER.ADR.RecipientNotFound; %s\r\n", clean(address))
	}
	return b.Bytes()
}

// clean keeps what a client sent from making lines or filling pages.
func clean(v string) string {
	v = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(v, "?"))
	if len(v) > 200 {
		v = strings.ToValidUTF8(v[:200], "")
	}
	return v
}
