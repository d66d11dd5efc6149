package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/collect"
	"partnerguard/internal/screen"
	"partnerguard/internal/screen/screentest"
)

// in lets one more browser of the same person in.
func (v *visitor) in() *visitor {
	v.Helper()
	out := *v
	out.jar = map[string]string{}
	where, err := v.s.Console.Link(v.Context(), "local:owner", matrixHome)
	v.ok(err)
	out.submit(strings.TrimPrefix(where, matrixHome), url.Values{})
	m := formToken.FindStringSubmatch(out.do("GET", "/tenants", nil).Body.String())
	if m == nil {
		v.Fatal("no form")
	}
	out.form = m[1]
	return &out
}

// guardedPaths are the paths of a method that somebody who is in may ask for.
func (v *visitor) guardedPaths(method string) (out []string) {
	for _, r := range v.k.Routes() {
		m, path, _ := strings.Cut(r.Pattern, " ")
		if m == method && !slices.Contains(free[:3], r.Access.Rule()) && !strings.Contains(path, "{") {
			out = append(out, path)
		}
	}
	return out
}

// TestForgedForms sends every form of the real server as others would have a browser send
// it: from another site, without the form's token, with that of another session.
func TestForgedForms(t *testing.T) {
	t.Parallel()
	rig, _ := operator(t)
	rig.ok(rig.s.Collect.Known(t.Context(), []collect.Tenant{{ID: rig.of["zzp"], Domain: "contoso.example", Partner: true}}, true))
	one, other := rig.in(), rig.in()
	paths := one.guardedPaths("POST")
	if len(paths) < 40 {
		t.Fatal(paths)
	}
	for _, path := range paths {
		form := url.Values{"id": {"x"}, "theme": {"dark"}}
		signed := func(token string) []byte {
			f := url.Values{}
			for k, v := range form {
				f[k] = v
			}
			f.Set(screen.FormToken, token)
			return []byte(f.Encode())
		}
		plain, kind := "application/x-www-form-urlencoded", "Content-Type"
		for what, c := range map[string]struct {
			body []byte
			head []string
		}{
			"another site's":             {signed(one.form), []string{"Sec-Fetch-Site", "cross-site"}},
			"another host's of the site": {signed(one.form), []string{"Sec-Fetch-Site", "same-site"}},
			"another origin's":           {signed(one.form), []string{"Origin", "https://evil.example"}},
			"no origin's":                {signed(one.form), []string{"Origin", "null"}},
		} {
			if w := one.do("POST", path, c.body, append([]string{kind, plain}, c.head...)...); w.Code != http.StatusForbidden {
				t.Errorf("%s, %s: %d", path, what, w.Code)
			}
		}
		switch {
		case strings.HasPrefix(path, screen.API): // JSON, which no form of another site is
			for _, as := range []string{plain, "text/plain", "multipart/form-data; boundary=x", ""} {
				if w := one.do("POST", path, []byte(`{"id":"x"}`), kind, as); w.Code != http.StatusUnsupportedMediaType && w.Code != http.StatusNotFound {
					t.Errorf("%s as %q: %d", path, as, w.Code)
				}
			}
		case path == "/signout" || path == "/signout/everywhere": // which the rules of sites hold
		default:
			for what, token := range map[string]string{"none": "", "another session's": other.form, "a forged": "x",
				"a changed": strings.Map(func(r rune) rune {
					if r == 'A' {
						return 'B'
					}
					return 'A'
				}, one.form[:1]) + one.form[1:]} {
				if w := one.do("POST", path, signed(token), kind, plain); w.Code != http.StatusForbidden {
					t.Errorf("%s with %s token: %d", path, what, w.Code)
				}
			}
		}
	}
	if w := one.do("GET", "/sessions", nil); w.Code != http.StatusOK {
		t.Errorf("the session is over: %d", w.Code)
	}
}

// TestFloods asks every page for what no page has: nothing breaks, nothing becomes more than
// text, and no answer may be kept by whoever stands between.
func TestFloods(t *testing.T) {
	t.Parallel()
	rig, _ := operator(t)
	rig.ok(rig.s.Collect.Known(t.Context(), []collect.Tenant{{ID: rig.of["zzp"], Domain: "contoso.example", Partner: true}}, true))
	one, other := rig.in(), rig.in()
	many := strings.Repeat("&state=x", 2000)
	queries := []string{"page=1000000000", "page=-1", "size=1000000", "page=1e9", "sort=--x", "sort=%00", "row=" + strings.Repeat("a", 300), "q=%ff%fe",
		"q=%0d%0a", "x=1",
		"q=1" + many, strings.Repeat("a=b&", 3000), "tenant=../../x", "tenant=a&tenant=b", "%zz", ";", "q=" + url.QueryEscape("<script>alert(1)</script>"),
		"page=999999", "tenant=" + url.QueryEscape("' OR 1=1 --")}
	for _, path := range one.guardedPaths("GET") {
		tag := ""
		if w := one.do("GET", path, nil); w.Code == http.StatusOK {
			tag = w.Header().Get("Etag")
			if c := w.Header().Get("Cache-Control"); !strings.Contains(c, "no-store") && !strings.Contains(c, "private") {
				t.Errorf("%s may be kept by anybody: %q", path, c)
			}
			if strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") && tag != "" {
				if w := other.do("GET", path, nil, "If-None-Match", tag); w.Code != http.StatusOK || w.Header().Get("Etag") == tag {
					t.Errorf("%s: the page of one session answers for another's: %d", path, w.Code)
				}
			}
			if w := one.do("GET", path, nil, "Range", "bytes=0-10"); w.Code == http.StatusPartialContent {
				t.Errorf("%s: a range is answered", path)
			}
		}
		for _, q := range queries {
			w := one.do("GET", path+"?"+q, nil)
			if w.Code >= 500 {
				t.Errorf("%s?%.60s: %d", path, q, w.Code)
			}
			if strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
				screentest.Hold(t, fmt.Sprintf("%s?%.40s", path, q), w.Body.String())
			}
		}
		for _, method := range []string{"OPTIONS", "TRACE", "PUT", "DELETE", "PATCH", "CONNECT"} {
			if w := one.do(method, path, nil); w.Code != http.StatusMethodNotAllowed && w.Code != http.StatusForbidden {
				t.Errorf("%s %s: %d", method, path, w.Code)
			}
		}
	}
	for _, path := range []string{"/static/..%2f..%2fetc%2fpasswd", "/static/%2e%2e/x", "/static/", "/static/x%00.css", "/calendar/..%2f..%2fx.ics",
		"/calendar/.ics", "/calendar/" + strings.Repeat("A", 5000) + ".ics", "/api/v1/../../metrics", "//evil.example/", "/people/%2e%2e/trail", "/people.csv/",
		"/people%2ecsv/x"} {
		if w := one.do("GET", path, nil); w.Code == http.StatusOK || w.Code >= 500 || strings.HasPrefix(w.Header().Get("Location"), "//") {
			t.Errorf("%s: %d to %q", path, w.Code, w.Header().Get("Location"))
		}
	}
	for _, path := range one.guardedPaths("POST") {
		if !strings.HasPrefix(path, screen.API) {
			continue
		}
		deep := strings.Repeat("[", 10_000)
		long, _ := json.Marshal(map[string]string{"id": strings.Repeat("a", 100_000)})
		for _, body := range []string{`{"unknown":"x"}`, `{"id":{"a":1}}`, `{"id":"a","id":"b"}`, "[]", "null", "{", deep, `{"id":` + deep, string(long),
			"\xff"} {
			if w := one.do("POST", path, []byte(body), "Content-Type", "application/json"); w.Code < 400 || w.Code >= 500 {
				t.Errorf("%s %.30q: %d", path, body, w.Code)
			}
		}
	}
}
