//go:build !judge

package doorbell

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/db"
	"partnerguard/internal/web"
)

var start = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// keys are made once: they take long.
var keys = sync.OnceValue(func() (k [4]*rsa.PrivateKey) {
	for i := range k {
		var err error
		if k[i], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			panic(err)
		}
	}
	return k
})

// authority is a root of certificates.
type authority struct {
	cert *x509.Certificate
	key  *rsa.PrivateKey
}

func sum(c *x509.Certificate) string {
	s := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return hex.EncodeToString(s[:])
}

func issue(t testing.TB, c *x509.Certificate, by *authority, pub crypto.PublicKey, key *rsa.PrivateKey) *x509.Certificate {
	t.Helper()
	c.SerialNumber = big.NewInt(time.Now().UnixNano())
	if c.NotBefore.IsZero() {
		c.NotBefore, c.NotAfter = start.Add(-24*time.Hour), start.Add(90*24*time.Hour)
	}
	parent := c
	if by != nil {
		parent, key = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, pub, key)
	if err != nil {
		t.Fatal(err)
	}
	out, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func root(t testing.TB, name string, key *rsa.PrivateKey) *authority {
	return &authority{issue(t, &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign}, nil, &key.PublicKey, key), key}
}

// leafOf is a certificate that signs rings; change makes it another.
func leafOf(t testing.TB, by *authority, key *rsa.PrivateKey, change ...func(*x509.Certificate)) *x509.Certificate {
	c := &x509.Certificate{Subject: pkix.Name{CommonName: "pcnotifications-dispatch.microsoft.com", Organization: []string{"Microsoft Corporation"}}}
	for _, f := range change {
		f(c)
	}
	return issue(t, c, by, &key.PublicKey, key)
}

// rig is a doorbell, and the places at which certificates are.
type rig struct {
	testing.TB
	*Bell
	db      *db.DB
	trail   *audittest.Recorder
	at      time.Time
	good    *authority
	signer  *rsa.PrivateKey
	files   map[string][]byte // by address
	moved   map[string]string
	fetched []string
	rings   int
	handler http.Handler
}

const place = "https://3psostorageacct.blob.core.windows.net/cert/pcnotifications-dispatch.microsoft.com.cer"

func newRig(t testing.TB, d *db.DB) *rig {
	t.Helper()
	k := keys()
	r := &rig{TB: t, db: d, trail: &audittest.Recorder{}, at: start, good: root(t, "Good Root", k[0]), signer: k[1], files: map[string][]byte{},
		moved: map[string]string{}}
	r.files[place] = leafOf(t, r.good, r.signer).Raw
	trust := Microsoft()
	trust.Roots = x509.NewCertPool()
	trust.Roots.AddCert(r.good.cert)
	trust.Keys = []string{sum(r.good.cert)}
	trust.Transport = r
	var err error
	if r.Bell, err = New(Deps{DB: d, Record: r.trail, Trust: trust, Config: &Config{Path: "/webhooks/partner-center"}, Now: func() time.Time { return r.at },
		Ring: func(context.Context) error { r.rings++; return nil }}); err != nil {
		t.Fatal(err)
	}
	kernel := web.NewKernel(web.Deps{})
	if err := r.Mount(kernel); err != nil {
		t.Fatal(err)
	}
	r.handler = kernel
	return r
}

// RoundTrip serves certificates.
func (r *rig) RoundTrip(q *http.Request) (*http.Response, error) {
	where := q.URL.String()
	r.fetched = append(r.fetched, where)
	if to := r.moved[where]; to != "" {
		return &http.Response{StatusCode: http.StatusFound, Header: http.Header{"Location": {to}}, Body: http.NoBody, Request: q}, nil
	}
	b, has := r.files[where]
	if !has {
		return &http.Response{StatusCode: http.StatusNotFound, Body: http.NoBody, Request: q}, nil
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(b)), Request: q}, nil
}

// ring is a request as Partner Center sends it.
type ring struct {
	body    string
	header  http.Header
	method  string
	sig     []byte
	noSig   bool
	certURL string
}

func body(at time.Time, event string) string {
	return fmt.Sprintf(`{"EventName":%q,"ResourceUri":"https://api.partnercenter.microsoft.com/v1/fraudEvents?SubscriptionId=x","ResourceName":"fraudEvents",`+
		`"AuditUri":null,"ResourceChangeUtcDate":%q}`, event, at.Format(time.RFC3339Nano))
}

func (r *rig) genuine() *ring {
	b := body(r.at.Add(-time.Minute), "azure-fraud-event-detected")
	return &ring{body: b, method: http.MethodPost, certURL: place, sig: sign(r, r.signer, b), header: http.Header{"Content-Type": {"application/json; charset=utf-8"},
		"X-Ms-Signature-Algorithm": {"rsa-sha256"}}}
}

func sign(t testing.TB, key *rsa.PrivateKey, body string) []byte {
	s := sha256.Sum256([]byte(body))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, s[:])
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

func signSHA1(t testing.TB, key *rsa.PrivateKey, body string) []byte {
	s := sha1.Sum([]byte(body))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA1, s[:])
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

func signPSS(t testing.TB, key *rsa.PrivateKey, body string) []byte {
	s := sha256.Sum256([]byte(body))
	sig, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, s[:], nil)
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

// send sends it and gives the status.
func (r *rig) send(x *ring) int {
	r.Helper()
	q := httptest.NewRequest(x.method, "https://guard.example/webhooks/partner-center", bytes.NewReader([]byte(x.body)))
	q.Header = x.header.Clone()
	if x.certURL != "" {
		q.Header.Set("X-MS-Certificate-Url", x.certURL)
	}
	if !x.noSig && q.Header.Get("Authorization") == "" && q.Header.Get("x-ms-signature") == "" {
		q.Header.Set("Authorization", "Signature "+base64.StdEncoding.EncodeToString(x.sig))
	}
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, q)
	return w.Code
}

func ecKey(t testing.TB) *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}
