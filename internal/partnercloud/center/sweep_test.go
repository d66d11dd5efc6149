package center

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/world"
)

// TestSweep calls every operation in ways that it must refuse: each is an orderly
// refusal and changes nothing.
func TestSweep(t *testing.T) {
	t.Parallel()
	l := newLab(t, busy)
	fill := strings.NewReplacer("{customer}", dapID, "{subscription}", soldID, "{user}", custUser(dapID), "{order}", "aabbccddeeff", "{request}", "en-US",
		"{entitlement}", entID, "{batch}", "b", "{policy}", dapID, "{cart}", dapID, "{role}", dapID, "{application}", appID, "{product}", "CFQ7TTC0LH18",
		"{sku}", "0001", "{availability}", "CFQ7TTC0K971", "{country}", "US", "{period}", "current")
	state := func() string {
		var b []byte
		l.w.Read(func(s *world.State) {
			p, c := s.PartnerTenant(), s.Tenant(dapID)
			b, _ = json.Marshal([]any{p.Customers, p.Account, p.Webhook, len(p.Records), p.Relationships, c.Users,
				c.SKUs, c.Held, c.Azure, c.Grants, len(c.Audits)})
		})
		return string(b)
	}
	foreign := l.token("agent", func(c *bearer.Claims) { c.TenantID, c.Issuer = dapID, bearer.IssuerV1(dapID) })
	before := state()
	for _, r := range makeRoutes() {
		path := fill.Replace(r.pattern)
		write := r.method != http.MethodGet
		body := ""
		if write {
			body = "{}"
		}
		for _, c := range []struct {
			name string
			a    answer
			want func(int) bool
		}{
			{"an unknown option", l.as("admin", r.method, path+"?colour=red", body), func(n int) bool { return n == 400 }},
			{"no token", l.do("", r.method, path, body), func(n int) bool { return n == 401 }},
			{"a foreign token", l.do(foreign, r.method, path, body), func(n int) bool { return n == 401 || n == 403 }},
			{"a wrong method", l.as("admin", "TRACE", path, ""), func(n int) bool { return n == 405 }},
			{"an unknown header", l.as("admin", r.method, path, body, "MS-Colour", "red"), func(n int) bool { return n == 400 }},
		} {
			if !c.want(c.a.Code) {
				t.Errorf("%s %s, %s: %d %.200s", r.method, path, c.name, c.a.Code, c.a.Body)
			}
		}
		if write && r.method != http.MethodDelete {
			if a := l.as("admin", r.method, path, `{"colour":"red"}`); a.Code < 400 || a.Code >= 500 && r.missing == "" {
				t.Errorf("%s %s, an unknown member: %d %.200s", r.method, path, a.Code, a.Body)
			}
		}
		if after := state(); after != before {
			t.Fatalf("%s %s: a refused call changed something", r.method, path)
		}
	}
}
