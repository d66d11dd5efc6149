package console_test

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/console"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/screen/screentest"
	"partnerguard/internal/web"
)

// shown is a rig whose console shows the story, with more that a test needs.
func shown(t testing.TB, more ...screen.Screen) *rig {
	t.Helper()
	r := newRig(t, dbtest.SQLite(t))
	list := append(screentest.Story(214), more...)
	r.Show(console.Pages{Screens: list, Version: "1.2.3", Tenants: func(context.Context) ([]screen.Tenant, error) { return screentest.Tenants, nil }})
	r.kernel = web.NewKernel(web.Deps{})
	r.must(r.Mount(r.kernel))
	return r
}

// acted is a page with an act that takes what the form says.
func acted(got *url.Values) screen.Screen {
	return screen.Screen{Name: "desk", Title: "Desk", See: screen.SeeOperation, Over: screen.OfTenant,
		Load: func(context.Context, *screen.Ask) (*screen.View, error) {
			return &screen.View{Actions: []screen.Action{{Text: "Note", Act: "note"}, {Text: "Ring", Act: "ring"}}}, nil
		},
		Acts: []screen.Act{
			{Name: "note", Title: "Note", Do: screen.Operate,
				Form: []screen.Field{{Name: "text", Label: "Text", Required: true, Max: 20}, {Name: "sure", Kind: "check"}},
				Handle: func(_ context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
					*got = form
					if form.Get("text") == "twice" {
						return screen.Done{}, problem.New(problem.Conflict, "it is there already")
					}
					return screen.Done{Said: "Noted <b>" + form.Get("text") + "</b> at " + a.Tenant.Name, Path: "//evil.example"}, nil
				}},
			{Name: "ring", Title: "Ring", Do: screen.Operate, Handle: func(context.Context, *screen.Ask, url.Values) (screen.Done, error) {
				return screen.Done{Said: "It rang", Path: "/desk"}, nil
			}},
		}}
}

func (b *browser) form() string {
	b.Helper()
	m := regexp.MustCompile(`name="form" value="([^"]+)"`).FindStringSubmatch(b.last.Body.String())
	if m == nil {
		b.Fatalf("no form: %s", text(b.last.Body.String()))
	}
	return m[1]
}

func TestPages(t *testing.T) {
	t.Parallel()
	r := shown(t)
	b := r.browser()
	b.get("/people?q=eva")
	b.leads("/signin?to=%2Fpeople%3Fq%3Deva")
	b.byLink()
	b.get("/")
	b.leads("/status")
	b.get("/people?q=eva&proof=not_met&size=5")
	b.is(200, "People", "Contoso Cloud Partners", "Eva Horvat", "owner Operator of the machine")
	if p := b.last.Header().Get("Content-Security-Policy"); p != screen.Policy {
		t.Error(p)
	}
	for where, says := range map[string]string{
		"/people?colour=red":           "there is no member of the address",
		"/people?page=0":               "page is a whole number",
		"/people?tenant=nobody":        "there is no such tenant",
		"/people?tenant=a&tenant=b":    "more than once",
		"/people?sort=%FF":             "longer than 256 bytes",
		"/people?%zz":                  "not understood",
		"/search?x=1":                  "more than is known",
		"/nothing":                     "nothing at this address",
		"/desk":                        "nothing at this address",
		"/static/console.css":          "there is no such file",
		"/static/../people":            "",
		"/people/ask?colour=red":       "there is no member",
		"/tenants?q=" + long(300):      "longer than 256",
		"/people?q=" + long(9<<10):     "not understood",
		"/people?class=" + long(257):   "longer than 256",
		"/people?" + many("class", 51): "more than 50 times",
	} {
		b.get(where)
		if b.last.Code < 300 || b.last.Code >= 500 || !strings.Contains(strings.ToLower(text(b.last.Body.String())), strings.ToLower(says)) {
			t.Errorf("%.60s: %d %s", where, b.last.Code, text(b.last.Body.String()))
		}
	}
	b.get("/people?colour=red")
	b.is(400, "Not understood", "Search", "People") // within the frame, with the way on
	b.get("/search?q=fabri")
	b.is(200, "Fabrikam", "fabrikam.example")
	b.get("/tenants?q=north&to=customers")
	b.is(200, "Northwind")
	if !strings.Contains(b.last.Body.String(), `href="/customers?tenant=`+screentest.Tenants[2].ID) {
		t.Error("a tenant leads nowhere")
	}
}

func long(n int) string { return strings.Repeat("a", n) }

func many(name string, n int) string { return strings.TrimSuffix(strings.Repeat(name+"=a&", n), "&") }

func TestExports(t *testing.T) {
	t.Parallel()
	r := shown(t)
	b := r.browser().byLink()
	b.get("/people.csv?class=admin")
	b.is(200)
	head := b.last.Header()
	if !strings.Contains(head.Get("Content-Disposition"), "partnerguard-people-contoso.example-2026-11-02.csv") ||
		!strings.HasPrefix(head.Get("Content-Type"), "text/csv") {
		t.Error(head)
	}
	rows, err := csv.NewReader(b.last.Body).ReadAll()
	if err != nil || len(rows) != 32 || rows[0][0] != "account" {
		t.Errorf("%v, %d rows: %v", err, len(rows), rows[0])
	}
	for _, row := range rows[1:] {
		for _, cell := range row {
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
				t.Errorf("a spreadsheet would take %q for a formula", cell)
			}
		}
	}
	var whole screen.Answer
	b.get("/people.json?q=user1")
	if err := json.Unmarshal(b.last.Body.Bytes(), &whole); err != nil || len(whole.Data) != whole.Page.Matched || len(whole.Data) < 100 {
		t.Errorf("%v, %d rows", err, len(whole.Data))
	}
	b.get("/api/v1/people?q=user1&size=7&page=2")
	if err := json.Unmarshal(b.last.Body.Bytes(), &whole); err != nil || len(whole.Data) != 7 || whole.Page.Number != 2 ||
		whole.Tenant != screentest.Tenants[0].ID {
		t.Errorf("%v: %+v", err, whole.Page)
	}
	b.get("/api/v1/collection")
	if err := json.Unmarshal(b.last.Body.Bytes(), &whole); err != nil || !whole.Missing || whole.Facts[0].At != nil || whole.Facts[0].State != "stale" {
		t.Errorf("what was never read is not said: %v %+v", err, whole)
	}
	b.do("GET", "/api/v1/people?colour=red", nil)
	if ct := b.last.Header().Get("Content-Type"); ct != "application/problem+json" || b.last.Code != 400 {
		t.Errorf("%d %s", b.last.Code, ct)
	}
	// What a client has is not sent again; what it takes packed is sent so.
	b.get("/people")
	tag := b.last.Header().Get("Etag")
	plain := b.last.Body.String()
	b.do("GET", "/people", nil, "If-None-Match", tag)
	if b.last.Code != 304 || b.last.Body.Len() != 0 || b.last.Header().Get("Cache-Control") != "private, no-cache" {
		t.Errorf("%d, %d bytes, %v", b.last.Code, b.last.Body.Len(), b.last.Header())
	}
	b.do("GET", "/people", nil, "Accept-Encoding", "br, gzip;q=0.5")
	z, err := gzip.NewReader(b.last.Body)
	r.must(err)
	packed, err := io.ReadAll(z)
	if err != nil || string(packed) != plain || b.last.Header().Get("Etag") == tag {
		t.Errorf("%v: the packed page is another, or has the same tag", err)
	}
	b.do("HEAD", "/people", nil)
	if b.last.Body.Len() != 0 || b.last.Header().Get("Etag") != tag {
		t.Error("HEAD is not GET without a body")
	}
}

func TestActs(t *testing.T) {
	t.Parallel()
	var got url.Values
	r := shown(t, acted(&got))
	b, other := r.browser().byLink(), r.browser().byLink()
	b.get("/desk")
	b.is(200, "Desk", "Ring")
	form, foreign := b.form(), ""
	other.get("/desk")
	foreign = other.form()
	post := func(where string, pairs ...string) *browser {
		v := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			v.Add(pairs[i], pairs[i+1])
		}
		b.post(where, v)
		return b
	}
	post("/desk/ring").is(403, "another session")
	post("/desk/ring", "form", foreign).is(403, "another session")
	post("/desk/ring", "form", form, "more", "x").is(400, "There is no field")
	post("/desk/ring", "form", form).leads("/desk")
	b.get("/desk")
	b.is(200, "It rang")
	b.get("/desk")
	if strings.Contains(text(b.last.Body.String()), "It rang") {
		t.Error("it is said twice")
	}
	b.get("/desk/note?text=begun")
	b.is(200, "Note", "Text")
	if !strings.Contains(b.last.Body.String(), `value="begun"`) {
		t.Error("what a link gives does not stand in the field")
	}
	post("/desk/note", "form", form).is(400, "Text is missing")
	post("/desk/note", "form", form, "text", long(21)).is(400, "longer than 20 bytes")
	post("/desk/note", "form", form, "text", "twice").is(409, "It is there already")
	if !strings.Contains(b.last.Body.String(), `value="twice"`) {
		t.Error("what was typed is lost")
	}
	post("/desk/note", "form", form, "text", " x ", "sure", "on").leads("/") // never to another host
	if got.Encode() != "sure=on&text=x" {
		t.Error(got.Encode())
	}
	b.get("/desk")
	b.is(200, "Noted &lt;b&gt;x&lt;/b&gt; at Contoso Cloud Partners")
	b.do("POST", "/desk/ring", url.Values{"form": {form}}, "Content-Type", "multipart/form-data; boundary=x")
	b.is(415)
	b.do("POST", "/desk/ring", url.Values{"form": {form}}, "Sec-Fetch-Site", "cross-site")
	b.is(403, "form of another site")
	b.post("/theme", url.Values{"form": {form}, "theme": {"dark"}, "back": {"//evil.example"}})
	b.leads("/")
	b.get("/desk")
	if !strings.Contains(b.last.Body.String(), `data-theme="dark"`) {
		t.Error("the theme is forgotten")
	}
}

func TestActsByProgram(t *testing.T) {
	t.Parallel()
	var got url.Values
	r := shown(t, acted(&got))
	_, secret, err := r.MakeToken(t.Context(), console.Token{Name: "ci", Rights: console.Scopes(), Ends: r.at.Add(time.Hour)}, "local:owner")
	r.must(err)
	b := r.browser()
	ask := func(where, body string, head ...string) *browser {
		b.raw(where, body, append([]string{"Authorization", "Bearer " + secret.Reveal(), "Content-Type", "application/json", "Accept", "*/*"}, head...)...)
		return b
	}
	ask("/api/v1/desk/note", `{"text":"by hand","sure":true}`).is(200, "Noted")
	if got.Encode() != "sure=on&text=by+hand" {
		t.Error(got.Encode())
	}
	for body, status := range map[string]int{
		`{"text":"a","text":"b"}`: 400, `{"text":{"a":1}}`: 400, `[]`: 400, `{"text":"a"} x`: 400, `{`: 400, ``: 400, `{"colour":"red"}`: 400,
		`{"text":"` + long(70_000) + `"}`: 413, `{"text":"twice"}`: 409, `{"text":null}`: 400,
	} {
		if ask("/api/v1/desk/note", body); b.last.Code != status {
			t.Errorf("%.40s: %d, want %d: %s", body, b.last.Code, status, b.last.Body)
		}
	}
	ask("/api/v1/desk/ring", "", "Content-Type", "").is(200, "It rang")
	ask("/desk/ring", "form=x", "Content-Type", "application/x-www-form-urlencoded").is(403, "A token sends no forms")
}

// What cannot be read is said, and what was known of the tenants is still there.
func TestDatabaseGone(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	gone := false
	lost := problem.New(problem.Unavailable, "the database does not answer").WithHint("pages come back when it does")
	r.Show(console.Pages{Screens: []screen.Screen{{Name: "status", Title: "Status", Group: screen.Posture, See: screen.SeePosture,
		Load: func(context.Context, *screen.Ask) (*screen.View, error) {
			if gone {
				return nil, lost
			}
			return &screen.View{}, nil
		}}}, Tenants: func(context.Context) ([]screen.Tenant, error) {
		if gone {
			return nil, errors.New("gone")
		}
		return screentest.Tenants, nil
	}})
	r.kernel = web.NewKernel(web.Deps{})
	r.must(r.Mount(r.kernel))
	b := r.browser().byLink()
	b.get("/status")
	b.is(200)
	gone = true
	b.get("/status")
	b.is(503, "The database does not answer.", "Status", "All tenants")
}

// raw asks with a body of any kind.
func (b *browser) raw(where, body string, head ...string) {
	b.Helper()
	b.last = b.rig.ask(where, body, head...)
}

func (r *rig) ask(where, body string, head ...string) *httptest.ResponseRecorder {
	q := httptest.NewRequest(http.MethodPost, where, strings.NewReader(body))
	q.Host, q.RemoteAddr = "localhost:8443", "127.0.0.1:40000"
	for i := 0; i+1 < len(head); i += 2 {
		q.Header.Set(head[i], head[i+1])
	}
	w := httptest.NewRecorder()
	r.kernel.ServeHTTP(w, q)
	return w
}

func (r *rig) get(where string, head ...string) *httptest.ResponseRecorder {
	q := httptest.NewRequest(http.MethodGet, where, http.NoBody)
	q.Host, q.RemoteAddr = "localhost:8443", "127.0.0.1:40000"
	for i := 0; i+1 < len(head); i += 2 {
		q.Header.Set(head[i], head[i+1])
	}
	w := httptest.NewRecorder()
	r.kernel.ServeHTTP(w, q)
	return w
}
