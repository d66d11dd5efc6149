package kit

import (
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// MaxBody is the most that a request's body may hold, where an API does not say
// otherwise.
const MaxBody = 1 << 20

// ReadBody takes a request's body whole; an error says that it is longer than most,
// or broke off.
func ReadBody(r *http.Request, most int64) ([]byte, error) {
	return io.ReadAll(http.MaxBytesReader(nil, r.Body, most))
}

// Base is the URL of the service as the client sees it, without a path.
func Base(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// Param is a query parameter, its name without case; "" when it is not given.
func Param(q url.Values, name string) string {
	for n, v := range q {
		if strings.EqualFold(n, name) && len(v) > 0 {
			return v[0]
		}
	}
	return ""
}

// Send writes an answer; a nil body is none, and one is JSON unless its type was set.
// HEAD gets the headers alone.
func Send(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	if body != nil {
		h := w.Header()
		if h.Get("Content-Type") == "" {
			h.Set("Content-Type", "application/json; charset=utf-8")
		}
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}
