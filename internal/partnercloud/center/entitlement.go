package center

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

type entitlement struct {
	ID           string     `json:"id"`
	Name         string     `json:"friendlyName"`
	Status       string     `json:"status"`
	Subscription string     `json:"subscriptionId"`
	Attributes   attributes `json:"attributes"`
}

func (k *call) entitlementOf(e *world.Entitlement) entitlement {
	return entitlement{e.ID, e.Name, e.StatusAt(k.now), e.SubscriptionID, object("AzureEntitlement")}
}

// plan finds the Azure plan of the path.
func (k *call) plan() (int, *fault) {
	i, f := k.subscriptionIn()
	if f == nil && !k.customer.Subscriptions[i].AzurePlan {
		f = refuse(http.StatusBadRequest, 400, "The subscription is not an Azure plan.")
	}
	return i, f
}

func listEntitlements(k *call, i int) (reply, *fault) {
	rows := []entitlement{}
	for j := range k.customer.Subscriptions[i].Entitlements {
		rows = append(rows, k.entitlementOf(&k.customer.Subscriptions[i].Entitlements[j]))
	}
	return ok(list(rows)), nil
}

func (k *call) entitlementIn() (i, j int, f *fault) {
	if i, f = k.plan(); f != nil {
		return i, 0, f
	}
	for j := range k.customer.Subscriptions[i].Entitlements {
		if strings.EqualFold(k.customer.Subscriptions[i].Entitlements[j].ID, k.params["entitlement"]) {
			return i, j, nil
		}
	}
	return i, 0, refuse(http.StatusNotFound, 404, "The plan has no Azure entitlement %s.", k.params["entitlement"])
}

func getEntitlement(k *call) (reply, *fault) {
	i, j, f := k.entitlementIn()
	if f != nil {
		return reply{}, f
	}
	return ok(k.entitlementOf(&k.customer.Subscriptions[i].Entitlements[j])), nil
}

// cancelTakes is how long a cancellation takes (contracts.md section 7.1).
const cancelTakes = 10 * time.Minute

// cancelEntitlement cancels one Azure subscription: app-only, or by a Global
// Administrator of the partner who is an Admin Agent.
func cancelEntitlement(k *call) (reply, *fault) {
	if k.user != nil && !k.partner.HasRole(k.user.ID, k.now, entra.RoleGlobalAdministrator) {
		return reply{}, forbidden("Insufficient privileges: this needs Global Administrator of the partner tenant and AdminAgents.")
	}
	i, j, f := k.entitlementIn()
	if f != nil {
		return reply{}, f
	}
	var in struct {
		sent
		Reason string `json:"cancellationReason"`
	}
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	e := k.customer.Subscriptions[i].Entitlements[j]
	switch {
	case !strings.EqualFold(in.Reason, "compromise"):
		return reply{}, deny(entra.CenterCancelReason)
	case e.StatusAt(k.now) != "active":
		return reply{}, refuse(http.StatusBadRequest, entra.CenterNoEntitlement, "The entitlement is %s and cannot be cancelled.", e.StatusAt(k.now))
	case !e.CancelDue.IsZero():
		return reply{}, deny(entra.CenterPending)
	}
	due := k.now.Add(cancelTakes)
	k.partner.Customers.Change(k.customer.TenantID, func(c *world.Customer) {
		c.Subscriptions = slices.Clone(c.Subscriptions)
		s := &c.Subscriptions[i]
		s.Entitlements = slices.Clone(s.Entitlements)
		n := &s.Entitlements[j]
		n.CancelledAt, n.CancelDue, n.Reason = k.now, due, "compromise"
	})
	k.tenant.Azure.Change(e.SubscriptionID, func(a *world.AzureSubscription) { a.CancelDue = due })
	k.s.Dirty()
	k.record("subscription", "update_subscription", k.entitlementOf(&e), map[string]string{"id": e.ID, "cancellationReason": "compromise"},
		world.KeyValue{Key: "SubscriptionId", Value: e.SubscriptionID})
	return reply{status: http.StatusAccepted, header: map[string]string{
		"Location":    k.base + "/v1/customers/" + k.customer.TenantID + "/subscriptions/" + k.customer.Subscriptions[i].ID + "/azureEntitlements/" + e.ID,
		"Retry-After": "60",
	}}, nil
}
