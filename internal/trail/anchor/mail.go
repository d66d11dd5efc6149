package anchor

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/notify/mailer"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/trail"
)

// MailOptions say where checkpoints are mailed to, and how.
type MailOptions struct {
	// Server is smtp://host:587 (STARTTLS is required), smtps://host:465 (TLS from
	// the start), or smtp+plain://127.0.0.1:25, on this machine alone.
	Server string
	From   string   // an address without a name
	To     []string // likewise; at most mailer.MaxTo
	User   string   // "" signs in nowhere
	// Secret gives the user's password, each time it is needed.
	Secret func() (secret.Text, error)
	Roots  *x509.CertPool // of the server's certificate; nil is the system's
	Every  time.Duration
}

// Mail sends checkpoints by mail (SMTP), in words and as an attachment. A mailbox
// cannot be asked what it holds: what somebody saved of it is compared by
// [Checkpoints].
type Mail struct {
	o      MailOptions
	server *mailer.Server
}

// NewMail names a server and who gets the mail. Addresses that would change a
// header are refused.
func NewMail(o MailOptions) (*Mail, error) {
	to := mailer.Options{Server: o.Server, User: o.User, Roots: o.Roots}
	if o.Secret != nil {
		to.Secret = func(context.Context) (secret.Text, error) { return o.Secret() }
	}
	s, err := mailer.New(to)
	if err == nil {
		err = mailer.Addresses(o.From, o.To)
	}
	if err != nil {
		return nil, err
	}
	return &Mail{o, s}, nil
}

// Name is mail: with the server and who gets it.
func (m *Mail) Name() string { return "mail:" + m.server.String() + " to " + strings.Join(m.o.To, ",") }

// Every is how often it gets a checkpoint.
func (m *Mail) Every() time.Duration { return m.o.Every }

// Send mails the checkpoint to everybody at once. nil means that the server took
// it for all of them. What a server says is never repeated: it has seen the
// password.
func (m *Mail) Send(ctx context.Context, s *trail.Sending) ([]byte, error) {
	msg, err := m.write(s)
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the mail could not be written")
	}
	return nil, m.server.Send(ctx, msg)
}

// write makes the mail: words for a person, and the signed note as it is.
func (m *Mail) write(s *trail.Sending) (*mail.Msg, error) {
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := msg.From(m.o.From); err != nil {
		return nil, err
	}
	if err := msg.To(m.o.To...); err != nil {
		return nil, err
	}
	root := base64.StdEncoding.EncodeToString(s.Checkpoint.Root[:])
	msg.Subject(fmt.Sprintf("Checkpoint of the audit trail: %d entries", s.Size))
	msg.SetDateWithValue(s.At)
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(mail.TypeTextPlain, fmt.Sprintf(`This is a checkpoint of an audit trail that Partnerguard keeps.

Trail    %s
Entries  %d
Root     %s
Sent     %s

Please keep this mail. Whoever may write the database of the trail could cut off
its end or write it anew; this mail shows that. To compare, save the mail or its
attachment where partnerguard runs, and say:

    partnerguard trail verify --checkpoint FILE

The attachment is the checkpoint itself, signed by the trail's key.
`, s.Origin, s.Size, root, s.At.UTC().Format(time.RFC3339)))
	return msg, msg.AttachReader(fmt.Sprintf("checkpoint-%d.txt", s.Size), strings.NewReader(string(s.Note)),
		mail.WithFileContentType("text/plain; charset=utf-8"), mail.WithFileEncoding(mail.EncodingB64))
}

// Held says that a mailbox does not show what it holds.
func (m *Mail) Held(context.Context, []note.Verifier, []trail.Kept, func(trail.Mark) error) error {
	return trail.ErrBlind
}
