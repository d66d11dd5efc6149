package web_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/web"
)

// replier is a server with a page, a file and an export.
func replier(t *testing.T, body string) http.Handler {
	t.Helper()
	k := web.NewKernel(web.Deps{})
	k.Handle(web.Route{Name: "page", Pattern: "GET /page", Access: web.Public("a test"), Handle: func(w http.ResponseWriter, r *http.Request) error {
		return web.Reply(w, r, "text/html; charset=utf-8", []byte(body))
	}})
	k.Handle(web.Route{Name: "file", Pattern: "GET /file", Access: web.Public("a test"), Handle: web.Fixed("text/css", []byte(body))})
	k.Handle(web.Route{Name: "rows", Pattern: "GET /rows", Access: web.Public("a test"), Handle: func(w http.ResponseWriter, r *http.Request) error {
		s := web.Stream(w, r, "text/csv")
		for range 100 {
			if _, err := io.WriteString(s, body); err != nil {
				return err
			}
		}
		return s.Close()
	}})
	return k
}

func answered(h http.Handler, method, path string, head ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, http.NoBody)
	for i := 0; i+1 < len(head); i += 2 {
		r.Header.Add(head[i], head[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func unpacked(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	if w.Header().Get("Content-Encoding") != "gzip" {
		return w.Body.String()
	}
	z, err := gzip.NewReader(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestReply(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("all is well; ", 1000)
	h := replier(t, body)
	for _, path := range []string{"/page", "/file", "/rows"} {
		want := body
		if path == "/rows" {
			want = strings.Repeat(body, 100)
		}
		for enc, packed := range map[string]bool{"": false, "gzip": true, "gzip;q=0": false, "br": false, "*": true, "*;q=0, gzip;q=0.1": true,
			"identity": false,
			"gzip;q=x": false, "GZIP": true, strings.Repeat("gzip,", 2000): false} {
			w := answered(h, "GET", path, "Accept-Encoding", enc)
			if got := w.Header().Get("Content-Encoding") == "gzip"; got != packed || unpacked(t, w) != want || w.Header().Get("Vary") != "Accept-Encoding" {
				t.Errorf("%s for %.20q: packed %v, %v", path, enc, got, w.Header())
			}
		}
		// A part of it is never asked for: whoever does gets the whole.
		if w := answered(h, "GET", path, "Range", "bytes=0-3"); w.Code != 200 || unpacked(t, w) != want {
			t.Errorf("%s: a range answers %d", path, w.Code)
		}
	}
	for _, enc := range []string{"", "gzip"} {
		w := answered(h, "GET", "/page", "Accept-Encoding", enc)
		tag := w.Header().Get("Etag")
		for given, has := range map[string]bool{tag: true, "W/" + tag: true, `"x", ` + tag: true, "*": true, `"x"`: false, "": false, strings.Trim(tag, `"`): false} {
			w := answered(h, "GET", "/page", "Accept-Encoding", enc, "If-None-Match", given)
			if (w.Code == 304) != has || has && w.Body.Len() > 0 {
				t.Errorf("%q: %d", given, w.Code)
			}
		}
		head := answered(h, "HEAD", "/page", "Accept-Encoding", enc)
		if head.Header().Get("Etag") != tag || head.Header().Get("Content-Length") != w.Header().Get("Content-Length") || head.Body.Len() != 0 {
			t.Errorf("HEAD says %v, GET %v", head.Header(), w.Header())
		}
		again := answered(h, "GET", "/page", "Accept-Encoding", enc)
		if !bytes.Equal(again.Body.Bytes(), w.Body.Bytes()) {
			t.Error("a strong tag stands for other bytes")
		}
	}
	for from, packed := range map[string]bool{"cross-site": false, "same-site": false, "same-origin": true, "none": true} {
		w := answered(h, "GET", "/page", "Accept-Encoding", "gzip", "Sec-Fetch-Site", from)
		if got := w.Header().Get("Content-Encoding") == "gzip"; got != packed || unpacked(t, w) != body {
			t.Errorf("sent by a page of %s: packed %v", from, got)
		}
	}
	if c := answered(h, "GET", "/page").Header().Get("Cache-Control"); c != "private, no-cache" {
		t.Error(c)
	}
	if c := answered(h, "GET", "/file").Header().Get("Cache-Control"); !strings.Contains(c, "immutable") {
		t.Error(c)
	}
}

// A client that takes nothing keeps nobody waiting, and whoever breaks off breaks nothing.
func TestSlowClient(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(replier(t, strings.Repeat("x", 1<<20)))
	defer s.Close()
	slow, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(slow, "GET /rows HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	one := make([]byte, 1)
	if _, err := slow.Read(one); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	res, err := http.Get(s.URL + "/page")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); err != nil || len(b) != 1<<20 || time.Since(began) > time.Minute {
		t.Errorf("%d bytes after %v: %v", len(b), time.Since(began), err)
	}
	_ = slow.Close()
}
