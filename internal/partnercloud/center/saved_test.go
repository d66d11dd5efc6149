package center

import (
	"bytes"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// TestCommerceIsSaved: a world that was saved and read again says the same of orders,
// subscriptions and money.
func TestCommerceIsSaved(t *testing.T) {
	t.Parallel()
	l := newLab(t, busy)
	mine := "/v1/customers/" + gdapID
	a := l.as("agent", "POST", mine+"/orders", `{"billingCycle":"monthly","lineItems":[{"offerId":"`+basicOffer+`","quantity":3,"termDuration":"P1Y"}]}`)
	l.edit("agent", "PATCH", mine+"/subscriptions/"+a.at("lineItems.0.subscriptionId").(string), map[string]any{"quantity": 4})
	l.as("agent", "POST", mine+"/orders", `{"billingCycle":"one_time","lineItems":[{"offerId":"`+softOffer+`"}]}`)
	cart := l.as("agent", "POST", mine+"/carts", `{"lineItems":[{"catalogItemId":"`+basicOffer+`","quantity":1}]}`)
	l.jump(time.Hour)
	paths := []string{mine + "/carts/" + cart.m["id"].(string), mine + "/orders", mine + "/subscriptions", "/v1/customers/" + dapID + "/subscriptions", mine + "/subscribedskus", "/v1/invoices/summary",
		"/v1/invoices/unbilled/lineitems?provider=onetime&invoicelineitemtype=billinglineitems&currencycode=EUR&period=current"}
	said := func() (out []string) {
		for _, p := range paths {
			if p == mine+"/subscribedskus" {
				p = "/v1/customers/" + dapID + "/subscribedskus"
			}
			out = append(out, l.as("admin", "GET", p, "").Body.String())
		}
		return out
	}
	before := said()
	var b bytes.Buffer
	if err := l.w.Save(&b, nil); err != nil {
		t.Fatal(err)
	}
	w, _, err := world.Load(&b, world.NewClock(func() time.Time { l.mu.Lock(); defer l.mu.Unlock(); return l.now }))
	if err != nil {
		t.Fatal(err)
	}
	old := l.w
	l.w = w
	old.Read(func(s *world.State) { metered := s.Metered; w.Read(func(s *world.State) { s.Metered = metered }) })
	l.c = New(Deps{World: w, Keys: l.keys, Unthrottled: true})
	t.Cleanup(l.c.Close)
	for i, v := range said() {
		if v != before[i] {
			t.Errorf("%s\nbefore %.400s\nafter  %.400s", paths[i], before[i], v)
		}
	}
}
