package console_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/console"
	"partnerguard/internal/entra"
	"partnerguard/internal/screen"
	"partnerguard/internal/secret"
	"partnerguard/internal/trail"
	"partnerguard/internal/web"
)

// as lets a browser in as somebody with a role, by a row of it.
func (r *rig) as(a *authority, good claims, role string, customers []string) *browser {
	r.Helper()
	if role == console.RoleOperator {
		return r.browser().byLink()
	}
	g, err := r.Give(r.Context(), console.Grant{Tenant: tenantID, Kind: console.KindUser, Subject: ada, Name: "Ada", Role: role, Customers: customers},
		"local:owner")
	r.must(err)
	b := r.browser()
	r.in(a, good, b)
	r.Cleanup(func() { _, _ = r.Take(r.Context(), g.ID, "local:owner") })
	return b
}

// in signs the person of an id token in.
func (r *rig) in(a *authority, id claims, b *browser) {
	r.Helper()
	key, _ := signers()
	a.id = func(n string) secret.Text { return sign(r, key, "k1", with(id, claims{"nonce": n})) }
	a.codes = nil
	b.come(a, "c")
}

// Every role at every route that stands behind a right: in when the role has the right,
// refused when not. The list of routes is the kernel's, so that a new one is among them,
// and one without a rule of ours is found.
func TestMatrix(t *testing.T) {
	t.Parallel()
	for _, role := range console.Roles() {
		t.Run(role.ID, func(t *testing.T) {
			t.Parallel()
			r, a, good := forge(t)
			b := r.as(a, with(good, claims{"wids": nil}), role.ID, nil)
			asked := 0
			for _, route := range r.kernel.Routes() {
				rule := route.Access.Rule()
				right := screen.Right(rule)
				method, path, _ := strings.Cut(route.Pattern, " ")
				if !slices.Contains(screen.Rights(), right) {
					if !slices.Contains([]string{"public", "own", "loopback", "entered"}, rule) ||
						!strings.HasPrefix(route.Name, "console.") && rule != "entered" {
						t.Errorf("%s (%s) stands behind no right: %s", route.Name, route.Pattern, route.Access)
					}
					continue
				}
				asked++
				want := 403
				if slices.Contains(role.Rights, right) {
					want = 200
				}
				if b.do(method, path, url.Values{}); b.last.Code != want {
					t.Errorf("%s at %s: %d, want %d", role.ID, route.Pattern, b.last.Code, want)
				}
				nobody := r.browser()
				if nobody.do(method, path, url.Values{}); nobody.last.Code != 303 {
					t.Errorf("nobody at %s: %d", route.Pattern, nobody.last.Code)
				}
				if nobody.do(method, path, url.Values{}, "Accept", "application/json"); nobody.last.Code != 401 {
					t.Errorf("nobody's program at %s: %d", route.Pattern, nobody.last.Code)
				}
			}
			if asked < len(screen.Rights()) {
				t.Errorf("%d routes were asked", asked)
			}
		})
	}
}

// What a viewer may see of each tenant, by role and customers.
func TestCustomers(t *testing.T) {
	t.Parallel()
	for _, role := range console.Roles() {
		if !role.Limits {
			r, _, _ := forge(t)
			_, err := r.Give(t.Context(), console.Grant{Tenant: tenantID, Kind: console.KindUser, Subject: ada, Role: role.ID,
				Customers: []string{fabrikam}}, "x")
			if err == nil {
				t.Errorf("%s is limited to customers", role.ID)
			}
			continue
		}
		for name, customers := range map[string][]string{"all": nil, "one": {strings.ToUpper(fabrikam)}, "two": {fabrikam, tailspin}} {
			r, a, good := forge(t)
			b := r.as(a, with(good, claims{"wids": nil}), role.ID, customers)
			var seen *screen.Viewer
			r.kernel.Handle(web.Route{Name: "test.viewer", Pattern: "GET /viewer", Access: r.Entered(),
				Handle: func(_ http.ResponseWriter, q *http.Request) error { seen = console.ViewerOf(q.Context()); return nil }})
			b.get("/viewer")
			b.is(200)
			for _, tenant := range []string{fabrikam, tailspin, tenantID, someone} {
				want := customers == nil || slices.Contains(customers, tenant) || tenant == fabrikam
				if seen.Sees(tenant) != want {
					t.Errorf("%s limited to %s, at %s: %t", role.ID, name, tenant, !want)
				}
			}
			if seen.Session == "" || seen.Actor != "entra:ada@contoso.com" || seen.ID != ada {
				t.Errorf("%+v", seen)
			}
		}
	}
}

// A role that is taken away is gone at the next request, one that is given counts from the
// next sign-in on, and no session ever gains.
func TestRolesOverTime(t *testing.T) {
	t.Parallel()
	r, a, good := forge(t)
	b := r.browser()
	r.in(a, good, b) // a Security Reader
	b.get("/posture/see")
	b.is(200, "Reader")
	g, err := r.Give(t.Context(), console.Grant{Tenant: tenantID, Kind: console.KindUser, Subject: strings.ToUpper(ada), Role: console.RoleAdministrator},
		"local:owner")
	r.must(err)
	b.get("/trail/see")
	b.is(403, "the role Reader has no right to this")
	c := r.browser()
	r.in(a, good, c)
	c.get("/trail/see")
	c.is(200, "Administrator")
	_, err = r.Take(t.Context(), g.ID, "local:owner")
	r.must(err)
	c.get("/trail/see")
	c.is(403)
	c.get("/posture/see")
	c.is(200)
	if _, err := r.Take(t.Context(), g.ID, "local:owner"); err == nil {
		t.Error("taken twice")
	}
	// Less than the directory role gives: the row of the person decides alone.
	_, err = r.Give(t.Context(), console.Grant{Tenant: tenantID, Kind: console.KindUser, Subject: ada, Role: console.RoleOnCall,
		Customers: []string{fabrikam}}, "x")
	r.must(err)
	c.get("/posture/see")
	c.is(200)
	c.get("/exceptions/ask")
	if c.last.Code == 200 {
		t.Error("it gained")
	}
	// A group's.
	d := r.browser()
	r.in(a, with(good, claims{"oid": bo, "upn": "bo@contoso.com", "wids": nil, "groups": []string{someone}}), d)
	d.is(403, "has no role here")
	_, err = r.Give(t.Context(), console.Grant{Tenant: tenantID, Kind: console.KindGroup, Subject: someone, Name: "Night shift", Role: console.RoleOnCall}, "x")
	r.must(err)
	r.in(a, with(good, claims{"oid": bo, "upn": "bo@contoso.com", "wids": nil, "groups": []string{someone}}), d)
	d.leads("/posture/see")
	d.post("/alerts/do", url.Values{})
	d.is(200, "On call")
	e := r.browser()
	r.in(a, with(good, claims{"oid": bo, "wids": nil, "_claim_names": map[string]string{"groups": "src1"}}), e)
	e.is(403, "in more groups than a token holds")
	r.in(a, with(good, claims{"oid": bo, "wids": nil}), e)
	e.is(403, "set groupMembershipClaims")
}

// Programs: a scope, an end, customers, and nothing beside.
func TestTokens(t *testing.T) {
	t.Parallel()
	r, _, _ := forge(t)
	_, text, err := r.MakeToken(t.Context(), console.Token{Name: "billing", Rights: []string{"customers.see", "alerts.do"}, Customers: []string{fabrikam},
		Ends: r.at.Add(48 * time.Hour)}, "entra:ada@contoso.com")
	r.must(err)
	b := r.browser()
	bearer := func(method, path string, head ...string) int {
		return b.do(method, path, nil, append([]string{"Accept", "application/json"}, head...)...).Code
	}
	with := func(s string) []string { return []string{"Authorization", s} }
	good := with("Bearer " + text.Reveal())
	for _, c := range []struct {
		method, path string
		head         []string
		status       int
	}{
		{"GET", "/customers/see", good, 200}, {"POST", "/alerts/do", good, 200}, {"GET", "/trail/see", good, 403}, {"POST", "/console/manage", good, 403},
		{"GET", "/customers/see", with("bearer " + text.Reveal()), 200},
		{"GET", "/customers/see", with("Basic " + text.Reveal()), 401},
		{"GET", "/customers/see", with("Bearer " + text.Reveal() + "A"), 401},
		{"GET", "/customers/see", with("Bearer pg_" + strings.Repeat("A", 43)), 401},
		{"GET", "/customers/see", with("Bearer eyJhbGciOiJub25lIn0.e30."), 401},
		{"POST", "/signout", good, 400},
	} {
		if got := bearer(c.method, c.path, c.head...); got != c.status {
			t.Errorf("%s %s with %.12s…: %d, want %d", c.method, c.path, c.head[1], got, c.status)
		}
		if c.status == 401 && b.last.Header().Get("WWW-Authenticate") == "" {
			t.Error("no WWW-Authenticate")
		}
	}
	in := r.browser().byLink() // a cookie beside a bad token does not count
	in.do("GET", "/customers/see", nil, "Authorization", "Bearer pg_"+strings.Repeat("A", 43))
	in.is(401)
	list, err := r.Tokens(t.Context())
	r.must(err)
	if raw, _ := json.Marshal(list); len(list) != 1 || list[0].Used.IsZero() || strings.Contains(string(raw), "pg_") {
		t.Errorf("%s", raw)
	}
	r.at = r.at.Add(48*time.Hour - time.Microsecond)
	if got := bearer("GET", "/customers/see", good...); got != 200 {
		t.Error(got)
	}
	r.at = r.at.Add(time.Microsecond)
	if got := bearer("GET", "/customers/see", good...); got != 401 {
		t.Error("it outlives its end", got)
	}
	r.at = monday
	_, err = r.RemoveToken(t.Context(), list[0].ID, "local:owner")
	r.must(err)
	if got := bearer("GET", "/customers/see", good...); got != 401 {
		t.Error("it outlives its removal", got)
	}
	// A thousand guesses are a few entries of the trail.
	for range 300 {
		bearer("GET", "/customers/see", with("Bearer pg_"+strings.Repeat("B", 43))...)
	}
	f, err := r.trail.Search(t.Context(), trail.Query{Action: string(audit.ConsoleTokenRefused), Limit: 1000})
	r.must(err)
	if len(f.Entries) > 8 {
		t.Errorf("%d entries", len(f.Entries))
	}
	for name, bad := range map[string]console.Token{
		"nothing":       {Name: "x", Ends: r.at.Add(time.Hour)},
		"managing":      {Name: "x", Rights: []string{"console.manage"}, Ends: r.at.Add(time.Hour)},
		"approving":     {Name: "x", Rights: []string{"exceptions.approve"}, Ends: r.at.Add(time.Hour)},
		"unknown":       {Name: "x", Rights: []string{"*"}, Ends: r.at.Add(time.Hour)},
		"no end":        {Name: "x", Rights: []string{"trail.see"}},
		"past":          {Name: "x", Rights: []string{"trail.see"}, Ends: r.at},
		"two years":     {Name: "x", Rights: []string{"trail.see"}, Ends: r.at.Add(2 * 366 * 24 * time.Hour)},
		"no name":       {Rights: []string{"trail.see"}, Ends: r.at.Add(time.Hour)},
		"a hidden name": {Name: "a\u202eb", Rights: []string{"trail.see"}, Ends: r.at.Add(time.Hour)},
		"no customers":  {Name: "x", Rights: []string{"trail.see"}, Ends: r.at.Add(time.Hour), Customers: []string{}},
		"no tenant id":  {Name: "x", Rights: []string{"trail.see"}, Ends: r.at.Add(time.Hour), Customers: []string{"fabrikam"}},
	} {
		if _, _, err := r.MakeToken(t.Context(), bad, "local:owner"); err == nil {
			t.Errorf("%s: it was made", name)
		}
	}
}

// Partner Center's word on who sees the requirement status, and the table of the docs.
func TestRoles(t *testing.T) {
	t.Parallel()
	by := map[string]string{}
	for _, r := range console.Roles() {
		for _, id := range r.Directory {
			by[id] = r.ID
		}
		if r.ID != console.RoleOperator && r.ID != console.RoleAdministrator && slices.Contains(r.Rights, screen.Manage) {
			t.Errorf("%s manages", r.ID)
		}
		if r.Limits && (slices.Contains(r.Rights, screen.Approve) || slices.Contains(r.Rights, screen.Manage)) {
			t.Errorf("%s may be limited to customers, and decides over all", r.ID)
		}
	}
	want := map[string]string{entra.RoleGlobalAdministrator: console.RoleAdministrator, entra.RoleSecurityAdministrator: console.RoleSecurity,
		entra.RoleSecurityReader: console.RoleReader}
	if len(by) != len(want) {
		t.Error(by)
	}
	for id, role := range want {
		if by[id] != role {
			t.Errorf("%s brings %q", id, by[id])
		}
	}
	doc, err := os.ReadFile("../../docs/console.md")
	if err != nil {
		t.Fatal(err)
	}
	if table := console.RolesTable(); !strings.Contains(string(doc), table) {
		t.Errorf("docs/console.md lacks the table of roles:\n%s", table)
	}
}

// A grant whose row something else wrote gives nothing: neither what it says, nor what it
// said.
func TestForgedGrant(t *testing.T) {
	t.Parallel()
	r, a, good := forge(t)
	_, err := r.Give(t.Context(), console.Grant{Tenant: tenantID, Kind: console.KindUser, Subject: ada, Role: console.RoleReader}, "local:owner")
	r.must(err)
	b := r.browser()
	r.in(a, with(good, claims{"wids": nil}), b)
	b.leads("/posture/see")
	_, err = r.d.ExecContext(t.Context(), "UPDATE console_roles SET role = 'administrator'")
	r.must(err)
	b.get("/posture/see")
	b.leads("/signin?to=%2Fposture%2Fsee&why=role")
	c := r.browser()
	r.in(a, with(good, claims{"wids": nil}), c)
	c.is(403, "has no role here")
}
