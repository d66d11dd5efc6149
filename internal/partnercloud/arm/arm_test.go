package arm

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/world"
)

var start = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

const (
	partnerID  = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21"
	customerID = "c0000000-0000-4000-8000-000000000001"
	otherID    = "c0000000-0000-4000-8000-000000000002"
	subID      = "f0000000-0000-4000-8000-000000000001"
	otherSub   = "f0000000-0000-4000-8000-000000000002"
	agents     = "20000000-0000-4000-8000-000000000001"
	desk       = "20000000-0000-4000-8000-000000000002"
	appID      = "a0000000-0000-4000-8000-000000000001"
	ownerID    = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
	readerID   = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
	v          = "api-version=2022-12-01"
)

func uid(n string) string {
	return map[string]string{
		"agent": "10000000-0000-4000-8000-000000000001", "plain": "10000000-0000-4000-8000-000000000002", "nogdap": "10000000-0000-4000-8000-000000000003",
		"owner": "10000000-0000-4000-8000-000000000011", "reader": "10000000-0000-4000-8000-000000000012",
		"contributor": "10000000-0000-4000-8000-000000000013",
		"uaa":         "10000000-0000-4000-8000-000000000014", "grouped": "10000000-0000-4000-8000-000000000015",
		"nothing": "10000000-0000-4000-8000-000000000016",
	}[n]
}

type lab struct {
	t    *testing.T
	w    *world.World
	keys *bearer.Keys
	a    *ARM
	mu   sync.Mutex
	now  time.Time
}

var oneKey = sync.OnceValues(func() (*bearer.Keys, error) { return bearer.NewKeys(func() time.Time { return start }) })

func newLab(t *testing.T) *lab {
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
		p := &world.Tenant{ID: partnerID, Name: "Contoso", Domains: []string{"contoso.com"}, Kind: world.PartnerTenant}
		for _, n := range []string{"agent", "plain", "nogdap"} {
			p.Users.Put(&world.User{ID: uid(n), UPN: n + "@contoso.com", Enabled: true})
		}
		p.Groups.Put(&world.Group{ID: agents, Name: world.AdminAgents, Members: []string{"20000000-0000-4000-8000-000000000009", uid("nogdap")}})
		p.Groups.Put(&world.Group{ID: desk, Name: world.HelpdeskAgents})
		p.Groups.Put(&world.Group{ID: "20000000-0000-4000-8000-000000000009", Name: "Azure managers", Members: []string{uid("agent")}}) // nested in AdminAgents
		p.Groups.Put(&world.Group{ID: "20000000-0000-4000-8000-00000000000a", Name: "Readers", Members: []string{uid("agent"), uid("plain")}})
		for i, c := range []string{customerID, otherID} {
			ent := []string{subID, otherSub}[i]
			p.Customers.Put(&world.Customer{TenantID: c, Name: "C", Relationship: "reseller", Currency: "EUR",
				Subscriptions: []world.Subscription{{ID: "plan", AzurePlan: true, Status: "active",
					Entitlements: []world.Entitlement{{ID: "e", SubscriptionID: ent, Status: "active"}}}}})
			p.Relationships.Put(&world.Relationship{ID: "r" + c, Customer: c, Status: "active", Ends: start.AddDate(1, 0, 0),
				Assignments: []world.AccessAssignment{{ID: "a", Group: "20000000-0000-4000-8000-00000000000a",
					Roles: []string{"88d8e3e3-8f55-4a1e-953a-9b9898b8876b"}, Status: "active"}}})
		}
		s.Partner = p.ID
		s.Put(p)
		for i, id := range []string{customerID, otherID} {
			c := &world.Tenant{ID: id, Name: "Fabrikam", Domains: []string{fmt.Sprintf("c%d.example", i)}, Kind: world.CustomerTenant}
			for _, n := range []string{"owner", "reader", "contributor", "uaa", "grouped", "nothing"} {
				c.Users.Put(&world.User{ID: uid(n), UPN: n + "@c.example", Enabled: true})
			}
			c.Groups.Put(&world.Group{ID: "30000000-0000-4000-8000-000000000001", Name: "Inner", Members: []string{uid("grouped")}})
			c.SPs.Put(&world.ServicePrincipal{ID: "40000000-0000-4000-8000-000000000001", AppID: appID, Enabled: true})
			sub := &world.AzureSubscription{ID: []string{subID, otherSub}[i], Name: "Production", State: "Enabled", Roles: []world.AzureRole{
				{ID: "50000000-0000-4000-8000-000000000001", Role: "Owner", Principal: agents, PrincipalType: "ForeignGroup"},
				{ID: "50000000-0000-4000-8000-000000000002", Role: "Owner", Principal: uid("owner"), PrincipalType: "User"},
				{ID: "50000000-0000-4000-8000-000000000003", Role: "Reader", Principal: uid("reader"), PrincipalType: "User"},
				{ID: "50000000-0000-4000-8000-000000000004", Role: "Contributor", Principal: uid("contributor"), PrincipalType: "User"},
				{ID: "50000000-0000-4000-8000-000000000005", Role: "User Access Administrator", Principal: uid("uaa"), PrincipalType: "User"},
				{ID: "50000000-0000-4000-8000-000000000006", Role: "Contributor", Principal: "30000000-0000-4000-8000-000000000001", PrincipalType: "Group",
					Scope: "/subscriptions/" + []string{subID, otherSub}[i] + "/resourceGroups/RG1"},
				{ID: "50000000-0000-4000-8000-000000000007", Role: "Reader", Principal: "40000000-0000-4000-8000-000000000001",
					PrincipalType: "ServicePrincipal"},
			}, Usage: []world.AzureUsage{{Day: start.Add(-24 * time.Hour), Category: "Virtual Machines", Cost: 12.5},
				{Day: start.Add(-48 * time.Hour), Category: "Storage", Cost: 1}, {Day: start.AddDate(0, -1, -5), Category: "Storage", Cost: 99}}}
			for j := range 3 {
				sub.Resources = append(sub.Resources, world.AzureResource{Group: fmt.Sprintf("rg%d", j%2+1), Type: machineType, Name: fmt.Sprintf("vm%d", j),
					Location: "westeurope", Size: "Standard_D4s_v5", Power: "running", Created: start})
			}
			sub.Resources = append(sub.Resources, world.AzureResource{Group: "rg1", Type: setType, Name: "set", Location: "westeurope",
				Size: "Standard_D2s_v5", Created: start}, world.AzureResource{Group: "rg1", Type: "Microsoft.Storage/storageAccounts", Name: "st",
				Location: "westeurope", Created: start})
			c.Azure.Put(sub)
			s.Put(c)
		}
	})
	l.a = New(Deps{World: l.w, Keys: l.keys, Unthrottled: true})
	return l
}

func (l *lab) token(who, tenant string, change func(*bearer.Claims)) string {
	l.t.Helper()
	now := l.w.Clock.Now().Unix()
	c := &bearer.Claims{Audience: "https://management.azure.com/", Issuer: bearer.IssuerV1(tenant), IssuedAt: now, NotBefore: now, Expires: now + 36000,
		Version: "1.0", TenantID: tenant, AppID: appID, Scope: "user_impersonation", UPN: who, ObjectID: uid(who), Subject: "s", AMR: []string{"pwd", "mfa"}}
	switch who {
	case "agent", "plain", "nogdap":
		if tenant != partnerID {
			c.HomeTenant, c.Delegation = partnerID, "gdap"
		}
	case "app":
		c.Scope, c.UPN, c.IDType, c.ObjectID, c.AMR = "", "", "app", "40000000-0000-4000-8000-000000000001", nil
	}
	if change != nil {
		change(c)
	}
	t, err := l.keys.Sign(c)
	if err != nil {
		l.t.Fatal(err)
	}
	return t
}

type answer struct {
	*httptest.ResponseRecorder
	m map[string]any
}

func (a answer) code() string {
	e, _ := a.m["error"].(map[string]any)
	c, _ := e["code"].(string)
	return c
}

func (a answer) rows() []map[string]any {
	var out []map[string]any
	list, _ := a.m["value"].([]any)
	for _, v := range list {
		out = append(out, v.(map[string]any))
	}
	return out
}

func (l *lab) do(token, method, path, body string) answer {
	l.t.Helper()
	r := httptest.NewRequest(method, "http://localhost:7444"+path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	l.a.ServeHTTP(w, r)
	a := answer{ResponseRecorder: w}
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &a.m); err != nil {
			l.t.Fatalf("%s %s: %v", method, path, err)
		}
	}
	return a
}

func (l *lab) as(who, method, path, body string) answer {
	l.t.Helper()
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	return l.do(l.token(who, customerID, nil), method, path+sep+v, body)
}

func (l *lab) jump(d time.Duration) { l.mu.Lock(); defer l.mu.Unlock(); l.now = l.now.Add(d) }

func TestRules(t *testing.T) {
	t.Parallel()
	sub, other := "/subscriptions/"+subID, "/subscriptions/"+otherSub
	vm := func(group, name string) string {
		return sub + "/resourceGroups/" + group + "/providers/Microsoft.Compute/virtualMachines/" + name
	}
	role := func(scope, name string) string {
		return scope + "/providers/Microsoft.Authorization/roleAssignments/" + name
	}
	fresh := "60000000-0000-4000-8000-000000000001"
	assign := func(def, who string) string {
		return fmt.Sprintf(`{"properties":{"roleDefinitionId":"%s/providers/Microsoft.Authorization/roleDefinitions/%s","principalId":%q}}`, sub, def, who)
	}
	cases := []struct {
		name, who, method, path, body string
		status                        int
		code                          string
	}{
		{"an owner reads", "owner", "GET", sub, "", 200, ""},
		{"nobody without an assignment reads", "nothing", "GET", sub, "", 403, "AuthorizationFailed"},
		{"a subscription of another tenant", "owner", "GET", other, "", 404, "SubscriptionNotFound"},
		{"a malformed subscription", "owner", "GET", "/subscriptions/x", "", 400, "InvalidSubscriptionId"},
		{"AdminAgents nested, with a GDAP role", "agent", "GET", sub, "", 200, ""},
		{"a GDAP role without AdminAgents", "plain", "GET", sub, "", 403, "AuthorizationFailed"},
		{"AdminAgents without a GDAP role", "nogdap", "GET", sub, "", 403, "AuthorizationFailed"},
		{"an app with Reader", "app", "GET", sub, "", 200, ""},
		{"a group's assignment at its group", "grouped", "GET", vm("rg1", "vm0"), "", 200, ""},
		{"a group's assignment elsewhere", "grouped", "GET", vm("rg2", "vm1"), "", 403, "AuthorizationFailed"},
		{"a reader deallocates nothing", "reader", "POST", vm("rg1", "vm0") + "/deallocate", "", 403, "AuthorizationFailed"},
		{"a contributor deallocates", "contributor", "POST", vm("rg1", "vm0") + "/deallocate", "", 202, ""},
		{"the partner deallocates", "agent", "POST", vm("rg1", "vm0") + "/deallocate", "", 202, ""},
		{"names without case", "agent", "POST", strings.ToUpper(vm("rg1", "vm0")) + "/DEALLOCATE", "", 202, ""},
		{"a machine in another group", "owner", "GET", vm("rg2", "vm0"), "", 404, "ResourceNotFound"},
		{"a scale set is no machine", "owner", "GET", vm("rg1", "set"), "", 404, "ResourceNotFound"},
		{"machines of a group", "owner", "GET", sub + "/resourceGroups/rg1/providers/Microsoft.Compute/virtualMachines", "", 200, ""},
		{"a group that is not there", "owner", "GET", sub + "/resourceGroups/rg9", "", 404, "ResourceGroupNotFound"},
		{"a provider that is not there", "owner", "GET", sub + "/providers/Microsoft.Magic/wands", "", 404, "InvalidResourceType"},
		{"a method that is not there", "owner", "PATCH", sub, "", 405, "HttpMethodNotAllowed"},
		{"a contributor assigns no role", "contributor", "PUT", role(sub, fresh), assign(readerID, uid("nothing")), 403, "AuthorizationFailed"},
		{"a User Access Administrator does", "uaa", "PUT", role(sub, fresh), assign(readerID, uid("nothing")), 201, ""},
		{"to nobody", "uaa", "PUT", role(sub, fresh), assign(readerID, fresh), 400, "PrincipalNotFound"},
		{"to a partner's user", "uaa", "PUT", role(sub, fresh), assign(readerID, uid("agent")), 400, "PrincipalNotFound"},
		{"to a partner's group", "uaa", "PUT", role(sub, fresh), assign(readerID, desk), 201, ""},
		{"an unknown role", "uaa", "PUT", role(sub, fresh), assign(fresh, uid("nothing")), 400, "RoleDefinitionDoesNotExist"},
		{"a name that is no GUID", "uaa", "PUT", role(sub, "x"), assign(readerID, uid("nothing")), 400, "InvalidRoleAssignmentId"},
		{"the same again under another name", "uaa", "PUT", role(sub, fresh), assign(readerID, uid("reader")), 409, "RoleAssignmentExists"},
		{"another one under a taken name", "uaa", "PUT", role(sub, "50000000-0000-4000-8000-000000000003"), assign(ownerID, uid("reader")), 400,
			"RoleAssignmentUpdateNotPermitted"},
		{"delete an assignment", "owner", "DELETE", role(sub, "50000000-0000-4000-8000-000000000003"), "", 200, ""},
		{"delete one that is not there", "owner", "DELETE", role(sub, fresh), "", 204, ""},
		{"a contributor cancels nothing", "contributor", "POST", sub + "/providers/Microsoft.Subscription/cancel", "", 403, "AuthorizationFailed"},
		{"cancel with resources", "owner", "POST", sub + "/providers/Microsoft.Subscription/cancel", "", 400, "SubscriptionHasResources"},
		{"cancel all the same", "agent", "POST", sub + "/providers/Microsoft.Subscription/cancel?IgnoreResourceCheck=true", "", 200, ""},
		{"enable what is enabled", "owner", "POST", sub + "/providers/Microsoft.Subscription/enable", "", 400, "SubscriptionAlreadyEnabled"},
		{"rename", "owner", "POST", sub + "/providers/Microsoft.Subscription/rename", `{"subscriptionName":"New"}`, 200, ""},
		{"rename to markup", "owner", "POST", sub + "/providers/Microsoft.Subscription/rename", `{"subscriptionName":"<b>"}`, 400, "InvalidSubscriptionName"},
		{"the log without a beginning", "owner", "GET", sub + "/providers/Microsoft.Insights/eventtypes/management/values", "", 400, "BadRequest"},
		{"the log too far back", "owner", "GET", sub + "/providers/Microsoft.Insights/eventtypes/management/values?$filter=eventTimestamp+ge+'2026-01-01'",
			"", 400, "BadRequest"},
		{"the log", "owner", "GET", sub + "/providers/Microsoft." +
			"Insights/eventtypes/management/values?$filter=eventTimestamp+ge+'2026-11-01T00:00:00Z'+and+eventTimestamp+le+'2026-11-30'", "", 200, ""},
		{"resources by type", "owner", "GET", sub + "/resources?$filter=resourceType+eq+'Microsoft.Storage/storageAccounts'", "", 200, ""},
		{"another filter", "owner", "GET", sub + "/resources?$filter=plan+eq+'x'", "", 400, "InvalidFilterInQueryString"},
		{"path tricks", "owner", "GET", sub + "/resourceGroups/%2e%2e/resources", "", 404, "InvalidResourceType"},
		{"slashes in a name", "owner", "GET", sub + "/resourceGroups/a%2fb", "", 404, "InvalidResourceType"},
		{"a JSON bomb", "owner", "POST", sub + "/providers/Microsoft.Subscription/rename", strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000),
			400, "InvalidRequestContent"},
		{"too much", "owner", "POST", sub + "/providers/Microsoft.Subscription/rename", `{"a":"` + strings.Repeat("a", 2<<20) + `"}`, 413,
			"RequestContentTooLarge"},
		{"a forged skip token", "owner", "GET", sub + "/resources?$skiptoken=AAAAAQAAAAAAAAAAAAAAAAAAAAA", "", 400, "InvalidSkipToken"},
		{"somebody's operation", "owner", "GET", sub + "/providers/Microsoft.Compute/locations/westeurope/operations/" + fresh, "", 404, "NotFound"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			a := l.as(c.who, c.method, c.path, c.body)
			if a.Code != c.status || a.code() != c.code {
				t.Errorf("%d %s, want %d %s: %.300s", a.Code, a.code(), c.status, c.code, a.Body)
			}
			if c.method != "GET" && a.Code < 300 && a.Code != 204 {
				n := 0
				l.w.Read(func(s *world.State) { n = len(s.Tenant(customerID).Azure.Get(subID).Activity) })
				want := 2 // begun, done
				if a.Code == 202 {
					want = 3 // begun, accepted, done when it comes due
				}
				if n != want {
					t.Errorf("%d events in the activity log, want %d", n, want)
				}
			}
			if a.Header().Get("x-ms-request-id") == "" {
				t.Error("no x-ms-request-id")
			}
		})
	}
}

func TestTokensAndVersions(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	good := l.token("owner", customerID, nil)
	for _, c := range []struct {
		name, token, path string
		status            int
		code              string
	}{
		{"none", "", "/subscriptions?" + v, 401, "AuthenticationFailed"},
		{"Graph's", l.token("owner", customerID, func(c *bearer.Claims) { c.Audience = "https://graph.microsoft.com" }), "/subscriptions?" + v, 401,
			"InvalidAuthenticationTokenAudience"},
		{"expired", l.token("owner", customerID, func(c *bearer.Claims) { c.Expires = start.Unix() }), "/subscriptions?" + v, 401,
			"ExpiredAuthenticationToken"},
		{"garbage", "x.y.z", "/subscriptions?" + v, 401, "InvalidAuthenticationToken"},
		{"a user who is gone", l.token("owner", customerID, func(c *bearer.Claims) { c.ObjectID = subID }), "/subscriptions?" + v, 401,
			"InvalidAuthenticationToken"},
		{"a home that is no partner", l.token("agent", customerID, func(c *bearer.Claims) { c.HomeTenant = otherID }), "/subscriptions?" + v, 401,
			"InvalidAuthenticationToken"},
		{"no version", good, "/subscriptions", 400, "MissingApiVersionParameter"},
		{"a version that is no date", good, "/subscriptions?api-version=v1", 400, "InvalidApiVersionParameter"},
		{"no such day", good, "/subscriptions?api-version=2022-13-45", 400, "InvalidApiVersionParameter"},
		{"a version to come", good, "/subscriptions?api-version=2027-01-01", 400, "InvalidApiVersionParameter"},
		{"a preview", good, "/subscriptions?API-Version=2022-09-01-preview", 200, ""},
	} {
		a := l.do(c.token, "GET", c.path, "")
		if a.Code != c.status || a.code() != c.code {
			t.Errorf("%s: %d %s, want %d %s", c.name, a.Code, a.code(), c.status, c.code)
		}
		if c.status == 401 && !strings.HasPrefix(a.Header().Get("WWW-Authenticate"), "Bearer ") && c.name != "a user who is gone" &&
			c.name != "a home that is no partner" {
			t.Errorf("%s: no challenge", c.name)
		}
	}
	// what is listed is what one has an assignment in
	for who, want := range map[string]int{"owner": 1, "grouped": 1, "nothing": 0, "agent": 1, "plain": 0} {
		if a := l.as(who, "GET", "/subscriptions", ""); len(a.rows()) != want {
			t.Errorf("%s sees %d subscriptions, want %d", who, len(a.rows()), want)
		}
	}
	if a := l.as("agent", "GET", "/tenants", ""); len(a.rows()) != 2 {
		t.Errorf("%s", a.Body)
	}
}
