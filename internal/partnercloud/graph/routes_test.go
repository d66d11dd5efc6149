package graph

import (
	"net/http"
	"strings"
	"testing"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
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
		if len(r.permit.scopes) == 0 && r.leftOut == "" {
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

// Nobody gets past the table without a token for it, without a permission or licence,
// or with something that is not understood. Each is an orderly refusal and changes
// nothing. What is left out says so to whoever may ask at all.
func TestEveryRouteRefuses(t *testing.T) {
	l := newLab(t)
	admin, none, app := l.admin(), l.token(partnerID, ada, "openid"), l.app(partnerID)
	foreign := l.claims(partnerID, ada, everything())
	foreign.Audience = entra.AppARM
	state := func() (out string) {
		l.w.Read(func(s *world.State) { out = jsonText(s.Tenant(partnerID)) })
		return out
	}
	before := state()
	sweep(func(r *route, version string) {
		p, refused, odd := r.path(version), 403, 400
		if r.leftOut != "" {
			refused, odd = 501, 501
		}
		for _, c := range []struct {
			what, path, token, name, value string
			want                           int
		}{
			{"no token", p, "", "", "", 401}, {"a token for another API", p, l.sign(foreign), "", "", 401}, {"no permission", p, none, "", "", refused},
			{"an app without roles", p, app, "", "", refused}, {"another case", "/" + strings.ToUpper(p[1:]), none, "", "", refused},
			{"an unknown option", p + "?$frobnicate=1", admin, "", "", odd}, {"an unknown argument", p + "?frobnicate=1", admin, "", "", odd},
			{"an unknown header", p, admin, "X-Ms-Frobnicate", "1", odd}, {"an unknown preference", p, admin, "Prefer", "frobnication", odd},
		} {
			var a *answer
			if c.name == "" {
				a = l.do(r.method, c.path, c.token, "{}")
			} else {
				a = l.do(r.method, c.path, c.token, "{}", c.name, c.value)
			}
			if a.code != c.want {
				t.Errorf("%s %s, %s: %d, want %d: %.200s", r.method, c.path, c.what, a.code, c.want, a.raw)
			}
		}
		if a := l.do("TRACE", p, admin, ""); a.code != 405 {
			t.Errorf("TRACE %s: %d", p, a.code)
		}
		if r.leftOut == "" && (r.method == http.MethodPost || r.method == http.MethodPatch || r.method == http.MethodPut) {
			if a := l.do(r.method, p, admin, `{"frobnicate":1}`); a.code < 400 || a.code > 499 {
				t.Errorf("%s %s, an unknown member: %d %.200s", r.method, p, a.code, a.raw)
			}
		}
		if now := state(); now != before {
			t.Fatalf("%s %s: a refused call changed something", r.method, p)
		}
	})
}

// What needs a licence is refused to a tenant without one, with its name.
func TestEveryLicence(t *testing.T) {
	l := newLab(t)
	l.w.Read(func(s *world.State) {
		s.Tenant(partnerID).SKUs = nil
		s.Touch(s.Tenant(partnerID))
	})
	n := 0
	sweep(func(r *route, version string) {
		if r.permit.licence == "" {
			return
		}
		n++
		a := l.do(r.method, r.path(version), l.admin(), "{}")
		if a.code != 403 && a.code != 400 || !strings.Contains(strings.ToLower(string(a.raw)), "licens") {
			t.Errorf("%s %s: %d %.300s", r.method, r.path(version), a.code, a.raw)
		}
	})
	if n < 10 {
		t.Errorf("only %d operations need a licence", n)
	}
}

// A workload that is left out says so wherever it stands, with options or without, and
// is never taken for a property.
func TestAbsentWorkloads(t *testing.T) {
	l := newLab(t)
	for _, p := range []string{"/v1.0/groups/" + agents + "/drive?$select=webUrl", "/v1.0/groups/" + agents + "/drive", "/v1.0/me/messages?$top=5",
		"/beta/users/" + ada + "/photo/$value", "/v1.0/subscriptions", "/v1.0/teams/" + agents} {
		if a := l.get(p, l.admin()); a.code != 501 || !strings.Contains(string(a.raw), "is not part of the partner cloud") {
			t.Errorf("%s: %d %.200s", p, a.code, a.raw)
		}
	}
}
