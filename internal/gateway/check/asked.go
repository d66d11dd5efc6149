package check

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/netip"
	"strings"
	"time"

	"partnerguard/internal/gateway"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// Limits of a file of requests.
const (
	maxLine    = 512 << 10
	MaxLines   = 1_000_000
	maxHeaders = 100
)

// Asked is one request to try. Its JSON form is a line of --requests; unknown members are
// refused.
type Asked struct {
	ID      string            `json:"id"`     // comes back in the answer
	Method  string            `json:"method"` // GET where it says none
	URL     string            `json:"url"`    // https://host/path
	Headers map[string]values `json:"headers"`
	Token   secret.Text       `json:"-"`
	Bearer  string            `json:"token"`  // an access token; instead of an Authorization header
	Claims  json.RawMessage   `json:"claims"` // instead of a token: what a genuine one would say
	Remote  string            `json:"from"`   // address of who asks
	At      time.Time         `json:"at"`

	host, path, query string
	secure, whole     bool
	from              netip.Addr
}

// values are one value of a header, or several.
type values []string

// UnmarshalJSON implements [json.Unmarshaler].
func (v *values) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*v = values{one}
		return nil
	}
	var many []string
	if err := json.Unmarshal(raw, &many); err != nil {
		return errors.New("a header is a text or a list of texts")
	}
	*v = many
	return nil
}

// Check takes a request apart; kind problem.BadInput or Usage where it is none.
func (a *Asked) Check() error {
	bad := func(hint, format string, args ...any) error {
		return problem.New(problem.BadInput, format, args...).WithHint("%s", hint)
	}
	if a.Bearer != "" {
		a.Token, a.Bearer = secret.New(a.Bearer), ""
	}
	scheme, rest, ok := strings.Cut(a.URL, "://")
	if a.secure = scheme == "https"; !ok || scheme != "https" && scheme != "http" {
		return bad("such as https://panel.contoso.example/path", "the address of a request begins with https:// or http://")
	}
	rest, a.query, _ = strings.Cut(rest, "?")
	a.host, a.path = rest, "/"
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		a.host, a.path = rest[:i], rest[i:]
	}
	a.whole = !strings.Contains(a.URL, "#")
	if a.Method == "" {
		a.Method = "GET"
	}
	if len(a.Headers) > maxHeaders {
		return bad("those that decide are Authorization, Cookie, Accept and User-Agent", "a request has at most %d headers", maxHeaders)
	}
	if len(a.Claims) > 0 && a.Claims[0] != '{' {
		return bad(`such as {"tid": …, "aud": …, "amr": ["pwd","mfa"]}`, "claims are an object, as the token's payload")
	}
	n := len(a.header("Authorization"))
	if !a.Token.IsZero() {
		n++
	}
	if len(a.Claims) > 0 {
		n++
	}
	if n > len(a.header("Authorization")) && n > 1 {
		return bad("one of token, claims and headers.Authorization", "a request has several tokens")
	}
	if a.Remote != "" {
		var err error
		if a.from, err = netip.ParseAddr(a.Remote); err != nil {
			return bad("such as 192.0.2.7", "from is no address")
		}
	}
	return nil
}

// AddHeader adds a header.
func (a *Asked) AddHeader(name, value string) {
	if a.Headers == nil {
		a.Headers = map[string]values{}
	}
	a.Headers[name] = append(a.Headers[name], value)
}

// header gives the values of a header, by its name in any case.
func (a *Asked) header(name string) (out []string) {
	for have, v := range a.Headers {
		if strings.EqualFold(have, name) {
			out = append(out, v...)
		}
	}
	return out
}

func (a *Asked) request(at time.Time) *gateway.Request {
	first := func(name string) string {
		if v := a.header(name); len(v) > 0 {
			return v[0]
		}
		return ""
	}
	auth := a.header("Authorization")
	r := &gateway.Request{Method: a.Method, Host: a.host, Path: a.path, Query: a.query, Doubled: len(auth) > 1, Cookie: strings.Join(a.header("Cookie"), "; "),
		UserAgent: first("User-Agent"), Accept: first("Accept"), FetchMode: first("Sec-Fetch-Mode"), FetchDest: first("Sec-Fetch-Dest"),
		RequestedWith: first("X-Requested-With"), Remote: a.from, ID: a.ID, TLS: a.secure, Now: at}
	switch {
	case !a.Token.IsZero():
		r.Authorization = "Bearer " + a.Token.Reveal()
	case len(auth) > 0:
		r.Authorization = auth[0]
	}
	return r
}

// plainURL is the address without its query, which may hold anything.
func (a *Asked) plainURL() string {
	u, _, _ := strings.Cut(a.URL, "?")
	return print.Clean(u, 300)
}

// Lines reads requests, one JSON object a line. An error ends it, and names the line.
func Lines(r io.Reader) iter.Seq2[*Asked, error] {
	return func(yield func(*Asked, error) bool) {
		s := bufio.NewScanner(r)
		s.Buffer(make([]byte, 0, 64<<10), maxLine)
		n := 0
		for s.Scan() {
			if n++; n > MaxLines {
				yield(nil, problem.New(problem.Limit, "there are more than %d requests", MaxLines).WithHint("split the file"))
				return
			}
			if len(bytes.TrimSpace(s.Bytes())) == 0 {
				continue
			}
			a, err := line(s.Bytes())
			if err != nil {
				yield(nil, problem.Wrap(err, problem.BadInput, "line %d is no request: %s", n, said(err)).WithHint("%s", hint(err)))
				return
			}
			if !yield(a, nil) {
				return
			}
		}
		if err := s.Err(); err != nil {
			yield(nil, problem.Wrap(err, problem.BadInput, "the requests cannot be read after line %d", n).WithHint("a line has at most %d bytes", maxLine))
		}
	}
}

func line(raw []byte) (*Asked, error) {
	a := &Asked{}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(a); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, problem.New(problem.BadInput, "something stands behind the object")
	}
	return a, a.Check()
}

// said gives words about a line in which nothing of a token can be.
func said(err error) string {
	if e, ok := errors.AsType[*problem.Error](err); ok {
		return e.Error()
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return print.Clean(e.Field, 60) + " has another form"
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return "it has a member " + print.Clean(name, 40) + " that is not known"
	}
	return "it is not a JSON object"
}

func hint(err error) string {
	if h := problem.HintOf(err); h != "" {
		return h
	}
	return `one a line: {"url": "https://host/path", "method": "GET", "headers": {}, "token": "…", "at": "2026-12-01T08:00:00Z"}`
}
