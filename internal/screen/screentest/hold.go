package screentest

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"

	"partnerguard/internal/page"
	"partnerguard/internal/screen"
)

// What a page may be made of.
var (
	tags = strings.Fields(`html head meta title link script body a header nav main section aside div span p h1 h2 h3 ul ol li dl dt dd table caption thead
		tbody tr th td form input button select option textarea label fieldset legend progress time b small kbd pre code svg use path rect circle line text g
		title symbol pattern figure figcaption details summary footer br i em strong mark ellipse polyline polygon defs clippath tspan bdi wbr`)
	attrs = strings.Fields(`lang dir data-theme charset name content rel href type as crossorigin src defer class id tabindex popover popovertarget role
		title scope colspan rowspan action method value placeholder maxlength datetime viewbox d x y x1 x2 y1 y2 cx cy r rx ry width height fill transform
		download checked selected multiple required rows for autofocus autocomplete max min open focusable text-anchor points stroke-width
		stroke-dasharray stroke-linecap stroke patternunits patterntransform preserveaspectratio http-equiv pointer-events`)
)

// Hold says that a page holds nothing that acts, loads or leads elsewhere, that its ids
// are its own, that what it refers to is there, and that what people cannot see has words.
func Hold(t testing.TB, name, text string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	ids, refs, n := map[string]bool{}, map[string]bool{}, map[string]int{}
	for e := range doc.Descendants() {
		if e.Type == html.CommentNode {
			t.Errorf("%s: a comment: %q", name, e.Data)
		}
		if e.Type != html.ElementNode {
			continue
		}
		n[e.Data]++
		if !slices.Contains(tags, strings.ToLower(e.Data)) {
			t.Errorf("%s: element <%s>", name, e.Data)
		}
		for _, a := range e.Attr {
			holdAttr(t, name, e, a, ids, refs)
		}
		if e.Data == "script" && (e.FirstChild != nil || !strings.HasPrefix(attr(e, "src"), screen.Static)) {
			t.Errorf("%s: a script of another", name)
		}
		if e.Data == "button" && spoken(e) == "" || e.Data == "a" && spoken(e) == "" {
			t.Errorf("%s: a <%s> without words: %v", name, e.Data, e.Attr)
		}
		if e.Data == "table" && attr(e, "aria-label") == "" && (e.FirstChild == nil || e.FirstChild.Data != "caption") {
			t.Errorf("%s: a table that is not called anything", name)
		}
		if e.Data == "svg" && attr(e, "aria-hidden") == "" && (attr(e, "role") != "img" && attr(e, "role") != "group" || attr(e, "aria-label") == "") {
			t.Errorf("%s: a picture without words", name)
		}
	}
	for r := range refs {
		if !ids[r] {
			t.Errorf("%s: #%s is nowhere", name, r)
		}
	}
	if n["h1"] != 1 || n["main"] != 1 || n["title"] < 1 || n["script"] > 1 {
		t.Errorf("%s: %v", name, n)
	}
}

func attr(e *html.Node, name string) string {
	for _, a := range e.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// spoken are an element's words: its label, or its text.
func spoken(e *html.Node) string {
	if s := attr(e, "aria-label"); s != "" {
		return s
	}
	var b strings.Builder
	for d := range e.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.TrimSpace(b.String())
}

func holdAttr(t testing.TB, name string, e *html.Node, a html.Attribute, ids, refs map[string]bool) {
	t.Helper()
	key := strings.ToLower(a.Key)
	if !slices.Contains(attrs, key) && !strings.HasPrefix(key, "aria-") && !slices.Contains([]string{"data-l", "data-live"}, key) {
		t.Errorf("%s: <%s> has the attribute %s", name, e.Data, a.Key)
	}
	switch key {
	case "id":
		if ids[a.Val] {
			t.Errorf("%s: two elements have the id %s", name, a.Val)
		}
		ids[a.Val] = true
	case "for", "popovertarget", "aria-labelledby", "aria-describedby", "aria-controls":
		refs[a.Val] = true
	case "href", "src", "action", "formaction":
		in, ok := strings.CutPrefix(a.Val, "#")
		if ok && in != "" {
			refs[in] = true
		}
		if !ok && a.Val != "" && a.Val[0] != '?' && page.DocURL(a.Val) == "" &&
			(a.Val[0] != '/' || strings.HasPrefix(a.Val, "//") || strings.ContainsAny(a.Val, "\\\r\n\t")) {
			t.Errorf("%s: <%s %s=%q> leads elsewhere", name, e.Data, a.Key, a.Val)
		}
	case "fill":
		if p, ok := strings.CutPrefix(a.Val, "url(#"); ok {
			refs[strings.TrimSuffix(p, ")")] = true
		} else if strings.Contains(a.Val, "(") {
			t.Errorf("%s: fill %q", name, a.Val)
		}
	}
	if strings.ContainsFunc(a.Val, func(r rune) bool {
		return r < ' ' && r != '\n' || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
	}) && key != "value" {
		t.Errorf("%s: <%s %s=%q> holds signs that steer", name, e.Data, a.Key, a.Val)
	}
}

// Fill puts hostile texts, and values of every other kind, into a row: p is a pointer to it.
func Fill(i int, p any) { fill(i, reflect.ValueOf(p).Elem(), 0) }

var moment = reflect.TypeFor[time.Time]()

func fill(i int, v reflect.Value, deep int) {
	switch {
	case deep > 5 || !v.CanSet():
		return
	case v.Type() == moment:
		v.Set(reflect.ValueOf(Now.Add(-time.Duration(i) * time.Hour)))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(Hostile[i%len(Hostile)])
	case reflect.Bool:
		v.SetBool(i%2 == 0)
	case reflect.Int, reflect.Int64, reflect.Int32, reflect.Int16, reflect.Int8:
		v.SetInt(int64(i % 100))
	case reflect.Uint, reflect.Uint64, reflect.Uint32, reflect.Uint16, reflect.Uint8:
		v.SetUint(uint64(i) % 100)
	case reflect.Float64, reflect.Float32:
		v.SetFloat(float64(i) / 3)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(i+1, v.Elem(), deep+1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), i%3, i%3))
		for j := range v.Len() {
			fill(i+j+1, v.Index(j), deep+1)
		}
	case reflect.Array:
		for j := range v.Len() {
			fill(i+j+1, v.Index(j), deep+1)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(i+1, key, deep+1)
		fill(i+2, value, deep+1)
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for j := range v.NumField() {
			fill(i+j, v.Field(j), deep+1)
		}
	}
}

// HoldLists goes through every page with a list: rows full of hostile texts are shown,
// opened, and handed out as CSV and JSON, and none becomes more than text.
func HoldLists(t *testing.T, screens []screen.Screen) {
	t.Helper()
	for i := range screens {
		s := screens[i]
		if s.List == nil {
			continue
		}
		t.Run(strings.ReplaceAll(s.Name, "/", "-"), func(t *testing.T) {
			t.Parallel()
			rows := screen.Fake(s.List, 3*len(Hostile), Fill)
			s.Load = func(context.Context, *screen.Ask) (*screen.View, error) { return &screen.View{Rows: rows}, nil }
			h := Of(s)
			_, l, err := h.Load(t.Context(), "/"+s.Name+"?size=1000")
			if err != nil {
				t.Fatal(err)
			}
			for j := 0; j < len(l.Rows.Lines); j += 7 {
				html, err := h.Render(t.Context(), screen.With("/"+s.Name, "size", "1000", "row", l.Rows.Lines[j].Key))
				if err != nil { // a key that no address can say
					continue
				}
				Hold(t, s.Name, html)
			}
			Hold(t, s.Name, h.HTML(t, "/"+s.Name+"?size=1000"))
			holdFiles(t, l)
		})
	}
}

func holdFiles(t *testing.T, l *screen.Loaded) {
	t.Helper()
	var b bytes.Buffer
	if err := l.CSV(&b); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(b.Bytes())).ReadAll()
	if err != nil || len(rows) != l.Rows.Matched+1 || !utf8.Valid(b.Bytes()) {
		t.Errorf("the CSV has %d rows of %d: %v", len(rows)-1, l.Rows.Matched, err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if s := strings.TrimLeft(cell, " \u200b\ufeff"); s != "" && strings.ContainsAny(s[:1], "=+-@\t\r") {
				t.Errorf("a spreadsheet takes %q for a formula", cell)
			}
		}
	}
	b.Reset()
	if err := l.JSON(&b); err != nil {
		t.Fatal(err)
	}
	var a screen.Answer
	if err := json.Unmarshal(b.Bytes(), &a); err != nil || len(a.Data) != l.Rows.Matched {
		t.Errorf("the JSON has %d rows of %d: %v", len(a.Data), l.Rows.Matched, err)
	}
}
