package run_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-smtp"

	"partnerguard/internal/bridge"
	"partnerguard/internal/bridge/run"
	"partnerguard/internal/bridge/upstream"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/ca"
	"partnerguard/internal/partnercloud/mail"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault/vaulttest"
)

// rig is a bridge before the partner cloud's mail service.
type rig struct {
	testing.TB
	b     *run.Bridge
	deps  run.Deps
	file  *bridge.File
	where map[string]string // smtp, smtps, imap, imaps, pop3, pop3s, plain: host:port
	cert  string            // PEM file
	roots *x509.CertPool
	keys  *bearer.Keys
	mail  *mail.Mail
	log   *logged

	mu      sync.Mutex
	refuses bool // no token is given
}

// logged is what was logged, to look for what must not be there.
type logged struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logged) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

const ada, ben = "ada@t.example", "ben@t.example"

// Token implements upstream.Tokens: each mailbox's own person's.
func (r *rig) Token(_ context.Context, mailbox, _, _ string) (secret.Text, error) {
	r.mu.Lock()
	refuses := r.refuses
	r.mu.Unlock()
	if refuses {
		return secret.Text{}, problem.New(problem.Unavailable, "no token can be had")
	}
	name, _, _ := strings.Cut(mailbox, "@")
	now := time.Now()
	v, err := r.keys.Sign(&bearer.Claims{Audience: "https://outlook.office365.com", TenantID: "t", ObjectID: name + "t", UPN: mailbox, IDType: "user",
		Scope: "SMTP.Send IMAP.AccessAsUser.All POP.AccessAsUser.All", IssuedAt: now.Unix(), NotBefore: now.Unix(), Expires: now.Add(time.Hour).Unix()})
	return secret.New(v), err
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// newRig starts all of it; change changes bridge.yaml before, and what mail goes to.
func newRig(t testing.TB, more string, change ...func(*run.Deps)) *rig {
	t.Helper()
	r := &rig{TB: t, where: map[string]string{}, log: &logged{}}
	w := world.New(1, world.NewClock(time.Now))
	w.Read(func(s *world.State) {
		tenant := &world.Tenant{ID: "t", Name: "t", Domains: []string{"t.example"}}
		for _, n := range []string{"ada", "ben"} {
			tenant.Users.Put(&world.User{ID: n + "t", UPN: n + "@t.example", Enabled: true})
		}
		s.Put(tenant)
	})
	var err error
	r.keys, err = bearer.NewKeys(w.Clock.Now)
	r.must(err)
	authority, err := ca.Open("", time.Now)
	r.must(err)
	r.mail = mail.New(mail.Deps{World: w, Keys: r.keys, TLS: &tls.Config{GetCertificate: authority.GetCertificate}})
	t.Cleanup(func() { _ = r.mail.Close() })
	up := bridge.Upstream{}
	for at, serve := range map[*string]func(net.Listener) error{&up.SMTP: r.mail.ServeSMTP, &up.IMAP: r.mail.ServeIMAP, &up.POP3: r.mail.ServePOP} {
		l := listen(t)
		*at = l.Addr().String()
		go func() { _ = serve(l) }()
	}
	d := dbtest.SQLite(t)
	tr, err := trail.Open(t.Context(), d, trail.Options{Now: time.Now})
	r.must(err)
	r.cert, r.roots = certificate(t)
	r.file, err = bridge.ParseFile("bridge.yaml", []byte(fmt.Sprintf(`version: 1
name: localhost
owner: it@t.example
certificate: %[1]s
key: %[1]s
listen:
  - {protocol: smtp, tls: starttls, at: "127.0.0.1:0"}
  - {protocol: smtp, tls: implicit, at: "127.0.0.1:0"}
  - {protocol: imap, tls: starttls, at: "127.0.0.1:0"}
  - {protocol: imap, tls: implicit, at: "127.0.0.1:0"}
  - {protocol: pop3, tls: starttls, at: "127.0.0.1:0"}
  - {protocol: pop3, tls: implicit, at: "127.0.0.1:0"}
  - {protocol: smtp, tls: none, at: "127.0.0.1:0"}
%[2]s`, r.cert, more)))
	r.must(err)
	r.deps = run.Deps{DB: d, Vault: vaulttest.Open(t, d), Trail: tr, Folder: filepath.Join(t.TempDir(), "queue"), Now: time.Now,
		Log: slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})), Tokens: func(*bridge.File) upstream.Tokens { return r },
		Retry:    func(int) time.Duration { return 300 * time.Millisecond },
		Upstream: &run.Elsewhere{Hosts: up, Names: bridge.DefaultUpstream, Roots: authority.Pool()}}
	for _, c := range change {
		c(&r.deps)
	}
	r.start()
	return r
}

func (r *rig) start() {
	r.Helper()
	var err error
	r.b, err = run.New(r.deps)
	r.must(err)
	where, err := r.b.Start(r.Context(), r.file)
	r.must(err)
	for _, w := range where {
		name := w.Protocol
		switch w.TLS {
		case bridge.Implicit:
			name += "s"
		case bridge.NoTLS:
			name = "plain"
		}
		r.where[name] = w.Addr.String()
	}
	r.Cleanup(func() { r.stop() })
}

func (r *rig) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if err := r.b.Stop(ctx); err != nil {
		r.Error(err)
	}
}

func (r *rig) tls() *tls.Config { return &tls.Config{RootCAs: r.roots, ServerName: "localhost"} }

// device makes one for a mailbox, and gives its password.
func (r *rig) device(mailbox string, protocols ...string) (bridge.Device, string) {
	r.Helper()
	d := bridge.Device{Name: "Scanner", Mailbox: mailbox, Protocols: protocols, Ends: time.Now().Add(time.Hour)}
	d, text, err := r.b.Create(r.Context(), d, "local:test")
	r.must(err)
	return d, text.Reveal()
}

// inbox are the messages of a mailbox, read by IMAP through the bridge.
func (r *rig) inbox(user, password string) (out []string, err error) {
	r.Helper()
	c, err := imapclient.DialTLS(r.where["imaps"], &imapclient.Options{TLSConfig: r.tls()})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := c.Login(user, password).Wait(); err != nil {
		return nil, err
	}
	return fetchAll(c)
}

// until waits for something to be; long, because the race detector on a busy machine is slow.
func (r *rig) until(what string, is func() bool) {
	r.Helper()
	for end := time.Now().Add(3 * time.Minute); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			r.Fatalf("it never came to be: %s; the log: %s", what, r.log)
		}
	}
}

func certificate(t testing.TB) (path string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(48 * time.Hour), DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
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

// code is the reply code of an SMTP error, 0 for anything else.
func code(err error) int {
	if e, ok := errors.AsType[*smtp.SMTPError](err); ok {
		return e.Code
	}
	return 0
}

// tlsPair is a certificate of localhost for a server of a test.
type tlsPair struct {
	path  string
	roots *x509.CertPool
}

func newPair(t testing.TB) *tlsPair {
	path, roots := certificate(t)
	return &tlsPair{path, roots}
}

func (p *tlsPair) conf(t testing.TB) *tls.Config {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(p.path, p.path)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}}
}
