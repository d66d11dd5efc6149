package mail

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// A client that reads cannot fill the memory: copies double a folder with each command,
// and folders cost nothing to make.
func TestReadersAreBounded(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada := oauth{"ada@t.example", l.token(nil)}
	if err := l.send(ada, "ada@t.example", "ada@t.example", "ada@t.example"); err != nil {
		t.Fatal(err)
	}
	c, err := imapclient.DialTLS(l.imap, &imapclient.Options{TLSConfig: l.tls})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Authenticate(ada); err != nil {
		t.Fatal(err)
	}
	all := imap.SeqSet{}
	all.AddRange(1, 0)
	folders := []string{"INBOX", "Drafts"}
	n := 0
	for ; n < 30; n++ {
		if _, err := c.Select(folders[n%2], nil).Wait(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Copy(all, folders[(n+1)%2]).Wait(); err != nil {
			break
		}
	}
	if n < 3 || n == 30 {
		t.Errorf("%d copies", n)
	}
	n = 0
	for ; n < 2*maxFolders; n++ {
		if err := c.Create(fmt.Sprint("folder ", n), nil).Wait(); err != nil {
			break
		}
	}
	if n != maxFolders {
		t.Errorf("%d folders", n)
	}
}

// A fourth message of a mailbox at the same time is put off, as Exchange Online does.
func TestThreads(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ada := oauth{"ada@t.example", l.token(nil)}
	a := &account{tenant: "t", user: "adat"}
	var ends []func()
	for range maxThreads {
		done, ok := l.m.thread(a)
		if !ok {
			t.Fatal("too few are taken")
		}
		ends = append(ends, done)
	}
	err := l.send(ada, "ada@t.example", "ada@t.example", "ben@t.example")
	if e := new(smtp.SMTPError); !errors.As(err, &e) || e.Code != 432 || e.EnhancedCode != (smtp.EnhancedCode{4, 3, 2}) {
		t.Errorf("%v", err)
	}
	for _, done := range ends {
		done()
	}
	if err := l.send(ada, "ada@t.example", "ada@t.example", "ben@t.example"); err != nil || len(l.m.threads) != 0 {
		t.Errorf("%v, %v", err, l.m.threads)
	}
}

// From 2027 on it is the tenant's setting that is off.
func TestBasicByDate(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	said := func() string {
		return fmt.Sprint(l.send(sasl.NewLoginClient("ada@t.example", "x"), "ada@t.example", "ada@t.example", "ben@t.example"))
	}
	if s := said(); !strings.Contains(s, "basic authentication is disabled") {
		t.Errorf("in 2026: %s", s)
	}
	if _, err := l.m.world.Clock.Jump(60 * 24 * time.Hour); err != nil {
		t.Fatal(err)
	}
	if s := said(); !strings.Contains(s, "SmtpClientAuthentication is disabled for the Tenant") {
		t.Errorf("in 2027: %s", s)
	}
}
