package app_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"partnerguard/internal/app"
)

// kept is what was written, by many.
type kept struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (k *kept) Write(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.b.Write(p)
}

func (k *kept) String() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.b.String()
}

// TestNothingOfOthersIsSeen: what whoever asks writes into a request, secrets and what
// tears a terminal, is in no line of the log, no span and no metric. It switches the
// process's traces on, so it runs alone.
func TestNothingOfOthersIsSeen(t *testing.T) {
	var spans, log kept
	to := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(&spans, io.LimitReader(r.Body, 1<<20))
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	defer to.Close()
	p := newPlace(t)
	o := p.options(false, "traces", to.URL, "public-url", "https://guard.example")
	o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s, err := app.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	h, err := s.Serve(t.Context(), app.ServeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	const secretMark, tear = "Secret-0123456789", "x\n\x1b[31m\u202e\u2028level=forged"
	for _, path := range []string{"/connect/" + secretMark, "/msi/token?resource=" + secretMark, "/" + url.PathEscape(tear), "/?code=" + secretMark} {
		for _, method := range []string{http.MethodGet, http.MethodPost, "X" + secretMark} {
			r := httptest.NewRequest(method, "https://guard.example"+path, strings.NewReader("state="+secretMark+tear))
			for _, name := range []string{"Authorization", "X-Identity-Header", "Cookie", "User-Agent",
				"Tracestate", "Baggage", "X-Request-Id", "X-Forwarded-For"} {
				r.Header.Set(name, secretMark+" "+tear)
			}
			r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
			r.Host = secretMark + ".example"
			h.ServeHTTP(httptest.NewRecorder(), r)
		}
	}
	_, metrics := asked(h, "/metrics")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for name, said := range map[string]string{"the log": log.String(), "a span": spans.String(), "a metric": metrics} {
		if len(said) < 500 {
			t.Errorf("%s: only %q was said", name, said)
		}
		for _, mark := range []string{secretMark, strings.ToLower(secretMark), "\x1b[31m", "\u202e", "\u2028", "level=forged"} {
			if i := strings.Index(said, mark); i >= 0 {
				t.Errorf("%q is in %s: %q", mark, name, said[max(0, i-100):min(len(said), i+100)])
			}
		}
	}
	if n := strings.Count(log.String(), "msg=request"); n < 12 {
		t.Errorf("%d lines of 12 requests", n)
	}
}
