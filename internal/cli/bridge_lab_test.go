package cli_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"partnerguard/internal/cli"
)

const (
	scanner = "scanner@contoso.com"
	reader  = "mia.lindqvist@contoso.com"
)

// TestScannerInTheLab is docs/bridge.md, "Try it without a tenant", by its own
// bridge.yaml: the cloud refuses the scanner's password, the bridge takes the one of the
// device, and the mail is read through the bridge.
func TestScannerInTheLab(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "--mail")
	if page, _, errs, code := h.connect("sam-agent@contoso.com", "--no-browser"); code != 0 {
		t.Fatalf("%d %s\n%s", code, errs, page)
	}
	roots := certify(t, h.dir)
	own := &tls.Config{RootCAs: roots, ServerName: "localhost"}

	err := sendBy(h.info.Mail.SMTP, &tls.Config{InsecureSkipVerify: true}, sasl.NewLoginClient(scanner, "its password")) // its certificate is another test's
	if err == nil || !strings.Contains(err.Error(), "basic authentication is disabled") {
		t.Errorf("the cloud: %v", err)
	}
	send := h.device("Scanner, second floor", scanner, "smtp")
	read := h.device("Mail program", reader, "imap")
	smtpAt, imapAt := h.bridge()
	if err := sendBy(smtpAt, own, sasl.NewPlainClient("", scanner, "its password")); err == nil {
		t.Error("the bridge takes another password")
	}
	if err := sendBy(smtpAt, own, sasl.NewPlainClient("", scanner, send)); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		r, err := imapclient.DialTLS(imapAt, &imapclient.Options{TLSConfig: own})
		if err == nil {
			err = r.Login(reader, read).Wait()
		}
		if err != nil {
			t.Fatal(err)
		}
		box, err := r.Select("INBOX", nil).Wait()
		_ = r.Close()
		if err == nil && box.NumMessages == 1 {
			return
		}
		if time.Now().After(end) {
			out, errs, _ := h.run("bridge", "queue")
			t.Fatalf("nothing arrived: %v\n%s%s", err, out, errs)
		}
	}
}

func sendBy(at string, c *tls.Config, a sasl.Client) error {
	conn, err := net.Dial("tcp", at)
	if err != nil {
		return err
	}
	x, err := smtp.NewClientStartTLS(conn, c)
	if err != nil {
		return err
	}
	defer x.Close()
	if err := x.Auth(a); err != nil {
		return err
	}
	return x.SendMail(scanner, []string{reader}, strings.NewReader("From: "+scanner+"\r\nSubject: A scan\r\n\r\nHello.\r\n"))
}

// device makes a device's password.
func (h *house) device(name, mailbox, protocol string) string {
	h.Helper()
	out, errs, code := h.run("apppassword", "create", "--device", name, "--mailbox", mailbox, "--protocols", protocol)
	if code != 0 {
		h.Fatalf("%d %s", code, errs)
	}
	first, _, _ := strings.Cut(out, "\n")
	return first
}

var (
	yamlOf     = regexp.MustCompile("(?s)## Try it without a tenant.*?```yaml\n(.*?)```")
	listens    = regexp.MustCompile(`(SMTP|IMAP) on (\S+)`)
	ofThePages = regexp.MustCompile(`127\.0\.0\.1:2\d+`)
)

// bridge runs the bridge of the page, at ports that are free and by files of this test,
// and says where it takes and shows mail.
func (h *house) bridge() (smtpAt, imapAt string) {
	h.Helper()
	page, err := os.ReadFile("../../docs/bridge.md")
	m := yamlOf.FindSubmatch(page)
	if err != nil || m == nil {
		h.Fatalf("the page has no bridge.yaml: %v", err)
	}
	text := ofThePages.ReplaceAllString(string(m[1]), "127.0.0.1:0")
	for _, name := range []string{"bridge.pem", "bridge.key"} {
		text = strings.Replace(text, name, filepath.Join(h.dir, name), 1)
	}
	path := filepath.Join(h.dir, "bridge.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		h.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r, w := io.Pipe()
	var errs bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Main(ctx, h.env(w, &errs, "bridge", "--config", path))
		_ = w.CloseWithError(io.EOF)
	}()
	h.Cleanup(func() {
		stop()
		if code := <-ended; code != 0 {
			h.Errorf("the bridge ended with %d: %s", code, &errs)
		}
	})
	var said strings.Builder
	for buf := make([]byte, 4096); ; {
		n, err := r.Read(buf)
		said.Write(buf[:n])
		if at := listens.FindAllStringSubmatch(said.String(), -1); len(at) == 2 && strings.HasSuffix(said.String(), "\n") {
			go func() { _, _ = io.Copy(io.Discard, r) }()
			return at[0][2], at[1][2]
		}
		if err != nil {
			h.Fatalf("the bridge does not listen: %s", said.String())
		}
	}
}

// certify writes bridge.pem and bridge.key for localhost.
func certify(t *testing.T, dir string) *x509.CertPool {
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
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	for name, b := range map[string][]byte{"bridge.pem": text, "bridge.key": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return roots
}
