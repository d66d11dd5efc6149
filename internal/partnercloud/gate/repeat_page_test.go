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
		{}, {Service: Graph}, {Service: "graphs", Kind: Cut}, {Service: Graph, Kind: "boom"}, {Service: Graph, Kind: Cut, Share: 1.1},
		{Service: Graph, Kind: Cut, Share: -0.1},
		{Service: Graph, Kind: Cut, Share: math.NaN()}, {Service: Graph, Kind: Cut, Method: "BREW"}, {Service: Graph, Kind: Cut, PathPrefix: "users"},
		{Service: Graph, Kind: Cut, Times: -1},
		{Service: Graph, Kind: Cut, Delay: 1}, {Service: Graph, Kind: Slow, Delay: time.Hour}, {Service: Graph, Kind: Slow, Delay: -1},
		{Service: Graph, Kind: Skew, Delay: 1000 * 24 * time.Hour},
		{Service: Graph, Kind: Cut, RetryAfter: 1}, {Service: Graph, Kind: Throttle, RetryAfter: -1}, {Service: Graph, Kind: ThrottleBare, RetryAfter: 1},
		{Service: Graph, Kind: ServerErrors, Status: 404}, {Service: Graph, Kind: Error500, Status: 500},
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
		"code", "client_secret", "assertion", "client_assertion", "refresh_token", "password", "passwd", "id_token", "id_token_hint", "access_token",
		"code_verifier", "device_code", "user_code",
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
	if len(s) != 2 || s[0].Tenant != "contoso" || s[0].Notes["grant"] != "refresh_token" || !strings.Contains(s[0].Query, "client_id=c1") ||
		s[0].RequestID == "" {
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
