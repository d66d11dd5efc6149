package center

import (
	"strings"
	"testing"

	"partnerguard/internal/partnercloud/world"
)

const goodAddress = `{"country":"IE","city":"Dublin","addressLine1":"1 Quay","addressLine2":"","postalCode":"D02","firstName":"Gena","lastName":"Soto"}`

// TestProfiles: what was read can be sent back, a change is kept, a stale one refused.
func TestProfiles(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	customer := "/v1/customers/" + dapID + "/profiles/billing"
	for _, c := range []struct {
		path, put, member string
		value             any
	}{
		{"/v1/profiles/billing", "", "purchaseOrderNumber", "9888"},
		{"/v1/profiles/legalbusiness", "", "companyName", "Lucerne Publishing"},
		{"/v1/profiles/organization", "", "email", "new@contoso.com"},
		{"/v1/profiles/support", "", "website", "help.contoso.com"},
		{"/v1/profiles/support", "/v1/profiles/supportprofile", "telephone", "5550199"},
		{customer, "", "companyName", "Coho"},
	} {
		before := l.as("agent", "GET", c.path, "")
		if before.Code != 200 {
			t.Fatalf("%s: %d %s", c.path, before.Code, before.Body)
		}
		put := c.put
		if put == "" {
			put = c.path
		}
		before.m[c.member] = c.value
		body := text(before.m)
		if a := l.as("agent", "PUT", put, body); a.Code != 200 || a.m[c.member] != c.value {
			t.Errorf("%s: %d %s", put, a.Code, a.Body)
		}
		if a := l.as("agent", "GET", c.path, ""); a.m[c.member] != c.value {
			t.Errorf("%s was not kept: %s", c.path, a.Body)
		}
		if a := l.as("agent", "PUT", put, body); a.code() != "2055" {
			t.Errorf("%s, stale: %d %s", put, a.Code, a.Body)
		}
		if a := l.as("agent", "PUT", put, strings.Replace(body, "{", `{"colour":1,`, 1)); a.code() != "400" {
			t.Errorf("%s, an unknown member: %d %s", put, a.Code, a.Body)
		}
		if a := l.as("app", "PUT", put, body); put != customer && a.code() != "900329" {
			t.Errorf("%s by an app: %d %s", put, a.Code, a.Body)
		}
	}
	for body, why := range map[string]string{
		strings.Replace(goodAddress, `"IE"`, `"ZZ"`, 1):                              "country",
		strings.Replace(goodAddress, `"IE"`, `"US"`, 1):                              "state",
		strings.Replace(goodAddress, `"Dublin"`, `""`, 1):                            "city",
		strings.Replace(strings.Replace(goodAddress, `"IE"`, `"DE"`, 1), "x", "", 1): "postalCode",
	} {
		if a := l.as("agent", "PUT", "/v1/profiles/billing", `{"companyName":"X","address":`+body+`}`); a.code() != "800002" ||
			!strings.Contains(a.Body.String(), why) {
			t.Errorf("%s: %d %s", why, a.Code, a.Body)
		}
	}
	for path, want := range map[string]string{"/v1/profiles/mpn": "Contoso Cloud Partners", "/v1/profiles/mpn?mpnId=1234567": "Small Reseller"} {
		if a := l.as("app", "GET", path, ""); a.m["partnerName"] != want {
			t.Errorf("%s: %s", path, a.Body)
		}
	}
	if a := l.as("app", "GET", "/v1/profiles/mpn?mpnId=9999999", ""); a.Code != 404 || a.code() != "3000" {
		t.Errorf("nobody's number: %d %s", a.Code, a.Body)
	}
	if a := l.as("app", "GET", "/v1/profiles/legalbusiness?vettingVersion=Never", ""); a.code() != "900126" {
		t.Errorf("a version that is none: %s", a.Body)
	}
	// What only the directory knows needs a way into it.
	with, without := l.as("app", "GET", "/v1/customers/"+dapID+"/profiles/company", ""), l.as("app", "GET", "/v1/customers/"+bareID+"/profiles/company", "")
	if with.m["address"] == nil || without.m["address"] != nil || without.m["companyName"] != "Fabrikam" {
		t.Errorf("%s\n%s", with.Body, without.Body)
	}
}

// TestAgreement: without a confirmed agreement nothing can be bought.
func TestAgreement(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	mine := "/v1/customers/" + gdapID
	buy := func() string {
		return l.as("agent", "POST", mine+"/orders", `{"lineItems":[{"offerId":"`+basicOffer+`"}]}`).code()
	}
	if got := buy(); got != "13605" {
		t.Fatalf("without an agreement: %s", got)
	}
	kind := l.as("agent", "GET", "/v1/agreements?agreementType=MicrosoftCustomerAgreement", "").items()
	if len(kind) != 1 || len(l.as("agent", "GET", "/v1/agreements", "").items()) != 2 {
		t.Fatalf("agreements: %v", kind)
	}
	id := kind[0]["templateId"].(string)
	good := `{"primaryContact":{"firstName":"Tania","lastName":"Carr","email":"t@gdap.example","phoneNumber":"1"},"templateId":"` + id +
		`","dateAgreed":"2026-11-20T00:00:00.000Z","type":"MicrosoftCustomerAgreement"}`
	for _, c := range [][3]string{{`"MicrosoftCustomerAgreement"`, `"MicrosoftCloudAgreement"`, "800002"}, {`"2026-11-20`, `"2027-11-20`, "800002"},
		{id, dapID, "800002"}, {`"Tania"`, `""`, "800002"}, {`"type"`, `"colour":1,"type"`, "400"}} {
		if a := l.as("agent", "POST", mine+"/agreements", strings.Replace(good, c[0], c[1], 1)); a.code() != c[2] {
			t.Errorf("%s: %d %s", c[1], a.Code, a.Body)
		}
	}
	if a := l.as("agent", "POST", mine+"/agreements", good); a.Code != 201 || a.m["userId"] != uid("agent") {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	if a := l.as("agent", "POST", mine+"/agreements", good); a.code() != "600061" {
		t.Errorf("twice: %s", a.Body)
	}
	if got := buy(); got != "" {
		t.Errorf("with one: %s", got)
	}
	for q, n := range map[string]int{"": 1, "?agreementType=MicrosoftCloudAgreement": 0, "?agreementType=*": 1} {
		if a := l.as("agent", "GET", mine+"/agreements"+q, ""); len(a.items()) != n {
			t.Errorf("%q: %s", q, a.Body)
		}
	}
	doc := "/v1/agreementtemplates/" + id + "/document"
	if a := l.as("agent", "GET", doc+"?language=de-DE&country=DE", ""); a.m["country"] != "DE" || a.m["downloadUri"] == nil {
		t.Errorf("%s", a.Body)
	}
	if a := l.as("agent", "GET", strings.Replace(doc, id, dapID, 1), ""); a.code() != "1000" {
		t.Errorf("%s", a.Body)
	}
}

func TestSmallAnswers(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(s *world.State) {
		s.Tenant(dapID).SKUs[0].Plans = append(s.Tenant(dapID).SKUs[0].Plans, world.Plan{ID: "e", Name: "EXCHANGE_S_STANDARD"})
	})
	for _, c := range []struct {
		method, path string
		status       int
	}{{"HEAD", "/v1/domains/dap.onmicrosoft.com", 200}, {"HEAD", "/v1/domains/free.onmicrosoft.com", 404}, {"GET", "/v1/countryvalidationrules/us", 200},
		{"GET", "/v1/countryvalidationrules/zz", 404}} {
		if a := l.as("app", c.method, c.path, ""); a.Code != c.status {
			t.Errorf("%s %s: %d %s", c.method, c.path, a.Code, a.Body)
		}
	}
	if a := l.as("app", "GET", "/v1/countryvalidationrules/US", ""); a.m["isStateRequired"] != true || len(a.at("states.value").([]any)) < 50 {
		t.Errorf("%s", a.Body)
	}
	q := "/v1/customers/" + dapID + "/qualifications"
	for body, want := range map[string]int{`{"qualification":"Education"}`: 201, `{"qualification":"Army"}`: 400, `{"colour":1}`: 400} {
		if a := l.as("agent", "POST", q, body); a.Code != want {
			t.Errorf("%s: %d %s", body, a.Code, a.Body)
		}
	}
	if a := l.as("app", "GET", q, ""); len(a.l) != 1 || a.l[0].(map[string]any)["vettingStatus"] != "InReview" {
		t.Errorf("%s", a.Body)
	}
	if a := l.as("agent", "POST", q, `{"qualification":"education"}`); a.Code != 409 {
		t.Errorf("twice: %s", a.Body)
	}
	if a := l.as("agent", "GET", "/v1/customers/"+dapID+"/managedservices", ""); len(a.items()) != 3 {
		t.Errorf("%s", a.Body)
	}
	if a := l.as("nobody", "GET", "/v1/customers/"+gdapID+"/organization", ""); len(a.l) != 1 {
		t.Errorf("%d %s", a.Code, a.Body)
	}
}

// TestNewCustomersProfile: what is said of a new customer is kept.
func TestNewCustomersProfile(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	body := `{"companyProfile":{"domain":"newone.onmicrosoft.com"},"billingProfile":{"companyName":"New One","email":"a@b.example","culture":"sv-SE",` +
		`"language":"sv","firstName":"Gena","lastName":"Soto","defaultAddress":{"country":"SE","city":"Umeå","addressLine1":"1 Gatan","postalCode":"903 20"}}}`
	a := l.as("agent", "POST", "/v1/customers", body)
	if a.Code != 201 {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	got := l.as("agent", "GET", "/v1/customers/"+a.m["id"].(string)+"/profiles/billing", "")
	if got.at("defaultAddress.city") != "Umeå" || got.m["culture"] != "sv-SE" || got.m["firstName"] != "Gena" {
		t.Errorf("%s", got.Body)
	}
	l.w.Read(func(s *world.State) {
		if c := s.PartnerTenant().Customers.Get(a.m["id"].(string)); c.Currency != "SEK" {
			t.Errorf("billed in %s", c.Currency)
		}
	})
	long := strings.Replace(strings.Replace(body, "Umeå", strings.Repeat("x", 300), 1), "newone", "newtwo", 1)
	if a := l.as("agent", "POST", "/v1/customers", long); a.code() != "800002" {
		t.Errorf("%d %s", a.Code, a.Body)
	}
	l.w.Read(func(s *world.State) {
		if s.Tenant("newtwo.onmicrosoft.com") != nil {
			t.Error("a refused customer was made")
		}
	})
}
