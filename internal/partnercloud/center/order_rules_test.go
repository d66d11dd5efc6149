package center

import (
	"encoding/json"
	"fmt"
	"net/url"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/market"
	"partnerguard/internal/partnercloud/world"
)

const (
	basicKey = "CFQ7TTC0LH18:0001"
	phoneKey = "CFQ7TTC0HDJX:0001" // adds to it
)

func offerID(t *testing.T, key string) string {
	t.Helper()
	o, ok := market.Find(key)
	if !ok {
		t.Fatal(key)
	}
	return o.OfferID()
}

// TestOrdersOfSeveralGroups: a customer has one Azure plan however many carts and
// groups ask for one, and what adds to something is never bought without it.
func TestOrdersOfSeveralGroups(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(s *world.State) {
		s.PartnerTenant().Customers.Change(bareID, func(c *world.Customer) { c.Agreed = true })
	})
	base := "/v1/customers/" + bareID
	buy := func(lines string) answer {
		t.Helper()
		a := l.as("agent", "POST", base+"/carts", `{"lineItems":[`+lines+`]}`)
		if a.Code != 201 {
			t.Fatalf("cart: %d %s", a.Code, a.Body)
		}
		return l.as("agent", "POST", fmt.Sprint(base, "/carts/", a.m["id"], "/checkout"), "")
	}
	count := func() (plans int, parents []any) {
		t.Helper()
		for _, x := range l.as("agent", "GET", base+"/subscriptions", "").items() {
			if x["parentSubscriptionId"] != nil {
				parents = append(parents, x["parentSubscriptionId"])
			}
			if x["offerId"] == offerID(t, "DZH318Z0BPS6:0001") {
				plans++
			}
		}
		return plans, parents
	}
	item := func(offer, group, cycle string, n int) string {
		return fmt.Sprintf(`{"catalogItemId":"%s","quantity":%d,"orderGroup":"%s","billingCycle":"%s"}`, offerID(t, offer), n, group, cycle)
	}
	plan := item("DZH318Z0BPS6:0001", "a", "oneTime", 1)
	buy(plan + "," + item("DZH318Z0BPS6:0001", "b", "oneTime", 1))
	if n, _ := count(); n != 1 {
		t.Errorf("%d Azure plans", n)
	}
	// In another group than its base.
	if a := buy(item(phoneKey, "x", "monthly", 2) + "," + item(basicKey, "y", "annual", 3)); a.Code != 201 {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	_, parents := count()
	if len(parents) != 1 || l.as("agent", "GET", fmt.Sprint(base, "/subscriptions/", parents[0]), "").Code != 200 {
		t.Errorf("parents %v", parents)
	}
}

// TestAddOnsNeedWhatTheyAddTo: a base that cannot be bought takes its add-on with it.
func TestAddOnsNeedWhatTheyAddTo(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(s *world.State) {
		s.PartnerTenant().Customers.Change(bareID, func(c *world.Customer) { c.Agreed = true })
	})
	base := "/v1/customers/" + bareID
	a := l.as("agent", "POST", base+"/carts", fmt.Sprintf(`{"lineItems":[{"catalogItemId":"%s","quantity":2,"orderGroup":"x"},
		{"catalogItemId":"%s","quantity":3,"orderGroup":"y","currencyCode":"USD"},{"catalogItemId":"%s","quantity":1,"orderGroup":"z"}]}`,
		offerID(t, phoneKey), offerID(t, basicKey), offerID(t, "DZH318Z0BPS6:0001")))
	a = l.as("agent", "POST", fmt.Sprint(base, "/carts/", a.m["id"], "/checkout"), "")
	orders, _ := a.m["orders"].([]any)
	refused, _ := a.m["orderErrors"].([]any)
	if a.Code != 201 || len(orders) != 1 || len(refused) != 2 {
		t.Errorf("%d orders, %d refused: %d %s", len(orders), len(refused), a.Code, a.Body)
	}
}

// TestOrderLinesSentBackOtherwise: seats are changed on the subscription, so an order
// with other seats is refused.
func TestOrderLinesSentBackOtherwise(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(s *world.State) {
		s.PartnerTenant().Customers.Change(bareID, func(c *world.Customer) { c.Agreed = true })
	})
	base, offer := "/v1/customers/"+bareID+"/orders", offerID(t, basicKey)
	a := l.as("agent", "POST", base, `{"billingCycle":"monthly","lineItems":[{"offerId":"`+offer+`","quantity":3,"termDuration":"P1Y"}]}`)
	if a.Code != 201 {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	path := fmt.Sprint(base, "/", a.m["id"])
	for _, c := range []struct {
		line string
		code int
	}{{`"quantity":30`, 400}, {`"quantity":3,"termDuration":"P1M"`, 400}, {`"quantity":3,"termDuration":"P1Y"`, 200}} {
		b := l.as("agent", "PATCH", path, `{"billingCycle":"annual","lineItems":[{"lineItemNumber":0,"offerId":"`+offer+`",`+c.line+`}]}`)
		if b.Code != c.code {
			t.Errorf("%s: %d, want %d: %s", c.line, b.Code, c.code, b.Body)
		}
	}
}

// TestTermsEndWhetherOrNotSomebodyLooks: the directory follows the clock, not the
// reading of Partner Center.
func TestTermsEndWhetherOrNotSomebodyLooks(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(s *world.State) {
		s.PartnerTenant().Customers.Change(bareID, func(c *world.Customer) { c.Agreed = true })
	})
	base := "/v1/customers/" + bareID
	a := l.as("agent", "POST", base+"/orders", `{"billingCycle":"monthly","lineItems":[{"offerId":"`+offerID(t, basicKey)+
		`","quantity":3,"termDuration":"P1M"}]}`)
	subs := l.as("agent", "GET", base+"/subscriptions", "").items()
	if a.Code != 201 || len(subs) != 1 {
		t.Fatalf("%d %s %v", a.Code, a.Body, subs)
	}
	sub := subs[0]
	sub["autoRenewEnabled"] = false
	b, err := json.Marshal(sub)
	if err != nil {
		t.Fatal(err)
	}
	if a = l.as("agent", "PATCH", fmt.Sprint(base, "/subscriptions/", sub["id"]), string(b)); a.Code != 200 {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	o, _ := market.Find(basicKey)
	seats := func() (enabled, suspended int) {
		l.w.Read(func(s *world.State) {
			for _, x := range s.Tenant(bareID).SKUs {
				if x.Part == o.Part {
					enabled, suspended = x.Enabled, x.Suspended
				}
			}
		})
		return enabled, suspended
	}
	for _, c := range []struct {
		days, enabled, suspended int
	}{{0, 3, 0}, {40, 3, 0}, {30, 0, 3}, {100, 0, 0}} { // of a term of a month: expired for 30 days, disabled for 90
		l.jump(time.Duration(c.days) * 24 * time.Hour)
		if n, m := seats(); n != c.enabled || m != c.suspended {
			t.Errorf("after %d days more: %d enabled, %d suspended", c.days, n, m)
		}
	}
}

// TestTrialsBecomeWhatIsSold: a trial that is to renew for a term that is not sold
// would begin again for nothing, term after term.
func TestTrialsBecomeWhatIsSold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		offer, renews string
		orders        int
	}{
		{"CFQ7TTC0LH18:000B", `{"termDuration":"P1Y"}`, 1}, {"CFQ7TTC0LH18:000B", `[{"termDuration":"P1Y"}]`, 1}, {"CFQ7TTC0LH18:000B", `null`, 1},
		{"CFQ7TTC0LH18:000B", `{"termDuration":"P9Y"}`, 0}, {"CFQ7TTC0LH18:000B", `[{"termDuration":"P1Y"},{"termDuration":"P1M"}]`, 0},
		{basicKey, `{"termDuration":"P1Y"}`, 0},
	} {
		l := newLab(t, func(s *world.State) {
			s.PartnerTenant().Customers.Change(bareID, func(c *world.Customer) { c.Agreed = true })
		})
		o, _ := market.Find(c.offer)
		base := "/v1/customers/" + bareID
		a := l.as("agent", "POST", base+"/carts", fmt.Sprintf(`{"lineItems":[{"catalogItemId":"%s","quantity":%d,"renewsTo":%s}]}`, o.OfferID(),
			max(o.Min, 1), c.renews))
		_ = l.as("agent", "POST", fmt.Sprint(base, "/carts/", a.m["id"], "/checkout"), "")
		if n := len(l.as("agent", "GET", base+"/subscriptions", "").items()); n != c.orders {
			t.Errorf("%s renews to %s: %d subscriptions, want %d: %s", c.offer, c.renews, n, c.orders, a.Body)
		}
	}
}

// TestFiltersAreReadWhole: what a filter says besides is not ignored.
func TestFiltersAreReadWhole(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	for _, filter := range []string{`{"Field":"UserState","Value":"Inactive","Operator":"equals","And":{}}`,
		`{"Field":"UserState","Value":"Inactive","value":"Active","Operator":"equals"}`} {
		a := l.as("admin", "GET", "/v1/customers/"+dapID+"/users?filter="+url.QueryEscape(filter), "")
		if a.Code != 400 {
			t.Errorf("%s: %d %.200s", filter, a.Code, a.Body)
		}
	}
}
