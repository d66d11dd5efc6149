package center

import (
	"slices"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/center/ledger"
	"partnerguard/internal/partnercloud/market"
	"partnerguard/internal/partnercloud/world"
)

// settled says how a subscription stands and writes down what time alone changed.
func (k *call) settled(i int) ledger.Standing {
	x := k.stand(i)
	if x.Moved {
		k.keep(i, &x)
	}
	return x
}

// settleBought lets the terms pass of whatever was bought or changed here, so that the
// directory follows whether or not somebody looks at Partner Center.
func settleBought(s *world.State, now time.Time) {
	p := s.PartnerTenant()
	if p == nil {
		return
	}
	for _, c := range p.Customers.List() {
		for i := range c.Subscriptions {
			if c.Subscriptions[i].Deal == nil {
				continue
			}
			k := &call{s: s, partner: p, customer: p.Customers.Get(c.TenantID), tenant: s.Tenant(c.TenantID), now: now}
			k.settled(i)
		}
	}
}

// keep writes a subscription down with its deal, and what follows from the change: the
// licences in the customer's directory and the Azure subscriptions of a plan.
func (k *call) keep(i int, x *ledger.Standing) {
	old := k.customer.Subscriptions[i]
	x.Subscription.ETag = max(old.ETag, 1) + 1
	deal := x.Deal
	x.Subscription.Deal = &deal
	x.Moved = false
	k.partner.Customers.Change(k.customer.TenantID, func(c *world.Customer) {
		c.Subscriptions = slices.Clone(c.Subscriptions)
		c.Subscriptions[i] = x.Subscription
	})
	k.customer = k.partner.Customers.Get(k.customer.TenantID)
	k.s.Dirty()
	k.follow(&old, &x.Subscription)
}

// add gives the customer a new subscription.
func (k *call) add(s world.Subscription) {
	k.partner.Customers.Change(k.customer.TenantID, func(c *world.Customer) {
		c.Subscriptions = append(slices.Clone(c.Subscriptions), s)
	})
	k.customer = k.partner.Customers.Get(k.customer.TenantID)
	k.s.Dirty()
	k.follow(&world.Subscription{Status: "deleted"}, &s)
}

// How the seats of a subscription are in the directory.
const (
	seatsGone = iota
	seatsHeld // there, but nobody may use them
	seatsOpen
)

func seatsOf(s *world.Subscription) (state, n int) {
	switch s.Status {
	case "active", "expired": // what expired can be used for another 30 days
		return seatsOpen, s.Quantity
	case "suspended", "disabled":
		return seatsHeld, s.Quantity
	}
	return seatsGone, 0
}

// follow brings the customer's tenant after a change of a subscription.
func (k *call) follow(old, now *world.Subscription) {
	if k.tenant == nil {
		return
	}
	if now.AzurePlan {
		if (old.Status == "active") != (now.Status == "active") {
			k.switchAzure(now)
		}
		return
	}
	k.seats(old, -1)
	k.seats(now, 1)
}

// seats puts the seats of a subscription into the directory, or takes them out.
func (k *call) seats(s *world.Subscription, sign int) {
	o, ok := market.Find(s.Offer)
	state, n := seatsOf(s)
	if !ok || o.Part == "" || state == seatsGone || n == 0 {
		return
	}
	list := slices.Clone(k.tenant.SKUs)
	i := slices.IndexFunc(list, func(x world.SKU) bool {
		return strings.EqualFold(x.ID, o.Directory) || strings.EqualFold(x.Part, o.Part)
	})
	if i < 0 {
		if sign < 0 {
			return
		}
		row := world.SKU{ID: o.Directory, Part: o.Part, Plans: []world.Plan{}}
		for _, p := range o.Plans {
			row.Plans = append(row.Plans, world.Plan{ID: p.ID, Name: p.Name})
		}
		list, i = append(list, row), len(list)
	}
	row := &list[i]
	if state == seatsOpen {
		row.Enabled = max(0, row.Enabled+sign*n)
	} else {
		row.Suspended = max(0, row.Suspended+sign*n)
	}
	switch {
	case row.Enabled > 0:
		row.Status = "Enabled"
	case row.Suspended > 0:
		row.Status = "Suspended"
	default:
		row.Status = "Deleted"
	}
	k.tenant.SKUs = list
	k.s.Touch(k.tenant)
}

// switchAzure sets the state of the Azure subscriptions of a plan that were not
// cancelled for themselves.
func (k *call) switchAzure(s *world.Subscription) {
	state := "Enabled"
	if s.Status != "active" {
		state = "Disabled"
	}
	for i := range s.Entitlements {
		if e := &s.Entitlements[i]; e.StatusAt(k.now) != "inactive" {
			k.tenant.Azure.Change(e.SubscriptionID, func(a *world.AzureSubscription) { a.SetState(state, k.now) })
		}
	}
	k.s.Dirty()
}
