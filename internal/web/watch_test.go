package web_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"partnerguard/internal/web"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		var broken error
		hangs := true
		r.Handle(web.Health(web.Check{Name: "the database", Look: func(context.Context) error { return broken }},
			web.Check{Name: "the queue", Look: func(ctx context.Context) error {
				if hangs {
					<-ctx.Done()
				}
				return ctx.Err()
			}}))
		broken = io.EOF
		w := r.do(http.MethodGet, "/healthz", "")
		if body := w.Body.String(); w.Code != 503 || !strings.Contains(body, "the database does not answer") || strings.Contains(body, "EOF") {
			t.Errorf("%d %s", w.Code, body)
		}
		if !strings.Contains(r.log.String(), "cause=EOF") {
			t.Errorf("%s", &r.log)
		}
		broken = nil
		began := time.Now()
		w = r.do(http.MethodGet, "/healthz", "")
		if took := time.Since(began); took != 5*time.Second || w.Code != 503 || !strings.Contains(w.Body.String(), "the queue does not answer") {
			t.Errorf("after %s: %d %s", took, w.Code, w.Body)
		}
		hangs = false
		if w := r.do(http.MethodGet, "/healthz", ""); w.Code != 200 || w.Body.String() != "ok\n" || w.Header().
			Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%d %q", w.Code, w.Body)
		}
	})
}

// TestMetrics: the names that people's dashboards know, and no series that a
// client can make.
func TestMetrics(t *testing.T) {
	t.Parallel()
	r := newRig()
	r.Handle(web.Metrics(r.reg))
	r.route("x", "GET /x/", fine)
	r.route("bad", "GET /bad", func(http.ResponseWriter, *http.Request) error { panic("x") })
	r.do(http.MethodGet, "/x/1", "")
	r.do(http.MethodHead, "/x/2", "")
	r.do("GEHEIM", "/geheim", "")
	r.do("GEHEIM2", "/geheim2", "")
	r.do(http.MethodGet, "/bad", "")
	if w := r.do(http.MethodGet, "/metrics", ""); w.Code != 403 {
		t.Errorf("from elsewhere: %d", w.Code)
	}
	w := r.do(http.MethodGet, "/metrics", "", "peer", "127.0.0.1:5", "Host", "localhost")
	text := w.Body.String()
	for _, want := range []string{
		`partnerguard_http_requests_total{class="2xx",method="GET",route="x"} 1`,
		`partnerguard_http_requests_total{class="2xx",method="HEAD",route="x"} 1`,
		`partnerguard_http_requests_total{class="4xx",method="other",route="none"} 2`,
		`partnerguard_http_requests_total{class="5xx",method="GET",route="bad"} 1`,
		`partnerguard_http_requests_total{class="4xx",method="GET",route="metrics"} 1`,
		`partnerguard_http_request_duration_seconds_count{route="x"} 2`,
		`partnerguard_http_request_duration_seconds_bucket{route="x",le="0.001"}`,
		`partnerguard_http_requests_in_flight 1`,
		`partnerguard_http_panics_total{route="bad"} 1`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") || strings.Contains(strings.ToLower(text), "geheim") {
		t.Errorf("%d %s\n%s", w.Code, w.Header().Get("Content-Type"), text)
	}
}

// An answer that fails when half of it is out is told as what it is: cut, with its
// cause, and counted apart.
func TestCutIsTold(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	reg := prometheus.NewRegistry()
	k := web.NewKernel(web.Deps{Log: slog.New(slog.NewTextHandler(&log, nil)), Metrics: reg})
	k.Handle(web.Route{Name: "half", Pattern: "GET /half", Access: web.Public("a test"), Handle: func(w http.ResponseWriter, _ *http.Request) error {
		_, _ = io.WriteString(w, "half")
		return errors.New("the rest is gone")
	}})
	func() {
		defer func() { _ = recover() }() // the server cuts the connection by it
		k.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/half", nil))
	}()
	for _, want := range []string{"level=ERROR", "cut=true", "the rest is gone", "route=half"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s: %s", want, &log)
		}
	}
	if n, err := testutil.GatherAndCount(reg, "partnerguard_http_requests_total"); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	all, err := reg.Gather()
	if err != nil || !strings.Contains(fmt.Sprint(all), `value:"cut"`) {
		t.Errorf("it is counted as %v, %v", all, err)
	}
}
