package web_test

import (
	"context"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"partnerguard/internal/problem"
	"partnerguard/internal/web"
)

// TestAsk: only a server of ours that is well is well, and with a certificate only the
// one that has it.
func TestAsk(t *testing.T) {
	t.Parallel()
	status, text := http.StatusOK, "ok\n"
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			t.Errorf("%s is asked", r.URL.Path)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(text))
	})
	plain := httptest.NewServer(h)
	defer plain.Close()
	sealed := httptest.NewTLSServer(h)
	defer sealed.Close()
	cert := filepath.Join(t.TempDir(), "crt.pem")
	if err := os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: sealed.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other.pem")
	if err := os.WriteFile(other, []byte(otherCertificate), 0o600); err != nil {
		t.Fatal(err)
	}
	garbage := filepath.Join(t.TempDir(), "garbage.pem")
	if err := os.WriteFile(garbage, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := func(s *httptest.Server) string { return s.Listener.Addr().String() }
	_, port, _ := strings.Cut(at(plain), ":")
	for _, c := range []struct {
		name   string
		c      web.Config
		status int
		text   string
		want   error
	}{
		{"well", web.Config{Listen: at(plain)}, 200, "ok\n", nil},
		{"on every address", web.Config{Listen: "0.0.0.0:" + port}, 200, "ok\n", nil},
		{"well, with its certificate", web.Config{Listen: at(sealed), TLSCertificate: cert}, 200, "ok\n", nil},
		{"not well", web.Config{Listen: at(plain)}, 503, "the database does not answer\n", problem.Unavailable},
		{"something else", web.Config{Listen: at(plain)}, 200, "hello", problem.Unavailable},
		{"another's certificate", web.Config{Listen: at(sealed), TLSCertificate: other}, 200, "ok\n", problem.Unavailable},
		{"no TLS there", web.Config{Listen: at(plain), TLSCertificate: cert}, 200, "ok\n", problem.Unavailable},
		{"nobody", web.Config{Listen: "127.0.0.1:1"}, 200, "ok\n", problem.Unavailable},
		{"no certificate", web.Config{Listen: at(sealed), TLSCertificate: garbage}, 200, "ok\n", problem.BadInput},
		{"no file", web.Config{Listen: at(sealed), TLSCertificate: garbage + ".none"}, 200, "ok\n", problem.BadInput},
		{"no address", web.Config{Listen: "a b"}, 200, "ok\n", problem.Usage},
	} {
		status, text = c.status, c.text
		if err := web.Ask(context.Background(), &c.c); c.want == nil && err != nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// otherCertificate is of a key that nobody has.
const otherCertificate = `-----BEGIN CERTIFICATE-----
MIIBdjCCAR2gAwIBAgIUBOmDxuiSBPOMfFUYy0DuWxzF3DUwCgYIKoZIzj0EAwIw
EDEOMAwGA1UEAwwFb3RoZXIwIBcNMjYxMTI5MTMwMjE5WhgPMjEyNjExMDUxMzAy
MTlaMBAxDjAMBgNVBAMMBW90aGVyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
pCj4B8SoqcgJuZzsOY6qRS64dH7ZP+9XqDL6HKbvEvMG9LIXQFAzuVL1D2Xppamz
WxTZGj/LTnAyBG/tFJTjh6NTMFEwHQYDVR0OBBYEFI5W3FkrITXHAAKBn5WRTyLt
aHPcMB8GA1UdIwQYMBaAFI5W3FkrITXHAAKBn5WRTyLtaHPcMA8GA1UdEwEB/wQF
MAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgDJmWgdjoIZgxDhU6/QZWBrsDQrZDT/YJ
Dw95NMCVoxECIDZ/FUOifIwQtFyb02hp11dbydKWBv2Gi9aAyEIaY+MW
-----END CERTIFICATE-----
`
