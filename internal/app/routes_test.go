package app_test

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/app"
	"partnerguard/internal/web"
)

var update = flag.Bool("update", false, "write the list of routes anew; whoever reviews it looks at each rule")

// TestRoutes is every route of the whole server, with who may ask for it: a new
// one is a line of testdata/routes.txt that somebody has looked at. One without
// a rule does not even start.
func TestRoutes(t *testing.T) {
	t.Parallel()
	s := newPlace(t).must(false, "public-url", "https://guard.example")
	h, err := s.Serve(t.Context(), app.ServeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	k, ok := h.(*web.Kernel)
	if !ok {
		t.Fatalf("%T is no kernel", h)
	}
	var b strings.Builder
	for _, r := range k.Routes() {
		fmt.Fprintf(&b, "%s\t%s\t%s\n", r.Name, r.Pattern, r.Access)
	}
	path := filepath.Join("testdata", "routes.txt")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("%s (go test ./internal/app -run TestRoutes -update writes it anew):\n%s", path, diff)
	}
	for path, want := range map[string]int{"/healthz": 200, "/metrics": 403, "/": 303, "/favicon.ico": 200, "/index.html": 404, "/msi/token": 403,
		"/connect/x": 421} {
		w := httptest.NewRecorder()
		if k.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil)); w.Code != want {
			t.Errorf("%s: %d, want %d: %s", path, w.Code, want, w.Body)
		}
	}
}
