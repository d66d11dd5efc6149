package center

import (
	"net/http"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

// registered are the ids of a customer's Azure plans, entitlements and Azure
// subscriptions that were registered for reservations.
func registered(c *world.Customer) []string {
	var out []string
	for i := range c.Subscriptions {
		s := &c.Subscriptions[i]
		if s.Deal == nil || s.Deal.Registered.IsZero() {
			continue
		}
		out = append(out, s.ID)
		for _, e := range s.Entitlements {
			out = append(out, e.ID, e.SubscriptionID)
		}
	}
	return out
}

// registerSubscription registers an Azure plan for reservations: at once.
func registerSubscription(k *call, i int) (reply, *fault) {
	if len(k.body) > 0 { // it takes none
		if f := k.decode(&struct{ sent }{}); f != nil {
			return reply{}, f
		}
	}
	x := k.settled(i)
	switch {
	case !x.Subscription.AzurePlan:
		return reply{}, deny(entra.CenterNotAzure)
	case x.Subscription.Status != "active":
		return reply{}, deny(entra.CenterNotActive)
	}
	if x.Deal.Registered.IsZero() {
		x.Deal.Registered = k.now
		k.keep(i, &x)
	}
	return reply{status: http.StatusAccepted, header: map[string]string{"Location": "/customers/" + k.customer.TenantID + "/subscriptions/" +
		x.Subscription.ID + "/registrationstatus"}}, nil
}

func registrationStatus(k *call, i int) (reply, *fault) {
	x := k.settled(i)
	status := "notregistered"
	if !x.Deal.Registered.IsZero() {
		status = "registered"
	}
	return ok(map[string]any{"subscriptionId": x.Subscription.ID, "status": status, "attributes": object("SubscriptionRegistrationStatus")}), nil
}

func supportContactView(k *call, i int) (reply, *fault) {
	x := k.settled(i)
	c := x.Deal.Support
	if c == nil {
		c = &world.SupportContact{TenantID: k.partner.ID, MPN: mpnOf(k.partner), Name: k.partner.Name}
	}
	return ok(map[string]any{"supportTenantId": c.TenantID, "supportMpnId": c.MPN, "name": c.Name,
		"links":      selfLink("/customers/" + k.customer.TenantID + "/subscriptions/" + x.Subscription.ID + "/supportcontact"),
		"attributes": object("SupportContact")}), nil
}

// changeSupportContact takes the partner itself or one of its resellers.
func changeSupportContact(k *call, i int) (reply, *fault) {
	var in struct {
		sent
		TenantID string `json:"supportTenantId"`
		MPN      string `json:"supportMpnId"`
		Name     string `json:"name"`
	}
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	c := world.SupportContact{TenantID: k.partner.ID, MPN: mpnOf(k.partner), Name: k.partner.Name}
	if !strings.EqualFold(in.TenantID, k.partner.ID) {
		found := false
		for _, r := range k.partner.Resellers {
			if strings.EqualFold(r.TenantID, in.TenantID) {
				c, found = world.SupportContact{TenantID: r.TenantID, MPN: r.MPN, Name: r.Name}, true
			}
		}
		if !found {
			return reply{}, deny(entra.CenterMalformed, "the support contact must be a reseller with a relationship to the partner.")
		}
	}
	if in.MPN != "" && in.MPN != c.MPN {
		return reply{}, deny(entra.CenterMalformed, "supportMpnId is not that of the tenant.")
	}
	x := k.settled(i)
	x.Deal.Support = &c
	k.keep(i, &x)
	return supportContactView(k, i)
}
