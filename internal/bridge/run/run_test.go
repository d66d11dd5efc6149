package run_test

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"partnerguard/internal/bridge"
)

func fetchAll(c *imapclient.Client) (out []string, err error) {
	box, err := c.Select("INBOX", nil).Wait()
	if err != nil || box.NumMessages == 0 {
		return nil, err
	}
	var set imap.SeqSet
	set.AddRange(1, box.NumMessages)
	section := &imap.FetchItemBodySection{}
	list, err := c.Fetch(set, &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{section}}).Collect()
	for _, m := range list {
		out = append(out, string(m.FindBodySection(section)))
	}
	return out, err
}

func (r *rig) dialSMTP() *smtp.Client {
	r.Helper()
	conn, err := net.Dial("tcp", r.where["smtp"])
	r.must(err)
	c, err := smtp.NewClientStartTLS(conn, r.tls())
	r.must(err)
	r.Cleanup(func() { _ = c.Close() })
	return c
}

func body(from string) string {
	return "From: <" + from + ">\r\nTo: <" + ben + ">\r\nSubject: A scan\r\nMessage-ID: <1@scanner>\r\n\r\nHello.\r\n.dot\r\n"
}

// A scanner sends by SMTP AUTH, which upstream refuses, and the message arrives; it is
// read by IMAP and by POP3 with passwords of other devices.
func TestScanner(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	_, scan := r.device(ada, bridge.SMTP)
	_, read := r.device(ben, bridge.IMAP, bridge.POP3)
	// Exchange Online itself takes no password.
	direct, err := net.Dial("tcp", r.deps.Upstream.Hosts.SMTP)
	r.must(err)
	x, err := smtp.NewClientStartTLS(direct, &tls.Config{RootCAs: r.deps.Upstream.Roots, ServerName: "smtp.office365.com"})
	r.must(err)
	if err := x.Auth(sasl.NewLoginClient(ada, "her password")); code(err) != 535 {
		t.Fatalf("the partner cloud takes a password: %v", err)
	}
	_ = x.Close()
	for name, auth := range map[string]sasl.Client{"PLAIN": sasl.NewPlainClient("", ada, scan), "LOGIN": sasl.NewLoginClient(ada, scan)} {
		c := r.dialSMTP()
		if err := c.Auth(auth); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		r.must(c.SendMail(ada, []string{ben}, strings.NewReader(body(ada))))
		r.must(c.Quit())
	}
	var got []string
	r.until("it arrived", func() bool {
		got, err = r.inbox(ben, read)
		r.must(err)
		return len(got) == 2
	})
	if !strings.Contains(got[0], "Subject: A scan") || !strings.HasSuffix(got[0], "\r\n\r\nHello.\r\n.dot\r\n") ||
		!strings.Contains(got[0], "Received: by localhost (Partnerguard mail bridge)") {
		t.Errorf("%q", got[0])
	}
	pop := r.popped("pop3s", "CAPA", "USER "+ben, "PASS "+read, "STAT", "RETR 1", "QUIT")
	if !strings.HasPrefix(pop[3], "+OK 2 ") || !strings.Contains(pop[4], "\n..dot") {
		t.Errorf("%q", pop)
	}
	two := r.popped("pop3s", "AUTH PLAIN", base64.StdEncoding.EncodeToString([]byte("\x00"+ben+"\x00"+read)), "STAT")
	if two[0] != "+ " || two[1] != "+OK Signed in" || !strings.HasPrefix(two[2], "+OK 2 ") {
		t.Errorf("%q", two)
	}
	for _, s := range []string{scan, read, strings.ReplaceAll(scan, "-", ""), "Bearer"} {
		if strings.Contains(r.log.String(), s) {
			t.Errorf("the log has %q", s[:4])
		}
	}
}

// popped runs POP3 commands; each answer is its first line, or all of them.
func (r *rig) popped(where string, commands ...string) (out []string) {
	r.Helper()
	c, err := tls.Dial("tcp", r.where[where], r.tls())
	r.must(err)
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	in := bufio.NewReader(c)
	line := func() string {
		s, err := in.ReadString('\n')
		if err != nil {
			return "."
		}
		return strings.TrimRight(s, "\r\n")
	}
	line()
	for _, command := range commands {
		fmt.Fprintf(c, "%s\r\n", command)
		answer := line()
		if word, _, _ := strings.Cut(command, " "); strings.HasPrefix(answer, "+OK") && (word == "RETR" || word == "CAPA") {
			for s := line(); s != "."; s = line() {
				answer += "\n" + s
			}
		}
		out = append(out, answer)
	}
	return out
}

// A device does what its row says and nothing else.
func TestBounds(t *testing.T) {
	t.Parallel()
	r := newRig(t, "limits: {messageBytes: 100000, recipients: 2}")
	_, scan := r.device(ada, bridge.SMTP)
	if _, err := r.inbox(ada, scan); err == nil || !strings.Contains(err.Error(), "AUTHENTICATIONFAILED") && !strings.Contains(err.Error(), "wrong") {
		t.Errorf("a device for sending reads: %v", err)
	}
	c := r.dialSMTP()
	if err := c.Mail(ada, nil); code(err) != 530 {
		t.Errorf("nobody sends: %v", err)
	}
	r.must(c.Auth(sasl.NewPlainClient("", ada, scan)))
	for name, x := range map[string]struct {
		from, head string
		to         []string
		want       int
	}{
		"as another":           {ben, ben, []string{ben}, 550},
		"as nobody":            {"", ada, []string{ben}, 550},
		"as another in From":   {ada, ben, []string{ben}, 550},
		"to a quoted address":  {ada, ada, []string{`"a b"@t.example`}, 501},
		"to too many":          {ada, ada, []string{"a@t.example", "b@t.example", "c@t.example"}, 452},
		"without From":         {ada, "", []string{ben}, 554},
		"what is too large":    {ada, ada + ">\r\nX: <" + strings.Repeat("x\r\n y", 30_000), []string{ben}, 552},
		"with more than ASCII": {ada, ada, []string{"bén@t.example"}, 0},
	} {
		if err := c.SendMail(x.from, x.to, strings.NewReader(body(x.head))); err == nil || x.want != 0 && code(err) != x.want {
			t.Errorf("%s: %v", name, err)
		}
		r.must(c.Reset())
	}
	// And then still sends what it may.
	r.must(c.SendMail(ada, []string{ben}, strings.NewReader(body(ada))))
	// Its identity is its own.
	d := r.dialSMTP()
	if err := d.Auth(sasl.NewPlainClient(ben, ada, scan)); code(err) != 535 {
		t.Errorf("for another: %v", err)
	}
	if err := r.dialSMTP().Auth(sasl.NewPlainClient("", ben, scan)); code(err) != 535 {
		t.Errorf("as another: %v", err)
	}
}

// Revoked, it is out: the connection that is open too.
func TestRevokedIsOut(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	d, password := r.device(ada, bridge.IMAP, bridge.SMTP)
	c, err := imapclient.DialTLS(r.where["imaps"], &imapclient.Options{TLSConfig: r.tls()})
	r.must(err)
	defer c.Close()
	r.must(c.Login(ada, password).Wait())
	r.must(c.Noop().Wait())
	s := r.dialSMTP()
	r.must(s.Auth(sasl.NewPlainClient("", ada, password)))
	// By another process: the same database, another store.
	other, err := bridge.New(bridge.Deps{DB: r.deps.DB, Vault: r.deps.Vault, Trail: r.deps.Trail, Now: time.Now})
	r.must(err)
	_, err = other.Revoke(t.Context(), d.ID, "local:test")
	r.must(err)
	if err := s.Mail(ada, nil); err == nil {
		t.Error("it begins a message after it was revoked")
	}
	r.until("it is cut off", func() bool { return c.Noop().Wait() != nil })
	if _, err := r.inbox(ada, password); err == nil {
		t.Error("it comes in again")
	}
	r.until("nobody is in", func() bool { return r.b.InUse() == 0 })
}

// Nobody's password is asked for without TLS, and what came before TLS does not count.
func TestTLS(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	_, scan := r.device(ada, bridge.SMTP, bridge.IMAP, bridge.POP3)
	ask := func(where string, lines ...string) string {
		c, err := net.Dial("tcp", r.where[where])
		r.must(err)
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		_, _ = io.WriteString(c, strings.Join(lines, "\r\n")+"\r\n")
		all, _ := io.ReadAll(c)
		return string(all)
	}
	plain := base64.StdEncoding.EncodeToString([]byte("\x00" + ada + "\x00" + scan))
	if got := ask("smtp", "EHLO x", "AUTH PLAIN "+plain, "QUIT"); !strings.Contains(got, "523 ") || strings.Contains(got, "AUTH PLAIN") {
		t.Errorf("%q", got)
	}
	if got := ask("imap", "a CAPABILITY", "b LOGIN "+ada+" "+scan, "c AUTHENTICATE PLAIN "+plain, "d LOGOUT"); !strings.Contains(got, "LOGINDISABLED") ||
		!strings.Contains(got, "b NO [PRIVACYREQUIRED]") || !strings.Contains(got, "c NO [PRIVACYREQUIRED]") || strings.Contains(got, "AUTH=PLAIN") {
		t.Errorf("%q", got)
	}
	if got := ask("pop3", "CAPA", "USER "+ada, "PASS "+scan, "AUTH PLAIN "+plain, "QUIT"); strings.Count(got, "-ERR Begin TLS first") != 3 ||
		strings.Contains(got, "SASL") {
		t.Errorf("%q", got)
	}
	// The listener without TLS, on loopback, takes it.
	if got := ask("plain", "EHLO x", "AUTH PLAIN "+plain, "QUIT"); !strings.Contains(got, "235 ") {
		t.Errorf("%q", got)
	}
	// Injected behind STARTTLS: thrown away, or the connection with it.
	for where, x := range map[string][3]string{
		"smtp": {"EHLO x\r\nSTARTTLS\r\nRSET\r\n", "220 2.0.0 Ready", "250 2.0.0 Session reset"},
		"imap": {"a STARTTLS\r\nb NOOP\r\n", "a OK Begin TLS", "b OK"},
		"pop3": {"STLS\r\nNOOP\r\n", "+OK Begin TLS", "+OK\r\n"},
	} {
		c, err := net.Dial("tcp", r.where[where])
		r.must(err)
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		_, _ = io.WriteString(c, x[0])
		var seen strings.Builder
		buf := make([]byte, 4096)
		for !strings.Contains(seen.String(), x[1]) {
			n, err := c.Read(buf)
			seen.Write(buf[:n])
			if err != nil {
				break
			}
		}
		s := tls.Client(c, r.tls())
		if err := s.Handshake(); err == nil {
			_ = s.SetDeadline(time.Now().Add(300 * time.Millisecond))
			all, _ := io.ReadAll(s)
			if len(all) > 0 {
				t.Errorf("%s answers within TLS what came before it: %q", where, all)
			}
		} else if where == "smtp" {
			t.Errorf("smtp: %v", err)
		}
		if strings.Contains(seen.String(), x[2]) && where != "pop3" {
			t.Errorf("%s: %q", where, seen.String())
		}
		_ = c.Close()
	}
}

// Hostile lines and connections: the bridge answers or ends them, and lives.
func TestHostile(t *testing.T) {
	t.Parallel()
	r := newRig(t, "limits: {perSource: 300}")
	long := strings.Repeat("A", 40_000)
	for _, where := range []string{"smtps", "imaps", "pop3s"} {
		for _, text := range []string{long, long + "\r\n", "\x00\r\n", "a LOGIN {99999999999}\r\n", "a LOGIN {1000+}\r\n", strings.Repeat("a NOOP\r\n", 1000),
			strings.Repeat("NOOP\r\n", 1000), "AUTH PLAIN\r\n*\r\n", "AUTH PLAIN " + long, "AUTH LOGIN\r\n=\r\n=\r\n", "EHLO x\r\nAUTH LOGIN\r\n\r\n\r\n",
			"EHLO x\r\nMAIL FROM:<a@b\r\nRCPT TO:<c@d>\r\n", "EHLO x\r\nBDAT 4294967295 LAST\r\n", "EHLO x\r\nMAIL FROM:<" + long + ">\r\n",
			"USER \r\nPASS\r\n", "\r\n\r\n\r\n", "EHLO x\r\nDATA\r\n.\r\n"} {
			c, err := tls.Dial("tcp", r.where[where], r.tls())
			r.must(err)
			_ = c.SetDeadline(time.Now().Add(700 * time.Millisecond))
			go func() { _, _ = io.WriteString(c, text) }()
			_, _ = io.Copy(io.Discard, io.LimitReader(c, 1<<20))
			_ = c.Close()
		}
	}
	// Half open, and silent: they cost a place, and no more.
	for range 50 {
		c, err := net.Dial("tcp", r.where["smtps"])
		r.must(err)
		defer c.Close()
	}
	_, scan := r.device(ada, bridge.SMTP)
	c := r.dialSMTP()
	r.must(c.Auth(sasl.NewPlainClient("", ada, scan)))
	r.must(c.SendMail(ada, []string{ben}, strings.NewReader(body(ada))))
}

// More connections than one source may have are turned away.
func TestPerSource(t *testing.T) {
	t.Parallel()
	r := newRig(t, "limits: {perSource: 3}")
	var open []net.Conn
	for range 3 {
		c, err := net.Dial("tcp", r.where["smtp"])
		r.must(err)
		open = append(open, c)
		if _, err := bufio.NewReader(c).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	c, err := net.Dial("tcp", r.where["smtp"])
	r.must(err)
	defer c.Close()
	if _, err := bufio.NewReader(c).ReadString('\n'); err == nil {
		t.Error("a fourth is taken")
	}
	for _, c := range open {
		_ = c.Close()
	}
	r.until("there is room again", func() bool {
		c, err := net.Dial("tcp", r.where["smtp"])
		r.must(err)
		defer c.Close()
		_, err = bufio.NewReader(c).ReadString('\n')
		return err == nil
	})
}

// A message is in the queue while upstream is away, over a restart, and arrives once.
func TestAwayAndBack(t *testing.T) {
	t.Parallel()
	r := newRig(t, "")
	r.mu.Lock()
	r.refuses = true
	r.mu.Unlock()
	_, scan := r.device(ada, bridge.SMTP)
	_, read := r.device(ben, bridge.IMAP)
	c := r.dialSMTP()
	r.must(c.Auth(sasl.NewPlainClient("", ada, scan)))
	r.must(c.SendMail(ada, []string{ben}, strings.NewReader(body(ada))))
	if _, err := r.inbox(ben, read); err == nil || !strings.Contains(err.Error(), "cannot be opened now") {
		t.Errorf("without a token: %v", err)
	}
	r.stop()
	files, err := os.ReadDir(r.deps.Folder)
	r.must(err)
	messages := 0
	for _, f := range files {
		if strings.HasSuffix(f.Name(), ".msg") {
			messages++
		}
	}
	if messages != 1 {
		t.Fatalf("%d messages on the disk", messages)
	}
	r.mu.Lock()
	r.refuses = false
	r.mu.Unlock()
	r.start()
	var got []string
	r.until("it arrived", func() bool {
		got, err = r.inbox(ben, read)
		r.must(err)
		return len(got) > 0
	})
	if len(got) != 1 {
		t.Errorf("%d times", len(got))
	}
}
