package arm

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/world"
)

func subscriptionView(k *call, a *world.AzureSubscription) object {
	managed := []object{}
	if k.tenant.Kind == world.CustomerTenant && k.s.Partner != "" {
		managed = append(managed, object{"tenantId": k.s.Partner})
	}
	return object{
		"id": "/subscriptions/" + a.ID, "authorizationSource": "RoleBased", "managedByTenants": managed, "subscriptionId": a.ID, "tenantId": k.tenant.ID,
		"displayName": a.Name,
		"state":       a.StateAt(k.now), "subscriptionPolicies": object{"locationPlacementId": "Internal_2014-09-01", "quotaId": "CSP_2015-05-01",
			"spendingLimit": "Off"},
	}
}

func listSubscriptions(k *call) (reply, *fault) {
	rows := []object{}
	for a := range k.tenant.Azure.All() {
		if a.State != "Deleted" && k.sees(a) {
			rows = append(rows, subscriptionView(k, a))
		}
	}
	return page(k, rows)
}

func getSubscription(k *call) (reply, *fault) { return ok(subscriptionView(k, k.sub)), nil }

func listTenants(k *call) (reply, *fault) {
	rows := []object{tenantView(k.tenant, "Home")}
	if k.who.AOBO {
		rows[0]["tenantCategory"] = "ProjectedBy"
		if p := k.s.PartnerTenant(); p != nil {
			rows = append(rows, tenantView(p, "Home"))
		}
	}
	return page(k, rows)
}

func tenantView(t *world.Tenant, category string) object {
	return object{"id": "/tenants/" + t.ID, "tenantId": t.ID, "countryCode": t.Country, "displayName": t.Name, "domains": slices.Clone(t.Domains),
		"tenantCategory": category, "defaultDomain": t.Domain(), "tenantType": "AAD"}
}

// resources are those that exist at this moment: what is being deleted goes
// when it is due.
func (k *call) resources() []world.AzureResource {
	var out []world.AzureResource
	for _, r := range k.sub.Resources {
		if powerAt(&r, k.now) != "deleted" && (k.at.group == "" || strings.EqualFold(r.Group, k.at.group)) {
			out = append(out, r)
		}
	}
	return out
}

// tracked are those that lists of all resources show: what lies in another is asked of
// its own type alone.
func (k *call) tracked() []world.AzureResource {
	return slices.DeleteFunc(k.resources(), func(r world.AzureResource) bool { return strings.Contains(r.Name, "/") })
}

func resourceID(sub string, r *world.AzureResource) string {
	return "/subscriptions/" + sub + r.Path()
}

func tags(r *world.AzureResource) map[string]string {
	if r.Tags == nil {
		return map[string]string{}
	}
	return r.Tags
}

// entitlements keeps Partner Center's view of an Azure subscription in step.
func (k *call) entitlements(id string, f func(*world.Entitlement)) {
	p := k.s.PartnerTenant()
	if p == nil || p.Customers.Get(k.tenant.ID) == nil {
		return
	}
	p.Customers.Change(k.tenant.ID, func(c *world.Customer) {
		c.Subscriptions = slices.Clone(c.Subscriptions)
		for i := range c.Subscriptions {
			s := &c.Subscriptions[i]
			s.Entitlements = slices.Clone(s.Entitlements)
			for j := range s.Entitlements {
				if strings.EqualFold(s.Entitlements[j].SubscriptionID, id) {
					f(&s.Entitlements[j])
				}
			}
		}
	})
}

// cancelSubscription cancels at once. With running resources it asks to be told
// that they do not matter.
func cancelSubscription(k *call) (reply, *fault) {
	if k.sub.StateAt(k.now) == "Disabled" {
		return reply{}, bad("SubscriptionNotActive", "The subscription is not active.")
	}
	if len(k.resources()) > 0 && !strings.EqualFold(k.param("IgnoreResourceCheck"), "true") {
		return reply{}, bad("SubscriptionHasResources", "The subscription has active resources. Delete them, or cancel with IgnoreResourceCheck=true.")
	}
	k.cancel("")
	return ok(object{"subscriptionId": k.sub.ID}), nil
}

func (k *call) cancel(reason string) {
	k.change("Microsoft.Subscription/cancel/action", "/subscriptions/"+k.sub.ID, "Succeeded", func(a *world.AzureSubscription) { a.CancelDue = k.now })
	k.entitlements(k.sub.ID, func(e *world.Entitlement) {
		if e.StatusAt(k.now) == "active" {
			e.CancelledAt, e.CancelDue, e.Reason = k.now, k.now, reason
		}
	})
}

func enableSubscription(k *call) (reply, *fault) {
	if k.sub.StateAt(k.now) == "Enabled" {
		return reply{}, bad("SubscriptionAlreadyEnabled", "The subscription is enabled.")
	}
	if p := k.s.PartnerTenant(); p != nil {
		if c := p.Customers.Get(k.tenant.ID); c != nil {
			for _, s := range c.Subscriptions {
				for _, e := range s.Entitlements {
					if strings.EqualFold(e.SubscriptionID, k.sub.ID) && (s.Status != "active" || e.Reason == "compromise") {
						return reply{}, refuse(http.StatusForbidden, "SubscriptionEnableNotAllowed",
							"The subscription was suspended or cancelled by the partner.")
					}
				}
			}
		}
	}
	k.change("Microsoft.Subscription/enable/action", "/subscriptions/"+k.sub.ID, "Succeeded",
		func(a *world.AzureSubscription) { a.SetState("Enabled", k.now) })
	k.entitlements(k.sub.ID, func(e *world.Entitlement) { e.Status, e.CancelDue, e.CancelledAt = "active", time.Time{}, time.Time{} })
	return ok(object{"subscriptionId": k.sub.ID}), nil
}

func renameSubscription(k *call) (reply, *fault) {
	var in struct {
		Name string `json:"subscriptionName"`
	}
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	if in.Name = strings.TrimSpace(in.Name); in.Name == "" || len(in.Name) > 64 || strings.ContainsAny(in.Name, "<>;|") {
		return reply{}, bad("InvalidSubscriptionName", "The subscription name must have 1 to 64 characters without < > ; |.")
	}
	k.change("Microsoft.Subscription/rename/action", "/subscriptions/"+k.sub.ID, "Succeeded", func(a *world.AzureSubscription) { a.Name = in.Name })
	k.entitlements(k.sub.ID, func(e *world.Entitlement) { e.Name = in.Name })
	return ok(object{"subscriptionId": k.sub.ID}), nil
}

// cancelBilling is the partner agreement's way: a token for the partner's own
// tenant, of an Admin Agent.
func cancelBilling(k *call) (reply, *fault) {
	p := k.s.PartnerTenant()
	if p == nil || k.tenant.ID != p.ID || k.who.AppOnly() || !p.InGroup(k.who.ObjectID, world.AdminAgents) {
		return reply{}, refuse(http.StatusForbidden, "AuthorizationFailed",
			"The client does not have authorization to cancel subscriptions of this billing account: it needs Admin Agent of the partner tenant.")
	}
	var in struct {
		Reason   string `json:"cancellationReason"`
		Customer string `json:"customerId"`
	}
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	if !slices.Contains([]string{"Compromise", "Dispute", "Other"}, in.Reason) {
		return reply{}, bad("InvalidCancellationReason", "cancellationReason must be Compromise, Dispute or Other.")
	}
	for c := range p.Customers.All() {
		if in.Customer != "" && !strings.EqualFold(c.TenantID, in.Customer[strings.LastIndexByte(in.Customer, '/')+1:]) {
			continue
		}
		for i := range c.Subscriptions {
			for _, e := range c.Subscriptions[i].Entitlements {
				if !strings.EqualFold(e.SubscriptionID, k.params["name"]) {
					continue
				}
				t := k.s.Tenant(c.TenantID)
				if t == nil || t.Azure.Get(e.SubscriptionID) == nil {
					continue
				}
				if e.StatusAt(k.now) != "active" {
					return reply{}, bad("SubscriptionNotActive", "The subscription is not active.")
				}
				k.tenant, k.sub = t, t.Azure.Get(e.SubscriptionID)
				k.cancel(strings.ToLower(in.Reason))
				return reply{status: http.StatusAccepted, header: map[string]string{"Retry-After": "10"}}, nil
			}
		}
	}
	return reply{}, refuse(http.StatusNotFound, "BillingSubscriptionNotFound", "The billing subscription could not be found in the billing account.")
}
