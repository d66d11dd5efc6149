package gatewaytest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Seen is what an upstream saw of a request. Header names are as Go reads them.
type Seen struct {
	Method   string              `json:"method"`
	Target   string              `json:"target"` // as it was sent
	Host     string              `json:"host"`
	Proto    string              `json:"proto"`
	Header   map[string][]string `json:"header"`
	Trailer  map[string][]string `json:"trailer,omitempty"`
	Body     string              `json:"body,omitempty"`
	Encoding []string            `json:"encoding,omitempty"`
}

// Upstream answers each request with what it saw, as JSON, and keeps it.
type Upstream struct {
	*httptest.Server
	mu   sync.Mutex // guards seen
	seen []Seen
}

// NewUpstream listens until the test ends.
func NewUpstream(t testing.TB) *Upstream {
	t.Helper()
	u := &Upstream{}
	u.Server = httptest.NewServer(u.handler())
	t.Cleanup(u.Close)
	return u
}

func (u *Upstream) handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		s := Seen{Method: r.Method, Target: r.RequestURI, Host: r.Host, Proto: r.Proto, Header: r.Header, Trailer: r.Trailer, Body: string(body),
			Encoding: r.TransferEncoding}
		u.mu.Lock()
		u.seen = append(u.seen, s)
		u.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(s)
	})
}

// Seen gives all that came so far.
func (u *Upstream) Seen() []Seen {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]Seen(nil), u.seen...)
}
