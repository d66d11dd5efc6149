package graph

import (
	"net/http"
	"strings"
	"testing"
)

// path is an address of the route in a version, with something for each key.
func (r *route) path(version string) string {
	return "/" + version + "/" + strings.ReplaceAll(r.pattern, "{}", "00000000-0000-4000-8000-000000000000")
}

// sweep calls f with every route in every version that has it.
func sweep(f func(r *route, version string)) {
	for _, r := range routes() {
		for _, v := range []string{"v1.0", "beta"} {
			if r.in(v) {
				f(r, v)
			}
		}
	}
}

// Each row of the table is whole and its address is its own.
func TestTableOfRoutes(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range routes() {
		name := r.method + " " + r.pattern
		for _, v := range []string{"v1.0", "beta"} {
			key := strings.ToLower(v + " " + name)
			if r.in(v) && seen[key] {
				t.Errorf("%s stands in the table twice", name)
			}
			seen[key] = seen[key] || r.in(v)
		}
		if (r.do == nil) == (r.free == nil) {
			t.Errorf("%s needs one handler", name)
		}
		if len(r.permit.scopes) == 0 {
			t.Errorf("%s is open to everybody", name)
		}
		if r.takes.many && r.method != http.MethodGet || r.bare && r.method != http.MethodPost || r.only != "" && r.only != "beta" && r.only != "v1.0" {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// The row that a request finds is the one that its address was made of: none stands
// in the way of another.
func TestEveryRouteIsFound(t *testing.T) {
	l := newLab(t)
	sweep(func(r *route, version string) {
		req, err := http.NewRequest(r.method, "http://graph.test"+r.path(version), nil)
		if err != nil {
			t.Fatal(err)
		}
		c := &call{g: l.g, r: req}
		if err := c.locate(); err != nil {
			t.Fatalf("%s: %v", r.path(version), err)
		}
		if err := c.match(); err != nil || c.route.pattern != r.pattern {
			t.Errorf("%s %s: %v, %v", r.method, r.path(version), c.route, err)
		}
	})
}

// Nobody gets past the table without a token, without a permission, or with a query
// option that is not OData's.
func TestEveryRouteRefuses(t *testing.T) {
	l := newLab(t)
	admin, none := l.admin(), l.token(partnerID, ada, "openid")
	sweep(func(r *route, version string) {
		p := r.path(version)
		for _, c := range []struct {
			token, query string
			want         int
		}{{"", "", 401}, {none, "", 403}, {admin, "?$frobnicate=1", 400}} {
			if a := l.do(r.method, p+c.query, c.token, "{}"); a.code != c.want {
				t.Errorf("%s %s%s: %d, want %d: %.200s", r.method, p, c.query, a.code, c.want, a.raw)
			}
		}
		if a := l.do("TRACE", p, admin, ""); a.code != 405 {
			t.Errorf("TRACE %s: %d", p, a.code)
		}
	})
}
