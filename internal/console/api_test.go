package console_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"partnerguard/internal/console"
	"partnerguard/internal/screen"
	"partnerguard/internal/screen/screentest"
)

// document is the API's document, as a program gets it.
func (r *rig) document(head ...string) map[string]any {
	r.Helper()
	w := r.get("/api/v1/openapi.json", head...)
	var doc map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || w.Code != http.StatusOK {
		r.Fatalf("%d: %v", w.Code, err)
	}
	return doc
}

// TestOpenAPI holds the document to what is mounted, and answers to the document.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	var got url.Values
	r := shown(t, acted(&got))
	_, secret, err := r.MakeToken(t.Context(), console.Token{Name: "ci", Rights: console.Scopes(), Ends: r.at.Add(time.Hour)}, "local:owner")
	r.must(err)
	bearer := []string{"Authorization", "Bearer " + secret.Reveal()}
	doc := r.document(bearer...)
	var told, mounted []string
	paths, _ := doc["paths"].(map[string]any)
	for path, ops := range paths {
		for method := range ops.(map[string]any) {
			told = append(told, strings.ToUpper(method)+" "+path)
		}
	}
	for _, route := range r.kernel.Routes() {
		if strings.HasPrefix(route.Name, "api.") && route.Name != "api.openapi" {
			mounted = append(mounted, route.Pattern)
		}
	}
	slices.Sort(told)
	slices.Sort(mounted)
	if !slices.Equal(told, mounted) {
		t.Errorf("told:\n%s\nmounted:\n%s", strings.Join(told, "\n"), strings.Join(mounted, "\n"))
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	r.must(c.AddResource("doc.json", doc))
	check := func(pointer string, status int, body []byte) {
		t.Helper()
		s, err := c.Compile("doc.json#" + pointer)
		if err != nil {
			t.Fatalf("%s: %v", pointer, err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
		if err == nil {
			err = s.Validate(v)
		}
		if err != nil {
			t.Errorf("%s answers %d what the document does not say: %v", pointer, status, err)
		}
	}
	const problemAt = "/components/schemas/ScreenProblem"
	n := 0
	for _, s := range append(screentest.Story(1), acted(&got)) {
		at := "/paths/" + strings.ReplaceAll(screen.API+s.Name, "/", "~1") + "/get/responses/200/content/application~1json/schema"
		w := r.get(screen.API+s.Name+"?", bearer...)
		check(at, w.Code, w.Body.Bytes())
		w = r.get(screen.API+s.Name+"?colour=red", bearer...)
		check(problemAt, w.Code, w.Body.Bytes())
		n++
	}
	w := r.ask(screen.API+"desk/ring", "", bearer...)
	check("/paths/"+strings.ReplaceAll(screen.API+"desk/ring", "/", "~1")+"/post/responses/200/content/application~1json/schema", w.Code, w.Body.Bytes())
	if n < 5 {
		t.Errorf("only %d pages were asked", n)
	}
}
