package app_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/audit"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
	"partnerguard/internal/web"
)

// asked is what a handler answers this machine.
func asked(h http.Handler, path string) (int, string) {
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1"+path, nil)
	r.RemoteAddr = "127.0.0.1:5000"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// A worker answers of its health and nothing else; any number share PostgreSQL.
func TestWorkers(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	at := dbtest.PostgresURL(t)
	var handlers []http.Handler
	for range 2 {
		s := p.must(false, "PARTNERGUARD_DATABASE", at)
		h, err := s.Work(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		handlers = append(handlers, h)
	}
	for _, h := range handlers {
		k, ok := h.(*web.Kernel)
		if !ok {
			t.Fatalf("%T", h)
		}
		var names []string
		for _, r := range k.Routes() {
			names = append(names, r.Name)
		}
		if got := strings.Join(names, " "); got != "health metrics ready" {
			t.Errorf("a worker answers %s", got)
		}
		for path, want := range map[string]string{"/healthz": "ok\n", "/readyz": "ready\n"} {
			if status, said := asked(h, path); status != 200 || said != want {
				t.Errorf("%s: %d %q", path, status, said)
			}
		}
		status, said := asked(h, "/metrics")
		for _, want := range []string{"partnerguard_workers 2", "partnerguard_db_size_bytes ", "partnerguard_db_connections_max 16",
			"partnerguard_data_free_bytes "} {
			if status != 200 || !strings.Contains(said, want) {
				t.Errorf("/metrics: %d, without %s", status, want)
			}
		}
		if status, _ := asked(h, "/msi/token"); status != 404 {
			t.Errorf("a worker answers callers: %d", status)
		}
	}
}

// Of a database in a file there is one that works it; whoever looks at it is let in.
func TestTwoServersOnOneFile(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	first := p.must(false)
	if _, err := first.Serve(t.Context(), app.ServeOptions{}); err != nil {
		t.Fatal(err)
	}
	second := p.must(false)
	if _, err := second.Serve(t.Context(), app.ServeOptions{}); !errors.Is(err, problem.Conflict) || !strings.Contains(err.Error(), "serve") {
		t.Errorf("a second server: %v", err)
	}
	if _, err := second.Work(t.Context()); !errors.Is(err, problem.Conflict) {
		t.Errorf("a worker beside it: %v", err)
	}
	o := p.options(false)
	o.Works = "worker"
	if _, err := app.Open(t.Context(), o); !errors.Is(err, problem.Conflict) {
		t.Errorf("opened to work: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := second.Work(t.Context()); err != nil {
		t.Errorf("the first one ended: %v", err)
	}
}

// Readiness names what is missing, while health goes on.
func TestReadiness(t *testing.T) {
	t.Parallel()
	s := newPlace(t).must(false)
	h, err := s.Work(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if status, said := asked(h, "/readyz"); status != 200 {
		t.Fatalf("%d %s", status, said)
	}
	if _, err := s.DB.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)"); err != nil {
		t.Fatal(err)
	}
	if status, said := asked(h, "/readyz"); status != 503 || !strings.Contains(said, "the database's schema is not ready") {
		t.Errorf("raised by another: %d %s", status, said)
	}
	if _, err := s.DB.Exec("DELETE FROM goose_db_version WHERE version_id = 99999"); err != nil {
		t.Fatal(err)
	}
	if status, _ := asked(h, "/healthz"); status != 200 {
		t.Errorf("health: %d", status)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if status, _ := asked(h, "/readyz"); status != 503 {
		t.Errorf("after its end: %d", status)
	}
}

// PostgreSQL is restarted under a server and a worker: they say so, live, and are ready
// again when it is.
func TestServeSurvivesPostgres(t *testing.T) {
	t.Parallel()
	w, p := dbtest.NewWire(t), newPlace(t)
	server, other := p.must(false, "PARTNERGUARD_DATABASE", w.URL), p.must(false, "PARTNERGUARD_DATABASE", w.URL)
	h, err := server.Serve(t.Context(), app.ServeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	k, err := other.Work(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := func(want int) {
		t.Helper()
		for _, x := range []http.Handler{h, k} {
			for _, path := range []string{"/healthz", "/readyz"} {
				for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
					status, said := asked(x, path)
					if status == want {
						break
					}
					if time.Now().After(end) {
						t.Fatalf("%s: %d %s, want %d", path, status, said, want)
					}
				}
			}
		}
	}
	for range 2 {
		all(200)
		w.Cut()
		all(503)
		if status, _ := asked(h, "/metrics"); status != 200 {
			t.Errorf("metrics while it is away: %d", status)
		}
		w.Mend()
	}
	all(200)
	if err := server.Trail.Record(t.Context(), audit.Event{Action: audit.BackupMade, Outcome: audit.Done, Actor: "test", Object: "x"}); err != nil {
		t.Errorf("after the restart: %v", err)
	}
}
