package web

import (
	"go/ast"
	"go/parser"
	"go/token"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"partnerguard/internal/problem"
)

// TestEveryKindHasAStatus reads the vocabulary's source, so that a new kind
// cannot be forgotten here.
func TestEveryKindHasAStatus(t *testing.T) {
	t.Parallel()
	f, err := parser.ParseFile(token.NewFileSet(), "../problem/problem.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(f, func(node ast.Node) bool {
		v, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if id, ok := v.Type.(*ast.Ident); !ok || id.Name != "Kind" {
			return true
		}
		n++
		text, _ := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
		if statuses[problem.Kind(text)] == 0 {
			t.Errorf("%s (%q) has no status", v.Names[0].Name, text)
		}
		return true
	})
	if n != len(statuses) || n < 11 {
		t.Errorf("%d kinds and %d statuses", n, len(statuses))
	}
}

func TestWantsPage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		accept    string
		otherwise bool
		want      bool
	}{
		{"", true, true}, {"", false, false}, {"*/*", true, true}, {"*/*", false, false},
		{"text/html", false, true}, {"TEXT/HTML", false, true}, {"text/*", false, true}, {"application/json", true, false}, {"application/*", true, false},
		{"text/html;q=0", true, true}, {"text/html;q=0, application/json;q=0.1", true, false}, {"text/html;q=0.2, */*;q=0.9", true, false},
		{"*/*;q=0.9, text/html;q=0.2, application/json;q=0.5", true, false},
		{"text/html; charset=utf-8 ; Q=0.4, application/json;q=0.5", true, false},
		{"text/html;q=NaN", false, false}, {"text/html;q=Inf", false, false}, {"text/html;q=1e3", false, false},
		{"text/html;q=-1", false, false}, {"text/html;q=1.1", false, false},
		{"image/png", true, true}, {",,;;,", false, false}, {strings.Repeat("text/html,", 1000), false, false},
	} {
		if got := wantsPage([]string{c.accept}, c.otherwise); got != c.want {
			t.Errorf("%q or %v: %v", c.accept, c.otherwise, got)
		}
	}
	if !wantsPage([]string{"application/json;q=0.1", "text/html"}, false) {
		t.Error("the second header counts too")
	}
}

func FuzzWantsPage(f *testing.F) {
	for _, s := range []string{"text/html,*/*;q=0.8", "application/json", "text/html;q=0.5;q=1", "a/b;q=\"0.1\"", "text/html;q=."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		yes, no := wantsPage([]string{s}, true), wantsPage([]string{s}, false)
		if no && !yes {
			t.Errorf("%q: what it says depends on what it does not say", s)
		}
		for _, kind := range []string{"text/html", "application/json"} {
			if q := quality(s, kind); !(q >= 0 && q <= 1) {
				t.Errorf("%q: %s %v", s, kind, q)
			}
		}
		if k, p, err := mime.ParseMediaType(s); err == nil && k == "text/html" && len(p) == 0 && len(s) <= maxAccept && !strings.ContainsAny(s, ",;") && !no {
			t.Errorf("%q is a page", s)
		}
	})
}

func FuzzRequestID(f *testing.F) {
	f.Add("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "abc")
	f.Add("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future", "")
	f.Add("", "a\nb")
	f.Fuzz(func(t *testing.T, parent, id string) {
		got := requestID(http.Header{"Traceparent": {parent}, "X-Request-Id": {id}})
		if got == "" || len(got) > 64 || strings.Trim(got, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != "" {
			t.Errorf("%q %q: %q", parent, id, got)
		}
		if !strings.Contains(parent, got) && got != id && len(got) != 36 {
			t.Errorf("%q %q: %q is nobody's", parent, id, got)
		}
	})
}
