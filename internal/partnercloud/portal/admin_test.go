package portal

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/world"
)

const (
	otherID = "c0000000-0000-4000-8000-000000000002"
	openID  = "aaaaaaaa-1111-4111-8111-111111111111-bbbbbbbb-1111-4111-8111-111111111111"
	namedID = "aaaaaaaa-2222-4222-8222-222222222222-bbbbbbbb-2222-4222-8222-222222222222"
	draftID = "aaaaaaaa-3333-4333-8333-333333333333-bbbbbbbb-3333-4333-8333-333333333333"
)

// offers puts three relationships and two customers with administrators into the lab.
func offers(t *testing.T) *lab {
	return newLab(t, func(s *world.State, p *world.Tenant) {
		roles := []string{entra.RoleDirectoryReaders, entra.RolePrivilegedAuthenticationAdministrator}
		for id, r := range map[string]world.Relationship{
			openID:  {Name: "Operations <b>", Duration: "P730D", AutoExtend: "P180D", Roles: roles, Status: "approvalPending", Offered: start},
			namedID: {Name: "For another", Duration: "P30D", Roles: roles, Status: "approvalPending", Offered: start, Customer: otherID},
			draftID: {Name: "Not offered", Duration: "P30D", Roles: roles, Status: "created"},
		} {
			r.ID, r.ETag, r.Created = id, 1, start
			p.Relationships.Put(&r)
		}
		c := s.Tenant(customerID)
		for who, role := range map[string]string{"global": entra.RoleGlobalAdministrator, "agent": entra.RoleCustomerRelationshipAdministrator,
			"plain": entra.RoleUserAdministrator} {
			c.Users.Put(&world.User{ID: uid(who), UPN: who + "@c01.example", Name: "Customer's " + who, Enabled: true, Created: start})
			c.Held.Put(&world.RoleAssignment{ID: who, Principal: uid(who), Role: role, Scope: "/", Start: start.AddDate(-1, 0, 0)})
		}
		s.Put(c)
	})
}

// admin is a browser of somebody of the customer.
func (l *lab) admin(who string) *http.Client {
	l.who, l.mfa, l.tenant = who, true, customerID
	l.spoil = func(access, id *bearer.Claims) {
		access.HomeTenant, access.Delegation, access.Wids, access.AppID = "", "", nil, entra.AppM365Admin
		access.Audience, access.UPN, id.Audience = entra.AppGraph, who+"@c01.example", entra.AppM365Admin
	}
	return l.browser()
}

func (l *lab) post(b *http.Client, path string, form url.Values) (*http.Response, string) {
	l.t.Helper()
	resp, err := b.PostForm(l.srv.URL+path, form)
	if err != nil {
		l.t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	return resp, string(body)
}

var csrfField = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

func csrfOf(t *testing.T, body string) string {
	t.Helper()
	m := csrfField.FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("no form: %.600s", body)
	}
	return m[1]
}

func TestOfferAccepted(t *testing.T) {
	t.Parallel()
	for _, who := range []string{"global", "agent"} {
		l := offers(t)
		b := l.admin(who)
		resp, body := l.get(b, offersAt+openID)
		if resp.StatusCode != 200 || l.asked.Get("client_id") != entra.AppM365Admin {
			t.Fatalf("%s: %d %.300s", who, resp.StatusCode, body)
		}
		for _, text := range []string{"Contoso Cloud Partners", "Operations &lt;b&gt;", "730 days", "on: 180 days more", "Directory Readers",
			"Privileged Authentication Administrator", "waits for your answer", "Privileged roles: 1 of 2"} {
			if !strings.Contains(body, text) {
				t.Errorf("%s: the page lacks %q", who, text)
			}
		}
		resp, body = l.post(b, offersAt+openID, url.Values{"csrf": {csrfOf(t, body)}, "decision": {"accept"}})
		if resp.StatusCode != 200 || !strings.Contains(body, "becoming active") || strings.Contains(body, `value="accept"`) {
			t.Fatalf("%s: %d %.300s", who, resp.StatusCode, body)
		}
		l.mu.Lock()
		l.now = l.now.Add(world.ActivatingTakes)
		l.mu.Unlock()
		l.w.Read(func(s *world.State) {
			p, c := s.PartnerTenant(), s.Tenant(customerID)
			r := p.Relationships.Get(openID)
			if r.StatusAt(s.Clock.Now()) != "active" || r.Customer != customerID || r.Ends.Sub(r.Activated) != 730*24*time.Hour || r.ETag != 2 {
				t.Errorf("%s: %+v", who, r)
			}
			for _, side := range []*world.Tenant{p, c} {
				if n := len(side.Audits); n == 0 || side.Audits[n-1].By.User.UPN != who+"@c01.example" {
					t.Errorf("%s: no audit row in %s", who, side.Name)
				}
			}
			if !slices.ContainsFunc(p.Records, func(a *world.AuditRecord) bool {
				return a.Operation == "granular_admin_relationship_approved" && a.Customer == customerID
			}) {
				t.Errorf("%s: Partner Center knows nothing", who)
			}
		})
		// Once is enough.
		_, body = l.get(b, offersAt+openID)
		if !strings.Contains(body, "active") || strings.Contains(body, `name="decision"`) {
			t.Errorf("%s: %.300s", who, body)
		}
		if resp, _ := l.post(b, offersAt+openID, url.Values{"csrf": {csrfOf(t, body)}, "decision": {"reject"}}); resp.StatusCode != http.StatusConflict {
			t.Errorf("%s: answered twice: %d", who, resp.StatusCode)
		}
	}
}

func TestOfferRejected(t *testing.T) {
	t.Parallel()
	l := offers(t)
	b := l.admin("agent")
	_, body := l.get(b, offersAt+openID)
	l.post(b, offersAt+openID, url.Values{"csrf": {csrfOf(t, body)}, "decision": {"reject"}})
	l.w.Read(func(s *world.State) {
		if r := s.PartnerTenant().Relationships.Get(openID); r.Status != "terminated" || r.Customer != "" {
			t.Errorf("%+v", r)
		}
	})
}

// Who may not answer, and what may not be answered, changes nothing.
func TestOfferRefused(t *testing.T) {
	t.Parallel()
	l := offers(t)
	b := l.admin("agent")
	_, body := l.get(b, offersAt+openID)
	csrf := csrfOf(t, body)
	accept := url.Values{"csrf": {csrf}, "decision": {"accept"}}
	for name, c := range map[string]struct {
		path   string
		form   url.Values
		status int
	}{
		"another's":   {offersAt + namedID, accept, 404},
		"a draft":     {offersAt + draftID, accept, 404},
		"none":        {offersAt + "x", accept, 404},
		"a forgery":   {offersAt + openID, url.Values{"decision": {"accept"}}, 403},
		"no decision": {offersAt + openID, url.Values{"csrf": {csrf}, "decision": {"perhaps"}}, 400},
		"tricks":      {offersAt + "..%2f..%2f", accept, 404},
	} {
		if resp, _ := l.post(b, c.path, c.form); resp.StatusCode != c.status {
			t.Errorf("%s: %d", name, resp.StatusCode)
		}
	}
	if resp, _ := l.post(l.browser(), offersAt+openID, accept); resp.StatusCode != 403 {
		t.Errorf("signed out: %d", resp.StatusCode)
	}
	if resp, body := l.get(l.admin("plain"), offersAt+openID); resp.StatusCode != 403 || !strings.Contains(body, "Relationship Administrator") {
		t.Errorf("without a role: %d", resp.StatusCode)
	}
	// The partner's own people, and those who work on behalf, are not the customer.
	for name, spoil := range map[string]func(*bearer.Claims){"the partner": func(c *bearer.Claims) { c.TenantID = partnerID },
		"on behalf": func(c *bearer.Claims) { c.HomeTenant = partnerID }} {
		b := l.admin("global")
		before := l.spoil
		l.spoil = func(access, id *bearer.Claims) { before(access, id); spoil(access); id.TenantID = access.TenantID }
		if resp, body := l.get(b, offersAt+openID); resp.StatusCode != 403 || strings.Contains(body, "Operations") {
			t.Errorf("%s: %d", name, resp.StatusCode)
		}
	}
	// Neither session is the other's.
	jar, _ := cookiejar.New(nil)
	u, _ := url.Parse(l.srv.URL)
	for _, c := range b.Jar.Cookies(u) {
		if c.Name == adminCookie {
			jar.SetCookies(u, []*http.Cookie{{Name: sessionCookie, Value: c.Value, Path: "/"}})
		}
	}
	b.Jar = jar
	switch resp, err := b.Get(l.srv.URL + "/customers"); {
	case err != nil:
		t.Error(err)
	default:
		_ = resp.Body.Close()
		if !strings.Contains(resp.Header.Get("Location"), "login.test") {
			t.Errorf("an administrator's cookie opened the portal: %d", resp.StatusCode)
		}
	}
	l.w.Read(func(s *world.State) {
		for r := range s.PartnerTenant().Relationships.All() {
			if r.ETag != 1 {
				t.Errorf("%s was changed", r.Name)
			}
		}
	})
	// The link's page carries the one script there is.
	resp, body := l.get(l.browser(), "/AdminPortal/Home")
	if !strings.Contains(body, "/AdminPortal/link.js") || !strings.HasSuffix(resp.Header.Get("Content-Security-Policy"), "script-src 'self'") {
		t.Errorf("%s %.300s", resp.Header.Get("Content-Security-Policy"), body)
	}
}

// The link of Partner Center's relationship request makes a customer again of one
// that left; only a Global Administrator accepts, and no access comes with it.
func TestResellerAccepted(t *testing.T) {
	t.Parallel()
	l := offers(t)
	l.w.Read(func(s *world.State) {
		p := s.PartnerTenant()
		p.Customers.Change(customerID, func(c *world.Customer) { c.Relationship, c.DAP = "none", false })
		s.Touch(p)
	})
	link := "/Adminportal/Home?invType=ResellerRelationship&partnerId=" + partnerID + "&DAP=true"
	b := l.admin("agent")
	_, body := l.get(b, link)
	if resp, _ := l.post(b, resellerAt+partnerID, url.Values{"csrf": {csrfOf(t, body)}}); resp.StatusCode != 403 {
		t.Errorf("a relationship administrator: %d", resp.StatusCode)
	}
	b = l.admin("global")
	if _, body = l.get(b, link); !strings.Contains(body, "Contoso Cloud Partners") || !strings.Contains(body, "waits for your answer") {
		t.Fatalf("%.400s", body)
	}
	csrf := url.Values{"csrf": {csrfOf(t, body)}}
	if resp, _ := l.post(b, resellerAt+partnerID, nil); resp.StatusCode != 403 {
		t.Errorf("a forgery: %d", resp.StatusCode)
	}
	if resp, body := l.post(b, resellerAt+partnerID, csrf); resp.StatusCode != 200 || !strings.Contains(body, "accepted") {
		t.Fatalf("%d %.300s", resp.StatusCode, body)
	}
	if resp, _ := l.post(b, resellerAt+partnerID, csrf); resp.StatusCode != 409 {
		t.Errorf("twice: %d", resp.StatusCode)
	}
	for _, id := range []string{customerID, "x"} {
		if resp, _ := l.get(b, resellerAt+id); resp.StatusCode != 404 {
			t.Errorf("%s: %d", id, resp.StatusCode)
		}
	}
	l.w.Read(func(s *world.State) {
		p := s.PartnerTenant()
		if c := p.Customers.Get(customerID); c.Relationship != "reseller" || c.DAP {
			t.Errorf("%+v", c)
		}
		if !slices.ContainsFunc(p.Records, func(a *world.AuditRecord) bool {
			return a.Operation == "create_partner_relationship" && a.Customer == customerID
		}) {
			t.Error("Partner Center knows nothing")
		}
	})
}
