package mail

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/ca"
	"partnerguard/internal/partnercloud/world"
)

var start = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

type lab struct {
	*testing.T
	m               *Mail
	keys            *bearer.Keys
	tls             *tls.Config
	smtp, imap, pop string
}

func newLab(t *testing.T) *lab {
	t.Helper()
	w := world.New(1, world.NewClock(func() time.Time { return start }))
	w.Read(func(s *world.State) {
		for _, id := range []string{"t", "o"} {
			tenant := &world.Tenant{ID: id, Name: id, Domains: []string{id + ".example"}}
			for _, n := range []string{"ada", "ben"} {
				tenant.Users.Put(&world.User{ID: n + id, UPN: n + "@" + id + ".example", Mail: n + ".mail@" + id + ".example", Enabled: true})
			}
			tenant.Users.Put(&world.User{ID: "off" + id, UPN: "off@" + id + ".example"})
			s.Put(tenant)
		}
	})
	keys, err := bearer.NewKeys(w.Clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	authority, err := ca.Open("", func() time.Time { return time.Now() })
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{T: t, keys: keys, tls: &tls.Config{RootCAs: authority.Pool(), ServerName: "localhost"}}
	l.m = New(Deps{World: w, Keys: keys, TLS: &tls.Config{GetCertificate: authority.GetCertificate}})
	for at, serve := range map[*string]func(net.Listener) error{&l.smtp: l.m.ServeSMTP, &l.imap: l.m.ServeIMAP, &l.pop: l.m.ServePOP} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		*at = ln.Addr().String()
		go func() {
			if err := serve(ln); !errors.Is(err, net.ErrClosed) {
				t.Errorf("serve: %v", err)
			}
		}()
	}
	t.Cleanup(func() { _ = l.m.Close() })
	return l
}

// token is ada's, of her own tenant, unless change says something else.
func (l *lab) token(change func(*bearer.Claims)) string {
	l.Helper()
	c := &bearer.Claims{Audience: "https://outlook.office365.com", TenantID: "t", ObjectID: "adat", UPN: "ada@t.example", IDType: "user",
		Scope: "SMTP.Send IMAP.AccessAsUser.All POP.AccessAsUser.All", IssuedAt: start.Unix(), NotBefore: start.Unix(), Expires: start.Add(time.Hour).Unix()}
	if change != nil {
		change(c)
	}
	v, err := l.keys.Sign(c)
	if err != nil {
		l.Fatal(err)
	}
	return v
}

func appOnly(roles ...string) func(*bearer.Claims) {
	return func(c *bearer.Claims) { c.Scope, c.UPN, c.IDType, c.ObjectID, c.Roles = "", "", "app", "sp", roles }
}

func response(user, token string) []byte {
	return []byte("user=" + user + "\x01auth=Bearer " + token + "\x01\x01")
}

// oauth is the client's half of XOAUTH2.
type oauth struct{ user, token string }

func (o oauth) Start() (string, []byte, error) { return mechanism, response(o.user, o.token), nil }
func (o oauth) Next([]byte) ([]byte, error)    { return nil, errors.New("unexpected challenge") }

func (l *lab) send(auth sasl.Client, from, head string, to ...string) error {
	l.Helper()
	conn, err := net.Dial("tcp", l.smtp)
	if err != nil {
		l.Fatal(err)
	}
	c, err := smtp.NewClientStartTLS(conn, l.tls)
	if err != nil {
		l.Fatal(err)
	}
	defer c.Close()
	if auth != nil {
		if err := c.Auth(auth); err != nil {
			return err
		}
	}
	return c.SendMail(from, to, strings.NewReader("From: <"+head+">\r\nTo: someone\r\nSubject: Hello\r\n\r\n.dot\r\nA line.\r\n"))
}

func (l *lab) inbox(auth sasl.Client) ([]string, error) {
	l.Helper()
	c, err := imapclient.DialTLS(l.imap, &imapclient.Options{TLSConfig: l.tls})
	if err != nil {
		l.Fatal(err)
	}
	defer c.Close()
	if err := c.Authenticate(auth); err != nil {
		return nil, err
	}
	box, err := c.Select("INBOX", nil).Wait()
	if err != nil || box.NumMessages == 0 {
		return nil, err
	}
	var set imap.SeqSet
	set.AddRange(1, box.NumMessages)
	section := &imap.FetchItemBodySection{}
	list, err := c.Fetch(set, &imap.FetchOptions{Envelope: true, BodySection: []*imap.FetchItemBodySection{section}}).Collect()
	var out []string
	for _, m := range list {
		out = append(out, m.Envelope.Subject+"\n"+string(m.FindBodySection(section)))
	}
	return out, err
}

// popped runs POP3 commands; each answer is its first line, or all of them.
func (l *lab) popped(commands ...string) (out []string) {
	l.Helper()
	c, err := tls.Dial("tcp", l.pop, l.tls)
	if err != nil {
		l.Fatal(err)
	}
	defer c.Close()
	in := bufio.NewReader(c)
	line := func() string { s, _ := in.ReadString('\n'); return strings.TrimRight(s, "\r\n") }
	line()
	for _, command := range commands {
		fmt.Fprintf(c, "%s\r\n", command)
		answer := line()
		if word, _, _ := strings.Cut(command, " "); strings.HasPrefix(answer, "+OK") && slices.Contains([]string{"RETR", "TOP", "CAPA"}, word) {
			for s := line(); s != "."; s = line() {
				answer += "\n" + s
			}
		}
		out = append(out, answer)
	}
	return out
}

// One message goes out by SMTP and is read by IMAP and by POP3.
func TestSendAndRead(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada := oauth{"ada@t.example", l.token(nil)}
	if err := l.send(ada, "ada@t.example", "ada.mail@t.example", "ben@t.example", "ada@o.example"); err != nil {
		t.Fatal(err)
	}
	ben := oauth{"ben@t.example", l.token(func(c *bearer.Claims) { c.ObjectID, c.UPN = "bent", "ben@t.example" })}
	got, err := l.inbox(ben)
	if err != nil || len(got) != 1 || !strings.HasPrefix(got[0], "Hello\n") || !strings.HasSuffix(got[0], "\r\n.dot\r\nA line.\r\n") {
		t.Fatalf("%v %q", err, got)
	}
	elsewhere := oauth{"ada.mail@o.example", l.token(func(c *bearer.Claims) { appOnly("IMAP.AccessAsApp")(c); c.TenantID = "o" })}
	if got, err := l.inbox(elsewhere); err != nil || len(got) != 1 {
		t.Fatalf("another tenant, as an app: %v %q", err, got)
	}
	auth := "AUTH XOAUTH2 " + base64.StdEncoding.EncodeToString(response(ben.user, ben.token))
	pop := l.popped("CAPA", auth, "STAT", "LIST 1", "TOP 1 1", "RETR 1", "DELE 1", "RETR 2", "QUIT")
	if pop[1] != "+OK User successfully authenticated." || !strings.HasPrefix(pop[2], "+OK 1 ") || !strings.HasSuffix(pop[4], "\n\n..dot") ||
		!strings.Contains(pop[5], "\nSubject: Hello\n\n..dot\nA line.") || !strings.HasPrefix(pop[6], "-ERR") || !strings.HasPrefix(pop[7], "-ERR") {
		t.Fatalf("%q", pop)
	}
	two := l.popped("AUTH XOAUTH2", strings.TrimPrefix(auth, "AUTH XOAUTH2 "))
	if two[0] != "+ " || two[1] != "+OK User successfully authenticated." {
		t.Fatalf("the token on a line of its own: %q", two)
	}
	// To nobody here: it comes back.
	if err := l.send(ada, "ada@t.example", "ada@t.example", "off@t.example", "someone@example.org"); err != nil {
		t.Fatal(err)
	}
	if got, err := l.inbox(ada); err != nil || len(got) != 1 || !strings.HasPrefix(got[0], "Undeliverable: Hello") ||
		!strings.Contains(got[0], "someone@example.org") || !strings.Contains(got[0], "off@t.example") {
		t.Fatalf("%v %q", err, got)
	}
}

// Whoever is refused is refused in each protocol as Exchange Online refuses.
func TestRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for name, who := range map[string]oauth{
		"garbage":             {"ada@t.example", "x.y.z"},
		"for Graph":           {"ada@t.example", l.token(func(c *bearer.Claims) { c.Audience = "https://graph.microsoft.com" })},
		"expired":             {"ada@t.example", l.token(func(c *bearer.Claims) { c.Expires = start.Unix() })},
		"without a scope":     {"ada@t.example", l.token(func(c *bearer.Claims) { c.Scope = "Exchange.Manage" })},
		"another's mailbox":   {"ben@t.example", l.token(nil)},
		"of another tenant":   {"ada@o.example", l.token(nil)},
		"no mailbox":          {"nobody@t.example", l.token(nil)},
		"switched off":        {"off@t.example", l.token(func(c *bearer.Claims) { c.ObjectID, c.UPN = "offt", "off@t.example" })},
		"on behalf":           {"ada@t.example", l.token(func(c *bearer.Claims) { c.HomeTenant = "o" })},
		"an app without":      {"ada@t.example", l.token(appOnly("Mail.Read"))},
		"an app's user scope": {"ada@t.example", l.token(appOnly("SMTP.Send", "IMAP.AccessAsUser.All", "POP.AccessAsUser.All"))},
	} {
		err := l.send(who, "ada@t.example", "ada@t.example", "ben@t.example")
		if e := new(smtp.SMTPError); !errors.As(err, &e) || e.Code != 535 || e.EnhancedCode != (smtp.EnhancedCode{5, 7, 3}) {
			t.Errorf("%s: SMTP %v", name, err)
		}
		if _, err := l.inbox(who); err == nil || !strings.Contains(err.Error(), "AUTHENTICATE failed.") {
			t.Errorf("%s: IMAP %v", name, err)
		}
		pop := l.popped("AUTH XOAUTH2 "+base64.StdEncoding.EncodeToString(response(who.user, who.token)), "STAT")
		if pop[0] != popRefused || !strings.HasPrefix(pop[1], "-ERR") {
			t.Errorf("%s: POP %q", name, pop)
		}
	}
}

// A password is refused before it is read.
func TestBasicIsOff(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	err := l.send(sasl.NewLoginClient("ada@t.example", "secret"), "ada@t.example", "ada@t.example", "ben@t.example")
	if e := new(smtp.SMTPError); !errors.As(err, &e) || e.Code != 535 || e.EnhancedCode != (smtp.EnhancedCode{5, 7, 139}) ||
		!strings.Contains(e.Message, "basic authentication is disabled") {
		t.Errorf("SMTP: %v", err)
	}
	c, err := imapclient.DialTLS(l.imap, &imapclient.Options{TLSConfig: l.tls})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Login("ada@t.example", "secret").Wait(); err == nil || !strings.Contains(err.Error(), "LOGIN failed.") {
		t.Errorf("IMAP: %v", err)
	}
	if caps := c.Caps(); !caps.Has("AUTH=XOAUTH2") || caps.Has("AUTH=PLAIN") {
		t.Errorf("IMAP: %v", caps)
	}
	if pop := l.popped("USER ada@t.example", "PASS secret", "AUTH PLAIN AGEAYg=="); pop[0] != popBasic || pop[1] != popBasic || pop[2] != popBasic {
		t.Errorf("POP: %q", pop)
	}
	if err := l.send(nil, "ada@t.example", "ada@t.example", "ben@t.example"); err == nil || !strings.Contains(err.Error(), "not authenticated") {
		t.Errorf("nobody: %v", err)
	}
	ada := oauth{"ada@t.example", l.token(nil)}
	for name, x := range map[string][2]string{"envelope": {"ben@t.example", "ada@t.example"}, "header": {"ada@t.example", "ben@t.example"},
		"both": {"ada@o.example", "ada@o.example"}, "no writer": {"ada@t.example", ""}} {
		if err := l.send(ada, x[0], x[1], "ben@t.example"); err == nil || name != "no writer" && !strings.Contains(err.Error(), "SendAsDenied") {
			t.Errorf("%s: sent as another: %v", name, err)
		}
	}
	// Without TLS nobody is let in.
	conn, err := net.Dial("tcp", l.smtp)
	if err != nil {
		t.Fatal(err)
	}
	plain := smtp.NewClient(conn)
	defer plain.Close()
	if err := plain.Auth(ada); err == nil {
		t.Error("a token was taken without TLS")
	}
}

// Hostile lines are answered or end the connection; the service lives.
func TestHostile(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	long := strings.Repeat("A", 2*maxLine)
	for _, lines := range [][]string{{long}, {"AUTH XOAUTH2", "*"}, {"AUTH XOAUTH2", long}, {"AUTH XOAUTH2 !!!"}, {"RETR -1"}, {"TOP 1"}, {"\x00\xff"}, {""},
		{"AUTH"},
		{"UIDL 99999999999999999999"}} {
		_ = l.popped(lines...)
	}
	for _, at := range []string{l.smtp, l.imap} {
		for _, text := range []string{long + "\r\n", "\x00\r\n", "a AUTHENTICATE XOAUTH2 " + long + "\r\n", "AUTH XOAUTH2 =\r\nDATA\r\n", "a SELECT INBOX\r\n",
			"a APPEND INBOX {99999999999}\r\n"} {
			conn, err := net.Dial("tcp", at)
			if err != nil {
				t.Fatal(err)
			}
			if at == l.imap {
				conn = tls.Client(conn, l.tls)
			}
			_ = conn.SetDeadline(time.Now().Add(300 * time.Millisecond))
			_, _ = conn.Write([]byte(text))
			_, _ = io.Copy(io.Discard, io.LimitReader(conn, 1<<20))
			_ = conn.Close()
		}
	}
	ada := oauth{"ada@t.example", l.token(nil)}
	if err := l.send(ada, "ada@t.example", "ada@t.example", "ben@t.example"); err != nil {
		t.Fatalf("after all that: %v", err)
	}
	// An inbox that is full takes no more.
	ben := &account{"t", "bent", []string{"ben@t.example"}}
	for l.m.put(ben, []byte("Subject: x\r\n\r\n")) == nil {
	}
	if n := len(l.m.box(ben).messages); n != maxPerBox {
		t.Errorf("%d messages", n)
	}
}

func FuzzParseXOAUTH2(f *testing.F) {
	f.Add(response("ada@t.example", "a.b.c"))
	f.Add([]byte("user=a\x01auth=Bearer \x01\x01"))
	f.Add([]byte("n,a=u,\x01auth=Bearer x\x01\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		user, token, err := parseXOAUTH2(b)
		if (err == nil) != (user != "" && token != "") {
			t.Fatalf("%q: %q %q %v", b, user, token, err)
		}
		if err == nil && !bytes.EqualFold(response(user, token), b) {
			t.Fatalf("%q is not %q", b, response(user, token))
		}
	})
}
