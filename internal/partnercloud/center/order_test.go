package center

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/world"
)

func agreed(s *world.State) {
	for _, id := range []string{dapID, gdapID} {
		s.PartnerTenant().Customers.Change(id, func(c *world.Customer) { c.Agreed = true })
	}
}

const (
	archiveOffer = "CFQ7TTC0LH0J:0001:CFQ7TTC0KSGL"
	planOffer    = "DZH318Z0BPS6:0001:DZH318Z0BML6"
	softOffer    = "DG7GMGF0DWT0:0001:DG7GMGF0DSQR"
	trialOffer   = "CFQ7TTC0LH18:000B:CFQ7TTC0K5B1"
	pcOffer      = "CFQ7TTC0P0GP:0001:CFQ7TTC0J203"
)

func (a answer) at(path string) any {
	var v any = a.m
	for _, p := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[p]
		case []any:
			var i int
			if _, err := fmt.Sscan(p, &i); err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

// TestOrder goes the whole way: cart, checkout, order, subscription, licences.
func TestOrder(t *testing.T) {
	t.Parallel()
	l := newLab(t, agreed)
	mine := "/v1/customers/" + gdapID
	a := l.as("sales", "POST", mine+"/carts", `{"LineItems":[
		{"Id":0,"CatalogItemId":"`+basicOffer+`","FriendlyName":"Ours","Quantity":10,"BillingCycle":"Monthly","TermDuration":"P1Y",
			"AddonItems":[{"Id":1,"CatalogItemId":"`+archiveOffer+`","Quantity":4,"BillingCycle":"Monthly","TermDuration":"P1Y"}]},
		{"Id":2,"CatalogItemId":"`+softOffer+`","Quantity":2,"BillingCycle":"one_time"},
		{"Id":3,"CatalogItemId":"`+planOffer+`","Quantity":1,"BillingCycle":"OneTime","TermDuration":"P1Y"},
		{"Id":4,"CatalogItemId":"NOTHING:1:X","Quantity":1,"BillingCycle":"annual"}]}`)
	if a.Code != 201 || a.m["status"] != "Active" || !strings.HasSuffix(a.Header().Get("Location"), a.m["id"].(string)) {
		t.Fatalf("cart: %d %s", a.Code, a.Body)
	}
	for path, want := range map[string]any{"lineItems.0.orderGroup": "0", "lineItems.0.pricing.extendedPrice": 540.0, "lineItems.0.addonItems.0.quantity": 4.0,
		"lineItems.1.orderGroup": "1", "lineItems.2.orderGroup": "1", "lineItems.3.error.errorCode": "10001", "lineItems.3.pricing": nil,
		"lineItems.0.currencyCode": "EUR", "expirationTimestamp": "2026-11-29T08:00:00Z"} {
		if got := a.at(path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	cart := mine + "/carts/" + a.m["id"].(string)
	a = l.as("sales", "POST", cart+"/checkout", "")
	if a.Code != 201 || len(a.m["orders"].([]any)) != 2 {
		t.Fatalf("checkout: %d %s", a.Code, a.Body)
	}
	for path, want := range map[string]any{"orderErrors.0.code": 10001.0, "orderErrors.0.orderGroupId": "2", "orders.0.billingCycle": "monthly",
		"orders.0.lineItems.1.transactionType": "New", "orders.0.status": "completed", "orders.1.billingCycle": "one_time", "orders.0.currencySymbol": "€"} {
		if got := a.at(path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	base, addon := a.at("orders.0.lineItems.0.subscriptionId").(string), a.at("orders.0.lineItems.1")
	if addon.(map[string]any)["parentSubscriptionId"] != base {
		t.Errorf("the add-on is not the base's: %v", addon)
	}
	order := a.at("orders.0.id").(string)
	if got := l.as("sales", "POST", cart+"/checkout", ""); got.code() != "800065" {
		t.Errorf("twice: %d %s", got.Code, got.Body)
	}
	if got := l.as("sales", "PUT", cart, `{"lineItems":[{"catalogItemId":"`+basicOffer+`","quantity":1}]}`); got.code() != "800065" {
		t.Errorf("change after checkout: %s", got.Body)
	}
	if got := l.as("app", "GET", mine+"/subscriptions?order_id="+order, ""); len(got.items()) != 2 {
		t.Errorf("subscriptions of the order: %s", got.Body)
	}
	if got := l.as("app", "GET", mine+"/subscriptions/"+base+"/addons", ""); len(got.items()) != 1 {
		t.Errorf("add-ons: %s", got.Body)
	}
	if got := l.as("app", "GET", mine+"/orders", ""); len(got.items()) != 2 {
		t.Errorf("orders: %s", got.Body)
	}
	if got := l.as("app", "GET", mine+"/orders?billingType=OneTime", ""); len(got.items()) != 1 {
		t.Errorf("orders paid once: %s", got.Body)
	}
	if got := l.as("agent", "GET", mine+"/orders/"+order+"/provisioningstatus", ""); got.at("items.0.status") != "fulfilled" {
		t.Errorf("provisioning: %s", got.Body)
	}
	l.w.Read(func(s *world.State) {
		c := s.Tenant(gdapID)
		got := map[string]int{}
		for _, sku := range c.SKUs {
			got[sku.Part] = sku.Enabled
		}
		if got["O365_BUSINESS_ESSENTIALS"] != 10 || got["EXCHANGEARCHIVE_ADDON"] != 4 || c.Azure.Len() != 1 {
			t.Errorf("in the customer's tenant: %v, %d Azure subscriptions", got, c.Azure.Len())
		}
	})
	// An add-on needs its base.
	l.edit("agent", "PATCH", mine+"/subscriptions/"+base, map[string]any{"status": "suspended"})
	id := addon.(map[string]any)["subscriptionId"].(string)
	l.edit("agent", "PATCH", mine+"/subscriptions/"+id, map[string]any{"status": "suspended"})
	if got := l.edit("agent", "PATCH", mine+"/subscriptions/"+id, map[string]any{"status": "active"}); got.code() != "27009" {
		t.Errorf("an add-on without its base: %d %s", got.Code, got.Body)
	}
}

// TestCartRules: what a line is refused for.
func TestCartRules(t *testing.T) {
	t.Parallel()
	item := func(offer string, more string) string {
		return `{"catalogItemId":"` + offer + `","quantity":1` + more + `}`
	}
	for _, c := range []struct{ name, customer, line, code string }{
		{"as it should be", gdapID, item(basicOffer, `,"termDuration":"P1M","billingCycle":"monthly"`), ""},
		{"without term and cycle", gdapID, item(basicOffer, ``), ""},
		{"another currency", gdapID, item(basicOffer, `,"currencyCode":"USD"`), "10000"},
		{"no availability", gdapID, item("CFQ7TTC0LH18:0001", ``), "10001"},
		{"a legacy offer", gdapID, item("3B555118-DA6A-4418-894F-7DF1E2096870", ``), "10001"},
		{"a term that is not sold", gdapID, item(basicOffer, `,"termDuration":"P1M","billingCycle":"annual"`), "10010"},
		{"too many seats", gdapID, `{"catalogItemId":"` + basicOffer + `","quantity":301}`, "10015"},
		{"no attestation", gdapID, item(pcOffer, ``), "10012"},
		{"attestation", gdapID, item(pcOffer, `,"attestationAccepted":true`), ""},
		{"an add-on alone", gdapID, item(archiveOffer, ``), "10007"},
		{"an add-on of what is there", dapID, item(archiveOffer, `,"provisioningContext":{"ParentSubscriptionId":"`+soldID+`"}`), ""},
		{"an add-on of something else", dapID, item(archiveOffer, `,"provisioningContext":{"ParentSubscriptionId":"`+planID+`"}`), "10007"},
		{"a second Azure plan", dapID, item(planOffer, ``), "10010"},
		{"a reservation without registration", dapID, item("DZH318Z0BQ3Q:0001:DZH318XZXVNF", `,"provisioningContext":{"subscriptionId":"`+azureID+`"}`),
			"10011"},
		{"a reseller of ours", gdapID, item(basicOffer, `,"participants":[{"key":"transaction_reseller","value":"1234567"}]`), ""},
		{"a reseller of nobody", gdapID, item(basicOffer, `,"participants":[{"key":"transaction_reseller","value":"7654321"}]`), "10010"},
		{"a promotion of something else", gdapID, item(basicOffer, `,"promotionId":"39NFJQT1PJQB:0001:39NFJQT1Q5KN"`), "10010"},
		{"an end at the end of a month", gdapID, item(basicOffer, `,"termDuration":"P1Y","customTermEndDate":"2027-01-31"`), ""},
		{"an end in between", gdapID, item(basicOffer, `,"termDuration":"P1Y","customTermEndDate":"2027-01-30"`), "10010"},
	} {
		l := newLab(t, func(s *world.State) { agreed(s); sell(s) })
		mine := "/v1/customers/" + c.customer
		a := l.as("agent", "POST", mine+"/carts", `{"partnerOnRecordAttestationAccepted":true,"lineItems":[`+c.line+`]}`)
		got, _ := a.at("lineItems.0.error.errorCode").(string)
		if a.Code != 201 || got != c.code {
			t.Errorf("%s: %d %q, want %q: %s", c.name, a.Code, got, c.code, a.Body)
			continue
		}
		a = l.as("agent", "POST", mine+"/carts/"+a.m["id"].(string)+"/checkout", "")
		if c.code == "" && a.Code != 201 || c.code != "" && (a.code() != "800009" || len(a.m["data"].([]any)) != 1) {
			t.Errorf("%s, checkout: %d %s", c.name, a.Code, a.Body)
		}
	}
}

// TestPurchaseRefused: what is refused whole.
func TestPurchaseRefused(t *testing.T) {
	t.Parallel()
	line := `{"lineItems":[{"catalogItemId":"` + basicOffer + `","quantity":1,"billingCycle":"monthly"}]}`
	locked := func(s *world.State) {
		agreed(s)
		s.PartnerTenant().Customers.Change(gdapID, func(c *world.Customer) { c.Locked = true })
	}
	for _, c := range []struct {
		name, who, path, body, code string
		change                      func(*world.State)
	}{
		{"no agreement", "agent", "/orders", `{"lineItems":[{"offerId":"` + basicOffer + `"}]}`, "13605", nil},
		{"locked", "agent", "/orders", `{"lineItems":[{"offerId":"` + basicOffer + `"}]}`, "900416", locked},
		{"helpdesk", "desk", "/carts", line, "900308", agreed},
		{"no items", "agent", "/carts", `{"lineItems":[]}`, "800002", agreed},
		{"no quantity", "agent", "/carts", `{"lineItems":[{"catalogItemId":"` + basicOffer + `"}]}`, "800002", agreed},
		{"an unknown member", "agent", "/carts", `{"lineItems":[{"catalogItemId":"` + basicOffer + `","quantity":1,"colour":"red"}]}`, "400", agreed},
		{"an unknown participant", "agent", "/carts", `{"lineItems":[{"catalogItemId":"` + basicOffer +
			`","quantity":1,"participants":[{"key":"x","value":"1"}]}]}`, "800002", agreed},
		{"a reseller without attestation", "agent", "/orders", `{"lineItems":[{"offerId":"` + basicOffer + `","partnerIdOnRecord":"1234567"}]}`, "900206",
			agreed},
		{"a reseller of nobody besides", "agent", "/orders", `{"partnerOnRecordAttestationAccepted":true,"lineItems":[{"offerId":"` + basicOffer +
			`","partnerIdOnRecord":"1234567","additionalPartnerIdsOnRecord":["7"]}]}`, "800002", agreed},
		{"a cycle that is none", "agent", "/carts", `{"lineItems":[{"catalogItemId":"` + basicOffer + `","quantity":1,"billingCycle":"weekly"}]}`, "900126",
			agreed},
		{"an offer that is none", "agent", "/orders", `{"lineItems":[{"offerId":"x"}]}`, "800004", agreed},
		{"another customer", "agent", "/orders", `{"referenceCustomerId":"` + dapID + `","lineItems":[{"offerId":"` + basicOffer + `"}]}`, "900118", agreed},
		{"two cycles in one order", "agent", "/orders", `{"lineItems":[{"offerId":"` + basicOffer + `","termDuration":"P1Y"},{"offerId":"` + softOffer + `"}]}`,
			"800002", agreed},
	} {
		l := newLab(t, c.change)
		before := len(l.as("app", "GET", "/v1/customers/"+gdapID+"/orders", "").items())
		if a := l.as(c.who, "POST", "/v1/customers/"+gdapID+c.path, c.body); a.code() != c.code {
			t.Errorf("%s: %d %s", c.name, a.Code, a.Body)
		}
		if after := len(l.as("app", "GET", "/v1/customers/"+gdapID+"/orders", "").items()); after != before {
			t.Errorf("%s: an order was made", c.name)
		}
	}
}

func TestOrderChanges(t *testing.T) {
	t.Parallel()
	l := newLab(t, agreed)
	mine := "/v1/customers/" + gdapID
	make2 := func(body string) (string, answer) {
		a := l.as("agent", "POST", mine+"/orders", body)
		if a.Code != 201 {
			t.Fatalf("order: %d %s", a.Code, a.Body)
		}
		return mine + "/orders/" + a.m["id"].(string), a
	}
	soft, _ := make2(`{"billingCycle":"one_time","lineItems":[{"lineItemNumber":0,"offerId":"` + softOffer + `","quantity":3},` +
		`{"lineItemNumber":1,"offerId":"` + softOffer + `","quantity":1}]}`)
	a := l.as("agent", "PATCH", soft, `{"status":"cancelled","lineItems":[{"lineItemNumber":0,"offerId":"`+softOffer+`"}]}`)
	if a.Code != 200 || a.at("lineItems.0.quantity") != 0.0 || a.at("lineItems.1.quantity") != 1.0 || a.m["status"] != "completed" {
		t.Errorf("one line: %d %s", a.Code, a.Body)
	}
	for body, want := range map[string]string{`{"status":"cancelled","lineItems":[{"lineItemNumber":0}]}`: "800061",
		`{"status":"cancelled","lineItems":[{"lineItemNumber":7}]}`: "800071", `{}`: "800002", `{"id":"x","status":"cancelled"}`: "800002",
		`{"status":"cancelled","lineItems":[{"lineItemNumber":1,"offerId":"x"}]}`: "800004"} {
		if a := l.as("agent", "PATCH", soft, body); a.code() != want {
			t.Errorf("%s: %d %s", body, a.Code, a.Body)
		}
	}
	if a := l.as("agent", "PATCH", soft, `{"status":"cancelled","lineItems":[{"lineItemNumber":1}]}`); a.m["status"] != "cancelled" {
		t.Errorf("all lines: %d %s", a.Code, a.Body)
	}
	seats, made := make2(`{"billingCycle":"monthly","lineItems":[{"offerId":"` + basicOffer + `","quantity":3,"termDuration":"P1Y"}]}`)
	if a := l.as("agent", "PATCH", seats, `{"status":"cancelled"}`); a.code() != "800063" {
		t.Errorf("seats by the order: %d %s", a.Code, a.Body)
	}
	base := made.at("lineItems.0.subscriptionId").(string)
	a = l.as("agent", "PATCH", seats, `{"Id":null,"LineItems":[{"LineItemNumber":0,"OfferId":"`+archiveOffer+`","SubscriptionId":null,"ParentSubscriptionId":"`+
		base+`","Quantity":2,"TermDuration":"P1Y"}],"Attributes":{"ObjectType":"Order"}}`)
	if a.Code != 200 || a.at("lineItems.1.parentSubscriptionId") != base {
		t.Errorf("an add-on by the order: %d %s", a.Code, a.Body)
	}
	a = l.as("agent", "PATCH", seats, `{"BillingCycle":"Annual","LineItems":[]}`)
	if a.Code != 200 || a.m["billingCycle"] != "annual" {
		t.Errorf("billed by the year: %d %s", a.Code, a.Body)
	}
	if got := l.as("app", "GET", mine+"/subscriptions/"+base, ""); got.m["billingCycle"] != "annual" {
		t.Errorf("the subscription: %s", got.Body)
	}
	if a := l.as("agent", "PATCH", seats, `{"BillingCycle":"Triennial"}`); a.code() != "6001" {
		t.Errorf("a cycle that is not sold: %d %s", a.Code, a.Body)
	}
	l.edit("agent", "PATCH", mine+"/subscriptions/"+base, map[string]any{"status": "suspended"})
	if a := l.as("agent", "PATCH", seats, `{"BillingCycle":"Monthly"}`); a.code() != "6000" {
		t.Errorf("a suspended one: %d %s", a.Code, a.Body)
	}
	old, _ := make2(`{"billingCycle":"one_time","lineItems":[{"offerId":"` + softOffer + `"}]}`)
	l.jump(30 * 24 * time.Hour)
	if a := l.as("agent", "PATCH", old, `{"status":"cancelled"}`); a.code() != "900117" {
		t.Errorf("after 30 days: %d %s", a.Code, a.Body)
	}
	if a := l.as("agent", "GET", mine+"/orders/none", ""); a.code() != "20000" {
		t.Errorf("no such order: %s", a.Body)
	}
	if a := l.as("agent", "GET", old+"/lineitems/9/activationlinks", ""); a.code() != "800071" {
		t.Errorf("no such line: %s", a.Body)
	}
}

// TestSeededOrders: what came with the world has an order, the same each time.
func TestSeededOrders(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	a, b := l.as("app", "GET", "/v1/customers/"+dapID+"/orders", ""), l.as("app", "GET", "/v1/customers/"+dapID+"/orders", "")
	if len(a.items()) != 2 || a.Body.String() != b.Body.String() {
		t.Fatalf("%s", a.Body)
	}
	for _, o := range a.items() {
		if got := l.as("app", "GET", "/v1/customers/"+dapID+"/orders/"+o["id"].(string), ""); got.Code != 200 {
			t.Errorf("%d %s", got.Code, got.Body)
		}
	}
}

// TestTrial: a trial ends, unless it was said what it renews to.
func TestTrial(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ renews, status, offer string }{{``, "expired", trialOffer}, {`,"renewsTo":{"termDuration":"P1Y"}`, "active", basicOffer},
		{`,"renewsTo":[{"termDuration":"P1Y"}]`, "active", basicOffer}} {
		l := newLab(t, agreed)
		mine := "/v1/customers/" + gdapID
		a := l.as("agent", "POST", mine+"/carts", `{"lineItems":[{"catalogItemId":"`+trialOffer+`","quantity":25,"billingCycle":"none","termDuration":"P1M"`+
			c.renews+`}]}`)
		a = l.as("agent", "POST", mine+"/carts/"+a.m["id"].(string)+"/checkout", "")
		sub := mine + "/subscriptions/" + a.at("orders.0.lineItems.0.subscriptionId").(string)
		if got := l.as("app", "GET", sub, ""); got.m["isTrial"] != true || got.m["status"] != "active" {
			t.Fatalf("%d %s", got.Code, got.Body)
		}
		l.jump(31 * 24 * time.Hour)
		if got := l.as("app", "GET", sub, ""); got.m["status"] != c.status || got.m["offerId"] != c.offer || got.m["isTrial"] != (c.status == "expired") {
			t.Errorf("%q a month later: %s", c.renews, got.Body)
		}
	}
}

func TestCartExpires(t *testing.T) {
	t.Parallel()
	l := newLab(t, agreed)
	mine := "/v1/customers/" + gdapID
	body := `{"lineItems":[{"catalogItemId":"` + basicOffer + `","quantity":1}]}`
	cart := mine + "/carts/" + l.as("agent", "POST", mine+"/carts", body).m["id"].(string)
	if a := l.as("agent", "GET", strings.Replace(cart, gdapID, dapID, 1), ""); a.code() != "800008" {
		t.Errorf("another customer's cart: %s", a.Body)
	}
	if a := l.as("agent", "PUT", cart, strings.Replace(body, `"quantity":1`, `"quantity":5`, 1)); a.at("lineItems.0.quantity") != 5.0 {
		t.Errorf("change: %d %s", a.Code, a.Body)
	}
	l.jump(cartLives)
	if a := l.as("agent", "GET", cart, ""); a.code() != "800008" {
		t.Errorf("a week later: %d %s", a.Code, a.Body)
	}
}
