package attack

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// thief listens where no request of ours may ever go.
type thief struct {
	address string
	calls   atomic.Int64
}

func newThief(t testing.TB) *thief {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	f := &thief{address: "http://" + l.Addr().String()}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f.calls.Add(1)
			_ = c.Close()
		}
	}()
	return f
}

// wire stands between an installation and the partner cloud, and sees what
// leaves. Families of refresh tokens tell what came out of what.
type wire struct {
	to http.RoundTripper

	mu       sync.Mutex
	families map[string]string // refresh token: which consent it comes from
	secrets  map[string]string // client secret: whose
	sent     map[string]bool   // what left with a secret, in words
	alias    map[string]string // what the cloud gets in the place of a secret that it does not know
}

func newWire(c *cloud) *wire {
	return &wire{to: c.s.Transport(), families: map[string]string{}, secrets: c.secrets, sent: map[string]bool{}}
}

// seen forgets what was sent until now.
func (w *wire) seen() map[string]bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.sent
	w.sent = map[string]bool{}
	return out
}

// family is of which consent a refresh token is; w.mu is held.
func (w *wire) family(token string) string {
	if token == "" {
		return "none"
	}
	if f := w.families[token]; f != "" {
		return f
	}
	return "unknown"
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	var form url.Values
	if r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		_ = r.Body.Close()
		form, _ = url.ParseQuery(string(b))
		for _, name := range []string{"refresh_token", "client_secret"} {
			if other := w.alias[form.Get(name)]; other != "" {
				form.Set(name, other)
				b = []byte(form.Encode())
			}
		}
		r = r.Clone(r.Context())
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
	}
	refresh := form.Get("refresh_token")
	w.mu.Lock()
	if refresh != "" || form.Has("client_secret") || form.Has("client_assertion") {
		who := w.secrets[form.Get("client_secret")]
		if a := form.Get("client_assertion"); a != "" {
			who = assertion(a)
		}
		w.sent[strings.Join([]string{r.Method, r.URL.Scheme, r.URL.Host, r.URL.Path, "as " + form.Get("client_id"), "by " + who,
			"with " + w.family(refresh)}, " ")] = true
	}
	if r.Header.Get("Authorization") != "" { // an access token: only the host matters
		w.sent["bearer "+r.URL.Scheme+" "+r.URL.Host] = true
	}
	w.mu.Unlock()
	res, err := w.to.RoundTrip(r)
	if err != nil || refresh == "" {
		return res, err
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	_ = res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(b))
	var got struct {
		Refresh string `json:"refresh_token"`
	}
	if json.Unmarshal(b, &got) == nil && got.Refresh != "" {
		w.mu.Lock()
		w.families[got.Refresh] = w.family(refresh)
		w.mu.Unlock()
	}
	return res, err
}

// assertion says whose key signed a client assertion, and for which address.
func assertion(raw string) string {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return "a broken assertion"
	}
	head, _ := base64.RawURLEncoding.DecodeString(parts[0])
	body, _ := base64.RawURLEncoding.DecodeString(parts[1])
	var h struct {
		Key string `json:"x5t#S256"`
	}
	var c struct {
		Audience any    `json:"aud"`
		Subject  string `json:"sub"`
	}
	_, _ = json.Unmarshal(head, &h), json.Unmarshal(body, &c)
	aud, _ := json.Marshal(c.Audience)
	return "key " + h.Key + " of " + c.Subject + " for " + string(aud)
}
