package main

import (
	"context"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/answer"
	"partnerguard/internal/gateway/assert"
)

func failed(_ *gateway.Decision, _ *gateway.Request, status int, _ error) answer.Answer {
	return answer.Answer{Status: status}
}

type key struct{}

type asked struct {
	d gateway.Decision
	r gateway.Request
}

func full(g gateway.Judge, a *assert.Asserter, upstream string, t http.RoundTripper) http.Handler {
	u, err := url.Parse(upstream)
	must(err)
	p := &httputil.ReverseProxy{
		BufferPool:    buffers{},
		FlushInterval: -1,
		Transport:     t,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(u)
			for name := range r.Out.Header {
				if assert.Strip([]byte(name)) {
					delete(r.Out.Header, name)
				}
			}
			q := r.In.Context().Value(key{}).(*asked)
			for _, h := range a.Headers(nil, &q.d, &q.r, upstream) {
				r.Out.Header.Set(h[0], h[1])
			}
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := &asked{r: gateway.Request{Method: r.Method, Host: r.Host, Path: r.URL.EscapedPath(), Authorization: r.Header.Get("Authorization"),
			ID: "12345678-1", TLS: r.TLS != nil, Now: time.Now(), UserAgent: r.UserAgent()}}
		if q.d = g.Judge(&q.r); q.d.Refused {
			answer.For(q.d, &q.r, answer.Options{}).Write(w)
			return
		}
		p.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), key{}, q)))
	})
}

type buffers struct{}

var pooled = sync.Pool{New: func() any { return new([32 << 10]byte) }}

func (buffers) Get() []byte  { return pooled.Get().(*[32 << 10]byte)[:] }
func (buffers) Put(b []byte) { pooled.Put((*[32 << 10]byte)(b)) }
