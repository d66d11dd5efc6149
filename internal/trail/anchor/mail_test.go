package anchor_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/notify/mailer"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/trail"
	"partnerguard/internal/trail/anchor"
)

const password = "correct horse battery"

// certified is a certificate for 127.0.0.1 and the pool that it verifies by.
func certified(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	t.Cleanup(s.Close)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates}, pool
}

// postbox is a mail server (github.com/emersion/go-smtp) that keeps what it is
// given.
type postbox struct {
	mu     sync.Mutex
	mails  []string
	from   string
	to     []string
	signed string // the mechanism
	login  bool   // offers LOGIN alone
}

func (p *postbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &visit{p: p}, nil }

type visit struct {
	p  *postbox
	in bool
}

func (v *visit) AuthMechanisms() []string {
	if v.p.login {
		return []string{"LOGIN"}
	}
	return []string{sasl.Plain}
}

func (v *visit) check(user, pass, mech string) error {
	if user != "guard" || pass != password {
		return errors.New("no")
	}
	v.p.mu.Lock()
	defer v.p.mu.Unlock()
	v.in, v.p.signed = true, mech
	return nil
}

func (v *visit) Auth(mech string) (sasl.Server, error) {
	if mech == "LOGIN" {
		return &loginServer{v: v}, nil
	}
	return sasl.NewPlainServer(func(_, user, pass string) error { return v.check(user, pass, mech) }), nil
}

type loginServer struct {
	v    *visit
	said []string
}

func (l *loginServer) Next(answer []byte) ([]byte, bool, error) {
	if answer != nil {
		l.said = append(l.said, string(answer))
	}
	switch len(l.said) {
	case 0:
		return []byte("Username:"), false, nil
	case 1:
		return []byte("Password:"), false, nil
	}
	return nil, true, l.v.check(l.said[0], l.said[1], "LOGIN")
}

func (v *visit) Mail(from string, _ *smtp.MailOptions) error { v.p.from = from; return nil }
func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "nobody") {
		return &smtp.SMTPError{Code: 550, Message: password}
	}
	v.p.to = append(v.p.to, to)
	return nil
}
func (v *visit) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	v.p.mu.Lock()
	defer v.p.mu.Unlock()
	v.p.mails = append(v.p.mails, string(raw))
	return err
}
func (*visit) Reset()        {}
func (*visit) Logout() error { return nil }

func (p *postbox) serve(t *testing.T, conf *tls.Config, implicit bool) string {
	t.Helper()
	s := smtp.NewServer(p)
	s.TLSConfig, s.Domain, s.ErrorLog = conf, "127.0.0.1", log.New(io.Discard, "", 0)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if implicit {
		l = tls.NewListener(l, conf)
	}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return address
}

func mailTo(t *testing.T, o anchor.MailOptions) *anchor.Mail {
	t.Helper()
	if o.From == "" {
		o.From = "guard@contoso.example"
	}
	if o.To == nil {
		o.To = []string{"auditors@contoso.example", "second@contoso.example"}
	}
	if o.User != "" && o.Secret == nil {
		o.Secret = func() (secret.Text, error) { return secret.New(password), nil }
	}
	m, err := anchor.NewMail(o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A checkpoint comes as a mail that a person can read, over TLS from the start, by
// STARTTLS, or plain on this machine; saved whole or as the attachment it is
// compared as it is.
func TestMail(t *testing.T) {
	t.Parallel()
	conf, pool := certified(t)
	for name, c := range map[string]struct {
		kind, user string
		login      bool
	}{
		"starttls":                  {"smtp", "", false},
		"starttls, signed in":       {"smtp", "guard", false},
		"tls, signed in":            {"smtps", "guard", false},
		"tls, signed in with LOGIN": {"smtps", "guard", true},
		"plain on this machine":     {"smtp+plain", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := build(t, dbtest.SQLite(t))
			p := &postbox{login: c.login}
			with := conf
			if c.kind == "smtp+plain" {
				with = nil
			}
			a := mailTo(t, anchor.MailOptions{Server: c.kind + "://" + p.serve(t, with, c.kind == "smtps"), User: c.user, Roots: pool})
			if st := h.send(a)[0]; !st.Failing.IsZero() || st.Size == 0 {
				t.Fatalf("%+v", st)
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			if len(p.mails) != 1 || p.from != "guard@contoso.example" || len(p.to) != 2 || (p.signed != "") != (c.user != "") || c.login &&
				p.signed != "LOGIN" {
				t.Fatalf("%+v", p)
			}
			for _, words := range []string{"To: ", "Auto-Submitted: auto-generated", "trail verify --checkpoint FILE", "Entries  6", "attachment"} {
				if !strings.Contains(p.mails[0], words) {
					t.Errorf("the mail has no %q:\n%s", words, p.mails[0])
				}
			}
			h.record(4)
			for how, text := range map[string]string{
				"whole": p.mails[0], "with other line ends": strings.ReplaceAll(p.mails[0], "\r\n", "\n"),
				"as a mailbox keeps it": "From guard@contoso.example Sun Nov 22 12:00:00 2026\r\n" + p.mails[0],
				"forwarded":             forwarded(p.mails[0]), "the attachment": attachment(t, p.mails[0]),
				"the attachment, with other line ends": strings.ReplaceAll(attachment(t, p.mails[0]), "\n", "\r\n"),
			} {
				if r := h.verify(kept{text}); r.Err() != nil || r.Anchors[0].Marks != 1 || r.Anchors[0].Size != 6 {
					t.Errorf("%s: %+v", how, r)
				}
			}
			if r := h.verify(a); r.Err() != nil || !strings.Contains(r.Anchors[0].Unsaid, "--checkpoint") {
				t.Errorf("%+v", r)
			}
		})
	}
}

func forwarded(s string) string {
	return "From: a@b.example\r\nSubject: Fwd\r\nContent-Type: multipart/mixed; boundary=xyz\r\n\r\n" +
		"--xyz\r\n\r\nlook\r\n--xyz\r\nContent-Type: message/rfc822\r\n\r\n" +
		s + "\r\n--xyz--\r\n"
}

// attachment is what a mail program saves.
func attachment(t *testing.T, s string) (text string) {
	t.Helper()
	err := anchor.SavedNotes([]byte(s), func(n []byte) { text = string(n) })
	if err != nil || text == "" {
		t.Fatalf("no attachment: %v", err)
	}
	return text
}

// What a hand in the database does is told by a mail that somebody saved.
func TestThiefAgainstMail(t *testing.T) {
	t.Parallel()
	conf, pool := certified(t)
	for name, c := range map[string]struct {
		do    func(h *house)
		words string
	}{
		"the tail cut with head": {func(h *house) { h.rewrite(4, 0) }, "cut off"},
		"all written anew":       {func(h *house) { h.rewrite(0, 30) }, "does not fit"},
		"emptied":                {func(h *house) { h.rewrite(0, 0) }, "cut off"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := build(t, dbtest.SQLite(t))
			p := &postbox{}
			h.send(mailTo(t, anchor.MailOptions{Server: "smtps://" + p.serve(t, conf, true), Roots: pool}))
			c.do(h)
			if r := h.verify(kept{p.mails[0]}); !errors.Is(r.Err(), problem.Unmet) || !strings.Contains(r.Err().Error(), c.words) {
				t.Errorf("%+v", r)
			}
		})
	}
}

// script answers each line it is sent with the next of its own.
func script(t *testing.T, conf *tls.Config, lines ...string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if conf != nil {
					c = tls.Server(c, conf)
				}
				r := bufio.NewReader(c)
				for i, s := range lines {
					if s == "endless" {
						for {
							if _, err := io.WriteString(c, strings.Repeat("250-x", 4096)); err != nil {
								return
							}
						}
					}
					if s == "cut" {
						return
					}
					if s == "hang" {
						_, _ = io.Copy(io.Discard, r)
						return
					}
					if _, err := io.WriteString(c, s+"\r\n"); err != nil {
						return
					}
					if i < len(lines)-1 {
						if _, err := r.ReadString('\n'); err != nil {
							return
						}
					}
				}
				_, _ = io.Copy(io.Discard, r)
			}()
		}
	}()
	return l.Addr().String()
}

// A mail server that is none, or hostile, is a gap within bounds; and neither the
// password nor the server's own words come into what is said.
func TestHostileMailServers(t *testing.T) {
	t.Parallel()
	conf, pool := certified(t)
	echo := "AUTH PLAIN " + password
	hello := []string{"220 hello", "250-127.0.0.1\r\n250 AUTH PLAIN LOGIN SCRAM-SHA-256"}
	in := append(hello[:2:2], "334 ", "535 "+echo, "500 no", "500 no")
	for name, c := range map[string]struct {
		lines []string
		plain bool // no TLS
		other bool // another certificate
		words string
	}{
		"refuses to greet":         {[]string{"554 " + echo}, false, false, "does not answer"},
		"hangs":                    {[]string{"hang"}, false, false, "in time"},
		"hangs later":              {[]string{"220 hello", "hang"}, false, false, "in time"},
		"cuts":                     {[]string{"cut"}, false, false, "does not answer"},
		"cuts later":               {[]string{"220 hello", "cut"}, false, false, "does not answer"},
		"an endless line":          {[]string{"endless"}, false, false, "does not answer"},
		"endless extensions":       {[]string{"220 hello", "endless"}, false, false, "does not answer"},
		"speaks something else":    {[]string{"HTTP/1.1 400 Bad Request"}, false, false, "does not answer"},
		"no STARTTLS":              {append(hello, "250 ok"), true, false, "offers no STARTTLS"},
		"STARTTLS refused":         {[]string{"220 hello", "250-x\r\n250 STARTTLS", "454 " + echo}, true, false, "the mail server"},
		"STARTTLS, and talks on":   {[]string{"220 hello", "250-x\r\n250 STARTTLS", "220 go\r\n250 injected", "hang"}, true, false, "the mail server"},
		"another certificate":      {hello, false, true, "does not verify"},
		"does not take the user":   {in, false, false, "user and the password"},
		"no way to sign in":        {[]string{"220 hello", "250 x"}, false, false, "no way to sign in"},
		"only a strange way":       {[]string{"220 hello", "250-x\r\n250 AUTH GSSAPI"}, false, false, "no way to sign in"},
		"SCRAM without an end":     {append(hello[:2:2], "334 !!", "334 !!", "334 !!"), false, false, "the mail server"},
		"does not take the sender": {append(hello[:2:2], "235 in", "550 "+echo), false, false, "the mail server"},
		"does not take the mail": {[]string{"220 hello", "250-x\r\n250 AUTH PLAIN", "235 in", "250 ok", "250 ok", "250 ok", "554 " + echo, "250 ok"},
			false, false, "did not take the mail (554)"},
		"a status that is no number": {[]string{"2x0 hello"}, false, false, "does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kind, serves, roots := "smtps", conf, pool
			if c.plain {
				kind, serves = "smtp", nil
			}
			if c.other {
				roots = x509.NewCertPool()
			}
			a := mailTo(t, anchor.MailOptions{Server: kind + "://" + script(t, serves, c.lines...), User: "guard", Roots: roots})
			ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
			defer stop()
			begun := time.Now()
			_, err := a.Send(ctx, aSending(t))
			if !errors.Is(err, problem.BadInput) || !strings.Contains(err.Error(), c.words) {
				t.Errorf("%v; want %q", err, c.words)
			}
			silent(t, err, password, "horse", "AUTH PLAIN")
			if d := time.Since(begun); d > 15*time.Second {
				t.Errorf("it took %s", d)
			}
		})
	}
	t.Run("does not take a recipient", func(t *testing.T) {
		t.Parallel()
		p := &postbox{}
		a := mailTo(t, anchor.MailOptions{Server: "smtps://" + p.serve(t, conf, true), Roots: pool,
			To: []string{"auditors@contoso.example", "nobody@contoso.example"}})
		_, err := a.Send(t.Context(), aSending(t))
		if !errors.Is(err, problem.BadInput) || !strings.Contains(err.Error(), "a recipient (550)") {
			t.Errorf("%v", err)
		}
		silent(t, err, password)
	})
}

// silent says that nothing of an error, however it is looked at, has a secret.
func silent(t *testing.T, err error, secrets ...string) {
	t.Helper()
	for e := range everyError(err) {
		for _, text := range []string{e.Error(), fmt.Sprintf("%+v", e), fmt.Sprintf("%#v", e)} {
			for _, s := range secrets {
				if strings.Contains(text, s) {
					t.Errorf("a secret is in %s", text)
				}
			}
		}
	}
}

func everyError(err error) func(func(error) bool) {
	return func(yield func(error) bool) {
		for todo := []error{err}; len(todo) > 0; todo = todo[1:] {
			if todo[0] == nil {
				continue
			}
			if !yield(todo[0]) {
				return
			}
			switch u := todo[0].(type) {
			case interface{ Unwrap() error }:
				todo = append(todo, u.Unwrap())
			case interface{ Unwrap() []error }:
				todo = append(todo, u.Unwrap()...)
			}
		}
	}
}

// aSending is a checkpoint of nothing in particular.
func aSending(t testing.TB) *trail.Sending {
	t.Helper()
	const o = "partnerguard/trail/0123"
	key, vkey, err := note.GenerateKey(nil, o)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := note.Sign(&note.Note{Text: o + "\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"}, signer)
	if err != nil {
		t.Fatal(err)
	}
	return &trail.Sending{Checkpoint: trail.Checkpoint{Origin: o, Size: 7}, Note: raw, By: v, At: time.Now(),
		Root: func(int64) (trail.Hash, error) { return trail.Hash{}, nil }, Prove: func(int64) ([]trail.Hash, error) { return nil, nil }}
}

func TestMailSettings(t *testing.T) {
	t.Parallel()
	for _, a := range []string{"", "x", "a@b.example\r\nBcc: c@d.example", "a@b.example\nX: y", "a@b.example, c@d.example", "A <a@b.example>", "<a@b.example>",
		"a b@c.example", "a@b.example ", "a@b.example\x00", "ä@b.example", `"a\r\n"@b.example`, "a@b.example;c@d.example", "a@[127.0.0.1]",
		"group:a@b.example;",
		"a@b.example%0d%0aX:y" + strings.Repeat("y", 300), "a@b.example(x)", "@b.example", "a@", "a@@b.example"} {
		if err := mailer.Address(a); !errors.Is(err, problem.Usage) {
			t.Errorf("%q was taken: %v", a, err)
		}
	}
	for _, a := range []string{"a@b.example", "first.last+trail@sub.contoso.example", "o'neil@b.example"} {
		if err := mailer.Address(a); err != nil {
			t.Errorf("%q: %v", a, err)
		}
	}
	read := func() (secret.Text, error) { return secret.New(password), nil }
	for name, o := range map[string]anchor.MailOptions{
		"plain to elsewhere":           {Server: "smtp+plain://mail.contoso.example:25"},
		"a password in the address":    {Server: "smtps://u:" + password[:7] + "@mail.contoso.example"},
		"a password without TLS":       {Server: "smtp+plain://127.0.0.1", User: "u", Secret: read},
		"a user without a password":    {Server: "smtps://mail.contoso.example", User: "u"},
		"a password without a user":    {Server: "smtps://mail.contoso.example", Secret: read},
		"a user with a line":           {Server: "smtps://mail.contoso.example", User: "u\r\nRCPT TO:<x@y>", Secret: read},
		"no server":                    {Server: "smtps://"},
		"another scheme":               {Server: "https://mail.contoso.example"},
		"a path":                       {Server: "smtps://mail.contoso.example/x"},
		"a port that is none":          {Server: "smtps://mail.contoso.example:99999"},
		"nobody":                       {Server: "smtps://mail.contoso.example", To: []string{}},
		"too many":                     {Server: "smtps://mail.contoso.example", To: make([]string, 17)},
		"a recipient that is a header": {Server: "smtps://mail.contoso.example", To: []string{"a@b.example\r\nBcc: x@y.example"}},
		"a sender that is a header":    {Server: "smtps://mail.contoso.example", From: "a@b.example\r\nBcc: x@y.example"},
	} {
		if o.From == "" {
			o.From = "a@b.example"
		}
		if o.To == nil {
			o.To = []string{"c@b.example"}
		}
		_, err := anchor.NewMail(o)
		if !errors.Is(err, problem.Usage) {
			t.Errorf("%s: %v", name, err)
		}
		silent(t, err, password[:7])
	}
}

func FuzzSavedMail(f *testing.F) {
	s := aSending(f)
	f.Add([]byte("From: a@b\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--x--\r\n"))
	f.Add([]byte("From a\nFrom: a@b\n\n" + string(s.Note)))
	f.Add([]byte(forwarded("Content-Transfer-Encoding: quoted-printable\r\n\r\no=0A")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		notes := 0
		_ = anchor.SavedNotes(raw, func(n []byte) {
			if _, err := trail.PeekNote(n); err != nil {
				t.Errorf("no note: %q", n)
			}
			notes++
		})
		if notes > 33 {
			t.Errorf("%d notes", notes)
		}
	})
}
