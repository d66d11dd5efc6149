package scenario

import (
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"

	"partnerguard/internal/access"
	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// TestGaps asks the engine about the gaps that the default scenario is known for.
func TestGaps(t *testing.T) {
	t.Parallel()
	build(t, Options{}).Read(func(s *world.State) {
		for _, c := range []struct {
			tenant, who, app, client, ip, country, risk string
			want                                        access.Outcome
		}{
			{"contoso.com", "mia.lindqvist@contoso.com", entra.AppGraph, "browser", "203.0.113.9", "IE", "", access.MFARequired},
			{"contoso.com", "frontdesk@contoso.com", entra.AppGraph, "browser", "203.0.113.9", "IE", "", access.MFANotRequired},
			{"contoso.com", "frontdesk@contoso.com", entra.AppGraph, "browser", "192.0.2.9", "IE", "", access.MFARequired},
			{"contoso.com", "nomfa@contoso.com", entra.AppPartnerCenter, "browser", "192.0.2.9", "IE", "", access.MFANotRequired},
			{"contoso.com", "nomfa@contoso.com", entra.AppPartnerCenter, "browser", "192.0.2.9", "IE", "high", access.MFARequired},
			{"contoso.com", "sam-agent@contoso.com", entra.AppPartnerCenter, "browser", "192.0.2.9", "IE", "", access.MFARequired},
			{"contoso.com", "sam-agent@contoso.com", entra.AppGraph, "device-code", "192.0.2.9", "IE", "", access.MFARequired},
			{"contoso.com", "priya.nair@contoso.com", entra.AppGraph, "device-code", "192.0.2.9", "IE", "", access.Blocked},
			{"contoso.com", "emergency@contoso.onmicrosoft.com", entra.AppARM, "browser", "192.0.2.9", "IE", "", access.MFANotRequired},
			{"contoso.com", "hannes.brandt@contoso.com", entra.AppExchange, "other", "203.0.113.9", "IE", "", access.MFANotRequired},
			{"woodgrove.example", world.ServiceProviderSubject(s.Partner), entra.AppGraph, "browser", "192.0.2.9", "IE", "", access.MFANotRequired},
			{"fabrikam.example", world.ServiceProviderSubject(s.Partner), entra.AppGraph, "browser", "192.0.2.9", "IE", "", access.MFARequired},
			{"coho.example", world.ServiceProviderSubject(s.Partner), entra.AppARM, "browser", "192.0.2.9", "IE", "", access.MFARequired},
		} {
			e := s.Engine(s.Tenant(c.tenant))
			u, ok := e.Find(c.who)
			if !ok {
				t.Fatalf("nobody is %s", c.who)
			}
			a := e.Decide(access.SignIn{User: u, App: c.app, Client: c.client, Platform: "windows", IP: netip.MustParseAddr(c.ip), Country: c.country,
				SignInRisk: c.risk, UserRisk: "none", InsiderRisk: "none",
				Device: map[string]bool{access.AxisCompliant: false, access.AxisJoined: false, access.AxisApprovedApp: false, access.AxisProtectedApp: false}})
			if a.Outcome != c.want {
				t.Errorf("%s by %s from %s: %v, want %v: %s", c.who, c.client, c.ip, a.Outcome, c.want, a.Reason)
			}
		}
	})
}

// TestPoliciesUnderstood finds no policy, named or generated, that the engine
// has to guess at.
func TestPoliciesUnderstood(t *testing.T) {
	t.Parallel()
	build(t, Options{Customers: 150}).Read(func(s *world.State) {
		n := 0
		look := func(k *world.Tenant) {
			for d := range k.Policies.All() {
				n++
				if p := k.Policy(d.ID); p == nil || len(p.Unsupported) > 0 || p.ID != d.ID || !world.IsGUID(d.ID) {
					t.Errorf("%s: %s", k.Name, d.Raw)
				}
			}
		}
		look(s.PartnerTenant())
		for c := range s.PartnerTenant().Customers.All() {
			look(s.Tenant(c.TenantID))
		}
		if n < 80 {
			t.Errorf("%d policies", n)
		}
	})
}

// TestVariety finds what the default customers are there to show.
func TestVariety(t *testing.T) {
	t.Parallel()
	build(t, Options{}).Read(func(s *world.State) {
		p := s.PartnerTenant()
		status := map[string]int{}
		for r := range p.Relationships.All() {
			status[r.StatusAt(start)]++
			if len(r.ID) != 73 || r.ID[36] != '-' || !world.IsGUID(r.ID[:36]) {
				t.Errorf("id %s", r.ID)
			}
			for _, a := range r.Assignments {
				if p.Groups.Get(a.Group) == nil {
					t.Errorf("%s gives roles to no group", r.Name)
				}
			}
		}
		if status["active"] < 7 || status["expired"] != 1 || status["terminated"] != 1 || status["approvalPending"] != 1 {
			t.Errorf("relationships: %v", status)
		}
		open, tests := 0, 0
		for a := range p.Alerts.All() {
			k := s.Tenant(a.Customer)
			if k == nil || k.Azure.Get(a.Subscription) == nil {
				t.Errorf("alert %s is about nothing", a.Name)
				continue
			}
			for _, r := range a.Resources {
				found := false
				for _, x := range k.Azure.Get(a.Subscription).Resources {
					found = found || strings.HasSuffix(r.ID, "/"+x.Group+"/providers/"+x.Type+"/"+x.Name)
				}
				if !found {
					t.Errorf("%s does not exist", r.ID)
				}
			}
			if a.Type == "CryptoMining" && a.Status == "active" {
				open++
			}
			if a.Test {
				tests++
			}
		}
		if open != 1 || tests != 1 {
			t.Errorf("%d are mining, %d are tests", open, tests)
		}
		for c := range p.Customers.All() {
			for _, sub := range c.Subscriptions {
				for _, e := range sub.Entitlements {
					if s.Tenant(c.TenantID).Azure.Get(e.SubscriptionID) == nil {
						t.Errorf("%s: entitlement %s is for nothing", c.Name, e.Name)
					}
				}
			}
		}
		for name, roles := range map[string]string{"mia.lindqvist": "Global Administrator", "elena.petrova": "Security Administrator",
			"freja.holm": "Security Reader"} {
			id, _ := roleID(roles)
			if u := p.UserByName(name + "@contoso.com"); u == nil || !p.HasRole(u.ID, start, id) {
				t.Errorf("%s is no %s", name, roles)
			}
		}
		sales := p.UserByName("brian.walsh@contoso.com")
		if !p.InGroup(sales.ID, world.SalesAgents) || len(p.RolesOf(sales.ID, start)) > 0 {
			t.Error("the plain administrator of the partner network is not plain")
		}
		if !p.InGroup(p.UserByName("lena.fischer@contoso.com").ID, "GDAP Azure") || !p.InGroup(p.UserByName("tomas.silva@contoso.com").ID, world.AdminAgents) {
			t.Error("GDAP Azure is not inside AdminAgents")
		}
		for a := range p.Apps.All() {
			sp := p.SP(a.AppID)
			if sp == nil {
				t.Errorf("%s has no principal", a.Name)
				continue
			}
			if a.Name == "Contoso Control Panel" {
				for _, r := range []string{entra.AppGraph, entra.AppPartnerCenter, entra.AppARM} {
					if len(s.Granted(p, sp.ID, p.SP(r).ID, "")) == 0 {
						t.Errorf("%s may do nothing at %s", a.Name, r)
					}
				}
			}
			if a.Name == "Contoso Evidence Collector" {
				if got := s.AppPermissions(p, sp.ID, world.FindResource(entra.AppGraph)); len(got) != 9 {
					t.Errorf("%s may %v", a.Name, got)
				}
			}
		}
		fab := s.Tenant("fabrikam.example")
		if sp := fab.SP("5a1e3c1f-6f0b-4c56-8f39-2d7c7a3b9e10"); sp == nil || sp.Owner != p.ID ||
			len(s.Granted(fab, sp.ID, fab.SP(entra.AppGraph).ID, "")) == 0 {
			t.Error("Fabrikam has not consented to the control panel")
		}
		if c, ok := s.Client("9b7d5f31-2e4c-4a68-8c0f-d1e2f3a4b5c6"); !ok || s.Tenant(c.Owner).Kind != world.PanelTenant {
			t.Error("the vendor's app is not found")
		}
		stolen := 0
		for r := range s.Newest(s.Tenant("tailspin.example"), start.AddDate(0, 0, -4), start) {
			if r.Place.City == "Curitiba" && r.Status.ErrorCode == 0 {
				stolen++
			}
		}
		if stolen == 0 {
			t.Error("nobody took over an account at Tailspin")
		}
	})
}

// TestEveryKeyIsExplained looks for each key of the format in the package comment.
func TestEveryKeyIsExplained(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]bool{}
	for _, w := range strings.FieldsFunc(string(doc), func(r rune) bool {
		return r != '-' && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}) {
		words[w] = true
	}
	keys := map[string]bool{}
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			walk(typ.Elem())
		case reflect.Struct:
			for i := range typ.NumField() {
				f := typ.Field(i)
				if key, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); key != "" {
					keys[key] = true
				}
				if f.IsExported() && f.Type != typ {
					walk(f.Type)
				}
			}
		}
	}
	walk(reflect.TypeFor[Scenario]())
	missing := []string{}
	for k := range keys {
		if !words[k] {
			missing = append(missing, k)
		}
	}
	// Keys of small rows, explained where they are used in the default file.
	text := string(Default())
	for _, k := range missing {
		if !strings.Contains(text, k+":") {
			t.Errorf("%q is explained nowhere", k)
		}
	}
}
