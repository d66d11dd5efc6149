package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"

	"partnerguard/internal/console"
	"partnerguard/internal/web"
)

// client is one user: a person's session with a cookie, or a program's token. For one
// goroutine.
type client struct {
	http  *http.Client
	token string
}

// view is one answer.
type view struct {
	address string
	status  int
	took    time.Duration // until its last byte was here
	sent    int           // bytes, as they were sent
	opened  int           // bytes, decompressed
	body    []byte        // decompressed
	err     error
}

var tags = regexp.MustCompile(`<[^>]*>`)

// fault is what was answered instead of a page.
func (v *view) fault() error {
	if v.err != nil {
		return fmt.Errorf("%s: %w", v.address, v.err)
	}
	_, main, _ := strings.Cut(string(v.body), "<main")
	return fmt.Errorf("%s: status %d: %.300s", v.address, v.status, strings.Join(strings.Fields(tags.ReplaceAllString("<main"+main, " ")), " "))
}

// enter lets a person in by a link of this machine.
func (s *served) enter(ctx context.Context) (*client, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	c := &client{http: &http.Client{Jar: jar, Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 4},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	link, err := s.Console.Link(ctx, "local:bench", s.at)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, link, nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusSeeOther {
		return nil, fmt.Errorf("the link was not taken: status %d", resp.StatusCode)
	}
	return c, nil
}

// program is a client with a token that sees some customers, or all with nil.
func (s *served) program(ctx context.Context, only []string) (*client, error) {
	_, text, err := s.Console.MakeToken(ctx, console.Token{Name: "bench", Rights: console.Scopes(), Customers: only, Ends: s.Now().AddDate(0, 0, 1)}, "local:bench")
	if err != nil {
		return nil, err
	}
	return &client{token: text.Reveal(), http: &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 4},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

// get asks for an address, as a browser or a program would.
func (c *client) get(ctx context.Context, base, address string) view {
	v := view{address: address}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+address, nil)
	if err != nil {
		v.err = err
		return v
	}
	r.Header.Set("Accept", "text/html,application/json;q=0.9,*/*;q=0.8")
	r.Header.Set("Accept-Encoding", "gzip, deflate, br")
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	var b bytes.Buffer
	began := time.Now()
	resp, err := c.http.Do(r)
	if err == nil {
		_, err = b.ReadFrom(resp.Body)
		_ = resp.Body.Close()
	}
	v.took = time.Since(began)
	if v.err = err; err != nil {
		return v
	}
	v.status, v.sent, v.body = resp.StatusCode, b.Len(), b.Bytes()
	if resp.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(&b)
		if err == nil {
			v.body, err = io.ReadAll(z)
		}
		v.err = err
	}
	v.opened = len(v.body)
	return v
}

// cookies are what the person's browser would send.
func (c *client) cookies(base string) []*http.Cookie {
	u, err := url.Parse(base)
	if err != nil {
		return nil
	}
	return c.http.Jar.Cookies(u)
}

// bareHandler answers a page of the size of an ordinary one, made beforehand: what it
// takes is the kernel, the compression and the machine.
func bareHandler() func(http.ResponseWriter, *http.Request) error {
	var b bytes.Buffer
	for n := 0; b.Len() < 60_000; n++ {
		fmt.Fprintf(&b, "<tr><th scope=row><a href=\"/people?row=%d\">User %d</a></th><td>member</td><td>passkey or key</td><td>%d of %d</td></tr>\n", n*7919, n, n%13, n)
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		return web.Reply(w, r, "text/html; charset=utf-8", b.Bytes())
	}
}
