//go:build !judge

package doorbell

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"partnerguard/internal/lenient"
)

// The bounds of a ring.
const (
	MaxBody      = 64 << 10 // bytes
	maxSignature = 1400     // characters of base64: an RSA key of 8192 bits
	maxName      = 100
	maxOld       = 48 * time.Hour // Partner Center sends again, up to ten times, and late
	maxAhead     = 10 * time.Minute
)

// bad is why a ring is refused: a word of a fixed set, which is counted.
type bad struct{ why string }

func errBad(why string) error { return &bad{why} }

func (b *bad) Error() string { return "a ring that is not Microsoft's: " + b.why }

// Event is what a ring says. It is a hint where to look, and nothing of it is believed.
type Event struct {
	Name     string
	Resource string // ResourceName
	At       time.Time
}

// verifier holds rings to the trust. Safe for concurrent use.
type verifier struct {
	trust  Trust
	now    func() time.Time
	client *http.Client

	mu    sync.Mutex // guards what follows
	certs map[string]held
	asked []time.Time // fetches of the last minute
}

// held is what came of an address: a certificate, or why it is none.
type held struct {
	cert  *x509.Certificate // also one that was good once, where why says something
	why   string
	until time.Time
}

// How long certificates are remembered, how many, and how many are fetched in a minute.
const (
	keepGood   = time.Hour
	keepBad    = time.Minute
	maxHeld    = 64
	maxFetches = 12
)

func newVerifier(t Trust, now func() time.Time) *verifier {
	if t.Transport == nil {
		t.Transport = public()
	}
	return &verifier{trust: t, now: now, certs: map[string]held{}, client: &http.Client{Transport: t.Transport, Timeout: fetchFor,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// check says what a request rings for, after it is proven to come from Microsoft. The error is
// a *bad with the reason.
func (v *verifier) check(ctx context.Context, h http.Header, body []byte) (Event, error) {
	if kind, _, err := mime.ParseMediaType(h.Get("Content-Type")); err != nil || kind != "application/json" {
		return Event{}, errBad("type")
	}
	sig, err := signature(h)
	if err != nil {
		return Event{}, err
	}
	algorithm, ok := single(h, "X-Ms-Signature-Algorithm")
	if !ok || !strings.EqualFold(algorithm, "rsa-sha256") {
		return Event{}, errBad("algorithm")
	}
	where, ok := single(h, "X-Ms-Certificate-Url")
	if !ok {
		return Event{}, errBad("place")
	}
	cert, err := v.certificate(ctx, where)
	if err != nil {
		return Event{}, err
	}
	sum := sha256.Sum256(body)
	if key, is := cert.PublicKey.(*rsa.PublicKey); !is || rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], sig) != nil {
		return Event{}, errBad("signature")
	}
	return v.event(body)
}

// single is a header that is there once.
func single(h http.Header, name string) (string, bool) {
	list := h.Values(name)
	return strings.TrimSpace(strings.Join(list, "")), len(list) == 1
}

// signature reads it from either header that may carry it; where both do they say the same.
func signature(h http.Header) (sig []byte, err error) {
	for _, name := range []string{"X-Ms-Signature", "Authorization"} {
		list := h.Values(name)
		if len(list) == 0 {
			continue
		}
		scheme, text, ok := strings.Cut(strings.TrimSpace(list[0]), " ")
		if !ok && name != "Authorization" { // the header of its own says what it is
			scheme, text = "Signature", list[0]
		}
		raw, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(text))
		if len(list) != 1 || len(text) > maxSignature || !strings.EqualFold(scheme, "Signature") || err != nil || len(raw) == 0 {
			return nil, errBad("signature")
		}
		if sig != nil && subtle.ConstantTimeCompare(sig, raw) != 1 {
			return nil, errBad("two signatures")
		}
		sig = raw
	}
	if sig == nil {
		return nil, errBad("no signature")
	}
	return sig, nil
}

// certificate is what signs, by its address.
func (v *verifier) certificate(ctx context.Context, where string) (*x509.Certificate, error) {
	u, ok := v.trust.place(where)
	if !ok {
		return nil, errBad("place")
	}
	now := v.now()
	v.mu.Lock()
	k, known := v.certs[u.String()]
	v.mu.Unlock()
	if !known || !now.Before(k.until) || k.until.Sub(now) > 2*keepGood {
		if k.cert == nil && !v.mayFetch(now) { // where one was is asked again, whoever else rings
			return nil, errBad("too many places")
		}
		k = held{until: now.Add(keepGood)}
		leaf, more, ok := chainOf(v.fetch(ctx, u.String()))
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		switch {
		case !ok:
			k.why = "certificate"
		default:
			if k.why = v.trust.believed(ctx, leaf, more, now, v.fetch); k.why == "" {
				k.cert = leaf
			}
		}
		if k.why != "" {
			k.until = now.Add(keepBad)
		}
		v.keep(u.String(), k)
	}
	switch {
	case k.why != "":
		return nil, errBad(k.why)
	case now.After(k.cert.NotAfter), now.Before(k.cert.NotBefore):
		return nil, errBad("expired")
	}
	return k.cert, nil
}

func (v *verifier) keep(where string, k held) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if was := v.certs[where]; k.cert == nil {
		k.cert = was.cert // what was there is not forgotten because it cannot be fetched now; why says that it does not count
	}
	for _, good := range []bool{false, true} { // strangers push out what strangers brought
		for name, x := range v.certs {
			if _, again := v.certs[where]; again || len(v.certs) < maxHeld {
				break
			}
			if (x.cert != nil) == good {
				delete(v.certs, name)
			}
		}
	}
	v.certs[where] = k
}

// mayFetch says whether one more may be fetched in this minute: strangers must not have us ask
// at places without an end.
func (v *verifier) mayFetch(now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	left := v.asked[:0]
	for _, t := range v.asked {
		if d := now.Sub(t); d >= 0 && d < time.Minute {
			left = append(left, t)
		}
	}
	v.asked = left
	if len(v.asked) >= maxFetches {
		return false
	}
	v.asked = append(v.asked, now)
	return true
}

// fetch gets a file of at most 32 KiB; nil where there is none. It follows no redirect.
func (v *verifier) fetch(ctx context.Context, where string) []byte {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, where, http.NoBody)
	if err != nil {
		return nil
	}
	res, err := v.client.Do(r)
	if err != nil {
		return nil
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxCertificate+1))
	if err != nil || res.StatusCode != http.StatusOK || len(raw) > maxCertificate {
		return nil
	}
	return raw
}

// event reads what was signed.
func (v *verifier) event(body []byte) (e Event, err error) {
	var in struct {
		Name     *string        `json:"EventName"`
		Resource lenient.String `json:"ResourceName"`
		At       lenient.Time   `json:"ResourceChangeUtcDate"`
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if !utf8.Valid(body) || d.Decode(&in) != nil || in.Name == nil || *in.Name == "" || len(*in.Name) > maxName {
		return e, errBad("body")
	}
	if _, err := d.Token(); err != io.EOF {
		return e, errBad("body")
	}
	now := v.now()
	switch {
	case !in.At.Set, in.At.Before(now.Add(-maxOld)):
		return e, errBad("old")
	case in.At.After(now.Add(maxAhead)):
		return e, errBad("ahead")
	}
	return Event{Name: *in.Name, Resource: string(in.Resource), At: in.At.Time}, nil
}
