package client

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// Limits.
const (
	MaxAnswer  = 64 << 20 // bytes of an answer
	maxProblem = 64 << 10 // bytes of an error
	maxToken   = 4 << 10
	maxRoots   = 1 << 20
	tries      = 4
	longest    = 30 * time.Second // between tries
	timeout    = 2 * time.Minute  // of one try
	api        = "/api/v1/"
)

// Options say whom to ask, and as whom.
type Options struct {
	Server string      // https://guard.contoso.example; plain HTTP for this machine alone
	Token  secret.Text // required
	Roots  []byte      // PEM of the roots to trust; nil: the system's
	Agent  string      // what we call ourselves
	// Wait sleeps between tries; nil really does.
	Wait func(context.Context, time.Duration) error
}

// Client asks one server. Safe for concurrent use.
type Client struct {
	base  *url.URL
	token secret.Text
	agent string
	http  *http.Client
	wait  func(context.Context, time.Duration) error
}

// New makes a client; it asks nothing yet. Kind problem.Usage for an address or a token
// that cannot be one, problem.BadInput for roots that are none.
func New(o Options) (*Client, error) {
	u, err := url.Parse(strings.TrimRight(o.Server, "/"))
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" {
		return nil, problem.New(problem.Usage, "the server is no address of a host alone").WithHint("e.g. https://guard.contoso.example")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !local(u.Hostname())) {
		return nil, problem.New(problem.Usage, "a token goes over TLS alone: the server's address begins with https://").
			WithHint("http:// is for localhost")
	}
	if err := fit(o.Token); err != nil {
		return nil, err
	}
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: timeout,
		MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute,
		DialContext:     (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
	if len(o.Roots) > 0 {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(o.Roots) {
			return nil, problem.New(problem.BadInput, "the roots hold no certificate in PEM")
		}
		t.TLSClientConfig.RootCAs = pool
	}
	c := &Client{base: u, token: o.Token, agent: cmp.Or(o.Agent, "partnerguard"), wait: o.Wait,
		http: &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if c.wait == nil {
		c.wait = sleep
	}
	return c, nil
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// fit says whether a text can be a token: one word of visible ASCII.
func fit(t secret.Text) error {
	s := t.Reveal()
	if s == "" || len(s) > maxToken || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return problem.New(problem.Usage, "there is no token, or what is there is none").
			WithHint("partnerguard console tokens add gives one; its file holds nothing else")
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// ReadToken reads a token from a file, or from the text of a variable where file is "".
func ReadToken(file, variable string) (secret.Text, error) {
	if file == "" {
		t := secret.New(strings.TrimSpace(variable))
		return t, fit(t)
	}
	b, err := problem.ReadFile("the token", file, maxToken)
	if err != nil {
		return secret.Text{}, err
	}
	t := secret.New(strings.TrimSpace(string(b)))
	return t, fit(t)
}

// ReadRoots reads the roots to trust.
func ReadRoots(file string) ([]byte, error) { return problem.ReadFile("the roots", file, maxRoots) }

// ask sends a request; a GET that the server cannot answer now is sent again, as late as
// it says.
func (c *Client) ask(ctx context.Context, method, path, kind string, query url.Values, body []byte) ([]byte, error) {
	u := *c.base
	u.Path, u.RawQuery = path, query.Encode()
	for try := 1; ; try++ {
		b, err := c.once(ctx, method, kind, &u, body)
		var p *problem.Error
		again := errors.As(err, &p) && (p.Kind == problem.Unavailable || p.Kind == problem.TooMany) && method == http.MethodGet && try < tries
		if !again || ctx.Err() != nil {
			return b, err
		}
		d := min(max(p.After, time.Duration(1<<try)*250*time.Millisecond), longest)
		if werr := c.wait(ctx, d); werr != nil {
			return nil, err
		}
	}
}

func (c *Client) once(ctx context.Context, method, want string, u *url.URL, body []byte) ([]byte, error) {
	ctx, stop := context.WithTimeout(ctx, timeout)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, problem.Wrap(err, problem.Usage, "the request cannot be made")
	}
	req.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	req.Header.Set("Accept", want+", application/problem+json")
	req.Header.Set("User-Agent", c.agent)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, problem.Wrap(err, problem.Unavailable, "%s does not answer%s", c.base.Host, reason(err)).
			WithHint("does partnerguard serve run there, and is its certificate trusted? --server-roots FILE names the roots")
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, refused(res, c.base.Host)
	}
	if kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err != nil || kind != want {
		return nil, problem.New(problem.BadInput, "%s answers, but not as a Partnerguard", c.base.Host)
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, MaxAnswer+1))
	switch {
	case err != nil:
		return nil, problem.Wrap(err, problem.Unavailable, "the answer of %s broke off", c.base.Host)
	case len(b) > MaxAnswer:
		return nil, problem.New(problem.Limit, "the answer of %s is larger than %d bytes", c.base.Host, MaxAnswer)
	}
	return b, nil
}

// reason tells why nothing answered, without the address and what it may hold.
func reason(err error) string {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &unknown):
		return ": its certificate is of nobody that is trusted here"
	case errors.As(err, &name):
		return ": its certificate is for another name"
	case errors.As(err, &invalid):
		return ": its certificate is not valid now, or not for this"
	case errors.Is(err, context.DeadlineExceeded):
		return " in time"
	}
	return problem.Reason(err)
}

// kinds are the kinds of problem by status, as package web gives them.
var kinds = map[int]problem.Kind{
	http.StatusBadRequest: problem.Usage, http.StatusUnauthorized: problem.Unauthenticated, http.StatusForbidden: problem.Forbidden,
	http.StatusNotFound: problem.NotFound, http.StatusConflict: problem.Conflict, http.StatusRequestEntityTooLarge: problem.Limit,
	http.StatusUnsupportedMediaType: problem.Usage, http.StatusUnprocessableEntity: problem.Unmet, http.StatusTooManyRequests: problem.TooMany,
	http.StatusServiceUnavailable: problem.Unavailable, http.StatusBadGateway: problem.Unavailable, http.StatusGatewayTimeout: problem.Unavailable,
}

// refused is an error of the server, in its own words where it has the form of ours.
func refused(res *http.Response, host string) error {
	kind, known := kinds[res.StatusCode]
	if !known {
		kind = problem.Unavailable
		if res.StatusCode < 500 {
			kind = problem.BadInput
		}
	}
	var said struct {
		Detail   string `json:"detail"`
		Hint     string `json:"hint"`
		Instance string `json:"instance"`
	}
	if t, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err == nil && t == "application/problem+json" {
		if b, err := io.ReadAll(io.LimitReader(res.Body, maxProblem)); err == nil {
			_ = json.Unmarshal(b, &said)
		}
	}
	e := problem.New(kind, "%s refuses (%d)", host, res.StatusCode)
	if said.Detail != "" {
		e = problem.New(kind, "%s: %s", host, clean(said.Detail))
	}
	switch {
	case said.Hint != "":
		e = e.WithHint("%s", clean(said.Hint))
	case res.StatusCode >= 300 && res.StatusCode < 400:
		e = problem.New(problem.BadInput, "%s leads elsewhere, and a token goes nowhere else", host).WithHint("name the server by the address it has")
	}
	if n, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && n > 0 && n < 3600 {
		e.After = time.Duration(n) * time.Second
	}
	return e
}

// clean makes a text of a server fit for a terminal.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	if len(s) > 600 {
		s = strings.ToValidUTF8(s[:600], "") + "…"
	}
	return s
}
