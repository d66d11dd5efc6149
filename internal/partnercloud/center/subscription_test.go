package center

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/world"
)

const (
	basicOffer = "CFQ7TTC0LH18:0001:CFQ7TTC0K971"
	soldID     = "50000000-0000-4000-8000-000000000003" // bought yesterday by the year
)

// sell gives the customer by DAP a subscription that was bought a day before start.
func sell(s *world.State) {
	at := start.Add(-30 * time.Hour)
	s.PartnerTenant().Customers.Change(dapID, func(c *world.Customer) {
		c.Subscriptions = append(c.Subscriptions, world.Subscription{ID: soldID, Offer: basicOffer, Name: "Basic", Quantity: 5, Status: "active", Created: at,
			ETag: 1, Deal: &world.Deal{Order: "aabbccddeeff", Currency: "USD", Term: "P1Y", Cycle: "monthly", TermStart: at.Truncate(24 * time.Hour),
				TermEnd: at.Truncate(24*time.Hour).AddDate(1, 0, 0), Events: []world.DealEvent{{At: at, Kind: world.DealNew, Offer: basicOffer, Quantity: 5,
					Term: "P1Y", Cycle: "monthly"}}}})
	})
	s.Tenant(dapID).SKUs = append(s.Tenant(dapID).SKUs, world.SKU{ID: "3b555118-da6a-4418-894f-7df1e2096870", Part: "O365_BUSINESS_ESSENTIALS",
		Status: "Enabled", Enabled: 5})
}

// edit reads a resource, changes members and sends all of it back.
func (l *lab) edit(who, method, path string, members map[string]any) answer {
	l.t.Helper()
	a := l.as("agent", "GET", path, "")
	if a.Code != 200 {
		l.t.Fatalf("%s: %d %s", path, a.Code, a.Body)
	}
	for name, v := range members {
		a.m[name] = v
	}
	body, err := json.Marshal(a.m)
	if err != nil {
		l.t.Fatal(err)
	}
	return l.as(who, method, path, string(body))
}

// TestSubscriptionChanges is what of a subscription may be changed. Each case starts
// anew.
func TestSubscriptionChanges(t *testing.T) {
	t.Parallel()
	next := func(offer, term, cycle string, n int) map[string]any {
		p := strings.Split(offer, ":")
		return map[string]any{"product": map[string]any{"productId": p[0], "skuId": p[1], "availabilityId": p[2], "termDuration": term, "billingCycle": cycle},
			"quantity": n, "customTermEndDate": nil}
	}
	sold := func(f func(*world.Subscription)) func(*world.State) {
		return func(s *world.State) {
			s.PartnerTenant().Customers.Change(dapID, func(c *world.Customer) {
				c.Subscriptions = append([]world.Subscription(nil), c.Subscriptions...)
				d := *c.Subscriptions[2].Deal
				c.Subscriptions[2].Deal = &d
				f(&c.Subscriptions[2])
			})
		}
	}
	suspended := sold(func(s *world.Subscription) { s.Status = "suspended" })
	late := sold(func(s *world.Subscription) {
		s.Deal.Events = append([]world.DealEvent(nil), s.Deal.Events...)
		s.Deal.Events[0].At = start.AddDate(0, 0, -60)
		s.Deal.TermStart = start.AddDate(0, 0, -60).Truncate(24 * time.Hour)
	})
	for _, c := range []struct {
		name    string
		change  func(*world.State)
		members map[string]any
		code    string // "" is success
	}{
		{"nothing", nil, nil, ""},
		{"a name", nil, map[string]any{"friendlyName": "Ours"}, ""},
		{"more seats", nil, map[string]any{"quantity": 9}, ""},
		{"too many seats", nil, map[string]any{"quantity": 301}, "2002"},
		{"no seats", nil, map[string]any{"quantity": 0}, "2002"},
		{"fewer seats in the week", nil, map[string]any{"quantity": 2}, ""},
		{"fewer seats later", late, map[string]any{"quantity": 2}, "800090"},
		{"suspend", nil, map[string]any{"status": "suspended"}, ""},
		{"suspend in another case", nil, map[string]any{"status": "Suspended"}, ""},
		{"suspend with other seats", nil, map[string]any{"status": "suspended", "quantity": 6}, "2001"},
		{"seats of a suspended one", suspended, map[string]any{"quantity": 6}, "2001"},
		{"seats while it is brought back", suspended, map[string]any{"quantity": 6, "status": "active"}, "2001"},
		{"the name of a suspended one", suspended, map[string]any{"friendlyName": "Ours"}, "800091"},
		{"bring back", suspended, map[string]any{"status": "active"}, ""},
		{"cancel in the week", nil, map[string]any{"status": "deleted"}, ""},
		{"cancel later", late, map[string]any{"status": "deleted"}, "900117"},
		{"change a deleted one", sold(func(s *world.Subscription) { s.Status = "deleted" }), map[string]any{"status": "active"}, "2011"},
		{"change an expired one", sold(func(s *world.Subscription) {
			s.Deal.Once, s.Deal.TermEnd = true, start.AddDate(0, 0, -2)
		}), map[string]any{"status": "active"}, "900279"},
		{"a status that is none", nil, map[string]any{"status": "paused"}, "900126"},
		{"the billing cycle", nil, map[string]any{"billingCycle": "annual"}, "2054"},
		{"a billing cycle that is none", nil, map[string]any{"billingCycle": "daily"}, "900126"},
		{"a shorter term", nil, map[string]any{"termDuration": "P1M"}, "800122"},
		{"a longer term", nil, map[string]any{"termDuration": "P3Y"}, "3000"},
		{"a term that is none", nil, map[string]any{"termDuration": "P2W"}, "800121"},
		{"the term of a trial", sold(func(s *world.Subscription) { s.Deal.Trial = true }), map[string]any{"termDuration": "P3Y"}, "800107"},
		{"no automatic renewal", nil, map[string]any{"autoRenewEnabled": false}, ""},
		{"automatic renewal of a trial", sold(func(s *world.Subscription) { s.Deal.Trial, s.Deal.Once = true, true }), map[string]any{"autoRenewEnabled": true},
			"800093"},
		{"the order", nil, map[string]any{"orderId": "x"}, "3000"},
		{"a trial it never was", nil, map[string]any{"isTrial": true}, "3000"},
		{"another offer", nil, map[string]any{"offerId": "CFQ7TTC0LDPB:0001:CFQ7TTC0LGNT"}, "800002"},
		{"a reseller of ours", nil, map[string]any{"partnerId": "1234567"}, ""},
		{"a reseller of nobody", nil, map[string]any{"partnerId": "7654321"}, "2072"},
		{"a member that is none", nil, map[string]any{"colour": "red"}, "400"},
		{"the next term", nil, map[string]any{"scheduledNextTermInstructions": next(basicOffer, "P1M", "Monthly", 7)}, ""},
		{"upgraded with the next term", nil, map[string]any{"scheduledNextTermInstructions": next("CFQ7TTC0LDPB:0001:CFQ7TTC0LGNT", "P1Y", "Annual", 5)}, ""},
		{"something unrelated", nil, map[string]any{"scheduledNextTermInstructions": next("CFQ7TTC0HL8W:0001:CFQ7TTC0K59S", "P1Y", "Annual", 5)}, "800004"},
		{"a cycle longer than the term", nil, map[string]any{"scheduledNextTermInstructions": next(basicOffer, "P1M", "Annual", 7)}, "900222"},
		{"too many next", nil, map[string]any{"scheduledNextTermInstructions": next(basicOffer, "P1M", "Monthly", 700)}, "2002"},
		{"next without renewal", nil, map[string]any{"autoRenewEnabled": false,
			"scheduledNextTermInstructions": next(basicOffer, "P1M", "Monthly", 7)}, "800093"},
		{"next of a suspended one", suspended, map[string]any{"scheduledNextTermInstructions": next(basicOffer, "P1M", "Monthly", 7)}, "800091"},
		{"an unknown member of next", nil, map[string]any{"scheduledNextTermInstructions": map[string]any{"colour": "red"}}, "400"},
		{"updated too often", sold(func(s *world.Subscription) {
			for range maxUpdates {
				s.Deal.Actions = append(s.Deal.Actions, start.Add(-time.Hour))
			}
		}), nil, "900311"},
		{"an add-on of a suspended one", sold(func(s *world.Subscription) { s.Status, s.Deal.Parent = "suspended", licenceID }),
			map[string]any{"status": "active"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, func(s *world.State) {
				sell(s)
				if c.change != nil {
					c.change(s)
				}
			})
			path := "/v1/customers/" + dapID + "/subscriptions/" + soldID
			before := l.as("agent", "GET", path, "").Body.String()
			a := l.edit("agent", "PATCH", path, c.members)
			if c.code == "" && a.Code != 200 || a.code() != c.code {
				t.Errorf("%d %s, want %q: %s", a.Code, a.code(), c.code, a.Body)
			}
			if after := l.as("agent", "GET", path, "").Body.String(); c.code != "" && after != before {
				t.Errorf("a refused change changed\n%s\n%s", before, after)
			}
		})
	}
}

func TestSubscriptionInFull(t *testing.T) {
	t.Parallel()
	l := newLab(t, sell)
	a := l.as("app", "GET", "/v1/customers/"+dapID+"/subscriptions/"+soldID, "")
	for name, want := range map[string]any{"orderId": "aabbccddeeff", "offerName": "Microsoft 365 Business Basic", "friendlyName": "Basic", "isTrial": false,
		"billingCycle": "monthly", "billingType": "license", "termDuration": "P1Y", "autoRenewEnabled": true, "renewalTermDuration": "P1Y",
		"commitmentEndDate": "2027-11-20T00:00:00Z", "commitmentEndDateTime": "2027-11-20T23:59:59Z", "attentionNeeded": false, "actionTaken": false,
		"cancellationAllowedUntilDate": "2026-11-28T02:00:00Z", "hasPurchasableAddons": true, "publisherName": "Microsoft Corporation", "partnerId": "",
		"contractType": "subscription", "billingCycleEndDate": "2026-12-20T00:00:00Z"} {
		if a.m[name] != want {
			t.Errorf("%s is %v, want %v", name, a.m[name], want)
		}
	}
	links, _ := a.m["links"].(map[string]any)
	sku, _ := links["sku"].(map[string]any)
	if sku["uri"] != "/products/CFQ7TTC0LH18/skus/0001?country=US" || links["self"] == nil || links["availability"] == nil {
		t.Errorf("links %v", links)
	}
	if o := fmt.Sprint(a.m["refundOptions"]); o != "[map[expiresAt:2026-11-28T02:00:00Z type:Partial]]" {
		t.Errorf("refund options %s", o)
	}
	for q, want := range map[string]int{"?order_id=aabbccddeeff": 1, "?order_id=x": 0, "?mpn_id=1234567": 0, "": 3} {
		if got := l.as("app", "GET", "/v1/customers/"+dapID+"/subscriptions"+q, ""); len(got.items()) != want {
			t.Errorf("%q: %s", q, got.Body)
		}
	}
	if got := l.as("app", "GET", "/v1/customers/"+gdapID+"/subscriptions/"+soldID, ""); got.code() != "20003" {
		t.Errorf("another customer's: %s", got.Body)
	}
}

// TestSuspendedLicences: suspending takes the licences from the directory, and bringing
// back gives them back.
func TestSuspendedLicences(t *testing.T) {
	t.Parallel()
	l := newLab(t, sell)
	path := "/v1/customers/" + dapID + "/subscriptions/" + soldID
	sku := func() world.SKU {
		var out world.SKU
		l.w.Read(func(s *world.State) { out = s.Tenant(dapID).SKUs[1] })
		return out
	}
	for _, c := range []struct {
		members              map[string]any
		enabled, suspended   int
		status, subscription string
	}{
		{map[string]any{"status": "suspended"}, 0, 5, "Suspended", "suspended"},
		{map[string]any{"status": "active"}, 5, 0, "Enabled", "active"},
		{map[string]any{"quantity": 8}, 8, 0, "Enabled", "active"},
		{map[string]any{"status": "deleted"}, 0, 0, "Deleted", "deleted"},
	} {
		a := l.edit("agent", "PATCH", path, c.members)
		if a.Code != 200 || a.m["status"] != c.subscription {
			t.Fatalf("%v: %d %s", c.members, a.Code, a.Body)
		}
		if got := sku(); got.Enabled != c.enabled || got.Suspended != c.suspended || got.Status != c.status {
			t.Errorf("%v: %+v", c.members, got)
		}
	}
}

// TestTermsPass: what is not renewed ends, with what follows from it in the directory.
func TestTermsPass(t *testing.T) {
	t.Parallel()
	l := newLab(t, sell)
	path := "/v1/customers/" + dapID + "/subscriptions/" + soldID
	if a := l.edit("agent", "PATCH", path, map[string]any{"autoRenewEnabled": false}); a.m["autoRenewEnabled"] != false {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	for _, c := range []struct {
		days    int
		status  string
		enabled int
	}{{364, "expired", 5}, {30, "disabled", 0}, {90, "deleted", 0}} {
		l.jump(time.Duration(c.days) * 24 * time.Hour)
		if a := l.as("app", "GET", path, ""); a.m["status"] != c.status {
			t.Errorf("after %d days more: %v", c.days, a.m["status"])
		}
		l.w.Read(func(s *world.State) {
			if got := s.Tenant(dapID).SKUs[1]; got.Enabled != c.enabled {
				t.Errorf("%s: %+v", c.status, got)
			}
		})
	}
}
