package center

import (
	"strings"
	"testing"

	"partnerguard/internal/partnercloud/world"
)

// TestReadOnly: what was read can be sent back with a change that is understood; a
// read-only member that says otherwise is refused by name and nothing is done.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(s *world.State) {
		s.PartnerTenant().Customers.Change(dapID, func(c *world.Customer) { c.Agreed = true })
	})
	const customer = "/v1/customers/" + dapID
	ticket := l.as("agent", "POST", "/v1/servicerequests/en-US", `{"title":"a","description":"b","supportTopicId":"32444671"}`)
	policy := l.as("app", "POST", customer+"/policies", `{"name":"a","category":"o_o_b_e"}`)
	cart := l.as("agent", "POST", customer+"/carts", `{"lineItems":[{"catalogItemId":"`+offerID(t, basicKey)+`","quantity":1}]}`)
	order := l.as("agent", "POST", customer+"/orders", `{"billingCycle":"monthly","lineItems":[{"offerId":"`+offerID(t, basicKey)+`","quantity":3,
		"termDuration":"P1Y"}]}`).m["id"].(string)
	user := customer + "/users/" + custUser(dapID)
	for _, c := range []struct {
		method, path string
		change       map[string]any // what the operation does
		wrong        map[string]any // each alone
	}{
		{"PATCH", "/v1/servicerequests/" + ticket.m["id"].(string), map[string]any{"severity": "critical"},
			map[string]any{"title": "c", "description": "c", "supportTopicId": "32444672", "id": "7", "createdDate": "2020-01-01T00:00:00Z",
				"notes": []any{map[string]any{"text": "x"}}, "organization": map[string]any{"id": bareID}, "productName": "x", "countryCode": "DE"}},
		{"PUT", customer + "/policies/" + policy.m["id"].(string), map[string]any{"name": "b"},
			map[string]any{"devicesAssigned": 7, "createdDate": "2020-01-01T00:00:00Z"}},
		{"PUT", customer + "/carts/" + cart.m["id"].(string), nil,
			map[string]any{"id": dapID, "status": "Ordered", "expirationTimestamp": "2030-01-01T00:00:00Z", "lastModifiedUser": "x"}},
		{"PATCH", customer + "/orders/" + order, map[string]any{"billingCycle": "annual"},
			map[string]any{"totalPrice": 0.01, "currencyCode": "EUR", "creationDate": "2020-01-01T00:00:00Z", "currencySymbol": "x", "alternateId": "x"}},
		{"PATCH", user, map[string]any{"displayName": "New"}, map[string]any{"immutableId": "x", "userDomainType": "federated", "id": dapID}},
		{"PATCH", customer + "/subscriptions/" + licenceID, map[string]any{"friendlyName": "New"},
			map[string]any{"creationDate": "2020-01-01T00:00:00Z", "commitmentEndDate": "2040-01-01T00:00:00Z", "publisherName": "x", "orderId": "x",
				"productType": map[string]any{"id": "x"}, "productOrderId": "x", "isMicrosoftProduct": false}},
		{"PUT", "/v1/profiles/organization", map[string]any{"email": "x@contoso.com"}, map[string]any{"domain": "x.example", "tenantId": dapID}},
		{"PUT", "/v1/profiles/billing", map[string]any{"taxId": "1"}, map[string]any{"billingCurrency": "NOK", "profileType": "x", "billingDay": 7}},
		{"PUT", "/v1/profiles/legalbusiness", map[string]any{"companyApproverEmail": "x@contoso.com"}, map[string]any{"vettingStatus": "rejected"}},
		{"PUT", "/v1/profiles/support", map[string]any{"telephone": "1"}, map[string]any{"profileType": "x"}},
		{"PUT", customer + "/profiles/billing", map[string]any{"email": "x@contoso.com"}, map[string]any{"id": bareID, "profileType": "x"}},
		{"PATCH", customer, map[string]any{"allowDelegatedAccess": false}, map[string]any{"associatedPartnerId": dapID, "commerceId": "x", "id": bareID,
			"companyProfile": map[string]any{"companyName": "x"}, "billingProfile": map[string]any{"defaultAddress": map[string]any{"city": "x"}}}},
	} {
		const who = "agent"
		before := l.as(who, "GET", c.path, "")
		if before.Code != 200 {
			t.Fatalf("%s: %d %s", c.path, before.Code, before.Body)
		}
		body := before.m
		for name, v := range c.change {
			body[name] = v
		}
		for name, v := range c.wrong {
			was, there := body[name]
			body[name] = v
			if a := l.as(who, c.method, c.path, text(body)); a.code() != "3000" || !strings.Contains(a.Body.String(), name) {
				t.Errorf("%s %s with another %s: %d %s", c.method, c.path, name, a.Code, a.Body)
			}
			if body[name] = was; !there {
				delete(body, name)
			}
		}
		if a := l.as(who, c.method, c.path, text(body), "If-Match", `"987654"`); a.Code < 400 {
			t.Errorf("%s %s of a state that is none: %d %s", c.method, c.path, a.Code, a.Body)
		}
		if a := l.as(who, "GET", c.path, ""); text(a.m["attributes"]) != text(before.m["attributes"]) {
			t.Errorf("%s was changed by a refusal: %s", c.path, a.Body)
		}
		a := l.as(who, c.method, c.path, text(body))
		if a.Code != 200 {
			t.Errorf("%s %s as it was read: %d %s", c.method, c.path, a.Code, a.Body)
		}
		for name, v := range c.change {
			if text(a.m[name]) != text(v) {
				t.Errorf("%s %s: %s was not kept: %s", c.method, c.path, name, a.Body)
			}
		}
	}
}

// TestReadOnlyDeep: a body that nests without end is refused, by a short name.
func TestReadOnlyDeep(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":`, 5_000) + `1` + strings.Repeat(`}`, 5_000)
	a := newLab(t, nil).as("agent", "PATCH", "/v1/customers/"+dapID, `{"allowDelegatedAccess":false,"companyProfile":`+deep+`}`)
	if a.code() != "3000" || a.Body.Len() > 300 {
		t.Errorf("%d, %d bytes", a.Code, a.Body.Len())
	}
}

// TestOptionsRead: a value that an option does not have is refused, never taken for
// another.
func TestOptionsRead(t *testing.T) {
	t.Parallel()
	l := newLab(t, busy)
	const customer = "/v1/customers/" + dapID
	for _, path := range []string{customer + "/relationships?relationship_type=x", customer + "/entitlements?showExpiry=x",
		customer + "/subscriptions/" + planID + "/utilizations/azure?start_time=2026-11-10&end_time=2026-11-12&show_details=x",
		"/v1/products?country=US&targetView=Azure&reservationScope=x", customer + "/products?targetView=Azure&reservationScope=x",
		"/v1/customers?seekOperation=Previous",
		"/v1/invoices/unbilled/lineitems?provider=onetime&invoiceLineItemType=billinglineitems&currencyCode=USD&period=current&hasPartnerEarnedCredit=x",
	} {
		if a := l.as("agent", "GET", path, ""); a.Code != 400 {
			t.Errorf("%s: %d %s", path, a.Code, a.Body)
		}
	}
	if a := l.as("agent", "GET", customer+"/relationships?relationship_type="+providerOf, ""); a.Code != 200 || len(a.items()) != 0 {
		t.Errorf("of a type that there is not: %d %s", a.Code, a.Body)
	}
}
