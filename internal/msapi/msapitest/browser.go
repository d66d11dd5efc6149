package msapitest

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// Browser is a browser without script. It follows the authority's own pages and
// stops where they lead elsewhere. For one goroutine.
type Browser struct {
	t     testing.TB
	web   *http.Client
	login string

	Page   string   // the last page's text
	Status int      // its status
	Left   *url.URL // where the last answer led, when that is not the authority
}

// NewBrowser makes a browser for the authority at login.
func NewBrowser(t testing.TB, transport http.RoundTripper, login string) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	own, err := url.Parse(login)
	if err != nil {
		t.Fatal(err)
	}
	b := &Browser{t: t, login: login, web: &http.Client{Jar: jar, Transport: transport}}
	b.web.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if r.URL.Host != own.Host {
			b.Left = r.URL
			return http.ErrUseLastResponse
		}
		if len(via) > 20 {
			t.Error("redirects without end")
			return http.ErrUseLastResponse
		}
		return nil
	}
	return b
}

// Person is who signs in. Code gives a fresh one-time passcode; nil when the
// person has none.
type Person struct {
	UPN, Password string
	Code          func() string
}

// Open opens an address.
func (b *Browser) Open(where string) *Browser {
	b.t.Helper()
	r, err := http.NewRequest(http.MethodGet, where, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.send(r)
}

func (b *Browser) send(r *http.Request) *Browser {
	b.t.Helper()
	b.Left = nil
	res, err := b.web.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	if err != nil {
		b.t.Fatal(err)
	}
	b.Page, b.Status = string(text), res.StatusCode
	return b
}

var (
	hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)"(?: autocomplete="[^"]*")? value="([^"]*)">`)
	action = regexp.MustCompile(`<form[^>]* action="([^"]+)"`)
)

// Fields are the hidden fields of the page.
func (b *Browser) Fields() url.Values {
	v := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(b.Page, -1) {
		v.Set(m[1], html.UnescapeString(m[2]))
	}
	return v
}

// Action is where the page's first form goes.
func (b *Browser) Action() string {
	m := action.FindStringSubmatch(b.Page)
	if m == nil {
		return ""
	}
	return html.UnescapeString(m[1])
}

// Press fills in the page's form and sends it; pairs are names and values.
func (b *Browser) Press(pairs ...string) *Browser {
	b.t.Helper()
	v := url.Values{}
	for k, list := range b.Fields() {
		if k == "flow" || k == "csrf" {
			v[k] = list
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	r, err := http.NewRequest(http.MethodPost, b.login+"/common/signin", strings.NewReader(v.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.send(r)
}

// SignIn does everything the pages ask of a person.
func (b *Browser) SignIn(p Person) *Browser {
	b.t.Helper()
	has := func(text string) bool { return strings.Contains(b.Page, text) }
	if has(`name="loginfmt" type="email"`) {
		b.Press("do", "account", "loginfmt", p.UPN)
	}
	if has(`name="passwd"`) {
		b.Press("do", "password", "passwd", p.Password)
	}
	if p.Code != nil && has(`name="otc"`) && has(`value="totp"`) {
		b.Press("do", "totp", "otc", p.Code())
	}
	if has("Stay signed in?") {
		b.Press("do", "leave")
	}
	return b
}
