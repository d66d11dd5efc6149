package pagetest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	shell "partnerguard/internal/page"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Element is one start tag with its attributes.
type Element struct {
	Name  string
	Attrs map[string]string
}

var void = []string{"meta", "br", "wbr"}

// Elements reads a page with an XML parser: our templates close what they open
// and quote every attribute, so the only help needed is for void elements. It
// fails on anything that is not well formed, which is what input that broke
// out of its place would cause.
func Elements(t testing.TB, page string) []Element {
	t.Helper()
	page, ok := strings.CutPrefix(page, "<!DOCTYPE html>\n")
	if !ok {
		t.Fatal("no doctype")
	}
	for _, v := range void {
		page = regexp.MustCompile(`<`+v+`((?: [^<>"]*|"[^"]*")*)>`).ReplaceAllString(page, "<"+v+"$1/>")
	}
	d := xml.NewDecoder(strings.NewReader(page))
	d.Entity = map[string]string{"nbsp": "\u00a0"}
	var out []Element
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("not well formed: %v", err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			e := Element{tok.Name.Local, map[string]string{}}
			for _, a := range tok.Attr {
				e.Attrs[a.Name.Local] = a.Value
			}
			out = append(out, e)
		case xml.Comment, xml.ProcInst:
			t.Error("a comment or instruction in the page")
		}
	}
}

// What a page may be made of. Nothing on these lists loads or runs anything.
var (
	allowed = strings.Fields(`html head meta title style body a header p h1 h2 h3 span strong div ul li nav main section table caption thead tbody tr th td
		details summary figure figcaption svg symbol use pattern path rect circle line text g bdi wbr time footer dl dt dd br b code
		ol small fieldset legend input label`)
	allowedAttrs = strings.Fields(`lang dir charset http-equiv content name class href id datetime aria-hidden aria-label aria-labelledby tabindex role scope data-l rel
		width height viewBox focusable d patternUnits patternTransform x y x1 x2 y1 y2 cx cy r rx fill stroke-width stroke-dasharray stroke-linecap text-anchor type for checked`)
)

// CheckPage says that a page holds nothing that acts, that its policy allows
// its own style sheet and nothing else, that links lead somewhere, and that
// every table says what it is, every heading cell what it heads and every
// figure has words for those who do not see it.
func CheckPage(t testing.TB, kind, page string) {
	t.Helper()
	list := Elements(t, page)
	ids := map[string]bool{}
	var links []string
	for _, e := range list {
		if !slices.Contains(allowed, e.Name) {
			t.Errorf("%s: element %s", kind, e.Name)
		}
		for a, v := range e.Attrs {
			if !slices.Contains(allowedAttrs, a) {
				t.Errorf("%s: %s has the attribute %s", kind, e.Name, a)
			}
			if strings.Contains(v, "url(") && !regexp.MustCompile(`^url\(#p-[a-z]+\)$`).MatchString(v) {
				t.Errorf("%s: %s=%q", kind, a, v)
			}
		}
		if id, ok := e.Attrs["id"]; ok {
			if ids[id] {
				t.Errorf("%s: two elements have the id %s", kind, id)
			}
			ids[id] = true
		}
		if h, ok := e.Attrs["href"]; ok {
			links = append(links, h)
			if e.Name == "use" && strings.HasPrefix(h, "#") {
				continue
			}
			if e.Name != "a" || !strings.HasPrefix(h, "#") && (shell.DocURL(h) == "" || !strings.Contains(e.Attrs["rel"], "noreferrer")) {
				t.Errorf("%s: <%s href=%q rel=%q>", kind, e.Name, h, e.Attrs["rel"])
			}
		}
	}
	for _, e := range list {
		if p, ok := strings.CutPrefix(e.Attrs["fill"], "url("); ok {
			links = append(links, strings.TrimSuffix(p, ")"))
		}
	}
	for _, h := range links {
		if target, ok := strings.CutPrefix(h, "#"); ok && !ids[target] {
			t.Errorf("%s: the link %s leads nowhere", kind, h)
		}
	}
	if strings.Contains(strings.ToLower(page), "<script") || strings.Contains(page, "ZgotmplZ") {
		t.Errorf("%s: a script, or a value the template refused", kind)
	}
	n := map[string]int{}
	labels := map[string]bool{}
	for _, e := range list {
		labels[e.Attrs["for"]] = true
	}
	for _, e := range list {
		n[e.Name]++
		switch {
		case e.Name == "input" && (e.Attrs["type"] != "radio" || !labels[e.Attrs["id"]]): // a page sends nothing: it only filters
			t.Errorf("%s: an input that is no labelled filter: %v", kind, e.Attrs)
		case e.Name == "th" && e.Attrs["scope"] == "":
			t.Errorf("%s: a heading cell without scope", kind)
		case e.Name == "svg" && e.Attrs["aria-hidden"] == "" && (e.Attrs["role"] != "img" || len(e.Attrs["aria-label"]) < 20):
			t.Errorf("%s: a plot without words: %v", kind, e.Attrs)
		}
	}
	if n["table"] != n["caption"] || n["figure"] != n["figcaption"] || n["h1"] != 1 || n["main"] != 1 || n["title"] < 1 {
		t.Errorf("%s: %v", kind, n)
	}
	checkPolicy(t, page)
}

func checkPolicy(t testing.TB, page string) {
	t.Helper()
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindAllStringSubmatch(page, -1)
	if len(style) != 1 {
		t.Fatalf("%d style sheets", len(style))
	}
	sum := sha256.Sum256([]byte(style[0][1]))
	policy := regexp.MustCompile(`http-equiv="Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)
	if len(policy) != 2 {
		t.Fatal("no policy")
	}
	got := strings.NewReplacer("&#39;", "'", "&#43;", "+").Replace(policy[1])
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
	if got != want {
		t.Errorf("policy\n%s, want\n%s", got, want)
	}
	if strings.Index(page, "Content-Security-Policy") > strings.Index(page, "<style>") {
		t.Error("the policy comes after what it governs")
	}
	if css := style[0][1]; strings.Contains(css, "@import") || strings.Contains(css, "url(") || strings.Contains(css, "http") {
		t.Error("the style sheet loads something")
	}
}
