package partnercloud

import (
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"testing"
	"time"
)

// A control panel sells: docs/walk/order.mjs, step by step.
func TestWalkOrder(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	rt := l.consent(samAgent, "amr_values", "mfa").text("refresh_token")
	token := l.good(l.i.Tenant.ID, rt, centerAPI+"/.default")
	mine := "/customers/" + l.customer("wingtip.example")
	call := func(method, path string, body any, header ...string) *answer {
		t.Helper()
		text := ""
		if body != nil {
			b, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			text = string(b)
		}
		a := l.call(method, l.i.PartnerCenter+"/v1"+path, token, text, header...)
		if a.status >= 300 {
			t.Fatalf("%s %s: %d %s", method, path, a.status, a.raw)
		}
		return a
	}
	get := func(path string) *answer { t.Helper(); return call(http.MethodGet, path, nil) }

	// What there is to buy.
	var product map[string]any
	for _, p := range get(mine + "/products?targetView=OnlineServices").rows() {
		if p["title"] == "Microsoft 365 Business Standard" {
			product = p
		}
	}
	skus := mine + "/products/" + product["id"].(string) + "/skus"
	sku := get(skus).rows()[0]
	item := get(skus + "/" + sku["id"].(string) + "/availabilities").rows()[0]

	// Cart, checkout, subscription.
	cart := call(http.MethodPost, mine+"/carts", map[string]any{"lineItems": []any{map[string]any{"id": 0, "catalogItemId": item["catalogItemId"],
		"friendlyName": "Ordered by the panel", "quantity": 5, "billingCycle": "monthly", "termDuration": "P1Y"}}})
	out := call(http.MethodPost, mine+"/carts/"+cart.text("id")+"/checkout", nil)
	if out.m["orderErrors"] != nil || len(out.m["orders"].([]any)) != 1 {
		t.Fatalf("checkout: %s", out.raw)
	}
	order := out.m["orders"].([]any)[0].(map[string]any)
	sub := order["lineItems"].([]any)[0].(map[string]any)["subscriptionId"].(string)
	seats := func() (active, suspended any) {
		for _, s := range get(mine + "/subscribedskus").rows() {
			if s["productSku"].(map[string]any)["name"] == product["title"] {
				return s["activeUnits"], s["suspendedUnits"]
			}
		}
		return nil, nil
	}
	for _, c := range []struct {
		status            string
		active, suspended float64
	}{{"", 5, 0}, {"suspended", 0, 5}, {"active", 5, 0}} {
		if c.status != "" {
			s := get(mine + "/subscriptions/" + sub)
			s.m["status"] = c.status
			call(http.MethodPatch, mine+"/subscriptions/"+sub, s.m, "If-Match", s.m["attributes"].(map[string]any)["etag"].(string))
		}
		if a, b := seats(); a != c.active || b != c.suspended {
			t.Errorf("%q: %v seats are active, %v suspended", c.status, a, b)
		}
	}

	// A user, deleted by mistake.
	users := get(mine + "/users?size=100").rows()
	user := users[len(users)-1]["id"].(string)
	call(http.MethodDelete, mine+"/users/"+user, nil)
	gone := get(mine + "/users?size=100&filter=" + url.QueryEscape(`{"Field":"UserStatus","Value":"Inactive","Operator":"equals"}`)).rows()
	if len(gone) != 1 || gone[0]["id"] != user || gone[0]["state"] != "inactive" {
		t.Fatalf("deleted users: %v", gone)
	}
	if a := call(http.MethodPatch, mine+"/users/"+user, map[string]any{"state": "active", "attributes": map[string]any{"objectType": "CustomerUser"}}); a.text(
		"state") != "active" || len(get(mine+"/users?size=100").rows()) != len(users) {
		t.Errorf("restored: %s", a.raw)
	}

	// What it costs, now and on the invoice.
	about := "?provider=onetime&invoicelineitemtype=billinglineitems&currencycode=" + get("/profiles/billing").text("billingCurrency")
	cost := func(rows []map[string]any) (sum float64) {
		for _, r := range rows {
			if r["subscriptionId"] == sub {
				sum += r["totalForCustomer"].(float64)
			}
		}
		return sum
	}
	if got := cost(get("/invoices/unbilled/lineitems" + about + "&period=current").rows()); got != 45 {
		t.Errorf("not billed yet: %v", got)
	}
	now := l.s.World.Clock.Now().UTC()
	l.jump(time.Date(now.Year(), now.Month()+1, 9, 0, 0, 0, 0, time.UTC).Sub(now))
	token = l.good(l.i.Tenant.ID, rt, centerAPI+"/.default")
	list := get("/invoices?size=200&offset=0").rows()
	bill := list[len(list)-1]
	rows := get("/invoices/" + bill["id"].(string) + "/lineitems/OneTime/BillingLineItems").rows()
	total := 0.0
	for _, r := range rows {
		total += r["totalForCustomer"].(float64)
	}
	if math.Round(100*total)/100 != bill["totalCharges"] || cost(rows) != 45 {
		t.Errorf("invoice %v says %v, its lines %.2f, and %v for the order", bill["id"], bill["totalCharges"], total, cost(rows))
	}
}
