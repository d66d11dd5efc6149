package center

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/bearer"
	"partnerguard/internal/partnercloud/world"
)

func TestPagingAndFilter(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	var names []string
	path, headers := "/v1/customers?size=2", []string{}
	for i := 0; ; i++ {
		a := l.as("app", "GET", path, "", headers...)
		if a.Code != 200 || a.m["totalCount"] != 3.0 {
			t.Fatalf("%d %s", a.Code, a.Body)
		}
		for _, it := range a.items() {
			names = append(names, it["companyProfile"].(map[string]any)["companyName"].(string))
		}
		next, _ := a.m["links"].(map[string]any)["next"].(map[string]any)
		if next == nil {
			break
		}
		h := next["headers"].([]any)[0].(map[string]any)
		path, headers = "/v1"+next["uri"].(string), []string{h["key"].(string), h["value"].(string)}
		if !strings.HasPrefix(path, "/v1/customers?size=2&seekOperation=Next") {
			t.Errorf("next is %s", path)
		}
		// a token of another question, another caller's tenant, or changed
		if a := l.as("app", "GET", "/v1/auditrecords?size=2", "", headers...); a.Code != 400 {
			t.Errorf("a token of another list: %d", a.Code)
		}
		raw, err := base64.RawURLEncoding.DecodeString(headers[1])
		if err != nil {
			t.Fatal(err)
		}
		other := base64.RawURLEncoding.EncodeToString(bytes.Replace(raw, []byte(`"o":2`), []byte(`"o":1`), 1))
		if other == headers[1] {
			t.Fatal("the place was not found in the token")
		}
		for _, forged := range []string{"x", other, strings.Repeat("A", 5000)} {
			if a := l.as("app", "GET", path, "", "MS-ContinuationToken", forged); a.Code != 400 {
				t.Errorf("a forged token: %d", a.Code)
			}
		}
		if i > 3 {
			t.Fatal("no end")
		}
	}
	if strings.Join(names, ",") != "Coho Winery,Contoso Toys,Fabrikam" {
		t.Errorf("%v", names)
	}
	for filter, want := range map[string]int{
		`{"Field":"CompanyName","Value":"co","Operator":"starts_with"}`: 2, `{"Field":"companyname","Value":"TOYS","Operator":"substring"}`: 1,
		`{"Field":"Domain","Value":"bare.example","Operator":"equals"}`: 1, `{"Field":"Domain","Value":"zzz","Operator":"starts_with"}`: 0,
	} {
		a := l.as("app", "GET", "/v1/customers?filter="+strings.NewReplacer("{", "%7B", "}", "%7D", `"`, "%22", ",", "%2C").Replace(filter), "")
		if len(a.items()) != want {
			t.Errorf("%s: %d, want %d: %s", filter, len(a.items()), want, a.Body)
		}
	}
}

// TestFieldsLeftOut: without DAP and GDAP the address, mail and domains of a
// customer are not told.
func TestFieldsLeftOut(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	bare := l.as("agent", "GET", "/v1/customers/"+bareID, "")
	for _, v := range []string{"it@bare.example", "customDomains", "defaultAddress"} {
		if strings.Contains(bare.Body.String(), v) {
			t.Errorf("%s is told: %s", v, bare.Body)
		}
	}
	if bare.m["allowDelegatedAccess"] != false {
		t.Error("allowDelegatedAccess")
	}
	for _, id := range []string{dapID, gdapID} {
		if a := l.as("agent", "GET", "/v1/customers/"+id, ""); !strings.Contains(a.Body.String(), "customDomains") ||
			!strings.Contains(a.Body.String(), "defaultAddress") || strings.Contains(a.Body.String(), "onmicrosoft") {
			t.Errorf("%s", a.Body)
		}
	}
}

// TestDAPAndRelationship: the one change removes DAP and nothing else, the
// other suspends everything (trap 9).
func TestDAPAndRelationship(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	if a := l.as("agent", "PATCH", "/v1/customers/"+dapID, `{"AllowDelegatedAccess":false,"attributes":{"objectType":"Customer"}}`); a.Code != 200 ||
		a.m["allowDelegatedAccess"] != false || a.m["relationshipToPartner"] != "reseller" {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	if a := l.as("agent", "GET", "/v1/customers/"+dapID+"/users", ""); a.Code != 403 {
		t.Errorf("users after DAP was removed: %d", a.Code)
	}
	if a := l.as("agent", "GET", "/v1/customers/"+dapID+"/subscriptions", ""); a.items()[0]["status"] != "active" {
		t.Error("removing DAP touched a subscription")
	}
	if a := l.as("agent", "PATCH", "/v1/customers/"+dapID, `{"relationshipToPartner":"none"}`); a.Code != 200 {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	l.w.Read(func(s *world.State) {
		for _, sub := range s.PartnerTenant().Customers.Get(dapID).Subscriptions {
			if sub.Status != "suspended" {
				t.Errorf("%s is %s", sub.Name, sub.Status)
			}
		}
		if st := s.Tenant(dapID).Azure.Get(azureID).State; st != "Disabled" {
			t.Errorf("the Azure subscription is %s", st)
		}
		var ops []string
		for _, r := range s.PartnerTenant().Records {
			ops = append(ops, r.Operation)
		}
		if !slices.Equal(ops, []string{"dap_admin_relationship_terminated", "remove_partner_customer_relationship"}) {
			t.Errorf("audit: %v", ops)
		}
	})
	if a := l.as("agent", "GET", "/v1/customers/"+dapID, ""); a.code() != "900159" {
		t.Errorf("after the end: %d", a.Code)
	}
	if a := l.as("agent", "GET", "/v1/customers", ""); len(a.items()) != 2 {
		t.Errorf("still listed: %s", a.Body)
	}
}

func TestCreateCustomer(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	body := `{"enableGDAPByDefault":true,"companyProfile":{"domain":"newtoys.onmicrosoft.com"},` +
		`"billingProfile":{"companyName":"New Toys","email":"a@b.example","defaultAddress":{"country":"de"}}}`
	a := l.as("agent", "POST", "/v1/customers", body, "MS-RequestId", "11111111-1111-4111-8111-111111111111")
	if a.Code != 201 || a.m["allowDelegatedAccess"] != false {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	id := a.m["id"].(string)
	// the same id again gives the first result and makes nothing (trap 27)
	b := l.as("agent", "POST", "/v1/customers", body, "MS-RequestId", "11111111-1111-4111-8111-111111111111")
	if b.Code != 201 || b.m["id"] != id || b.Header().Get("MS-RequestId") != "11111111-1111-4111-8111-111111111111" {
		t.Errorf("replay: %d %s", b.Code, b.Body)
	}
	// even for another call, as in production
	if b := l.as("agent", "PATCH", "/v1/customers/"+gdapID+"/usagebudget", `{"Amount":5}`, "MS-RequestId",
		"11111111-1111-4111-8111-111111111111"); b.m["id"] != id {
		t.Errorf("reuse: %s", b.Body)
	}
	// but not for another caller
	if b := l.as("admin", "PATCH", "/v1/customers/"+gdapID+"/usagebudget", `{"Amount":5}`, "MS-RequestId",
		"11111111-1111-4111-8111-111111111111"); b.m["amount"] != 5.0 {
		t.Errorf("another caller: %s", b.Body)
	}
	if b := l.as("agent", "POST", "/v1/customers", body); b.Code != 409 {
		t.Errorf("the domain again: %d", b.Code)
	}
	l.jump(24 * time.Hour)
	if b := l.as("agent", "POST", "/v1/customers", body, "MS-RequestId", "11111111-1111-4111-8111-111111111111"); b.Code != 409 {
		t.Errorf("the id is remembered beyond a day: %d", b.Code)
	}
	if b := l.as("agent", "GET", "/v1/customers/"+id+"/users", ""); b.Code != 200 || len(b.items()) != 1 {
		t.Errorf("default GDAP: %d %s", b.Code, b.Body)
	}
	l.w.Read(func(s *world.State) {
		u := s.Tenant(id).UserByName("admin@newtoys.onmicrosoft.com")
		if pw, good := s.SeededPassword(u); !good || pw != a.m["userCredentials"].(map[string]any)["password"] {
			t.Error("the password told is not the account's")
		}
	})
}

func TestConsentLifecycle(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	path := "/v1/customers/" + gdapID + "/applicationconsents"
	body := `{"applicationId":"` + panelApp + `","displayName":"Panel","applicationGrants":[{"enterpriseApplicationId":"` + entra.AppGraph +
		`","scope":"User.Read, Directory.Read.All"}]}`
	tok := l.token("agent", func(c *bearer.Claims) { c.AppID = panelApp })
	if a := l.do(tok, "POST", path, body); a.Code != 201 {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	granted := func() (out []string, audits int) {
		l.w.Read(func(s *world.State) {
			c := s.Tenant(gdapID)
			if sp := c.SP(panelApp); sp != nil {
				out = s.Granted(c, sp.ID, c.SP(entra.AppGraph).ID, "")
			}
			audits = len(c.Audits)
		})
		return
	}
	if g, n := granted(); !slices.Equal(g, []string{"User.Read", "Directory.Read.All"}) || n != 3 {
		t.Errorf("granted %v, %d audit rows", g, n)
	}
	more := strings.Replace(body, "User.Read, ", "User.Read,Group.Read.All,", 1)
	if a := l.do(tok, "POST", path, more); a.Code != 409 || !strings.Contains(a.Body.String(), "Permission entry already exists") {
		t.Errorf("again: %d %s", a.Code, a.Body)
	}
	if g, _ := granted(); len(g) != 2 {
		t.Errorf("the second consent added: %v", g)
	}
	if a := l.do(tok, "GET", path, ""); len(a.items()) != 1 {
		t.Errorf("%s", a.Body)
	}
	if a := l.as("agent", "DELETE", path+"/"+panelApp, ""); a.Code != 403 {
		t.Errorf("another app withdraws: %d", a.Code)
	}
	if a := l.do(tok, "DELETE", path+"/"+panelApp, ""); a.Code != 200 {
		t.Errorf("%d %s", a.Code, a.Body)
	}
	if g, _ := granted(); len(g) != 0 {
		t.Errorf("left: %v", g)
	}
	if a := l.do(tok, "POST", path, more); a.Code != 201 {
		t.Errorf("after DELETE: %d %s", a.Code, a.Body)
	}
}

func TestCancelTakesTenMinutes(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	base := "/v1/customers/" + dapID + "/subscriptions/" + planID + "/azureEntitlements/" + entID
	if a := l.as("app", "POST", base+"/cancel", `{"CancellationReason":"Compromise"}`); a.Code != 202 || a.Header().Get("Retry-After") == "" {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	if a := l.as("app", "POST", base+"/cancel", `{"CancellationReason":"Compromise"}`); a.code() != "900278" {
		t.Errorf("again: %d %s", a.Code, a.Body)
	}
	l.jump(10*time.Minute - time.Second)
	if a := l.as("app", "GET", base, ""); a.m["status"] != "active" {
		t.Errorf("too soon: %s", a.Body)
	}
	l.jump(time.Second)
	if a := l.as("app", "GET", base, ""); a.m["status"] != "inactive" {
		t.Errorf("not yet: %s", a.Body)
	}
	l.w.Read(func(s *world.State) {
		if st := s.Tenant(dapID).Azure.Get(azureID).StateAt(s.Clock.Now()); st != "Disabled" {
			t.Errorf("Azure: %s", st)
		}
	})
	if a := l.as("app", "POST", base+"/cancel", `{"CancellationReason":"compromise"}`); a.code() != "800111" {
		t.Errorf("afterwards: %s", a.Body)
	}
}

func TestAzurePlanHitsEntitlements(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	path := "/v1/customers/" + dapID + "/subscriptions/" + planID
	for _, c := range [][2]string{{"suspended", "Disabled"}, {"active", "Enabled"}} {
		a := l.as("agent", "GET", path, "")
		body := strings.Replace(a.Body.String(), `"status":"`+a.m["status"].(string)+`"`, `"status":"`+c[0]+`"`, 1)
		if a := l.as("agent", "PATCH", path, body, "If-Match", a.Header().Get("ETag")); a.Code != 200 {
			t.Fatalf("%d %s", a.Code, a.Body)
		}
		l.w.Read(func(s *world.State) {
			if st := s.Tenant(dapID).Azure.Get(azureID).State; st != c[1] {
				t.Errorf("%s: Azure is %s", c[0], st)
			}
		})
	}
}

func TestBudget(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	path := "/v1/customers/" + dapID + "/usagebudget"
	for _, c := range []struct {
		body string
		want any
	}{{`{"Amount":100,"Attributes":{"ObjectType":"SpendingBudget"}}`, 100.0}, {`{"amount":null}`, nil}} {
		if a := l.as("agent", "PATCH", path, c.body); a.Code != 200 || a.m["amount"] != c.want {
			t.Errorf("%s: %d %s", c.body, a.Code, a.Body)
		}
		if a := l.as("desk", "GET", path, ""); a.m["amount"] != c.want {
			t.Errorf("%s: %s", c.body, a.Body)
		}
	}
	if a := l.as("agent", "GET", "/v1/customers/usagerecords", ""); len(a.items()) != 1 {
		t.Errorf("%s", a.Body)
	}
	if a := l.as("agent", "GET", "/v1/customers/"+dapID+"/usagesummary", ""); a.m["totalCost"] != 50.0 {
		t.Errorf("%s", a.Body)
	}
}

func TestThrottling(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	l.c = New(Deps{World: l.w, Keys: l.keys})
	t.Cleanup(l.c.Close)
	tok := l.token("app", nil)
	until := func(path string) (n int, a answer) {
		for n = range 2000 {
			if a = l.do(tok, "GET", path, ""); a.Code == 429 {
				return n, a
			}
		}
		t.Fatal("never throttled")
		return
	}
	n, a := until("/v1/customers/" + dapID)
	if n != int(perCustomer.Burst) || a.code() != "429" || a.Header().Get("Retry-After") == "" {
		t.Errorf("customer: after %d %s", n, a.Body)
	}
	if b := l.do(tok, "GET", "/v1/customers/"+gdapID, ""); b.Code != 200 {
		t.Errorf("another customer: %d", b.Code)
	}
	_, a = until("/v1/customers")
	if a.m["statusCode"] != 429.0 || !strings.Contains(a.m["message"].(string), "Rate limit is exceeded. Try again in ") {
		t.Errorf("partner: %s", a.Body)
	}
	first := a.Header().Get("Retry-After")
	for range 300 {
		a = l.do(tok, "GET", "/v1/customers", "")
	}
	if a.Header().Get("Retry-After") == first {
		t.Error("immediate retries do not count")
	}
	l.jump(time.Minute)
	if a = l.do(tok, "GET", "/v1/customers", ""); a.Code != http.StatusOK {
		t.Errorf("after a minute: %d", a.Code)
	}
}
