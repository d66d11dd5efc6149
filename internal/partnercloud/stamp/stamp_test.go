package stamp_test

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/asn1"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/digitorus/timestamp"

	"partnerguard/internal/partnercloud/stamp"
)

var at = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

func authority(t testing.TB) *stamp.Authority {
	t.Helper()
	a, err := stamp.New(stamp.Options{Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func request(t testing.TB, change func(*timestamp.Request)) []byte {
	t.Helper()
	sum := sha256.Sum256([]byte("a note"))
	q := &timestamp.Request{HashAlgorithm: crypto.SHA256, HashedMessage: sum[:], Certificates: true, Nonce: big.NewInt(42)}
	if change != nil {
		change(q)
	}
	raw, err := q.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestStamp(t *testing.T) {
	t.Parallel()
	a := authority(t)
	srv := httptest.NewServer(a)
	defer srv.Close()
	resp, err := http.Post(srv.URL, "application/timestamp-query", bytes.NewReader(request(t, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	s, err := timestamp.ParseResponse(raw)
	if err != nil || resp.Header.Get("Content-Type") != "application/timestamp-reply" {
		t.Fatalf("%d %v", resp.StatusCode, err)
	}
	if !s.Time.Equal(at) || s.Nonce.Int64() != 42 || len(s.Certificates) != 1 || s.Certificates[0].CheckSignatureFrom(a.Root()) != nil ||
		!s.Policy.Equal(stamp.Policy) {
		t.Fatalf("%+v", s)
	}
	for name, c := range map[string]struct {
		method, kind, body string
		status             int
	}{
		"GET":          {"GET", "application/timestamp-query", "", 405},
		"another kind": {"POST", "text/plain", "x", 415},
		"too long":     {"POST", "application/timestamp-query", strings.Repeat("x", 1<<20), 413},
	} {
		req, _ := http.NewRequest(c.method, srv.URL, strings.NewReader(c.body))
		req.Header.Set("Content-Type", c.kind)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.status {
			t.Errorf("%s: %d", name, resp.StatusCode)
		}
	}
}

// failed is the bit of a refusal, or -1.
func failed(raw []byte) int {
	var v struct {
		Status struct {
			Status int
			Fail   asn1.BitString
		}
	}
	if rest, err := asn1.Unmarshal(raw, &v); err != nil || len(rest) > 0 || v.Status.Status != 2 {
		return -1
	}
	for i := range v.Status.Fail.BitLength {
		if v.Status.Fail.At(i) == 1 {
			return i
		}
	}
	return -1
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	a := authority(t)
	for name, c := range map[string]struct {
		raw []byte
		bit int
	}{
		"good":           {request(t, nil), -1},
		"nonsense":       {[]byte("x"), 5},
		"empty":          {nil, 5},
		"unending":       {[]byte{0x30, 0x80, 0x30, 0x80}, 5},
		"SHA-1":          {request(t, func(q *timestamp.Request) { q.HashAlgorithm, q.HashedMessage = crypto.SHA1, make([]byte, 20) }), 0},
		"a short one":    {request(t, func(q *timestamp.Request) { q.HashedMessage = q.HashedMessage[:20] }), 2},
		"another policy": {request(t, func(q *timestamp.Request) { q.TSAPolicyOID = asn1.ObjectIdentifier{1, 2, 3} }), 15},
		"our policy":     {request(t, func(q *timestamp.Request) { q.TSAPolicyOID = stamp.Policy }), -1},
	} {
		out, err := a.Answer(c.raw)
		if err != nil || failed(out) != c.bit {
			t.Errorf("%s: %d %v", name, failed(out), err)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	a := authority(f)
	f.Add(request(f, nil))
	f.Add([]byte{0x30, 0x80, 0, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		out, err := a.Answer(raw)
		if err != nil || len(out) == 0 {
			t.Fatalf("%v", err)
		}
	})
}
