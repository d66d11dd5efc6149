package control_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"partnerguard/internal/partnercloud/control"
	"partnerguard/internal/partnercloud/gate"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/problem"
)

const secret = "mark-91ab-secret"

// log is a sign-in log in memory.
type log struct {
	mu   sync.Mutex
	rows []json.RawMessage
	more chan struct{}
}

func (l *log) add(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rows = append(l.rows, json.RawMessage(s))
	close(l.more)
	l.more = make(chan struct{})
}

func (l *log) SignIns(_ context.Context, after int64, limit int) ([]json.RawMessage, int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if after < 0 {
		after = max(0, int64(len(l.rows))+after)
	}
	end := min(int64(len(l.rows)), after+int64(limit))
	if after >= end {
		return nil, after, nil
	}
	return l.rows[after:end], end, nil
}

func (l *log) Wait(ctx context.Context, after int64) error {
	for {
		l.mu.Lock()
		n, more := int64(len(l.rows)), l.more
		l.mu.Unlock()
		if n > after {
			return nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

type stand struct {
	*control.Client
	h       http.Handler
	gate    *gate.Gate
	graph   http.Handler
	clock   *world.Clock
	log     *log
	rolled  int
	enforce string
}

func newStand(t *testing.T) *stand {
	t.Helper()
	noon := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	s := &stand{gate: gate.New(gate.Deps{}), clock: world.NewClock(func() time.Time { return noon }), log: &log{more: make(chan struct{})}}
	s.graph = s.gate.Wrap(gate.Graph, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	h := control.New(control.Deps{
		Secret: secret, Clock: s.clock, Gate: s.gate, Log: s.log, CA: func() []byte { return []byte("PEM") },
		Info:     func() any { return map[string]string{"name": "Partner cloud"} },
		Rollover: func() error { s.rolled++; return nil },
		Enforce: func(raw json.RawMessage) (any, error) {
			if raw != nil {
				s.enforce = string(raw)
			}
			return json.RawMessage(`{"on":true}`), nil
		},
	})
	s.h = h
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	s.Client = control.Dial(srv.URL, secret)
	return s
}

func (s *stand) visit(path string) {
	s.graph.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
}

func TestClockThroughTheClient(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	ctx := t.Context()
	start := s.clock.Now()
	c, err := s.Jump(ctx, 95*24*time.Hour)
	if err != nil || !c.Now.Equal(start.Add(95*24*time.Hour)) || c.Frozen {
		t.Fatalf("%+v %v", c, err)
	}
	if c, err = s.Freeze(ctx, true); err != nil || !c.Frozen || !s.clock.Frozen() {
		t.Errorf("%+v %v", c, err)
	}
	if c, err = s.Freeze(ctx, false); err != nil || c.Frozen {
		t.Errorf("%+v %v", c, err)
	}
	to := start.Add(200 * 24 * time.Hour)
	if c, err = s.Set(ctx, to); err != nil || !c.Now.Equal(to) {
		t.Errorf("%+v %v", c, err)
	}
	if _, err = s.Set(ctx, start); !errors.Is(err, problem.Usage) || problem.HintOf(err) == "" {
		t.Errorf("back in time: %v, hint %q", err, problem.HintOf(err))
	}
	if c, err = s.Clock(ctx); err != nil || !c.Now.Equal(to) {
		t.Errorf("%+v %v", c, err)
	}
}

func TestFaultsAndRequestsThroughTheClient(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	ctx := t.Context()
	f, err := s.Inject(ctx, control.Fault{Service: "graph", Kind: "429", Share: 0.5, RetryAfter: "7s", Path: "/v1.0/", Method: "get", Times: 9})
	if err != nil || f.ID == "" || f.RetryAfter != "7s" || f.Method != "GET" || f.Path != "/v1.0/" || f.Times != 9 {
		t.Fatalf("%+v %v", f, err)
	}
	if _, err := s.Inject(ctx, control.Fault{Service: "graph", Kind: "boom"}); !errors.Is(err, problem.Usage) ||
		!strings.Contains(problem.HintOf(err), "repeat-page") {
		t.Errorf("%v, %q", err, problem.HintOf(err))
	}
	if _, err := s.Inject(ctx, control.Fault{Service: "graph", Kind: "slow", Delay: "soon"}); !errors.Is(err, problem.Usage) {
		t.Error(err)
	}
	for range 4 {
		s.visit("/v1.0/users?client_secret=x")
	}
	list, err := s.Faults(ctx)
	if err != nil || len(list) != 1 || list[0].Hits != 2 || list[0].Met != 4 {
		t.Errorf("%+v %v", list, err)
	}
	n := 0
	if err := s.Requests(ctx, gate.Filter{Faulted: true, Status: 429, Service: "graph", PathPrefix: "/v1.0"}, false,
		func(r gate.Seen) error { n++; return nil }); err != nil || n != 2 {
		t.Errorf("%d %v", n, err)
	}
	if _, err := s.Client.Clear(ctx, "f99"); !errors.Is(err, problem.NotFound) {
		t.Error(err)
	}
	if n, err := s.Client.Clear(ctx, f.ID); n != 1 || err != nil {
		t.Error(n, err)
	}
	if n, err := s.Client.Clear(ctx, ""); n != 0 || err != nil {
		t.Error(n, err)
	}
}

func TestFollowing(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	stop := errors.New("enough")
	s.visit("/1")
	var paths []string
	err := s.Requests(t.Context(), gate.Filter{}, true, func(r gate.Seen) error {
		paths = append(paths, r.Path)
		if len(paths) == 3 {
			return stop
		}
		s.visit(fmt.Sprintf("/%d", len(paths)+1))
		return nil
	})
	if !errors.Is(err, stop) || strings.Join(paths, " ") != "/1 /2 /3" {
		t.Errorf("%v %v", paths, err)
	}
	for i := range 5 {
		s.log.add(fmt.Sprintf("{\n\"id\": %d}", i))
	}
	var rows []string
	next, err := s.SignIns(t.Context(), 1, 2, false, func(r json.RawMessage) error { rows = append(rows, string(r)); return nil })
	if err != nil || next != 3 || len(rows) != 2 {
		t.Errorf("%v %d %v", rows, next, err)
	}
	rows = nil
	_, err = s.SignIns(t.Context(), -2, 100, true, func(r json.RawMessage) error {
		rows = append(rows, string(r))
		if len(rows) == 4 {
			return stop
		}
		if len(rows) >= 2 {
			s.log.add(`{"id":"new"}`)
		}
		return nil
	})
	if !errors.Is(err, stop) || strings.Join(rows, " ") != `{"id":3} {"id":4} {"id":"new"} {"id":"new"}` {
		t.Errorf("%v %v", rows, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.SignIns(ctx, 100, 1, true, func(json.RawMessage) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("leaving: %v", err)
	}
}

func TestTheRest(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	ctx := t.Context()
	var info struct{ Name string }
	if err := s.Info(ctx, &info); err != nil || info.Name != "Partner cloud" {
		t.Error(info, err)
	}
	if pem, err := s.CA(ctx); err != nil || string(pem) != "PEM" {
		t.Errorf("%q %v", pem, err)
	}
	if err := s.Rollover(ctx); err != nil || s.rolled != 1 {
		t.Error(s.rolled, err)
	}
	var out struct{ On bool }
	if err := s.Enforcement(ctx, nil, &out); err != nil || !out.On || s.enforce != "" {
		t.Error(out, err, s.enforce)
	}
	if err := s.Enforcement(ctx, json.RawMessage(`{"stage":"enforced"}`), &out); err != nil || s.enforce != `{"stage":"enforced"}` {
		t.Error(s.enforce, err)
	}
	srv := httptest.NewServer(control.New(control.Deps{Secret: secret, Clock: s.clock, Gate: s.gate}))
	defer srv.Close()
	c := control.Dial(srv.Listener.Addr().String(), secret)
	for what, err := range map[string]error{"info": c.Info(ctx, &info), "rollover": c.Rollover(ctx), "enforce": c.Enforcement(ctx, nil, &out)} {
		if !errors.Is(err, problem.NotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("an API without a secret was made")
		}
	}()
	control.New(control.Deps{Clock: s.clock, Gate: s.gate})
}

// TestTheGuard knocks from everywhere else.
func TestTheGuard(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for _, c := range []struct {
		name, remote, host, auth string
		want                     int
	}{
		{"well", "127.0.0.1:5", "127.0.0.1:7446", "Bearer " + secret, 200},
		{"by name", "[::1]:5", "localhost:7446", "bearer " + secret, 200},
		{"by six", "[::1]:5", "[::1]:7446", "Bearer " + secret, 200},
		{"another machine", "10.0.0.9:5", "127.0.0.1:7446", "Bearer " + secret, 403},
		{"no peer", "", "127.0.0.1:7446", "Bearer " + secret, 403},
		{"rebinding", "127.0.0.1:5", "evil.example:7446", "Bearer " + secret, 403},
		{"rebinding like us", "127.0.0.1:5", "localhost.evil.example", "Bearer " + secret, 403},
		{"rebinding by address", "127.0.0.1:5", "127.0.0.1.evil.example:1", "Bearer " + secret, 403},
		{"no host", "127.0.0.1:5", "", "Bearer " + secret, 403},
		{"any address", "127.0.0.1:5", "0.0.0.0:7446", "Bearer " + secret, 403},
		{"no secret", "127.0.0.1:5", "localhost", "", 401},
		{"wrong secret", "127.0.0.1:5", "localhost", "Bearer " + secret + "x", 401},
		{"half a secret", "127.0.0.1:5", "localhost", "Bearer " + secret[:8], 401},
		{"basic", "127.0.0.1:5", "localhost", "Basic " + secret, 401},
		{"no scheme", "127.0.0.1:5", "localhost", secret, 401},
	} {
		for _, path := range []string{"/v1/info", "/v1/clock", "/v1/faults", "/v1/requests", "/v1/log/signins", "/v1/ca.pem"} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.RemoteAddr, r.Host = c.remote, c.host
			if c.auth != "" {
				r.Header.Set("Authorization", c.auth)
			}
			w := httptest.NewRecorder()
			s.h.ServeHTTP(w, r)
			if w.Code != c.want || strings.Contains(w.Body.String(), secret) || w.Header().Get("Access-Control-Allow-Origin") != "" || w.Header().
				Get(gate.BannerHeader) == "" {
				t.Errorf("%s %s: %d %s", c.name, path, w.Code, w.Body)
			}
		}
	}
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for _, c := range []struct {
		method, path, kind, body string
		want                     int
	}{
		{"POST", "/v1/clock", "application/json", `{"jump":"95d"}`, 200},
		{"POST", "/v1/clock", "text/plain", `{"jump":"95d"}`, 400}, // a form of another site cannot send JSON
		{"POST", "/v1/clock", "application/json", `{"jump":"95d","freeze":true}`, 400},
		{"POST", "/v1/clock", "application/json", `{}`, 400},
		{"POST", "/v1/clock", "application/json", `{"hop":"95d"}`, 400},
		{"POST", "/v1/clock", "application/json", `{"jump":"95d"}{}`, 400},
		{"POST", "/v1/clock", "application/json", `{"jump":"-1d"}`, 400},
		{"POST", "/v1/clock", "application/json", `{"set":"tomorrow"}`, 400},
		{"POST", "/v1/clock", "application/json", ``, 400},
		{"POST", "/v1/faults", "application/json", `{"service":"graph","kind":"429","share":2}`, 400},
		{"POST", "/v1/faults", "application/json", `{"service":"graph","kind":"` + strings.Repeat("x", 70<<10) + `"}`, 413},
		{"DELETE", "/v1/faults?id=nope", "", "", 404},
		{"GET", "/v1/requests?status=abc", "", "", 400},
		{"GET", "/v1/requests?limit=-1", "", "", 400},
		{"GET", "/v1/log/signins?limit=0", "", "", 400},
		{"GET", "/v1/log/signins?after=99999999999999999999", "", "", 400},
		{"GET", "/v2/info", "", "", 404},
		{"PUT", "/v1/clock", "application/json", "{}", 404},
		{"GET", "/v1/\x1b[31m", "", "", 404},
	} {
		r := httptest.NewRequest(c.method, "/", strings.NewReader(c.body))
		r.URL.Path, r.URL.RawQuery, _ = strings.Cut(c.path, "?")
		r.RemoteAddr, r.Host = "127.0.0.1:1", "localhost"
		r.Header.Set("Authorization", "Bearer "+secret)
		if c.kind != "" {
			r.Header.Set("Content-Type", c.kind)
		}
		w := httptest.NewRecorder()
		s.h.ServeHTTP(w, r)
		if w.Code != c.want || w.Code >= 400 && !strings.Contains(w.Body.String(), `"message":"`) || strings.ContainsAny(w.Body.String(), "\x1b") ||
			w.Body.Len() > 2000 {
			t.Errorf("%s %.40s %.60s: %d %.300s", c.method, c.path, c.body, w.Code, w.Body)
		}
	}
}

func TestClientSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	s := newStand(t)
	srv := httptest.NewServer(s.h)
	defer srv.Close()
	for url, want := range map[string]string{other.URL: "something else", gone.URL: "no partner cloud answers", srv.URL: "needs its secret"} {
		_, err := control.Dial(url, "wrong-7bd1").Clock(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) || problem.HintOf(err) == "" || strings.Contains(err.Error(), "wrong-7bd1") {
			t.Errorf("%s: %v, hint %q", want, err, problem.HintOf(err))
		}
	}
	if text := fmt.Sprintf("%v %+v %#v", s.Client, s.Client, s.Client); strings.Contains(text, secret) {
		t.Error("a printed client shows its secret")
	}
}

func TestDurations(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"+95d": 95 * 24 * time.Hour, "36h": 36 * time.Hour, "2w": 14 * 24 * time.Hour, "90m": 90 * time.Minute, "1d12h": 36 * time.Hour,
		" 1.5H ": 90 * time.Minute,
		"-10m":   -10 * time.Minute, "250ms": 250 * time.Millisecond, "0": 0, "0d": 0, "1w1d1h1m1s": 8*24*time.Hour + time.Hour + time.Minute + time.Second,
	} {
		got, err := control.ParseDuration(text)
		if err != nil || got != want {
			t.Errorf("%q is %s, want %s (%v)", text, got, want, err)
		}
		again, err := control.ParseDuration(control.FormatDuration(got))
		if err != nil || again != got {
			t.Errorf("%s was written %q and read %s (%v)", got, control.FormatDuration(got), again, err)
		}
	}
	for _, text := range []string{"", "+", "-", "d", "95", "1.2.3d", "95 d", "1y", "5d-", "--5d", ".d", "1e9d", "999999w", "NaNd", "infh",
		strings.Repeat("9", 400) + "d", "5µs"} {
		if got, err := control.ParseDuration(text); !errors.Is(err, problem.Usage) {
			t.Errorf("%.20q is %s (%v)", text, got, err)
		}
	}
}

func FuzzDuration(f *testing.F) {
	for _, s := range []string{"+95d", "1d12h", "-1.5s", "9w9", "..", "1ms1m"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := control.ParseDuration(text)
		if err != nil {
			if len(err.Error()) > 300 {
				t.Errorf("a message of %d bytes", len(err.Error()))
			}
			return
		}
		if limit := 100 * 365 * 24 * time.Hour; d > limit || d < -limit {
			t.Errorf("%q is %s", text, d)
		}
		if again, err := control.ParseDuration(control.FormatDuration(d)); err != nil || again-d > time.Millisecond || d-again > time.Millisecond {
			t.Errorf("%s was written %q and read %s (%v)", d, control.FormatDuration(d), again, err)
		}
	})
}

// TestFollowersLeave: a client that goes away leaves nothing running.
func TestFollowersLeave(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(gate.Deps{})
		h := control.New(control.Deps{Secret: secret, Clock: s.clock, Gate: g})
		ctx, cancel := context.WithCancel(t.Context())
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/v1/requests?follow=1", nil)
		r.RemoteAddr, r.Host = "127.0.0.1:1", "localhost"
		r.Header.Set("Authorization", "Bearer "+secret)
		done := make(chan struct{})
		go func() { h.ServeHTTP(httptest.NewRecorder(), r); close(done) }()
		synctest.Wait()
		cancel()
		<-done
	})
}

// between is a gate that sees a request just when somebody begins to follow.
type between struct{ *gate.Gate }

func (b between) Follow(context.Context) <-chan gate.Seen {
	rows := make(chan gate.Seen, 2)
	rows <- gate.Seen{Seq: 1, Path: "/1"}
	rows <- gate.Seen{Seq: 2, Path: "/2"}
	close(rows)
	return rows
}

func (b between) Seen(gate.Filter) []gate.Seen { return []gate.Seen{{Seq: 1, Path: "/1"}} }

func TestNothingIsToldTwice(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(control.New(control.Deps{Secret: secret, Clock: world.NewClock(nil), Gate: between{gate.New(gate.Deps{})}}))
	defer srv.Close()
	var paths []string
	err := control.Dial(srv.URL, secret).Requests(t.Context(), gate.Filter{}, true, func(s gate.Seen) error { paths = append(paths, s.Path); return nil })
	if strings.Join(paths, " ") != "/1 /2" || !errors.Is(err, problem.NotFound) {
		t.Errorf("%v %v", paths, err)
	}
}
