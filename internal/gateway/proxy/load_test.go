package proxy

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// While files are taken over one after the other and one of two upstreams dies, no
// request is dropped, and each is answered by what the route says then.
func TestReloadUnderLoad(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil)
	serve := func(name string) *httptest.Server {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) }))
		t.Cleanup(s.Close)
		return s
	}
	a, b, c := serve("a"), serve("b"), serve("c")
	with := func(upstream string) string {
		return strings.ReplaceAll(fmt.Sprintf(routes, "X"), `upstream: "X"`, "upstream: "+upstream)
	}
	files := []string{with(`{urls: ["` + a.URL + `", "` + b.URL + `"]}`), with(`{urls: ["` + b.URL + `", "` + c.URL + `"]}`), with(`{url: "` + c.URL + `"}`)}
	g.take(files[0], "")
	stop, done := make(chan struct{}), atomic.Int64{}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for {
				select {
				case <-stop:
					return
				default:
				}
				r, _ := http.NewRequest("GET", "http://"+g.at+"/strict/x", nil)
				r.Header.Set("Authorization", "Bearer good")
				res, err := client.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(res.Body)
				_ = res.Body.Close()
				if err != nil || res.StatusCode != http.StatusOK || len(body) != 1 {
					t.Errorf("%d %q %v", res.StatusCode, body, err)
					return
				}
				done.Add(1)
			}
		})
	}
	for n := range 60 {
		if t := g.compile(files[n%len(files)], ""); n%2 == 0 { // the judge may be sooner or later
			g.table.Store(t)
		}
		g.take(files[n%len(files)], "")
		if n == 20 {
			a.CloseClientConnections()
			a.Close()
		}
		time.Sleep(20 * time.Millisecond)
	}
	close(stop)
	wg.Wait()
	if done.Load() < 500 {
		t.Errorf("only %d requests", done.Load())
	}
	t.Logf("%d requests over 60 files, none dropped", done.Load())
	g.proxy.mu.Lock()
	defer g.proxy.mu.Unlock()
	if len(g.proxy.pools) != 1 {
		t.Errorf("%d pools are kept", len(g.proxy.pools))
	}
}

func BenchmarkProxy(b *testing.B) {
	g := newRig(b, nil)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	defer s.Close()
	g.take(fmt.Sprintf(routes, s.URL), "")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		client := &http.Client{Transport: &http.Transport{}}
		for pb.Next() {
			r, _ := http.NewRequest("GET", "http://"+g.at+"/x", nil)
			r.Header.Set("Authorization", "Bearer good")
			res, err := client.Do(r)
			if err != nil {
				b.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
	})
}
