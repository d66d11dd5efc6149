package labtest

import (
	"net/http"
	"testing"

	"partnerguard/internal/partnercloud/visitor"
)

// Browser is a visitor whose failures are the test's. It follows the authority's
// own pages and stops where they lead elsewhere. For one goroutine.
type Browser struct {
	*visitor.Browser
	t testing.TB
}

// NewBrowser makes a browser for the authority at login.
func NewBrowser(t testing.TB, transport http.RoundTripper, login string) *Browser {
	t.Helper()
	v, err := visitor.New(transport, login)
	b := &Browser{v, t}
	return b.must(err)
}

func (b *Browser) must(err error) *Browser {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
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
	return b.must(b.Browser.Open(b.t.Context(), where))
}

// Press fills in the page's form and sends it; pairs are names and values.
func (b *Browser) Press(pairs ...string) *Browser {
	b.t.Helper()
	return b.must(b.Browser.Press(b.t.Context(), pairs...))
}

// SignIn does everything the pages ask of a person.
func (b *Browser) SignIn(p Person) *Browser {
	b.t.Helper()
	v := visitor.Person{UPN: p.UPN, Password: p.Password}
	if p.Code != nil {
		v.Code = func() (string, error) { return p.Code(), nil }
	}
	return b.must(b.Browser.SignIn(b.t.Context(), v))
}
