package web_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/problem"
	"partnerguard/internal/web"
)

func TestGuard(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/panic/", func(http.ResponseWriter, *http.Request) { panic("geheim") })
	mux.HandleFunc("/read", func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		}
	})
	h := web.Guard(mux, slog.New(slog.NewTextHandler(&log, nil)))
	do := func(method, path, body string, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "https://pg.example"+path, strings.NewReader(body))
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	ok := do(http.MethodGet, "/", "")
	for name, want := range map[string]string{
		"Content-Security-Policy": "frame-ancestors 'none'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"Cache-Control": "no-store", "Strict-Transport-Security": "max-age",
	} {
		if !strings.Contains(ok.Header().Get(name), want) {
			t.Errorf("%s: %q", name, ok.Header().Get(name))
		}
	}
	for name, c := range map[string]struct {
		got  *httptest.ResponseRecorder
		want int
	}{
		"own form":      {do(http.MethodPost, "/", "", "Origin", "https://pg.example", "Sec-Fetch-Site", "same-origin"), 200},
		"another's":     {do(http.MethodPost, "/", "", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"), 403},
		"older browser": {do(http.MethodPost, "/", "", "Origin", "https://evil.example"), 403},
		"large body":    {do(http.MethodPost, "/read", strings.Repeat("x", web.MaxBody+1)), 413},
		"panic":         {do(http.MethodGet, "/panic/geheim?code=geheim", ""), 500},
	} {
		if c.got.Code != c.want {
			t.Errorf("%s: %d, want %d", name, c.got.Code, c.want)
		}
		if strings.Contains(c.got.Body.String(), "geheim") {
			t.Errorf("%s: it shows what it panicked with", name)
		}
	}
	if !strings.Contains(log.String(), "route=/panic/") || strings.Contains(log.String(), "geheim") {
		t.Errorf("log: %s", log.String())
	}
}

func TestServeEndsGracefully(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	inside, goOn := make(chan struct{}), make(chan struct{})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- web.Serve(ctx, web.Options{Listener: l, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(inside)
			<-goOn
			_, _ = io.WriteString(w, "whole")
		})})
	}()
	answer := make(chan string, 1)
	go func() {
		r, err := http.Get("http://" + l.Addr().String())
		if err != nil {
			answer <- err.Error()
			return
		}
		defer r.Body.Close()
		b, _ := io.ReadAll(r.Body)
		answer <- string(b)
	}()
	<-inside
	stop()
	close(goOn)
	if got := <-answer; got != "whole" {
		t.Errorf("the request under way got %q", got)
	}
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Error("it does not end")
	}
}

func TestPlainBeyondLoopbackIsRefused(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Skip(err)
	}
	if err := web.Serve(t.Context(), web.Options{Listener: l, Handler: http.NotFoundHandler()}); !errors.Is(err, problem.Usage) {
		t.Errorf("%v", err)
	}
}
