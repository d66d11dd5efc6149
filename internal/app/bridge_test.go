package app_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"partnerguard/internal/app"
	"partnerguard/internal/bridge"
	"partnerguard/internal/labtest"
	"partnerguard/internal/partnercloud"
)

// A scanner sends, and a program reads, with tokens of a connection: its account's own
// mailbox by the account's permissions, another's by the app's.
func TestBridge(t *testing.T) {
	t.Parallel()
	w := newWatched(t, func(o *partnercloud.Options) { o.Mail = true })
	w.s.LabInfo().Roots = w.lab.Server.CA.Pool()
	w.reopen()
	c, _, err := w.s.ConnectLab(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	other := labtest.Admin
	cert, roots := ownCertificate(t)
	f, err := bridge.ParseFile("bridge.yaml", []byte(fmt.Sprintf(`version: 1
name: localhost
owner: %[2]s
certificate: %[1]s
key: %[1]s
listen:
  - {protocol: smtp, tls: starttls, at: "127.0.0.1:0"}
  - {protocol: imap, tls: implicit, at: "127.0.0.1:0"}
mailboxes:
  - {address: %[3]s, asApp: true}
`, cert, c.Account, other)))
	if err != nil {
		t.Fatal(err)
	}
	where, err := w.s.StartBridge(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	password := map[string]string{}
	for _, mailbox := range []string{c.Account, other} {
		_, text, err := w.s.Bridge.Create(t.Context(), bridge.Device{Name: "Scanner", Mailbox: mailbox, Protocols: []string{bridge.SMTP, bridge.IMAP},
			Ends: w.s.Now().Add(time.Hour)}, "local:test")
		if err != nil {
			t.Fatal(err)
		}
		password[mailbox] = text.Reveal()
	}
	conf := &tls.Config{RootCAs: roots, ServerName: "localhost"}
	for from, to := range map[string]string{c.Account: other, other: c.Account} {
		conn, err := net.Dial("tcp", where[0].Addr.String())
		if err != nil {
			t.Fatal(err)
		}
		x, err := smtp.NewClientStartTLS(conn, conf)
		if err == nil {
			err = x.Auth(sasl.NewPlainClient("", from, password[from]))
		}
		if err == nil {
			err = x.SendMail(from, []string{to}, strings.NewReader("From: "+from+"\r\nSubject: A scan\r\n\r\nHello.\r\n"))
		}
		if err != nil {
			t.Fatalf("%s: %v", from, err)
		}
		_ = x.Close()
	}
	for mailbox := range password {
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
			r, err := imapclient.DialTLS(where[1].Addr.String(), &imapclient.Options{TLSConfig: conf})
			if err == nil {
				err = r.Login(mailbox, password[mailbox]).Wait()
			}
			if err != nil {
				t.Fatalf("%s: %v", mailbox, err)
			}
			box, err := r.Select("INBOX", nil).Wait()
			_ = r.Close()
			if err == nil && box.NumMessages == 1 {
				break
			}
			if time.Now().After(end) {
				waits, _ := w.s.Bridge.Waiting(t.Context())
				t.Fatalf("%s: nothing arrived: %v %+v", mailbox, err, waits)
			}
		}
	}
}

// A partner cloud without mail, or that does not run, sends nothing to Microsoft.
func TestBridgeOfALabStaysThere(t *testing.T) {
	t.Parallel()
	w := newWatched(t)
	f, err := bridge.ParseFile("bridge.yaml", []byte("version: 1\nname: localhost\nowner: it@contoso.com\n"+
		"listen:\n  - {protocol: smtp, tls: none, at: '127.0.0.1:0'}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.s.StartBridge(t.Context(), f); err == nil || !strings.Contains(err.Error(), "no mail service") {
		t.Errorf("%v", err)
	}
}

// reopen opens the installation anew, by what its partner cloud says now.
func (w *watched) reopen(change ...func(*app.Options)) {
	w.Helper()
	o := app.Options{Config: w.s.Config, Lab: w.s.LabInfo(), Actor: "local:test", Now: w.lab.Now, Getenv: func(string) string { return "" }}
	for _, f := range change {
		f(&o)
	}
	if err := w.s.Close(); err != nil {
		w.Fatal(err)
	}
	s, err := app.Open(w.Context(), o)
	if err != nil {
		w.Fatal(err)
	}
	w.s = s
	w.Cleanup(func() { _ = s.Close() })
}

func ownCertificate(t *testing.T) (path string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})...)
	path = filepath.Join(t.TempDir(), "cert.pem")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	return path, roots
}

// Doctor says which devices end soon, and that a file that cannot be used keeps serve
// from starting.
func TestDoctorLooksAtTheBridge(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	o := p.options(false)
	s, err := app.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for name, days := range map[string]int{"Soon": 3, "Later": 90} {
		_, _, err := s.Bridge.Create(t.Context(), bridge.Device{Name: name, Mailbox: "a@contoso.example", Protocols: []string{bridge.SMTP},
			Ends: time.Now().Add(time.Duration(days) * 24 * time.Hour)}, "local:test")
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	o.Config.Bridge.File = filepath.Join(t.TempDir(), "none.yaml")
	r, err := app.CheckUp(t.Context(), o, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	said := fmt.Sprintf("%+v", r)
	for _, want := range []string{"the password of the device Soon", "2 devices may come in, 0 messages wait", "serve does not start"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if strings.Contains(said, "the device Later") {
		t.Error("it warns of one that lives on")
	}
}
