package app_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/app"
	"partnerguard/internal/screen"
	"partnerguard/internal/screen/screentest"
	"partnerguard/internal/web"
)

// Whatever a tenant calls its things, no page and no file of any feature takes it for
// more than text.
func TestScreensHoldHostileRows(t *testing.T) {
	t.Parallel()
	list := newPlace(t).must(false).Screens()
	if len(list) < 10 {
		t.Fatalf("only %d pages", len(list))
	}
	screentest.HoldLists(t, list)
}

// TestAPIDocument holds the API's document to every page of every feature.
func TestAPIDocument(t *testing.T) {
	t.Parallel()
	s := newPlace(t).must(false)
	list := s.Screens()
	doc := screen.OpenAPI(list, "1")
	b, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if out := os.Getenv("OPENAPI"); out != "" { // for the linter of make openapi-lint
		if err := os.WriteFile(out, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h, err := s.Serve(t.Context(), app.ServeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	k, ok := h.(*web.Kernel)
	if !ok {
		t.Fatalf("%T", h)
	}
	var mounted []string
	for _, r := range k.Routes() {
		if strings.HasPrefix(r.Name, "api.") && r.Name != "api.openapi" {
			mounted = append(mounted, r.Pattern)
		}
	}
	slices.Sort(mounted)
	if told := screen.APIPaths(list); !slices.Equal(told, mounted) {
		t.Errorf("told:\n%s\nmounted:\n%s", strings.Join(told, "\n"), strings.Join(mounted, "\n"))
	}
	// Nobody who did not come in learns more than that.
	for _, p := range mounted {
		method, path, _ := strings.Cut(p, " ")
		w := httptest.NewRecorder()
		k.ServeHTTP(w, httptest.NewRequest(method, path, http.NoBody))
		if w.Code != http.StatusUnauthorized || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d", p, w.Code)
		}
	}
}
