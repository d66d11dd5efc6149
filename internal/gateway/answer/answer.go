package answer

import (
	"net/http"
	"strconv"

	"partnerguard/internal/gateway"
)

// Options are an installation's.
type Options struct {
	// Authority is the sign-in service that challenges name: "" is the commercial
	// cloud's, https://login.microsoftonline.com.
	Authority string
	// SignIn says that browsers can sign in here at all.
	SignIn bool
}

// Answer is what is written instead of the upstream's. Each header is there once. Body is
// nil for HEAD.
type Answer struct {
	Status int
	Header [][2]string
	Body   []byte
}

// Get gives a header, "" where it is not there.
func (a *Answer) Get(name string) string {
	for _, h := range a.Header {
		if h[0] == name {
			return h[1]
		}
	}
	return ""
}

func (a *Answer) set(name, value string) { a.Header = append(a.Header, [2]string{name, value}) }

// Write writes it to net/http.
func (a Answer) Write(w http.ResponseWriter) {
	h := w.Header()
	for _, kv := range a.Header {
		h.Set(kv[0], kv[1])
	}
	if a.Body != nil {
		h.Set("Content-Length", strconv.Itoa(len(a.Body)))
	}
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body)
}

// retry is how long to wait, in seconds, where the answer is a later one.
const (
	retryLater  = "10"
	retrySlower = "60"
)

// For gives the answer to a refused request: d's reason and who asks decide its form. It
// is safe for concurrent use. What is not refused and what is no reason gets a 400, since
// nobody should have asked.
func For(d gateway.Decision, r *gateway.Request, o Options) Answer {
	if a, ok := person(&d, r, o); ok {
		return finish(a, &d, r)
	}
	return finish(api(&d, r, o), &d, r)
}

// finish adds what every answer has.
func finish(a Answer, d *gateway.Decision, r *gateway.Request) Answer {
	switch a.Status {
	case http.StatusServiceUnavailable:
		a.set("Retry-After", retryLater)
	case http.StatusTooManyRequests:
		a.set("Retry-After", retrySlower)
	}
	a.set("Cache-Control", "no-store")
	a.set("X-Content-Type-Options", "nosniff")
	a.Header = append(a.Header, Announce(*d)...)
	if r.Method == http.MethodHead {
		a.Body = nil
	}
	return a
}

// status is that of a kind, for who can be challenged or not.
func status(k gateway.Kind, able bool) int {
	switch k {
	case gateway.Sign:
		return http.StatusUnauthorized
	case gateway.Challenge:
		if able {
			return http.StatusUnauthorized
		}
		return http.StatusForbidden
	case gateway.Forbid:
		return http.StatusForbidden
	case gateway.NotFound:
		return http.StatusNotFound
	case gateway.Later:
		return http.StatusServiceUnavailable
	case gateway.Slower:
		return http.StatusTooManyRequests
	}
	return http.StatusBadRequest
}
