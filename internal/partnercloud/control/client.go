package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/gate"
	"partnerguard/internal/problem"
)

// Client speaks to the control API of a running partner cloud. Safe for
// concurrent use. Its errors are of package problem: NotFound when nothing
// answers there.
type Client struct {
	base   string
	bearer func() string // a function prints as an address, whatever prints the client
	http   *http.Client
}

// maxReply bounds one reply that is read whole; a followed list has no bound,
// its lines have.
const (
	maxReply = 32 << 20
	maxLine  = 1 << 20
)

// Dial makes a client for the control API at addr, host:port or a URL. It does
// not connect yet.
func Dial(addr, password string) *Client {
	if !strings.Contains(addr, "://") {
		addr = "http://" + addr
	}
	return &Client{
		base: strings.TrimSuffix(addr, "/"), bearer: func() string { return "Bearer " + password },
		http: &http.Client{
			// Never through a proxy: the address is this machine's, and the secret with it.
			Transport:     &http.Transport{Proxy: nil, ResponseHeaderTimeout: time.Minute, IdleConnTimeout: 10 * time.Second},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// do sends one request; the caller closes the body.
func (c *Client) do(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, problem.Wrap(err, problem.Internal, "the request cannot be written as JSON")
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the address of the control API cannot be understood")
	}
	req.Header.Set("Authorization", c.bearer())
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, problem.Wrap(err, problem.NotFound, "no partner cloud answers at %s", req.URL.Host).WithHint("start one with: partnerguard cloud")
	}
	if res.StatusCode < 300 {
		return res, nil
	}
	defer res.Body.Close()
	return nil, refusal(res)
}

// refusal turns an error reply back into the error it was.
func refusal(res *http.Response) error {
	b, _ := io.ReadAll(io.LimitReader(res.Body, maxBody))
	var f failure
	if res.Header.Get(gate.BannerHeader) == "" || json.Unmarshal(b, &f) != nil || f.Error.Message == "" {
		return problem.New(problem.NotFound, "something else than a partner cloud answers at %s", res.Request.URL.Host).
			WithHint("start one with: partnerguard cloud")
	}
	kind := problem.Kind(f.Error.Kind)
	switch kind {
	case problem.Usage, problem.BadInput, problem.NotFound, problem.Limit:
	default:
		kind = problem.Internal
	}
	if res.StatusCode == http.StatusUnauthorized {
		kind = problem.BadInput
	}
	e := problem.New(kind, "%s", f.Error.Message)
	if f.Error.Hint != "" {
		e = e.WithHint("%s", f.Error.Hint)
	}
	return e
}

func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	res, err := c.do(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxReply))
	if err != nil {
		return problem.Wrap(err, problem.NotFound, "the partner cloud broke off")
	}
	if raw, ok := out.(*[]byte); ok {
		*raw = b
		return nil
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return problem.Wrap(err, problem.Internal, "the answer of the partner cloud cannot be understood").WithHint("is it of the same version?")
	}
	return nil
}

// Info fills out, a pointer, with what the cloud says about itself.
func (c *Client) Info(ctx context.Context, out any) error {
	return c.call(ctx, http.MethodGet, "/v1/info", nil, out)
}

// CA is the certificate of the local authority, PEM.
func (c *Client) CA(ctx context.Context) (pem []byte, err error) {
	err = c.call(ctx, http.MethodGet, "/v1/ca.pem", nil, &pem)
	return pem, err
}

// Clock says how the clock stands.
func (c *Client) Clock(ctx context.Context) (s ClockState, err error) {
	err = c.call(ctx, http.MethodGet, "/v1/clock", nil, &s)
	return s, err
}

// Jump moves the clock forward.
func (c *Client) Jump(ctx context.Context, d time.Duration) (ClockState, error) {
	return c.move(ctx, clockChange{Jump: FormatDuration(d)})
}

// Live jumps as [Client.Jump] does, and the partner's people sign in meanwhile, as ever, by
// the settings of now.
func (c *Client) Live(ctx context.Context, d time.Duration) (ClockState, error) {
	return c.move(ctx, clockChange{Jump: FormatDuration(d), People: true})
}

// Set moves the clock to a moment that is not in its past.
func (c *Client) Set(ctx context.Context, t time.Time) (ClockState, error) {
	return c.move(ctx, clockChange{Set: &t})
}

// Freeze stops the clock, or lets it run on.
func (c *Client) Freeze(ctx context.Context, on bool) (ClockState, error) {
	return c.move(ctx, clockChange{Freeze: &on})
}

func (c *Client) move(ctx context.Context, change clockChange) (s ClockState, err error) {
	err = c.call(ctx, http.MethodPost, "/v1/clock", change, &s)
	return s, err
}

// Faults lists what is on.
func (c *Client) Faults(ctx context.Context) ([]Fault, error) {
	var l faultList
	err := c.call(ctx, http.MethodGet, "/v1/faults", nil, &l)
	return l.Faults, err
}

// Inject turns a fault on and gives it back with its id.
func (c *Client) Inject(ctx context.Context, f Fault) (made Fault, err error) {
	err = c.call(ctx, http.MethodPost, "/v1/faults", f, &made)
	return made, err
}

// Clear ends the fault with an id, or all when it is empty.
func (c *Client) Clear(ctx context.Context, id string) (int, error) {
	var n cleared
	path := "/v1/faults"
	if id != "" {
		path += "/" + url.PathEscape(id)
	}
	err := c.call(ctx, http.MethodDelete, path, nil, &n)
	return n.Cleared, err
}

// Requests gives each request seen to f: those that are remembered and, with
// follow, those to come until ctx ends. An error of f ends it.
func (c *Client) Requests(ctx context.Context, fl gate.Filter, follow bool, f func(gate.Seen) error) error {
	q := url.Values{}
	for name, v := range map[string]string{"service": fl.Service, "method": fl.Method, "path": fl.PathPrefix, "app": fl.App, "tenant": fl.Tenant} {
		if v != "" {
			q.Set(name, v)
		}
	}
	for name, n := range map[string]uint64{"status": uint64(max(fl.Status, 0)), "limit": uint64(max(fl.Limit, 0)), "after": fl.After} {
		if n > 0 {
			q.Set(name, strconv.FormatUint(n, 10))
		}
	}
	if fl.Faulted {
		q.Set("faulted", "1")
	}
	if follow {
		return c.follow(ctx, "/v1/requests", q, func(line []byte) error {
			var s gate.Seen
			if err := json.Unmarshal(line, &s); err != nil {
				return problem.Wrap(err, problem.Internal, "a line of the partner cloud cannot be understood")
			}
			return f(s)
		})
	}
	var l requestList
	if err := c.call(ctx, http.MethodGet, "/v1/requests?"+q.Encode(), nil, &l); err != nil {
		return err
	}
	for _, s := range l.Requests {
		if err := f(s); err != nil {
			return err
		}
	}
	return nil
}

// SignIns gives rows of the sign-in log to f, at most limit after a position
// (negative: the newest so many), and says where to go on. With follow it goes
// on until ctx ends.
func (c *Client) SignIns(ctx context.Context, after int64, limit int, follow bool, f func(json.RawMessage) error) (next int64, err error) {
	q := url.Values{"after": {strconv.FormatInt(after, 10)}, "limit": {strconv.Itoa(limit)}}
	if follow {
		return 0, c.follow(ctx, "/v1/log/signins", q, func(line []byte) error { return f(line) })
	}
	var l signInList
	if err := c.call(ctx, http.MethodGet, "/v1/log/signins?"+q.Encode(), nil, &l); err != nil {
		return 0, err
	}
	for _, row := range l.SignIns {
		if err := f(row); err != nil {
			return 0, err
		}
	}
	return l.Next, nil
}

func (c *Client) follow(ctx context.Context, path string, q url.Values, f func([]byte) error) error {
	q.Set("follow", "1")
	res, err := c.do(ctx, http.MethodGet, path+"?"+q.Encode(), nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	s := bufio.NewScanner(res.Body)
	s.Buffer(nil, maxLine)
	for s.Scan() {
		if err := f(bytes.Clone(s.Bytes())); err != nil {
			return err
		}
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(s.Err(), bufio.ErrTooLong):
		return problem.Wrap(s.Err(), problem.Limit, "a line of the partner cloud is too long")
	}
	return problem.Wrap(s.Err(), problem.NotFound, "the partner cloud ended")
}

// Rollover makes new signing keys.
func (c *Client) Rollover(ctx context.Context) error {
	return c.call(ctx, http.MethodPost, "/v1/keys/rollover", nil, nil)
}

// Enforcement reads the enforcement settings, or changes them when change is
// not nil; the answer fills out.
func (c *Client) Enforcement(ctx context.Context, change json.RawMessage, out any) error {
	if change == nil {
		return c.call(ctx, http.MethodGet, "/v1/enforcement", nil, out)
	}
	return c.call(ctx, http.MethodPost, "/v1/enforcement", change, out)
}

// Graph calls Graph as a tenant's administrator.
func (c *Client) Graph(ctx context.Context, call GraphCall) (a GraphAnswer, err error) {
	err = c.call(ctx, http.MethodPost, "/v1/graph", call, &a)
	return a, err
}
