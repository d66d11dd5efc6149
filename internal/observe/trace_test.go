package observe_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"partnerguard/internal/observe"
)

// collector keeps what it was sent.
type collector struct {
	mu   sync.Mutex
	got  bytes.Buffer
	path []string
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got.Write(b)
	c.path = append(c.path, r.URL.Path)
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// Marks that no span may have: of secrets, of tenants, and what tears a terminal.
const (
	secretMark = "Secret-0123456789"
	tenantMark = "contoso-of-the-test"
	guidMark   = "5a1e3c1f-6f0b-4c56-8f39-2d7c7a3b9e10"
	tear       = "a\n\r\x1b[31m\u202e\u2028\x00b"
)

// Spans come to a collector by OTLP, and have templates, words and no more. It sets
// the process's provider, so it runs alone.
func TestTraces(t *testing.T) {
	got := &collector{}
	to := httptest.NewServer(got)
	defer to.Close()
	none := func(string) string { return "" }
	end, err := observe.Trace(t.Context(), observe.Config{Traces: to.URL}, "v1", none, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"Traceparent", "Tracestate", "Baggage"} {
			if r.Header.Get(name) != "" {
				t.Errorf("%s was told to who is asked", name)
			}
		}
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer api.Close()
	c := http.Client{Transport: observe.Outgoing(http.DefaultTransport)}
	send := func(ctx context.Context) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, api.URL+"/v1.0/users/"+guidMark+"/"+tenantMark+"?$filter="+secretMark, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+secretMark)
		res, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	}
	ctx, span := observe.Start(t.Context(), "job", "job collect", "job.kind", "collect", "hostile", tear)
	send(ctx)
	below := 0
	for range 200 {
		_, s := observe.Below(ctx, "transaction")
		if s != (observe.Span{}) {
			below++
		}
		s.End("committed", false)
	}
	span.End("failed", true)
	send(t.Context()) // within nothing: no span
	if err := end(); err != nil {
		t.Fatal(err)
	}
	if below != 64 {
		t.Errorf("%d transactions of one job", below)
	}
	said := got.got.String()
	if !slices.Contains(got.path, "/v1/traces") {
		t.Errorf("sent to %q", got.path)
	}
	for _, want := range []string{"job collect", "GET /v1.0/users/{}/{}", "url.template", "429", "4xx", "127.0.0.1",
		"transaction", `a\n\r\x1b[31m\u202e\u2028\x00b`} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is in no span", want)
		}
	}
	for _, mark := range []string{secretMark, tenantMark, guidMark, "\x1b[31m", "\u202e", "\u2028"} {
		if strings.Contains(said, mark) {
			t.Errorf("%q is in a span", mark)
		}
	}
	if n := strings.Count(said, "GET /v1.0/users/{}/{}"); n != 1 {
		t.Errorf("%d spans of requests", n)
	}
	// Off is off.
	if end, err := observe.Trace(t.Context(), observe.Config{}, "v1", none, slog.New(slog.DiscardHandler)); err != nil || end() != nil {
		t.Error(err)
	}
	if _, s := observe.Start(t.Context(), "job", "x"); s != (observe.Span{}) {
		t.Error("a span is recorded for nobody")
	}
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/": "/", "": "/",
		"/v1.0/users": "/v1.0/users",
		"/v1.0/users/alice@contoso.example/memberOf":     "/v1.0/users/{}/memberOf",
		"/contoso/oauth2/v2.0/token":                     "/{}/oauth2/v2.0/token",
		"/beta/groups/" + guidMark + "/members":          "/beta/groups/{}/members",
		"/v1/customers/" + guidMark + "/subscriptions":   "/v1/customers/{}/subscriptions",
		"/v1.0/" + strings.Repeat("x/", 40):              "/v1.0" + strings.Repeat("/{}", 11) + "/…",
		"/v1.0/users(userPrincipalName='a@contoso.com')": "/v1.0/users({})",
		"/v1.0/" + tear: "/v1.0/{}",
	} {
		if got := observe.Template(path); got != want {
			t.Errorf("%q: %s, want %s", path, got, want)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain words": "plain words", `say "x"`: `say "x"`, "Müller 東京": "Müller 東京", tear: `a\n\r\x1b[31m\u202e\u2028\x00b`, "\xff": `\xff`,
		strings.Repeat("é", 201): strings.Repeat("é", 200) + "…",
	} {
		if got := observe.Text(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add(tear)
	f.Add(strings.Repeat("\u202e", 500))
	f.Fuzz(func(t *testing.T, s string) {
		got := observe.Text(s)
		if strings.ContainsAny(got, "\n\r\x1b\x00\u202e\u2028\u2029\u009b") || len(got) > 200*10+3 {
			t.Errorf("%q became %q", s, got)
		}
	})
}

// Where a traceparent came from is not believed further than its ids.
func TestFrom(t *testing.T) {
	t.Parallel()
	for _, v := range []string{"", "x", "00-" + strings.Repeat("0", 32) + "-0000000000000001-01", strings.Repeat("00-", 10000)} {
		h := http.Header{"Traceparent": {v}, "Tracestate": {"evil=1"}}
		if ctx := observe.From(t.Context(), h); ctx != t.Context() {
			if _, s := observe.Start(ctx, "server", "x"); s != (observe.Span{}) {
				t.Errorf("%.40q", v)
			}
		}
	}
}
