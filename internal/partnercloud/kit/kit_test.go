package kit

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestSealer(t *testing.T) {
	s := NewSealer()
	token := s.Seal("who", []byte("what"))
	if got, ok := s.Open("who", token); !ok || string(got) != "what" {
		t.Fatalf("%q, %v", got, ok)
	}
	for name, c := range map[string]struct{ bound, token string }{
		"bound to another": {"whow", token}, "cut": {"who", token[:len(token)-2]}, "changed": {"who", "B" + token[1:]}, "empty": {"who", ""},
		"no base64": {"who", "!"}, "too long": {"who", strings.Repeat("A", 5000)}, "the tag alone": {"who", token[:22]},
		"another's": {"who", NewSealer().Seal("who", []byte("what"))},
	} {
		if _, ok := s.Open(c.bound, c.token); ok && c.token != token || ok && c.bound != "who" {
			t.Errorf("%s: a token that is not ours was taken", name)
		}
	}
}

func TestFault(t *testing.T) {
	f := Refusef(http.StatusTooManyRequests, 429, "wait %d", 3).RetryAfter(2*time.Second+1).With("www-authenticate", "Bearer")
	h := http.Header{}
	f.Headers(h)
	if f.Error() != "wait 3" || h.Get("Retry-After") != "3" || h.Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("%+v %v", f, h)
	}
	for wait, want := range map[time.Duration]int{0: 1, time.Nanosecond: 1, time.Second: 1, time.Second + 1: 2} {
		if got := Seconds(wait); got != want {
			t.Errorf("%s: %d, want %d", wait, got, want)
		}
	}
}

func TestBodiesAndAnswers(t *testing.T) {
	r := httptest.NewRequest("POST", "http://here.test/p?Size=1&other=2", strings.NewReader("12345"))
	if _, err := ReadBody(r, 4); err == nil {
		t.Error("a body over the limit was taken")
	}
	if Base(r) != "http://here.test" || Param(r.URL.Query(), "size") != "1" || Param(r.URL.Query(), "none") != "" {
		t.Error("the address was misread")
	}
	for method, want := range map[string]string{"GET": "{}", "HEAD": ""} {
		w := httptest.NewRecorder()
		Send(w, httptest.NewRequest(method, "/", nil), 201, []byte("{}"))
		if w.Code != 201 || w.Body.String() != want || w.Header().Get("Content-Length") != "2" {
			t.Errorf("%s: %d %q %v", method, w.Code, w.Body, w.Header())
		}
	}
	w := httptest.NewRecorder()
	if Send(w, httptest.NewRequest("GET", "/", nil), 204, nil); w.Header().Get("Content-Type") != "" {
		t.Error("no body has a type")
	}
}
