package msapi_test

import (
	"errors"
	"net/http"
	"testing"

	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
)

// TestTakesRedirect: an address that is registered, one that is not, an app that is
// not there, and an answer that says nothing.
func TestTakesRedirect(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	const callback = "https://guard.contoso.example/connect/callback"
	takes := func(app, redirect string) (bool, error) {
		return l.c.TakesRedirect(t.Context(), l.cloud, l.i.Tenant.ID, app, redirect)
	}
	if yes, err := takes(panelApp, callback); err != nil || yes {
		t.Errorf("not registered: %v %v", yes, err)
	}
	l.Redirect(panelApp, callback)
	if yes, err := takes(panelApp, callback); err != nil || !yes {
		t.Errorf("registered: %v %v", yes, err)
	}
	if yes, err := takes(panelApp, callback+"/more"); err != nil || yes {
		t.Errorf("a longer one: %v %v", yes, err)
	}
	if yes, err := takes("00000000-0000-4000-8000-00000000dead", callback); yes || !errors.Is(err, problem.NotFound) {
		t.Errorf("no such app: %v %v", yes, err)
	}
	for name, a := range map[string]struct {
		status   int
		location string
	}{"a page": {200, ""}, "elsewhere": {302, "https://evil.example/?error=login_required"}, "begins alike": {302, callback + ".evil.example/?error=x"}} {
		c := l.Client(func(o *msapi.Options) {
			o.Transport = roundTripper(func(*http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: a.status, Header: http.Header{"Location": {a.location}}, Body: http.NoBody}, nil
			})
		})
		if yes, err := c.TakesRedirect(t.Context(), l.cloud, l.i.Tenant.ID, panelApp, callback); yes || !errors.Is(err, problem.Unavailable) {
			t.Errorf("%s: %v %v", name, yes, err)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
