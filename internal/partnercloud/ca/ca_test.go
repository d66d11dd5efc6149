package ca

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/problem"
)

func open(t *testing.T, dir string) *Authority {
	t.Helper()
	a, err := Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// serve starts a TLS server with the authority's certificates and gives a
// client that believes in it alone and finds every name there.
func serve(t *testing.T, a *Authority) *http.Client {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.TLS.ServerName) }),
		TLSConfig:         &tls.Config{GetCertificate: a.GetCertificate},
		ReadHeaderTimeout: 10 * time.Second,
	}
	go func() { _ = s.ServeTLS(l, "", "") }()
	t.Cleanup(func() { _ = s.Close() })
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: a.Pool()}, ForceAttemptHTTP2: true}
	tr.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, l.Addr().String())
	}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func TestARealClientBelievesEveryPermittedName(t *testing.T) {
	t.Parallel()
	a := open(t, "")
	c := serve(t, a)
	for _, name := range append(Hosts(), "contoso.vault.azure.net", "127.0.0.1", "[::1]") {
		res, err := c.Get("https://" + name + "/")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		b, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if net.ParseIP(strings.Trim(name, "[]")) == nil && string(b) != name {
			t.Errorf("%s reached %q", name, b)
		}
		leaf := res.TLS.PeerCertificates[0]
		sum := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
		if got := base64.StdEncoding.EncodeToString(sum[:]); got != a.SPKI() {
			t.Errorf("%s: the leaf's key is %s, SPKI says %s", name, got, a.SPKI())
		}
		if life := leaf.NotAfter.Sub(leaf.NotBefore); life > 30*24*time.Hour+backdate {
			t.Errorf("%s: a leaf lives %s", name, life)
		}
	}
}

func TestNamesOutsideAreNotMinted(t *testing.T) {
	t.Parallel()
	a := open(t, "")
	for _, name := range []string{
		"evil.example", "microsoft.com", "xgraph.microsoft.com", "graph.microsoft.com.evil.example", "com", "8.8.8.8", "::2",
		"graph.microsoft.com\x00.evil.example", "*.graph.microsoft.com", "-a.graph.microsoft.com", "a..graph.microsoft.com", strings.Repeat("a", 64) +
			".localhost", strings.Repeat("a.", 200) + "localhost",
	} {
		if c, err := a.GetCertificate(&tls.ClientHelloInfo{ServerName: name}); err == nil {
			t.Errorf("%q got a certificate for %v", name, c.Leaf.DNSNames)
		}
	}
	for _, name := range []string{"GRAPH.Microsoft.Com", "graph.microsoft.com."} {
		if c, err := a.GetCertificate(&tls.ClientHelloInfo{ServerName: name}); err != nil || c.Leaf.VerifyHostname("graph.microsoft.com") != nil {
			t.Errorf("%q got no certificate: %v", name, err)
		}
	}
}

// mintByHand signs with the root's key what the package itself would refuse.
func mintByHand(t *testing.T, a *Authority, names []string, ips []net.IP) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: serial(), DNSNames: names, IPAddresses: ips, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, a.root, &a.leafKey.PublicKey, a.rootKey)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func writeCert(t *testing.T, path string, der []byte) string {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAStolenKeyVouchesForNothingElse(t *testing.T) {
	t.Parallel()
	a := open(t, "")
	good, err := a.leaf("graph.microsoft.com")
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		what string
		leaf *x509.Certificate
		ok   bool
	}{
		{"ours", good.Leaf, true},
		{"by hand, permitted", mintByHand(t, a, []string{"login.windows.net"}, []net.IP{net.IPv4(127, 1, 2, 3)}), true},
		{"evil.example", mintByHand(t, a, []string{"evil.example"}, nil), false},
		{"one good, one evil", mintByHand(t, a, []string{"graph.microsoft.com", "evil.example"}, nil), false},
		{"an address", mintByHand(t, a, nil, []net.IP{net.IPv4(10, 0, 0, 1)}), false},
		{"www.microsoft.com", mintByHand(t, a, []string{"www.microsoft.com"}, nil), false},
	}
	openssl, _ := exec.LookPath("openssl")
	dir := t.TempDir()
	root := writeCert(t, filepath.Join(dir, "root.pem"), a.root.Raw)
	for _, c := range cases {
		_, err := c.leaf.Verify(x509.VerifyOptions{Roots: a.Pool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
		if (err == nil) != c.ok {
			t.Errorf("%s: verification says %v", c.what, err)
		}
		if _, err := c.leaf.Verify(x509.VerifyOptions{Roots: a.Pool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}}); err == nil {
			t.Errorf("%s is good for mail", c.what)
		}
		if openssl == "" {
			continue
		}
		out, err := exec.Command(openssl, "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", root,
			writeCert(t, filepath.Join(dir, "leaf.pem"), c.leaf.Raw)).CombinedOutput()
		if (err == nil) != c.ok {
			t.Errorf("%s: openssl says %v\n%s", c.what, err, out)
		}
	}
	if openssl == "" {
		t.Log("openssl is absent: verified with Go alone")
	}
}

func TestOneMintForManyAtOnce(t *testing.T) {
	t.Parallel()
	a := open(t, "")
	var wg sync.WaitGroup
	got := make([]*tls.Certificate, 16)
	for i := range got {
		wg.Go(func() { got[i], _ = a.leaf("graph.microsoft.com") })
	}
	wg.Wait()
	for _, c := range got {
		if c == nil || c != got[0] {
			t.Fatal("more than one leaf was minted for one name")
		}
	}
	for i := range 3 * maxLeafs {
		if _, err := a.leaf(strings.Repeat("a", i%60+1) + string(rune('a'+i/60)) + ".vault.azure.net"); err != nil {
			t.Fatal(err)
		}
		if len(a.leafs) > maxLeafs {
			t.Fatalf("%d leafs are kept", len(a.leafs))
		}
	}
}

func TestLeafsAreRenewedAndEndWithTheRoot(t *testing.T) {
	t.Parallel()
	now := time.Now()
	a, err := Open("", func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	first, _ := a.leaf("localhost")
	now = first.Leaf.NotAfter.Add(-renewAhead - time.Second)
	if again, _ := a.leaf("localhost"); again != first {
		t.Error("renewed too early")
	}
	now = now.Add(time.Second)
	if again, _ := a.leaf("localhost"); again == first {
		t.Error("not renewed a week ahead")
	}
	now = a.NotAfter().Add(-time.Hour)
	if last, _ := a.leaf("localhost"); last.Leaf.NotAfter.After(a.NotAfter()) {
		t.Error("a leaf outlives its root")
	}
}

func TestOpenKeepsOne(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state", "ca")
	var wg sync.WaitGroup
	got := make([]*Authority, 8)
	for i := range got {
		wg.Go(func() { got[i], _ = Open(dir, nil) })
	}
	wg.Wait()
	again := open(t, dir)
	for _, a := range got {
		if a == nil || !bytes.Equal(a.PEM(), again.PEM()) || a.SPKI() != again.SPKI() {
			t.Fatal("not everybody got the same authority")
		}
	}
	// Who comes second must not put another in its place.
	path := filepath.Join(dir, keyFile)
	first, _ := os.ReadFile(path)
	if err := create(dir, path, time.Now()); err != nil {
		t.Fatal(err)
	}
	if second, _ := os.ReadFile(path); !bytes.Equal(first, second) {
		t.Error("a second process replaced the authority")
	}
	cert, err := os.ReadFile(CertFile(dir))
	if err != nil || !bytes.Equal(cert, again.PEM()) || bytes.Contains(cert, []byte("PRIVATE")) {
		t.Errorf("the certificate's file: %v\n%s", err, cert)
	}
	if runtime.GOOS != "windows" {
		for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, keyFile): 0o600} {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s has mode %v, want %v (%v)", path, info.Mode().Perm(), want, err)
			}
		}
	}
	left, _ := filepath.Glob(filepath.Join(dir, ".ca-*"))
	if len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	good := t.TempDir()
	open(t, good)
	text, err := os.ReadFile(filepath.Join(good, keyFile))
	if err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	open(t, other)
	foreign, _ := os.ReadFile(filepath.Join(other, keyFile))
	cut := bytes.Index(text, []byte("-----BEGIN PRIVATE KEY"))
	flipped := bytes.Clone(text)
	flipped[200] ^= 1
	for name, c := range map[string]struct {
		text []byte
		mode os.FileMode
		now  time.Duration
		want string
	}{
		"empty":         {nil, 0o600, 0, "damaged"},
		"junk":          {[]byte("hello"), 0o600, 0, "damaged"},
		"cut":           {text[:len(text)*2/3], 0o600, 0, "damaged"},
		"no keys":       {text[:cut], 0o600, 0, "damaged"},
		"a bit flipped": {flipped, 0o600, 0, "damaged"},
		"another's keys": {append(bytes.Clone(text[:cut]), foreign[bytes.Index(foreign, []byte("-----BEGIN PRIVATE KEY")):]...), 0o600, 0,
			"another certificate"},
		"huge":            {bytes.Repeat([]byte("a"), maxFile+1), 0o600, 0, "cannot be read"},
		"readable by all": {text, 0o644, 0, "by others"},
		"expired":         {text, 0o600, 366 * 24 * time.Hour, "expired"},
		"about to expire": {text, 0o600, 359 * 24 * time.Hour, "ends within a week"},
		"of the future":   {text, 0o600, -2 * time.Hour, "valid from"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.mode != 0o600 && runtime.GOOS == "windows" {
				t.Skip("no modes here")
			}
			dir := t.TempDir()
			path := filepath.Join(dir, keyFile)
			if err := errors.Join(os.WriteFile(path, c.text, 0o600), os.Chmod(path, c.mode)); err != nil {
				t.Fatal(err)
			}
			_, err := Open(dir, func() time.Time { return time.Now().Add(c.now) })
			if !errors.Is(err, problem.BadInput) || !strings.Contains(err.Error(), c.want) || problem.HintOf(err) == "" {
				t.Errorf("Open says %v, hint %q", err, problem.HintOf(err))
			}
			if err != nil && strings.Contains(err.Error(), "PRIVATE") {
				t.Error("the message quotes the file")
			}
		})
	}
}

// TestARootForMoreIsRefused: a file whose root has no constraints is not used,
// however well its keys fit.
func TestARootForMoreIsRefused(t *testing.T) {
	t.Parallel()
	b, err := generate(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	wide := *b.root
	wide.PermittedDNSDomains, wide.PermittedIPRanges, wide.ExtraExtensions = nil, nil, nil
	der, err := x509.CreateCertificate(rand.Reader, &wide, &wide, &b.rootKey.PublicKey, b.rootKey)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for _, k := range []*ecdsa.PrivateKey{b.rootKey, b.leafKey} {
		d, _ := x509.MarshalPKCS8PrivateKey(k)
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: d})...)
	}
	if _, err := parse(text); err == nil || !strings.Contains(err.Error(), "other names") {
		t.Errorf("parse says %v", err)
	}
}

func FuzzParse(f *testing.F) {
	b, err := generate(time.Now())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: b.root.Raw}))
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if got, err := parse(text); err == nil && (got.root == nil || got.rootKey == nil || got.leafKey == nil || ours(got.root) != nil) {
			t.Error("half a bundle was accepted")
		}
	})
}
