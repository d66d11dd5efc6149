package front

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// tell writes an answer as its reader has it.
func tell(res *http.Response, err error) string {
	if err != nil {
		return "error"
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d %v %d %s %v\n", res.Status, res.ProtoMinor, res.TransferEncoding, res.ContentLength, body, err != nil)
	for _, h := range []http.Header{res.Header, res.Trailer} {
		for _, name := range slices.Sorted(keys(h)) {
			fmt.Fprintf(&b, "%s: %q\n", name, h[name])
		}
	}
	return b.String()
}

// TestTransportIsHTTPs: what comes by the lines is what comes by net/http's transport, and
// the upstream sees the same.
func TestTransportIsHTTPs(t *testing.T) {
	t.Parallel()
	limit, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	for path := range answers {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			if path == "/chunkless" && method != "HEAD" {
				continue // it has no end
			}
			var got, saws [2]string
			for i := range got {
				up, seen := saw(t)
				rest := &http.Transport{DisableCompression: true}
				var rt http.RoundTripper = rest
				if i == 0 {
					rt = NewLines(0).Transport(nil)
				}
				var body io.Reader
				if method == "POST" {
					body = strings.NewReader("hello")
				}
				r, err := http.NewRequestWithContext(limit, method, up+path+"?a=%20b", body)
				if err != nil {
					t.Fatal(err)
				}
				r.Host = "a.example"
				r.Header = http.Header{"X-A": {"1", "2"}, "User-Agent": {"x"}}
				got[i] = tell(rt.RoundTrip(r))
				rest.CloseIdleConnections()
				for _, s := range seen() {
					saws[i] += normal(s)
				}
			}
			if strings.Contains(got[1], " true\n") && strings.Contains(got[0], " true\n") {
				continue // both cut off, each at what it had
			}
			if got[0] != got[1] || saws[0] != saws[1] {
				t.Errorf("%s %s: by the lines\n%s%s\nby net/http\n%s%s", method, path, got[0], saws[0], got[1], saws[1])
			}
		}
	}
}

// TestTransportLeavesTheRest: what it cannot do goes on.
func TestTransportLeavesTheRest(t *testing.T) {
	t.Parallel()
	lines := NewLines(0)
	for name, change := range map[string]func(*http.Request){
		"tls":     func(r *http.Request) { r.URL.Scheme = "https" },
		"upgrade": func(r *http.Request) { r.Header.Set("Upgrade", "websocket") },
		"expect":  func(r *http.Request) { r.Header.Set("Expect", "100-continue") },
		"unknown": func(r *http.Request) { r.ContentLength, r.Body = -1, io.NopCloser(strings.NewReader("x")) },
		"long":    func(r *http.Request) { r.ContentLength = 1 << 20 },
		"trailer": func(r *http.Request) { r.Trailer = http.Header{"X-A": nil} },
		"close":   func(r *http.Request) { r.Close = true },
	} {
		gone := errors.New("went on")
		r, err := http.NewRequest(http.MethodPost, "http://127.0.0.1:1/", nil)
		if err != nil {
			t.Fatal(err)
		}
		change(r)
		if _, err := lines.Transport(roundTrip(func(*http.Request) (*http.Response, error) { return nil, gone })).RoundTrip(r); err != gone {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestTransportEndsWithItsContext: before an answer and in one.
func TestTransportEndsWithItsContext(t *testing.T) {
	t.Parallel()
	for _, says := range []string{"", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"} {
		over := make(chan bool)
		up := scripted(t, func(_ int, c net.Conn, r *bufio.Reader) {
			_, _, _ = readAsIs(r)
			say(t, c, says)
			<-over
		})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, up, nil)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		res, err := NewLines(0).Transport(nil).RoundTrip(r)
		if err == nil {
			_, err = io.ReadAll(res.Body)
			_ = res.Body.Close()
		}
		if err == nil || time.Since(began) > 20*time.Second {
			t.Errorf("%q: %v after %v", says, err, time.Since(began))
		}
		cancel()
		close(over)
	}
}
