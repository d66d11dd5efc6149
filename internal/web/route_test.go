package web_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"partnerguard/internal/problem"
	"partnerguard/internal/web"
)

// TestRegistration: a route that says too little ends the program, with words.
func TestRegistration(t *testing.T) {
	t.Parallel()
	whole := func() web.Route {
		return web.Route{Name: "a.b", Pattern: "GET /x", Access: web.Public("a test"), Handle: fine}
	}
	for name, c := range map[string]struct {
		change func(*web.Route)
		want   string // "" it is taken
	}{
		"whole":           {func(*web.Route) {}, ""},
		"no name":         {func(r *web.Route) { r.Name = "" }, "no name"},
		"an odd name":     {func(r *web.Route) { r.Name = "A b" }, "lower case"},
		"the kernel's":    {func(r *web.Route) { r.Name = "none" }, "taken"},
		"a double name":   {func(r *web.Route) { r.Name = "first" }, "taken"},
		"no access":       {func(r *web.Route) { r.Access = web.Access{} }, "no access rule"},
		"no reason":       {func(r *web.Route) { r.Access = web.Own(" ") }, "no access rule"},
		"no handler":      {func(r *web.Route) { r.Handle = nil }, "no handler"},
		"no method":       {func(r *web.Route) { r.Pattern = "/x" }, "no method"},
		"its own errors":  {func(r *web.Route) { r.Pattern, r.Fail = "/x", func(http.ResponseWriter, *http.Request, int, error) {} }, ""},
		"a double route":  {func(r *web.Route) { r.Pattern = "GET /first" }, "conflicts"},
		"no pattern":      {func(r *web.Route) { r.Pattern = "GET x y" }, "parsing"},
		"a limit below 0": {func(r *web.Route) { r.MaxBody = -1 }, "negative"},
	} {
		said := func() (said string) {
			defer func() {
				if p := recover(); p != nil {
					said = fmt.Sprint(p)
				}
			}()
			k := web.NewKernel(web.Deps{})
			k.Handle(web.Route{Name: "first", Pattern: "GET /first", Access: web.Loopback, Handle: fine})
			r := whole()
			c.change(&r)
			k.Handle(r)
			return ""
		}()
		if (said == "") != (c.want == "") || !strings.Contains(said, c.want) {
			t.Errorf("%s: %q", name, said)
		}
	}
	k := web.NewKernel(web.Deps{})
	k.Handle(whole())
	k.Handle(web.Health())
	if l := k.Routes(); len(l) != 2 || l[0].Name != "a.b" || l[0].Access.String() != "public: a test" || l[1].Name != "health" {
		t.Errorf("%v", l)
	}
}

type keyWho struct{}

// A guarded route asks before its handler runs, and hands on who it was.
func TestGuarded(t *testing.T) {
	t.Parallel()
	r := newRig()
	guard := web.Guarded("see.x", "a session", func(w http.ResponseWriter, q *http.Request) (*http.Request, error) {
		switch who := q.Header.Get("X-Who"); who {
		case "":
			return nil, web.Elsewhere("/signin?to=%2Fx", problem.New(problem.Unauthenticated, "who asks is not known"))
		case "nobody":
			return nil, problem.New(problem.Forbidden, "not you")
		case "forgot":
			return nil, nil
		default:
			w.Header().Set("X-Seen", who)
			return q.WithContext(context.WithValue(q.Context(), keyWho{}, who)), nil
		}
	})
	ran := 0
	say := func(w http.ResponseWriter, q *http.Request) error {
		ran++
		_, err := io.WriteString(w, q.Context().Value(keyWho{}).(string)+q.PathValue("id"))
		return err
	}
	r.route("one", "GET /x/{id}", say, page, func(x *web.Route) { x.Access = guard })
	r.route("api", "GET /api", say, func(x *web.Route) { x.Access = guard })
	for _, c := range []struct {
		path, who, accept string
		status            int
		want              string
	}{
		{"/x/7", "ada", "text/html", 200, "ada7"},
		{"/x/7", "", "text/html", 303, ""},
		{"/x/7", "", "application/json", 401, "who asks is not known"},
		{"/api", "", "text/html", 401, "who asks is not known"},
		{"/x/7", "nobody", "text/html", 403, "Not you"},
		{"/x/7", "forgot", "text/html", 500, "it was logged"},
	} {
		head := []string{"Accept", c.accept}
		if c.who != "" {
			head = append(head, "X-Who", c.who)
		}
		before := ran
		w := r.do("GET", c.path, "", head...)
		if w.Code != c.status || !strings.Contains(strings.ToLower(w.Body.String()), strings.ToLower(c.want)) || (ran > before) != (c.status == 200) {
			t.Errorf("%s as %q: %d %s", c.path, c.who, w.Code, w.Body)
		}
		if to := w.Header().Get("Location"); (to == "/signin?to=%2Fx") != (c.status == 303) {
			t.Errorf("%s as %q leads to %q", c.path, c.who, to)
		}
	}
	for _, to := range []string{"", "https://evil.example", "//evil.example", "/\\evil.example", "/x\r\nSet-Cookie: a=b"} {
		err := web.Elsewhere(to, problem.New(problem.Unauthenticated, "x"))
		if web.Status(err) != 500 {
			t.Errorf("%q is taken", to)
		}
	}
	if !panics(func() {
		r.route("none", "GET /none", say, func(x *web.Route) { x.Access = web.Guarded("see.x", "how", nil) })
	}) ||
		!panics(func() {
			r.route("own", "GET /own", say, func(x *web.Route) { x.Access = web.Guarded("public", "how", nil) })
		}) {
		t.Error("a guard without a function is taken")
	}
	if guard.Rule() != "see.x" || guard.String() != "see.x: a session" {
		t.Error(guard)
	}
}

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}
