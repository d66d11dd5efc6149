package center

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/world"
)

var start = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

const (
	partnerID  = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21"
	panelID    = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e22"
	resellerID = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e23"
	dapID      = "c0000000-0000-4000-8000-000000000001" // customer by DAP
	gdapID     = "c0000000-0000-4000-8000-000000000002" // customer by GDAP
	bareID     = "c0000000-0000-4000-8000-000000000003" // customer without either
	otherID    = "c0000000-0000-4000-8000-000000000004" // a tenant, nobody's customer
	appID      = "a0000000-0000-4000-8000-000000000001" // the partner's own app
	panelApp   = "a0000000-0000-4000-8000-000000000002"
	planID     = "50000000-0000-4000-8000-000000000001"
	licenceID  = "50000000-0000-4000-8000-000000000002"
	entID      = "e0000000-0000-4000-8000-000000000001"
	azureID    = "f0000000-0000-4000-8000-000000000001"
)

func uid(n string) string {
	return map[string]string{
		"agent": "10000000-0000-4000-8000-000000000001", "desk": "10000000-0000-4000-8000-000000000002", "sales": "10000000-0000-4000-8000-000000000003",
		"nobody": "10000000-0000-4000-8000-000000000004", "admin": "10000000-0000-4000-8000-000000000005", "reader": "10000000-0000-4000-8000-000000000006",
		"cust": "10000000-0000-4000-8000-000000000007", "boss": "10000000-0000-4000-8000-000000000008",
	}[n]
}

type lab struct {
	t    *testing.T
	w    *world.World
	keys *bearer.Keys
	c    *Center
	mu   sync.Mutex
	now  time.Time
}

var oneKey = sync.OnceValues(func() (*bearer.Keys, error) { return bearer.NewKeys(func() time.Time { return start }) })

func newLab(t *testing.T, change func(*world.State)) *lab {
	t.Helper()
	keys, err := oneKey()
	if err != nil {
		t.Fatal(err)
	}
	pem, err := keys.Export()
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{t: t, now: start}
	clock := func() time.Time { l.mu.Lock(); defer l.mu.Unlock(); return l.now }
	if l.keys, err = bearer.ImportKeys(clock, pem); err != nil {
		t.Fatal(err)
	}
	l.w = world.New(7, world.NewClock(clock))
	l.w.Read(func(s *world.State) {
		s.Enforcement = world.Enforcement{}
		p := &world.Tenant{ID: partnerID, Name: "Contoso Cloud Partners", Domains: []string{"contoso.com"}, Kind: world.PartnerTenant, Country: "IE"}
		for _, n := range []string{"agent", "desk", "sales", "nobody", "admin", "reader"} {
			p.Users.Put(&world.User{ID: uid(n), UPN: n + "@contoso.com", Name: n, Enabled: true, Created: start})
		}
		p.Groups.Put(&world.Group{ID: "20000000-0000-4000-8000-000000000001", Name: world.AdminAgents, Members: []string{uid("agent"), uid("admin")}})
		p.Groups.Put(&world.Group{ID: "20000000-0000-4000-8000-000000000002", Name: world.HelpdeskAgents, Members: []string{uid("desk")}})
		p.Groups.Put(&world.Group{ID: "20000000-0000-4000-8000-000000000003", Name: world.SalesAgents, Members: []string{uid("sales")}})
		p.Groups.Put(&world.Group{ID: "20000000-0000-4000-8000-000000000004", Name: "GDAP apps", Members: []string{uid("agent")}})
		p.Groups.Put(&world.Group{ID: "20000000-0000-4000-8000-000000000005", Name: "GDAP readers", Members: []string{uid("nobody")}})
		p.Held.Put(&world.RoleAssignment{ID: "h1", Principal: uid("admin"), Role: entra.RoleGlobalAdministrator, Scope: "/", Start: start})
		p.Held.Put(&world.RoleAssignment{ID: "h2", Principal: uid("reader"), Role: entra.RoleSecurityReader, Scope: "/", Start: start})
		p.Resellers = []world.Reseller{{TenantID: resellerID, Name: "Small Reseller", MPN: "1234567", Country: "IE"}}
		for _, c := range []*world.Customer{
			{TenantID: dapID, Domain: "dap.example", Name: "Coho Winery", Country: "US", Relationship: "reseller", DAP: true, Email: "it@dap.example",
				Currency: "USD", ETag: 1, Reseller: resellerID, Cost: 50,
				Subscriptions: []world.Subscription{
					{ID: planID, Offer: "DZH318Z0BPS6:0001", Name: "Azure plan", Quantity: 1, Status: "active", AzurePlan: true, Created: start, ETag: 1,
						Entitlements: []world.Entitlement{{ID: entID, Name: "Production", SubscriptionID: azureID, Status: "active"}}},
					{ID: licenceID, Offer: "CFQ7TTC0LH18:0001", Name: "Business Basic", Quantity: 5, Status: "active", Created: start, ETag: 1},
				}},
			{TenantID: gdapID, Domain: "gdap.example", Name: "Contoso Toys", Country: "DE", Relationship: "reseller", Currency: "EUR",
				Email: "it@gdap.example", ETag: 1},
			{TenantID: bareID, Domain: "bare.example", Name: "Fabrikam", Country: "FR", Relationship: "reseller", Currency: "EUR", Email: "it@bare.example",
				ETag: 1},
		} {
			p.Customers.Put(c)
		}
		p.Relationships.Put(&world.Relationship{ID: "r1", Customer: gdapID, Status: "active", Ends: start.AddDate(1, 0, 0),
			Roles: []string{entra.RoleCloudApplicationAdministrator, entra.RoleUserAdministrator, entra.RoleDirectoryReaders},
			Assignments: []world.AccessAssignment{
				{ID: "as1", Group: "20000000-0000-4000-8000-000000000004", Roles: []string{entra.RoleCloudApplicationAdministrator,
					entra.RoleUserAdministrator}, Status: "active"},
				{ID: "as2", Group: "20000000-0000-4000-8000-000000000005", Roles: []string{entra.RoleDirectoryReaders}, Status: "active"},
			}})
		p.Alerts.Put(&world.Alert{ID: "al1", EventID: azureID + "_" + entID, Type: "CryptoMining", LegacyType: "NetworkConnectionsToCryptoMiningPools",
			Name: "Mining", Severity: "high", Confidence: "high", Status: "active", Detected: start, First: start, Last: start, Customer: dapID,
			Subscription: azureID, Hits: 10, Offer: "ms-azr-17g",
			Resources: []world.AlertResource{{ID: "/subscriptions/" + azureID + "/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm1",
				Type: "Microsoft.Compute/virtualMachines"}},
			Details: map[string]string{"vM_IP": "203.0.113.9"}, Activity: []world.AlertActivity{{From: "", To: "active", By: "system", At: start}}})
		p.Alerts.Put(&world.Alert{ID: "al2", EventID: azureID + "_" + "two", Status: "active", Detected: start.Add(-time.Hour), Customer: dapID,
			Subscription: azureID, LegacyType: "UsageAnomalyDetection"})
		s.Partner = p.ID
		s.Put(p)
		for _, c := range [][2]string{{dapID, "dap.example"}, {gdapID, "gdap.example"}, {bareID, "bare.example"}, {otherID, "other.example"}} {
			t := &world.Tenant{ID: c[0], Name: c[1], Domains: []string{c[1], strings.TrimSuffix(c[1], ".example") + ".onmicrosoft.com"},
				Kind: world.CustomerTenant}
			// ids of users differ by tenant only in their last digits
			t.Users.Put(&world.User{ID: strings.Replace(uid("cust"), "10000000", "1000000"+c[0][35:], 1), UPN: "kim@" + c[1], Name: "Kim", Enabled: true,
				Created: start})
			t.Users.Put(&world.User{ID: strings.Replace(uid("boss"), "10000000", "1000000"+c[0][35:], 1), UPN: "boss@" + c[1], Name: "Boss", Enabled: true,
				Created: start})
			t.Held.Put(&world.RoleAssignment{ID: "h", Principal: strings.Replace(uid("boss"), "10000000", "1000000"+c[0][35:], 1),
				Role: entra.RoleGlobalAdministrator, Scope: "/", Start: start})
			t.SKUs = []world.SKU{{ID: "sku", Part: "SPB", Status: "Enabled", Enabled: 5, Consumed: 2, Plans: []world.Plan{{ID: "p", Name: world.PlanP1}}}}
			if c[0] == dapID {
				t.Azure.Put(&world.AzureSubscription{ID: azureID, Name: "Production", State: "Enabled"})
			}
			s.Put(t)
		}
		panel := &world.Tenant{ID: panelID, Name: "Northwind Panels", Domains: []string{"northwind-panels.example"}, Kind: world.PanelTenant}
		s.Put(panel)
		s.Put(&world.Tenant{ID: resellerID, Name: "Small Reseller", Domains: []string{"small.example"}, Kind: world.PartnerTenant,
			PartnerKind: "indirect-reseller"})
		s.PutApp(p, &world.Application{ID: "o1", AppID: appID, Name: "Own app", Audience: "AzureADMultipleOrgs"})
		s.PutApp(panel, &world.Application{ID: "o2", AppID: panelApp, Name: "Panel", Audience: "AzureADMultipleOrgs", Panel: true})
		if change != nil {
			change(s)
		}
	})
	l.c = New(Deps{World: l.w, Keys: l.keys, Unthrottled: true})
	t.Cleanup(l.c.Close)
	return l
}

func custUser(tenant string) string {
	return strings.Replace(uid("cust"), "10000000", "1000000"+tenant[35:], 1)
}
func bossUser(tenant string) string {
	return strings.Replace(uid("boss"), "10000000", "1000000"+tenant[35:], 1)
}

// token makes an app+user token, with MFA unless the name ends in "-".
func (l *lab) token(who string, change func(*bearer.Claims)) string {
	l.t.Helper()
	now := l.w.Clock.Now().Unix()
	c := &bearer.Claims{Audience: "https://api.partnercenter.microsoft.com", Issuer: bearer.IssuerV1(partnerID), IssuedAt: now, NotBefore: now,
		Expires: now + 3600, Version: "1.0", TenantID: partnerID, AppID: appID, AppIDACR: "1"}
	if who == "app" {
		c.ObjectID, c.Subject, c.IDType = "sp", "sp", "app"
	} else {
		name := strings.TrimSuffix(who, "-")
		c.ObjectID, c.Subject, c.UPN, c.Scope, c.AMR = uid(name), "s", name+"@contoso.com", "user_impersonation", []string{"pwd", "mfa"}
		if name != who {
			c.AMR = []string{"pwd", "ngcmfa"}
		}
	}
	if change != nil {
		change(c)
	}
	v, err := l.keys.Sign(c)
	if err != nil {
		l.t.Fatal(err)
	}
	return v
}

type answer struct {
	*httptest.ResponseRecorder
	m map[string]any
	l []any
}

func (l *lab) do(token, method, path, body string, headers ...string) answer {
	l.t.Helper()
	r := httptest.NewRequest(method, "http://localhost:7443"+path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	l.c.ServeHTTP(w, r)
	a := answer{ResponseRecorder: w}
	if b := w.Body.Bytes(); len(b) > 0 && b[0] == '{' {
		if err := json.Unmarshal(b, &a.m); err != nil {
			l.t.Fatalf("%s %s: %v", method, path, err)
		}
	} else if len(b) > 0 && b[0] == '[' {
		if err := json.Unmarshal(b, &a.l); err != nil {
			l.t.Fatalf("%s %s: %v", method, path, err)
		}
	}
	return a
}

func (l *lab) as(who, method, path, body string, headers ...string) answer {
	l.t.Helper()
	return l.do(l.token(who, nil), method, path, body, headers...)
}

// code is the error code as text, whichever way it came.
func (a answer) code() string {
	switch v := a.m["code"].(type) {
	case string:
		return v
	case float64:
		b, _ := json.Marshal(v)
		return string(b)
	}
	return ""
}

func (l *lab) jump(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = l.now.Add(d)
}

func (a answer) items() []map[string]any {
	var out []map[string]any
	list, _ := a.m["items"].([]any)
	for _, v := range list {
		out = append(out, v.(map[string]any))
	}
	return out
}

var _ = http.StatusOK
