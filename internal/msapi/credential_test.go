package msapi_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/msapi"
	"partnerguard/internal/secret"
)

const endpoint = "https://login.microsoftonline.com/x/oauth2/v2.0/token"

func apply(t *testing.T, c msapi.Credential, endpoint string, now time.Time) string {
	t.Helper()
	form := url.Values{}
	if err := c.Apply(context.Background(), form, endpoint, panelApp, now); err != nil {
		t.Fatal(err)
	}
	if got := form.Get("client_assertion_type"); got != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		t.Fatalf("assertion type %q", got)
	}
	return form.Get("client_assertion")
}

// What an assertion says and how it is signed, by a library that is not ours.
func TestAssertion(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	cert := certificate(t, rsaKey(), now, now.Add(time.Hour))
	for alg, o := range map[jose.SignatureAlgorithm]msapi.CertificateOptions{jose.PS256: {}, jose.RS256: {RS256: true, Chain: true}} {
		c, err := msapi.NewCertificate(cert, rsaKey(), o)
		if err != nil {
			t.Fatal(err)
		}
		sig, err := jose.ParseSignedCompact(apply(t, c, endpoint, now), []jose.SignatureAlgorithm{alg})
		if err != nil {
			t.Fatal(alg, err)
		}
		raw, err := sig.Verify(&rsaKey().PublicKey)
		if err != nil {
			t.Fatal(alg, err)
		}
		var m map[string]any
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		exp, nbf := int64(m["exp"].(float64)), int64(m["nbf"].(float64))
		if m["aud"] != endpoint || m["iss"] != panelApp || m["sub"] != panelApp || len(m["jti"].(string)) != 36 || nbf != now.Unix() || exp-nbf > 600 ||
			exp-nbf < 300 {
			t.Errorf("%s: %v", alg, m)
		}
		sum := sha256.Sum256(cert.Raw)
		if h := sig.Signatures[0].Header; h.ExtraHeaders["x5t#S256"] != base64.RawURLEncoding.EncodeToString(sum[:]) {
			t.Errorf("%s: header %v", alg, h.ExtraHeaders)
		}
		if c.Kind() != msapi.Certificate || !c.Expires().Equal(cert.NotAfter) {
			t.Errorf("%s: kind %s, expires %s", alg, c.Kind(), c.Expires())
		}
	}
}

// The same assertion is used again while it is young, by many at once; another
// address, time gone by, or a clock set back make a new one.
func TestAssertionReuse(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	c, err := msapi.NewCertificate(certificate(t, rsaKey(), now, now.Add(time.Hour)), rsaKey(), msapi.CertificateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	first := apply(t, c, endpoint, now)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			form := url.Values{}
			if err := c.Apply(context.Background(), form, endpoint, panelApp, now.Add(time.Minute)); err != nil || form.Get("client_assertion") != first {
				t.Error("not the same within its youth", err)
			}
		})
	}
	wg.Wait()
	if apply(t, c, endpoint+"2", now) == first {
		t.Error("the same for another address")
	}
	if apply(t, c, endpoint, now.Add(4*time.Minute+59*time.Second)) != first {
		t.Error("a new one within five minutes")
	}
	if apply(t, c, endpoint, now.Add(-time.Second)) == first {
		t.Error("the same although the clock was set back before it")
	}
	if later := apply(t, c, endpoint, now.Add(5*time.Minute)); later == first {
		t.Error("the same after five minutes")
	}
}

func TestCredentialsThatCannotBe(t *testing.T) {
	t.Parallel()
	now := time.Now()
	cert := certificate(t, rsaKey(), now, now.Add(time.Hour))
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := msapi.NewCertificate(cert, other, msapi.CertificateOptions{}); err == nil {
		t.Error("another's key")
	}
	if _, err := msapi.NewCertificate(certificate(t, small, now, now.Add(time.Hour)), small, msapi.CertificateOptions{}); err == nil {
		t.Error("a small key")
	}
	if _, err := msapi.NewCertificate(cert, curve, msapi.CertificateOptions{}); err == nil {
		t.Error("a key that is not RSA")
	}
	if _, err := msapi.NewCertificate(nil, nil, msapi.CertificateOptions{}); err == nil {
		t.Error("nothing")
	}
	if _, err := msapi.NewSecret(secret.Text{}, now); err == nil {
		t.Error("an empty secret")
	}
	if _, err := msapi.NewFederatedFile(""); err == nil {
		t.Error("no file")
	}
}

func TestFederatedFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	c, err := msapi.NewFederatedFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]struct {
		text string
		good bool
	}{
		"a token":   {"aaa.bbb.ccc\n", true},
		"empty":     {"", false},
		"two parts": {"aaa.bbb", false},
		"two lines": {"aaa.bbb.ccc\nddd", false},
		"huge":      {strings.Repeat("a", 64<<10) + ".b.c", false},
		"binary":    {"a\x00.b.c", false},
	} {
		if err := os.WriteFile(path, []byte(f.text), 0o600); err != nil {
			t.Fatal(err)
		}
		form := url.Values{}
		err := c.Apply(context.Background(), form, endpoint, panelApp, time.Now())
		if (err == nil) != f.good || f.good && form.Get("client_assertion") != strings.TrimSpace(f.text) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && f.text != "" && strings.Contains(err.Error(), f.text) {
			t.Errorf("%s: the error holds the file", name)
		}
	}
	for name, p := range map[string]string{"a folder": t.TempDir(), "nothing": path + "x"} {
		c, _ := msapi.NewFederatedFile(p)
		if err := c.Apply(context.Background(), url.Values{}, endpoint, panelApp, time.Now()); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}
