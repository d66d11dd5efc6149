package client

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

type row struct {
	Name string `json:"name"`
}

// server answers by h, and gives a client that waits for nothing and says how long it would.
func server(t *testing.T, h http.HandlerFunc) (*Client, *[]time.Duration) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	var waits []time.Duration
	c, err := New(Options{Server: s.URL, Token: secret.New("pg_x"), Wait: func(_ context.Context, d time.Duration) error {
		waits = append(waits, d)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return c, &waits
}

func say(w http.ResponseWriter, kind, body string, status int) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func TestAll(t *testing.T) {
	t.Parallel()
	c, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer pg_x" || r.URL.Path != "/api/v1/people" || r.URL.Query().Get("size") != "1000" {
			t.Errorf("%s %v", r.URL, r.Header)
		}
		n := r.URL.Query().Get("page")
		say(w, "application/json", `{"data":[{"name":"`+n+`"}],"page":{"number":`+n+`,"pages":3,"matched":3,"total":9},"facts":[`+
			`{"what":"x","at":null}],"missing":false}`, 200)
	})
	p, err := All[row](t.Context(), c, "people", url.Values{"class": {"admin"}})
	if err != nil || len(p.Data) != 3 || p.Data[2].Name != "3" || p.Page.Total != 9 || !p.Facts[0].At.IsZero() {
		t.Errorf("%v %+v", err, p)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]struct {
		status     int
		kind, body string
		want       problem.Kind
		says       string
		tries      int
	}{
		"ours": {400, "application/problem+json", `{"detail":"there is no order \"x\"","hint":"there is a, b"}`, problem.Usage,
			`there is no order "x"`, 1},
		"token":     {401, "application/problem+json", `{"detail":"nobody is signed in"}`, problem.Unauthenticated, "nobody is signed in", 1},
		"forbidden": {403, "text/html", `<html>`, problem.Forbidden, "refuses (403)", 1},
		"busy":      {503, "application/problem+json", `{"detail":"not now"}`, problem.Unavailable, "not now", tries},
		"many":      {429, "text/plain", ``, problem.TooMany, "refuses (429)", tries},
		"teapot":    {418, "text/plain", ``, problem.BadInput, "refuses (418)", 1},
		"another":   {200, "text/html", `<html>hello`, problem.BadInput, "not as a Partnerguard", 1},
		"broken":    {200, "application/json", `{"data":`, problem.BadInput, "does not understand", 1},
		"steering":  {400, "application/problem+json", `{"detail":"\u001b[31mred\u202e"}`, problem.Usage, " [31mred ", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := 0
			c, _ := server(t, func(w http.ResponseWriter, _ *http.Request) {
				n++
				say(w, f.kind, f.body, f.status)
			})
			_, err := Get[row](t.Context(), c, "people", nil)
			if !errors.Is(err, f.want) || !strings.Contains(err.Error(), f.says) || n != f.tries || strings.Contains(err.Error(), "pg_x") {
				t.Errorf("%v after %d tries", err, n)
			}
			n = 0
			if _, err := c.Do(t.Context(), "people", "ask", nil, map[string]any{}); !errors.Is(err, f.want) || n != 1 {
				t.Errorf("an act is sent %d times: %v", n, err)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	n := 0
	c, waits := server(t, func(w http.ResponseWriter, _ *http.Request) {
		if n++; n < 3 {
			w.Header().Set("Retry-After", "7")
			say(w, "text/plain", "", 503)
			return
		}
		say(w, "application/json", `{"data":[]}`, 200)
	})
	if _, err := Get[row](t.Context(), c, "people", nil); err != nil || len(*waits) != 2 || (*waits)[0] != 7*time.Second {
		t.Errorf("%v %v", err, *waits)
	}
}

// A token goes nowhere but to the server that was named.
func TestTokenStays(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("asked with %v", r.Header) }))
	defer other.Close()
	c, _ := server(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) })
	if _, err := Get[row](t.Context(), c, "people", nil); err == nil || !strings.Contains(err.Error(), "leads elsewhere") {
		t.Error(err)
	}
	for _, bad := range []string{"http://guard.example", "ftp://localhost", "https://a@b", "https://b/x", "https://b?x", "", "localhost:1", "https://"} {
		if _, err := New(Options{Server: bad, Token: secret.New("x")}); !errors.Is(err, problem.Usage) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, bad := range []string{"", "a b", "a\nb", strings.Repeat("a", 5000), "ä"} {
		if _, err := New(Options{Server: "https://b", Token: secret.New(bad)}); !errors.Is(err, problem.Usage) {
			t.Errorf("%.10q: %v", bad, err)
		}
	}
	for _, bad := range []string{"", "../x", "People", "a//b", "a?b"} {
		if _, err := Get[row](t.Context(), c, bad, nil); !errors.Is(err, problem.Usage) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestRoots(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { say(w, "application/json", `{"data":[]}`, 200) }))
	defer s.Close()
	nobody := func(context.Context, time.Duration) error { return context.Canceled }
	c, err := New(Options{Server: s.URL, Token: secret.New("x"), Wait: nobody})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Get[row](t.Context(), c, "people", nil); err == nil || !strings.Contains(err.Error(), "nobody that is trusted here") {
		t.Error(err)
	}
	roots := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if c, err = New(Options{Server: s.URL, Token: secret.New("x"), Roots: roots}); err != nil {
		t.Fatal(err)
	}
	if _, err := Get[row](t.Context(), c, "people", nil); err != nil {
		t.Error(err)
	}
	if _, err = New(Options{Server: s.URL, Token: secret.New("x"), Roots: []byte("no")}); !errors.Is(err, problem.BadInput) {
		t.Error(err)
	}
}

func TestReadToken(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("pg_abc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadToken(file, "other"); err != nil || got.Reveal() != "pg_abc" {
		t.Error(err)
	}
	if got, err := ReadToken("", " pg_v "); err != nil || got.Reveal() != "pg_v" {
		t.Error(err)
	}
	if _, err := ReadToken(file+"x", ""); !errors.Is(err, problem.NotFound) {
		t.Error(err)
	}
}

// What a server says, whoever it is, is read or refused.
func FuzzAnswer(f *testing.F) {
	f.Add("application/json", `{"data":[{"name":"a"}],"page":{"pages":1}}`, 200)
	f.Add("application/problem+json", `{"detail":"x","hint":"y"}`, 400)
	f.Add("text/html", "<html>", 302)
	f.Fuzz(func(t *testing.T, kind, body string, status int) {
		if status < 200 || status > 599 || strings.ContainsAny(kind, "\r\n") {
			return
		}
		w := httptest.NewRecorder()
		say(w, kind, body, status)
		c, err := New(Options{Server: "https://x", Token: secret.New("t"), Wait: func(context.Context, time.Duration) error { return context.Canceled }})
		if err != nil {
			t.Fatal(err)
		}
		c.http.Transport = answer{w.Result()}
		p, err := Get[row](t.Context(), c, "people", nil)
		if (err == nil) == (p == nil) {
			t.Errorf("%v %v", p, err)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\x1b\x00") {
			t.Errorf("%q", err)
		}
	})
}

type answer struct{ res *http.Response }

func (a answer) RoundTrip(*http.Request) (*http.Response, error) { return a.res, nil }
