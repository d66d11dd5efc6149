package gate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
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
		{Graph, Fault{Kind: Throttle, RetryAfter: 1500 * time.Millisecond}, 429, []string{`"error"`, `"code":"TooManyRequests"`, `"innerError"`,
			`"request-id"`}, map[string]string{"Retry-After": "2"}},
		{Graph, Fault{Kind: ThrottleBare}, 429, []string{`"code":"TooManyRequests"`}, map[string]string{"Retry-After": ""}},
		{Center, Fault{Kind: Throttle, RetryAfter: 7 * time.Second}, 429,
			[]string{`"statusCode":429`, `"message":"Rate limit is exceeded. Try again in 7 seconds."`}, map[string]string{"Retry-After": "7"}},
		{ARM, Fault{Kind: Throttle}, 429, []string{`"code":"TooManyRequests"`}, map[string]string{"Retry-After": "5"}},
		{Login, Fault{Kind: Throttle}, 429, []string{`"error":"temporarily_unavailable"`, `"error_codes":[90055]`, `AADSTS90055`},
			map[string]string{"Retry-After": "5"}},
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
				if res == nil || res.StatusCode != http.StatusCreated || res.Header.Get("X-Mine") != "yes" || res.ContentLength != 10000 ||
					!strings.Contains(body, "unexpected EOF") {
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
