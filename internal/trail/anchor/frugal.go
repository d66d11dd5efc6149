package anchor

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"sync/atomic"

	"partnerguard/internal/problem"
)

// What one sending or comparison may take from an object store, whatever a
// library asks for and a server answers.
const (
	maxRequests = 1000
	maxBytes    = 64 << 20
	maxHeader   = 64 << 10
)

var errSpent = errors.New("more was answered than is read")

type budget struct{ requests, bytes atomic.Int64 }

type budgetKey struct{}

// frugal gives a context in which a [meter] counts.
func frugal(ctx context.Context) context.Context {
	b := &budget{}
	b.requests.Store(maxRequests)
	b.bytes.Store(maxBytes)
	return context.WithValue(ctx, budgetKey{}, b)
}

// spent says that the budget was the reason.
func (o *Objects) spent(ctx context.Context, err error) error {
	b, ok := ctx.Value(budgetKey{}).(*budget)
	if err == nil || !ok || b.requests.Load() >= 0 && b.bytes.Load() >= 0 {
		return err
	}
	return problem.New(problem.BadInput, "%s answers without end: no more is read", o.name)
}

// meter is a transport that counts.
type meter struct{ next http.RoundTripper }

func (m meter) RoundTrip(r *http.Request) (*http.Response, error) {
	b, ok := r.Context().Value(budgetKey{}).(*budget)
	if !ok || b.requests.Add(-1) < 0 {
		return nil, errSpent
	}
	res, err := m.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	res.Body = &metered{res.Body, b}
	return res, nil
}

type metered struct {
	io.ReadCloser
	b *budget
}

func (m *metered) Read(p []byte) (int, error) {
	if m.b.bytes.Load() < 0 {
		return 0, errSpent
	}
	n, err := m.ReadCloser.Read(p)
	m.b.bytes.Add(-int64(n))
	return n, err
}

// transport is the network as an object store may use it.
func (p Place) transport() http.RoundTripper {
	if p.Transport != nil {
		return meter{p.Transport}
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = &tls.Config{RootCAs: p.Roots, MinVersion: tls.VersionTLS12}
	t.MaxResponseHeaderBytes = maxHeader
	t.DisableCompression = true
	return meter{t}
}
