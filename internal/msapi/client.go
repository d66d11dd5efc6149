package msapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"golang.org/x/sync/singleflight"

	"partnerguard/internal/observe"
	"partnerguard/internal/problem"
)

// Options is what a Client is made of. The zero value speaks to Microsoft.
type Options struct {
	// Transport sends the requests; nil makes one that trusts RootCAs, or the
	// system's authorities when that is nil too, and honours the proxy variables.
	Transport http.RoundTripper
	RootCAs   *x509.CertPool

	Now       func() time.Time // nil is time.Now
	Log       *slog.Logger     // nil discards; one line a request, never a body
	UserAgent string           // "" is partnerguard

	MaxBody int64         // of an answer, in bytes; 0 is 8 MiB
	MaxPage int64         // of a page of a walk; 0 is four times MaxBody: 1,000 sign-ins are some 10 MB
	Timeout time.Duration // of one try, until the whole answer is there; 0 is 60 s
	Tries   int           // of a request that may be sent again; 0 is 4
	// MaxWait is the longest single wait for a throttle; more comes back as an
	// error that says when. 0 is 60 s.
	MaxWait time.Duration
	// Wait waits, or returns the context's error; nil waits on the machine's clock.
	Wait func(context.Context, time.Duration) error
	// Mono is the time since some moment, by a clock that never jumps: pace is
	// measured by it. nil is the machine's.
	Mono func() time.Duration
	// AtOnce is how many requests are under way at the same time; 0 is 64.
	AtOnce int
}

// Client speaks to Microsoft's interfaces. Safe for concurrent use. It keeps
// signing keys, discovery documents and throttle budgets in memory, no tokens.
type Client struct {
	o       Options
	pipe    runtime.Pipeline
	budgets *budgets
	room    chan struct{} // one for each request under way
	web     *http.Client
	flight  singleflight.Group
	cache   metaCache
}

// New makes a Client.
func New(o Options) *Client {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.UserAgent == "" {
		o.UserAgent = "partnerguard"
	}
	if o.MaxBody <= 0 {
		o.MaxBody = 8 << 20
	}
	if o.MaxPage <= 0 {
		o.MaxPage = 4 * o.MaxBody
	}
	if o.Timeout <= 0 {
		o.Timeout = time.Minute
	}
	if o.Tries <= 0 {
		o.Tries = 4
	}
	if o.MaxWait <= 0 {
		o.MaxWait = time.Minute
	}
	if o.AtOnce <= 0 {
		o.AtOnce = 64
	}
	if o.Wait == nil {
		o.Wait = wait
	}
	if o.Transport == nil {
		o.Transport = &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2: true, MaxIdleConns: 64, MaxIdleConnsPerHost: 32, IdleConnTimeout: 90 * time.Second,
			TLSHandshakeTimeout: 15 * time.Second, ExpectContinueTimeout: time.Second, MaxResponseHeaderBytes: 256 << 10,
		}
	}
	o.Transport = observe.Outgoing(o.Transport)
	c := &Client{o: o, budgets: newBudgets(o.Mono), room: make(chan struct{}, o.AtOnce)}
	c.web = &http.Client{
		Transport: o.Transport, Timeout: o.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c.pipe = runtime.NewPipeline("partnerguard", "", runtime.PipelineOptions{PerCall: []policy.Policy{(*resend)(c)}}, &policy.ClientOptions{
		Transport: (*bounded)(c),
		Telemetry: policy.TelemetryOptions{Disabled: true}, // we name ourselves
		Retry:     policy.RetryOptions{MaxRetries: -1},     // ours knows what may be sent again
	})
	return c
}

// Close ends idle connections.
func (c *Client) Close() { c.web.CloseIdleConnections() }

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pageKey marks the context of a request for a page of a walk.
type pageKey struct{}

// bounded is the transport under the pipeline: it bounds what is read.
type bounded Client

// Do sends one try.
func (b *bounded) Do(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" && !loopback(r.URL.Hostname()) {
		return nil, problem.New(problem.Usage, "%s is plain http on another machine", r.URL.Hostname())
	}
	if err := guarded(r); err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", b.o.UserAgent)
	res, err := b.web.Do(r)
	if err != nil {
		return nil, err
	}
	left := b.o.MaxBody
	if r.Context().Value(pageKey{}) != nil {
		left = b.o.MaxPage
	}
	res.Body = &limited{r: res.Body, left: left}
	return res, nil
}

// errTooLong says that an answer is longer than we read.
var errTooLong = problem.New(problem.Limit, "the answer is longer than this program reads")

// limited fails, rather than ends, when there is more than the limit: half an
// answer must not look like a whole one.
type limited struct {
	r    io.ReadCloser
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, errTooLong
	}
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return n, errTooLong
	}
	return n, err
}

func (l *limited) Close() error { return l.r.Close() }
