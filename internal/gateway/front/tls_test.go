package front

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writePair makes a certificate for a name, and gives the bytes of its key.
func writePair(t *testing.T, dir, name string, serial int64) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, b := range map[string]*pem.Block{"c.pem": {Type: "CERTIFICATE", Bytes: der}, "k.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(dir, file), pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return private
}

// secured is a rig that listens with TLS.
func secured(t *testing.T, up string) (*rig, *Certificate, string) {
	t.Helper()
	dir := t.TempDir()
	writePair(t, dir, "a.example", 1)
	c, err := LoadCertificate(filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem"), nil)
	if err != nil {
		t.Fatal(err)
	}
	g := newRig(t, true, up, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.front.Serve(ctx, []net.Listener{tls.NewListener(l, c.Config())}) }()
	t.Cleanup(func() { cancel(); <-ended })
	g.at = l.Addr().String()
	return g, c, dir
}

func client(at string, h2 bool) *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", at)
		},
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: h2,
	}}
}

// TestTLS: both paths and HTTP/2 know that it is TLS, and which it was.
func TestTLS(t *testing.T) {
	t.Parallel()
	up, seen := saw(t)
	g, _, _ := secured(t, up)
	for name, c := range map[string]struct {
		h2, chunked  bool
		lean, handed uint64
	}{
		"lean": {lean: 1}, "handed over": {chunked: true, handed: 1}, "two": {h2: true},
	} {
		lean, handed, before := g.front.stats.lean.Load(), g.front.stats.handed.Load(), len(seen())
		r, err := http.NewRequest(http.MethodPost, "https://a.example/x", strings.NewReader("hi"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer good")
		if c.chunked {
			r.ContentLength = -1
			r.Body = io.NopCloser(io.MultiReader(strings.NewReader("hi")))
		}
		h := client(g.at, c.h2)
		res, err := h.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(res.Body); err != nil || string(b) != "ok" || (res.ProtoMajor == 2) != c.h2 {
			t.Errorf("%s: %q, %v, %s", name, b, err, res.Proto)
		}
		_ = res.Body.Close()
		h.CloseIdleConnections()
		list := seen()
		if len(list) != before+1 || !strings.Contains(list[before], "X-Forwarded-Proto: https\r\n") {
			t.Errorf("%s: the upstream saw %q", name, list[before:])
		}
		time.Sleep(20 * time.Millisecond)
		if g.front.stats.lean.Load() != lean+c.lean || g.front.stats.handed.Load() != handed+c.handed {
			t.Errorf("%s: it took another path", name)
		}
	}
	if g.front.stats.http2.Load() != 1 {
		t.Error("no connection of HTTP/2 was counted")
	}
}

func served(t *testing.T, at string) string {
	t.Helper()
	c, err := tls.Dial("tcp", at, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].Subject.CommonName
}

// TestCertificateIsReadAgain: a new pair is taken over, a broken one is not, and who is
// connected stays so.
func TestCertificateIsReadAgain(t *testing.T) {
	t.Parallel()
	up, _ := saw(t)
	g, cert, dir := secured(t, up)
	h := client(g.at, false)
	ask := func() {
		t.Helper()
		r, _ := http.NewRequest(http.MethodGet, "https://a.example/", nil)
		r.Header.Set("Authorization", "Bearer good")
		res, err := h.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
	}
	ask()
	var log bytes.Buffer
	cert.log = slog.New(slog.NewTextHandler(&log, nil))
	private := writePair(t, dir, "b.example", 2)
	if taken, err := cert.Look(); !taken || err != nil || served(t, g.at) != "b.example" {
		t.Errorf("taken %v, %v", taken, err)
	}
	if taken, err := cert.Look(); taken || err != nil {
		t.Errorf("the same pair was taken again: %v, %v", taken, err)
	}
	ask()
	k, err := os.ReadFile(filepath.Join(dir, "k.pem"))
	if err != nil {
		t.Fatal(err)
	}
	writePair(t, dir, "c.example", 3)
	if err := os.WriteFile(filepath.Join(dir, "k.pem"), k, 0o600); err != nil { // another's key
		t.Fatal(err)
	}
	taken, err := cert.Look()
	if taken || err == nil || served(t, g.at) != "b.example" {
		t.Errorf("a broken pair: taken %v, %v", taken, err)
	}
	if err != nil && (strings.Contains(err.Error(), string(private)) || !strings.Contains(err.Error(), "k.pem")) {
		t.Errorf("it says %v", err)
	}
	ask()
	if _, err := LoadCertificate(filepath.Join(dir, "none.pem"), filepath.Join(dir, "k.pem"), nil); err == nil {
		t.Error("a missing file was taken")
	}
}

// TestTLSThatIsNone: what is no handshake costs nobody else anything.
func TestTLSThatIsNone(t *testing.T) {
	t.Parallel()
	up, _ := saw(t)
	g, _, _ := secured(t, up)
	c, r := dial(t, g)
	say(t, c, plainGet)
	_, _ = io.Copy(io.Discard, r)
	old, err := tls.Dial("tcp", g.at, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11})
	if err == nil {
		_ = old.Close()
		t.Error("TLS 1.1 was taken")
	}
	for end := time.Now().Add(5 * time.Second); g.front.stats.handshakes.Load() != 2; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d handshakes failed", g.front.stats.handshakes.Load())
		}
	}
}
