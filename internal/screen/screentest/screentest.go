package screentest

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/screen"
)

// Now is the moment of a page where a test says nothing else.
var Now = time.Date(2026, 11, 20, 6, 11, 0, 0, time.UTC)

// Tenants are a partner and two of its customers.
var Tenants = []screen.Tenant{
	{ID: "11111111-1111-4111-8111-111111111111", Name: "Contoso Cloud Partners", Domain: "contoso.example", Partner: true},
	{ID: "22222222-2222-4222-8222-222222222222", Name: "Fabrikam", Domain: "fabrikam.example"},
	{ID: "33333333-3333-4333-8333-333333333333", Name: "Northwind Traders", Domain: "northwind.example"},
}

// Viewer is somebody who may see and do everything.
func Viewer() *screen.Viewer {
	return &screen.Viewer{ID: "ada", Name: "Ada Byrne", Role: "security lead", Actor: "local:ada", Session: "s1", Rights: screen.Rights()}
}

// House is what a page is rendered in. The zero value is as Viewer, Tenants and Now say.
type House struct {
	Screens []screen.Screen
	Viewer  *screen.Viewer
	Tenants []screen.Tenant
	Now     time.Time
	Theme   string
	Said    string
	Needs   map[string]int
}

// Of is a house with these pages.
func Of(screens ...screen.Screen) *House { return &House{Screens: screens} }

func (h *House) settled() House {
	out := *h
	if out.Viewer == nil {
		out.Viewer = Viewer()
	}
	if out.Tenants == nil {
		out.Tenants = Tenants
	}
	if out.Now.IsZero() {
		out.Now = Now
	}
	return out
}

// Load answers an address ("/people?class=admin") as the page's rows and view.
func (h *House) Load(ctx context.Context, address string) (*screen.Screen, *screen.Loaded, error) {
	o := h.settled()
	u, err := url.Parse(address)
	if err != nil {
		return nil, nil, err
	}
	i := slices.IndexFunc(o.Screens, func(s screen.Screen) bool { return "/"+s.Name == u.Path })
	if i < 0 {
		return nil, nil, os.ErrNotExist
	}
	s := &o.Screens[i]
	a, err := screen.NewAsk(s, o.Viewer, o.Tenants, u.Query(), o.Now)
	if err != nil {
		return s, nil, err
	}
	l, err := s.Answer(ctx, a)
	return s, l, err
}

// Render is the page at an address.
func (h *House) Render(ctx context.Context, address string) (string, error) {
	s, l, err := h.Load(ctx, address)
	if err != nil {
		return "", err
	}
	o := h.settled()
	f := screen.Frame{Viewer: o.Viewer, Screens: o.Screens, Tenant: l.Ask.Tenant, Tenants: l.Ask.Tenants, Needs: o.Needs, Now: o.Now, Theme: o.Theme,
		Token: "token", SignOut: "/signout", Said: o.Said, Here: address}
	var b bytes.Buffer
	err = f.Write(&b, &screen.Page{Screen: s, Ask: l.Ask, View: l.View, Rows: l.Rows})
	return b.String(), err
}

// HTML is the page at an address; what fails is the test's.
func (h *House) HTML(t testing.TB, address string) string {
	t.Helper()
	html, err := h.Render(t.Context(), address)
	if err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	return html
}

// ServeHTTP answers pages and what they load.
func (h *House) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, a := range screen.Assets() {
		if r.URL.Path == a.Path() {
			w.Header().Set("Content-Type", a.Type)
			_, _ = w.Write(a.Body)
			return
		}
	}
	html, err := h.Render(r.Context(), r.URL.RequestURI())
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", screen.Policy)
	_, _ = w.Write([]byte(html)) //nolint:gosec // what it is about
}

// Serve serves the house until the test ends, and gives its address.
func (h *House) Serve(t testing.TB) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// Shoot takes pictures of a page into the folder that SHOTS names, wide in light and
// dark and narrow in light; without SHOTS it does nothing. They are there to be looked at:
//
//	SHOTS=DIR go test ./internal/people -run TestShots
func (h *House) Shoot(t testing.TB, name, address string) {
	t.Helper()
	dir := os.Getenv("SHOTS")
	if dir == "" {
		return
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, shot := range []struct{ theme, size string }{{"light", "1440,1400"}, {"dark", "1440,1400"}, {"light", "390,1800"}} {
		o := *h
		o.Theme = shot.theme
		out := filepath.Join(dir, name+"-"+shot.theme+"-"+strings.Split(shot.size, ",")[0]+".png")
		cmd := exec.CommandContext(t.Context(), "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
			"--user-data-dir="+t.TempDir(), "--window-size="+shot.size, "--virtual-time-budget=3000", "--screenshot="+out, o.Serve(t)+address)
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
	}
}
