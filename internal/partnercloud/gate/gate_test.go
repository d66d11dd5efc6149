package gate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"partnerguard/internal/problem"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// bench is a gate before a counting service, behind a real server.
type bench struct {
	*Gate
	url   string
	calls atomic.Int64
	c     *http.Client
}

func newBench(t *testing.T, service string, h http.HandlerFunc) *bench {
	t.Helper()
	b := &bench{Gate: New(Deps{Now: func() time.Time { return noon }})}
	s := httptest.NewServer(b.Wrap(service, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.calls.Add(1)
		h(w, r)
	})))
	t.Cleanup(s.Close)
	b.url = s.URL
	b.c = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // a cut kept-alive connection is retried by the client itself
	return b
}

func (b *bench) inject(t *testing.T, f Fault) Fault {
	t.Helper()
	f, err := b.Inject(f)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (b *bench) get(t *testing.T, path string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := b.c.Do(req)
	if err != nil {
		return nil, err.Error()
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return res, err.Error()
	}
	return res, string(body)
}

func ok(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "page "+r.URL.RawQuery) }

func TestEveryReplyIsMarked(t *testing.T) {
	t.Parallel()
	b := newBench(t, Graph, ok)
	res, body := b.get(t, "/v1.0/users?$top=1")
	if res.Header.Get(BannerHeader) != Banner || body != "page $top=1" {
		t.Errorf("%v %q", res.Header, body)
	}
	if got := res.Header.Get("Date"); got != noon.Format(http.TimeFormat) {
		t.Errorf("Date is %q: not the cloud's clock", got)
	}
	b.inject(t, Fault{Service: Graph, Kind: Throttle})
	if res, _ := b.get(t, "/"); res.Header.Get(BannerHeader) != Banner {
		t.Error("a failure is not marked")
	}
}

// TestShareIsExact: of every N requests round(share·N) are hit, whatever N, and
// never two shares of luck away from even.
func TestShareIsExact(t *testing.T) {
	t.Parallel()
	for _, share := range []float64{0, 0.001, 0.1, 0.2, 1.0 / 3, 0.5, 0.7, 0.999, 1} {
		f := Fault{Share: share}
		for n := 1; n <= 2000; n++ {
			f.strike()
			if want := int(math.Floor(share*float64(n) + 0.5)); f.Hits != want {
				t.Fatalf("share %v: %d of %d hit, want %d", share, f.Hits, n, want)
			}
		}
	}
}

func TestShareTimesAndScope(t *testing.T) {
	t.Parallel()
	b := newBench(t, Graph, ok)
	b.inject(t, Fault{Service: Graph, Kind: Error503, Share: 0.25, Method: "get", PathPrefix: "/v1.0/", Times: 2})
	b.inject(t, Fault{Service: ARM, Kind: Error500})
	hits := 0
	for i := range 20 {
		res, _ := b.get(t, fmt.Sprintf("/v1.0/users/%d", i))
		if res.StatusCode == 503 {
			hits++
		}
		if res, _ := b.get(t, "/beta/users"); res.StatusCode != 200 {
			t.Errorf("a path outside was hit: %d", res.StatusCode)
		}
	}
	if hits != 2 {
		t.Errorf("%d hits, want 2", hits)
	}
	fs := b.Faults()
	if len(fs) != 2 || fs[0].Hits != 2 || !fs[0].Spent() || fs[1].Met != 0 {
		t.Errorf("faults: %+v", fs)
	}
	if n := b.Clear(fs[1].ID); n != 1 || b.Clear("f99") != 0 || b.Clear("") != 1 || len(b.Faults()) != 0 {
		t.Errorf("Clear is wrong: %d", n)
	}
}

func TestShapes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		service string
		f       Fault
		status  int
		body    []string
		header  map[string]string
	}{
		{Graph, Fault{Kind: Throttle, RetryAfter: 1500 * time.Millisecond}, 429, []string{`"error"`, `"code":"TooManyRequests"`, `"innerError"`, `"request-id"`}, map[string]string{"Retry-After": "2"}},
		{Graph, Fault{Kind: ThrottleBare}, 429, []string{`"code":"TooManyRequests"`}, map[string]string{"Retry-After": ""}},
		{Center, Fault{Kind: Throttle, RetryAfter: 7 * time.Second}, 429, []string{`"statusCode":429`, `"message":"Rate limit is exceeded. Try again in 7 seconds."`}, map[string]string{"Retry-After": "7"}},
		{ARM, Fault{Kind: Throttle}, 429, []string{`"code":"TooManyRequests"`}, map[string]string{"Retry-After": "5"}},
		{Login, Fault{Kind: Throttle}, 429, []string{`"error":"temporarily_unavailable"`, `"error_codes":[90055]`, `AADSTS90055`}, map[string]string{"Retry-After": "5"}},
		{Portal, Fault{Kind: Throttle}, 429, []string{"<h1>429", "not Microsoft"}, map[string]string{"Content-Type": "text/html; charset=utf-8"}},
		{Graph, Fault{Kind: Error503, RetryAfter: time.Second}, 503, []string{`"code":"serviceNotAvailable"`}, map[string]string{"Retry-After": "1"}},
		{Center, Fault{Kind: Error500}, 500, []string{`"code":500`, `"description"`, `"data":[]`, `"source"`}, nil},
		{ARM, Fault{Kind: ServerErrors, Status: 504}, 504, []string{`"code":"GatewayTimeout"`}, nil},
		{Graph, Fault{Kind: ExpiredToken}, 401, []string{`"code":"InvalidAuthenticationToken"`, `Lifetime validation failed, the token is expired.`}, nil},
		{ARM, Fault{Kind: ExpiredToken}, 401, []string{`"code":"ExpiredAuthenticationToken"`}, nil},
		{Center, Fault{Kind: ExpiredToken}, 401, nil, nil},
	} {
		t.Run(c.service+" "+string(c.f.Kind), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, c.service, ok)
			c.f.Service = c.service
			f := b.inject(t, c.f)
			res, body := b.get(t, "/x")
			if res.StatusCode != c.status || b.calls.Load() != 0 {
				t.Fatalf("status %d, %d calls", res.StatusCode, b.calls.Load())
			}
			for _, want := range c.body {
				if !strings.Contains(body, want) {
					t.Errorf("body lacks %s: %s", want, body)
				}
			}
			if strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") && !json.Valid([]byte(body)) {
				t.Errorf("not JSON: %s", body)
			}
			for k, v := range c.header {
				if res.Header.Get(k) != v {
					t.Errorf("%s is %q, want %q", k, res.Header.Get(k), v)
				}
			}
			if c.status == 401 && res.Header.Get("WWW-Authenticate") == "" {
				t.Error("401 without WWW-Authenticate")
			}
			if strings.Contains(fmt.Sprint(res.Header)+body, "microsoftonline.com") {
				t.Error("the reply sends its reader to production")
			}
			seen := b.Seen(Filter{})
			if len(seen) != 1 || seen[0].Status != c.status || len(seen[0].Faults) != 1 || seen[0].Faults[0] != f.ID+" "+string(c.f.Kind) {
				t.Errorf("seen: %+v", seen)
			}
		})
	}
}

func TestServerErrorsTakeTurns(t *testing.T) {
	t.Parallel()
	b := newBench(t, Graph, ok)
	b.inject(t, Fault{Service: Any, Kind: ServerErrors})
	var got []int
	for range 5 {
		res, _ := b.get(t, "/")
		got = append(got, res.StatusCode)
	}
	if fmt.Sprint(got) != "[500 502 503 504 500]" {
		t.Error(got)
	}
}

func TestCutLostHalf(t *testing.T) {
	t.Parallel()
	for _, kind := range []Kind{Cut, Lost, Half} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, Graph, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Mine", "yes")
				w.WriteHeader(http.StatusCreated)
				_, _ = w.Write(bytes.Repeat([]byte("abcdefghij"), 1000))
			})
			b.inject(t, Fault{Service: Graph, Kind: kind, Times: 1})
			res, body := b.get(t, "/")
			wantCalls, wantStatus := int64(1), http.StatusCreated
			switch kind {
			case Cut:
				wantCalls, wantStatus = 0, 0
				fallthrough
			case Lost:
				if res != nil {
					t.Errorf("a reply came: %d %q", res.StatusCode, body)
				}
			case Half:
				if res == nil || res.StatusCode != http.StatusCreated || res.Header.Get("X-Mine") != "yes" || res.ContentLength != 10000 || !strings.Contains(body, "unexpected EOF") {
					t.Errorf("half came as %+v %q", res, body)
				}
			}
			if b.calls.Load() != wantCalls {
				t.Errorf("the service worked %d times, want %d", b.calls.Load(), wantCalls)
			}
			seen := b.Seen(Filter{Faulted: true})
			if len(seen) != 1 || !seen[0].Aborted || seen[0].Status != wantStatus {
				t.Errorf("seen %+v", seen)
			}
			if kind == Half && seen[0].Bytes != 5000 {
				t.Errorf("%d bytes were sent", seen[0].Bytes)
			}
			if res, _ := b.get(t, "/"); res == nil || res.StatusCode != http.StatusCreated {
				t.Error("the fault outlived its times")
			}
		})
	}
}

func TestRepeatPage(t *testing.T) {
	t.Parallel()
	b := newBench(t, Graph, ok)
	b.inject(t, Fault{Service: Graph, Kind: RepeatPage})
	// A token of another caller never gets the page of this one.
	steps := []struct{ query, token, want string }{
		{"?$top=2", "a", "page $top=2"},
		{"?$skiptoken=1", "b", "page $skiptoken=1"},
		{"?$skiptoken=1", "a", "page $top=2"}, // the page before again
		{"?$skiptoken=1", "a", "page $skiptoken=1"},
		{"?$skiptoken=1", "a", "page $skiptoken=1"},
		{"?%24skiptoken=2", "a", "page $skiptoken=1"},
		{"?%24skiptoken=2", "a", "page %24skiptoken=2"},
		{"?$filter=x", "a", "page $filter=x"}, // a list begun anew is no next page
	}
	for i, s := range steps {
		if _, body := b.get(t, "/v1.0/users"+s.query, "Authorization", "Bearer "+s.token); body != s.want {
			t.Errorf("step %d: %q, want %q", i, body, s.want)
		}
	}
	if f := b.Faults()[0]; f.Hits != 2 {
		t.Errorf("%d hits", f.Hits)
	}
	b.Clear("")
	if len(b.pages.last) != 0 {
		t.Error("pages are held although nothing needs them")
	}
}

func TestChangedPage(t *testing.T) {
	t.Parallel()
	b := newBench(t, Graph, ok)
	b.inject(t, Fault{Service: Graph, Kind: ChangedPage})
	for i, want := range []struct {
		path   string
		status int
	}{{"/u", 200}, {"/u", 200}, {"/u?$skiptoken=a", 200}, {"/u?$skiptoken=b", 200}, {"/u?$skiptoken=a", 400}, {"/v?$skiptoken=a", 200}} {
		res, body := b.get(t, want.path)
		if res.StatusCode != want.status || want.status == 400 && !strings.Contains(body, "Directory_ExpiredPageToken") {
			t.Errorf("step %d %s: %d %s", i, want.path, res.StatusCode, body)
		}
	}
	for range 2 {
		if res, _ := b.get(t, "/c?seekOperation=Next", "MS-ContinuationToken", "x"); res.StatusCode == 400 && b.Faults()[0].Hits != 2 {
			t.Error("hits are wrong")
		}
	}
	if b.Faults()[0].Hits != 2 {
		t.Errorf("a continuation token read again was not refused: %+v", b.Faults()[0])
	}
}

func TestSkewIsSeenByTheService(t *testing.T) {
	t.Parallel()
	b := newBench(t, ARM, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, SkewOf(r.Context()).String()) })
	b.inject(t, Fault{Service: ARM, Kind: Skew, Delay: -time.Hour})
	res, body := b.get(t, "/")
	if body != "-1h0m0s" || res.Header.Get("Date") != noon.Add(-time.Hour).Format(http.TimeFormat) {
		t.Errorf("%q, Date %s", body, res.Header.Get("Date"))
	}
}

func TestSlowWaitsAndStopsWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := New(Deps{})
		h := g.Wrap(Graph, http.HandlerFunc(ok))
		for range 2 {
			if _, err := g.Inject(Fault{Service: Graph, Kind: Slow, Delay: time.Minute}); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
		if took := time.Since(began); took != 2*time.Minute {
			t.Errorf("took %s, want 2m", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		func() {
			defer func() {
				if err, _ := recover().(error); !errors.Is(err, http.ErrAbortHandler) {
					t.Errorf("panic %v", err)
				}
			}()
			began = time.Now()
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
		}()
		if took := time.Since(began); took != time.Second {
			t.Errorf("waited %s for a client that had gone", took)
		}
	})
}

func TestInjectRefuses(t *testing.T) {
	t.Parallel()
	g := New(Deps{})
	for _, f := range []Fault{
		{}, {Service: Graph}, {Service: "graphs", Kind: Cut}, {Service: Graph, Kind: "boom"}, {Service: Graph, Kind: Cut, Share: 1.1}, {Service: Graph, Kind: Cut, Share: -0.1},
		{Service: Graph, Kind: Cut, Share: math.NaN()}, {Service: Graph, Kind: Cut, Method: "BREW"}, {Service: Graph, Kind: Cut, PathPrefix: "users"}, {Service: Graph, Kind: Cut, Times: -1},
		{Service: Graph, Kind: Cut, Delay: 1}, {Service: Graph, Kind: Slow, Delay: time.Hour}, {Service: Graph, Kind: Slow, Delay: -1}, {Service: Graph, Kind: Skew, Delay: 1000 * 24 * time.Hour},
		{Service: Graph, Kind: Cut, RetryAfter: 1}, {Service: Graph, Kind: Throttle, RetryAfter: -1}, {Service: Graph, Kind: ThrottleBare, RetryAfter: 1}, {Service: Graph, Kind: ServerErrors, Status: 404}, {Service: Graph, Kind: Error500, Status: 500},
		{Service: Login, Kind: ExpiredToken}, {Service: Graph, Kind: Cut, PathPrefix: "/" + strings.Repeat("a", maxPath)},
	} {
		if _, err := g.Inject(f); !errors.Is(err, problem.Usage) {
			t.Errorf("%+v: %v", f, err)
		}
	}
	for range maxFaults {
		if _, err := g.Inject(Fault{Service: Any, Kind: Cut}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := g.Inject(Fault{Service: Any, Kind: Cut}); !errors.Is(err, problem.Limit) {
		t.Errorf("one too many: %v", err)
	}
}

// TestNothingSecretIsKept sends a mark through every door that holds secrets
// and looks for it in what is remembered and logged.
func TestNothingSecretIsKept(t *testing.T) {
	t.Parallel()
	const mark = "mark-51c0"
	var log bytes.Buffer
	g := New(Deps{Log: slog.New(slog.NewJSONHandler(&log, nil))})
	h := g.Wrap(Login, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "s", Value: mark})
		Note(r.Context(), "app", "app-1")
		Note(r.Context(), "tenant", "contoso")
		Note(r.Context(), "grant", "refresh_token")
		_, _ = io.WriteString(w, mark)
	}))
	q := ""
	for _, name := range []string{
		"code", "client_secret", "assertion", "client_assertion", "refresh_token", "password", "passwd", "id_token", "id_token_hint", "access_token", "code_verifier", "device_code", "user_code",
		"Client%5fSecret", "CODE", "samlresponse", "sig", "client-secret", "otc", "%zz",
	} {
		q += "&" + name + "=" + mark
	}
	for _, faults := range []int{0, 1} {
		if faults == 1 {
			if _, err := g.Inject(Fault{Service: Any, Kind: RepeatPage}); err != nil {
				t.Fatal(err)
			}
		}
		r := httptest.NewRequest(http.MethodGet, "/authorize?client_id=c1"+q+"&x=eyJhbGciOi."+mark+".sig&y=1;code="+mark, strings.NewReader("password="+mark))
		r.Header.Set("Authorization", "Bearer "+mark)
		r.Header.Set("Cookie", "s="+mark)
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	kept, _ := json.Marshal(g.Seen(Filter{}))
	if strings.Contains(string(kept)+log.String(), mark) {
		t.Errorf("kept: %s\nlogged: %s", kept, &log)
	}
	s := g.Seen(Filter{App: "app-1"})
	if len(s) != 2 || s[0].Tenant != "contoso" || s[0].Notes["grant"] != "refresh_token" || !strings.Contains(s[0].Query, "client_id=c1") || s[0].RequestID == "" {
		t.Errorf("what may be kept is not: %s", kept)
	}
}

func TestRingFilterAndFollow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := New(Deps{Keep: 10})
		h := g.Wrap(Graph, http.HandlerFunc(ok))
		ctx, cancel := context.WithCancel(t.Context())
		rows := g.Follow(ctx)
		for i := range 300 {
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, fmt.Sprintf("/%d", i), nil))
		}
		all := g.Seen(Filter{})
		if len(all) != 10 || all[0].Path != "/290" || all[9].Path != "/299" {
			t.Errorf("kept %d: %+v", len(all), all)
		}
		if got := g.Seen(Filter{After: 297, Limit: 2}); len(got) != 2 || got[0].Seq != 299 {
			t.Errorf("filtered: %+v", got)
		}
		for i := range 256 {
			if s := <-rows; s.Path != fmt.Sprintf("/%d", i) || s.Missed != 0 {
				t.Fatalf("row %d is %+v", i, s)
			}
		}
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/last", nil))
		if s := <-rows; s.Path != "/last" || s.Missed != 44 {
			t.Errorf("after a gap: %+v", s)
		}
		cancel()
		synctest.Wait()
		if _, open := <-rows; open || len(g.followers) != 0 {
			t.Error("the follower was not let go")
		}
	})
}

func TestAPanicIsA500(t *testing.T) {
	t.Parallel()
	b := newBench(t, Graph, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/abort" {
			panic(http.ErrAbortHandler)
		}
		var none []int
		_ = none[len(r.URL.Path)]
	})
	if res, body := b.get(t, "/"); res == nil || res.StatusCode != 500 || !strings.Contains(body, "generalException") {
		t.Errorf("%v %s", res, body)
	}
	if res, _ := b.get(t, "/abort"); res != nil {
		t.Error("an aborted handler replied")
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	g := New(Deps{Keep: 50})
	h := g.Wrap(Center, http.HandlerFunc(ok))
	f, err := g.Inject(Fault{Service: Center, Kind: Throttle, Share: 0.2})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var hits atomic.Int64
	for range 20 {
		wg.Go(func() {
			for range 50 {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/customers", nil))
				if w.Code == http.StatusTooManyRequests {
					hits.Add(1)
				}
				g.Seen(Filter{Limit: 1})
				g.Faults()
			}
		})
	}
	wg.Wait()
	if hits.Load() != 200 || g.Faults()[0].Hits != 200 || g.Faults()[0].ID != f.ID {
		t.Errorf("%d of 1000 were hit, want 200", hits.Load())
	}
}

func FuzzRedact(f *testing.F) {
	f.Add("code=", "&x=1")
	f.Add("a=b;client_secret=", "")
	f.Add("%63ode=", "%zz")
	f.Fuzz(func(t *testing.T, before, after string) {
		const mark = "Zq7mark"
		got := Redact(before + "&client_secret=" + mark + "&" + after)
		if strings.Contains(got, mark) && !strings.Contains(before+after, mark) {
			t.Errorf("%q", got)
		}
		if len(got) > maxQuery+4 || strings.ContainsAny(got, "\r\n\x1b") {
			t.Errorf("unsafe or too long: %q", got)
		}
	})
}
