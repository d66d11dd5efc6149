package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

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
