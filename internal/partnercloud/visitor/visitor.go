package visitor

import (
	"context"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"

	"partnerguard/internal/problem"
)

// Browser keeps to the pages of one authority and stops where they lead
// elsewhere. It is for one goroutine.
type Browser struct {
	web   *http.Client
	login string

	Page   string   // the last page's text
	Status int      // its status
	Left   *url.URL // where the last answer led, when that is not the authority
}

// The bounds of a walk.
const (
	maxPage      = 4 << 20
	maxRedirects = 20
	patience     = time.Minute // for one page
)

// New makes a browser for the authority at login.
func New(transport http.RoundTripper, login string) (*Browser, error) {
	own, err := url.Parse(login)
	if err != nil || own.Host == "" {
		return nil, problem.New(problem.Usage, "the authority's address cannot be")
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	b := &Browser{login: login, web: &http.Client{Jar: jar, Transport: transport, Timeout: patience}}
	b.web.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if r.URL.Host != own.Host {
			b.Left = r.URL
			return http.ErrUseLastResponse
		}
		if len(via) > maxRedirects {
			return problem.New(problem.Limit, "redirects without end")
		}
		return nil
	}
	return b, nil
}

// Person is who signs in. Code gives a fresh one-time passcode; nil when the
// person has none.
type Person struct {
	UPN, Password string
	Code          func() (string, error)
}

// Open opens an address.
func (b *Browser) Open(ctx context.Context, where string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return problem.New(problem.Usage, "the address cannot be opened")
	}
	return b.send(r)
}

// send never repeats an address: it may hold a code.
func (b *Browser) send(r *http.Request) error {
	b.Left = nil
	res, err := b.web.Do(r)
	if err != nil {
		if r.Context().Err() != nil {
			return r.Context().Err()
		}
		return problem.New(problem.Unavailable, "the sign-in page of %s does not answer", r.URL.Host)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxPage))
	if err != nil {
		return problem.New(problem.Unavailable, "the sign-in page of %s broke off", r.URL.Host)
	}
	b.Page, b.Status = string(text), res.StatusCode
	return nil
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

// devicePage is where somebody enters the code that a device shows.
const devicePage = "/devicelogin"

// Press fills in the page's form and sends it; pairs are names and values.
func (b *Browser) Press(ctx context.Context, pairs ...string) error {
	v := url.Values{}
	for k, list := range b.Fields() {
		if k == "flow" || k == "csrf" {
			v[k] = list
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	where := "/common/signin"
	if b.Action() == devicePage {
		where = devicePage
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.login+where, strings.NewReader(v.Encode()))
	if err != nil {
		return problem.New(problem.Usage, "the form cannot be sent")
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.send(r)
}

// SignIn does everything that the pages ask of a person. Whether that was enough,
// Left tells.
func (b *Browser) SignIn(ctx context.Context, p Person) error {
	for _, step := range []struct {
		asked func() bool
		press func() ([]string, error)
	}{
		{b.shows(`name="loginfmt" type="email"`), give("do", "account", "loginfmt", p.UPN)},
		{b.shows(`name="passwd"`), give("do", "password", "passwd", p.Password)},
		{func() bool { return p.Code != nil && b.shows(`name="otc"`)() && b.shows(`value="totp"`)() }, func() ([]string, error) {
			code, err := p.Code()
			return []string{"do", "totp", "otc", code}, err
		}},
		{b.shows("Stay signed in?"), give("do", "leave")},
	} {
		if !step.asked() {
			continue
		}
		pairs, err := step.press()
		if err == nil {
			err = b.Press(ctx, pairs...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *Browser) shows(text string) func() bool {
	return func() bool { return strings.Contains(b.Page, text) }
}

func give(pairs ...string) func() ([]string, error) {
	return func() ([]string, error) { return pairs, nil }
}
