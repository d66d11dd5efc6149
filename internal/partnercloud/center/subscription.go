package center

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

func etag(n int64) string { return strconv.FormatInt(max(n, 1), 10) }

func contains(list []string, v string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, v) })
}

func quote(v string) string { return text(v) }

type subscription struct {
	ID          string     `json:"id"`
	OfferID     string     `json:"offerId"`
	OfferName   string     `json:"offerName"`
	Name        string     `json:"friendlyName"`
	Quantity    int        `json:"quantity"`
	UnitType    string     `json:"unitType"`
	Created     string     `json:"creationDate"`
	Effective   string     `json:"effectiveStartDate"`
	Status      string     `json:"status"`
	AutoRenew   bool       `json:"autoRenewEnabled"`
	Billing     string     `json:"billingType"`
	Contract    string     `json:"contractType"`
	ProductType idName     `json:"productType"`
	Attributes  attributes `json:"attributes"`
}

// subscriptionEcho are members of a subscription that a change sends back as they
// were read.
type subscriptionEcho struct {
	sent
	OfferName   any `json:"offerName"`
	UnitType    any `json:"unitType"`
	Created     any `json:"creationDate"`
	Effective   any `json:"effectiveStartDate"`
	AutoRenew   any `json:"autoRenewEnabled"`
	Billing     any `json:"billingType"`
	Contract    any `json:"contractType"`
	ProductType any `json:"productType"`
}

type idName struct {
	ID   string `json:"id"`
	Name string `json:"displayName"`
}

func subscriptionOf(s world.Subscription) subscription {
	at := s.Created.UTC().Format(time.RFC3339)
	v := subscription{
		ID: s.ID, OfferID: s.Offer, OfferName: s.Name, Name: s.Name, Quantity: s.Quantity, UnitType: "Licenses", Created: at, Effective: at, Status: s.Status,
		AutoRenew: s.Status == "active",
		Billing:   "license", Contract: "subscription", ProductType: idName{"OnlineServicesNCE", "Online Services"},
		Attributes: attributes{ETag: etag(s.ETag), ObjectType: "Subscription"},
	}
	if s.AzurePlan {
		v.UnitType, v.Billing, v.ProductType = "Usage", "usage", idName{"AzurePlan", "Azure Plan"}
	}
	return v
}

func listSubscriptions(k *call) (reply, *fault) {
	rows := []subscription{}
	for _, s := range k.customer.Subscriptions {
		rows = append(rows, subscriptionOf(s))
	}
	return ok(list(rows)), nil
}

// subscriptionIn finds the subscription of the path among the customer's own.
func (k *call) subscriptionIn() (int, *fault) {
	for i := range k.customer.Subscriptions {
		if strings.EqualFold(k.customer.Subscriptions[i].ID, k.params["subscription"]) {
			return i, nil
		}
	}
	return -1, refuse(http.StatusNotFound, 404, "The customer has no subscription %s.", k.params["subscription"])
}

func getSubscription(k *call, i int) (reply, *fault) {
	v := subscriptionOf(k.customer.Subscriptions[i])
	return reply{status: http.StatusOK, body: v, header: map[string]string{"ETag": v.Attributes.ETag}}, nil
}

// changeSubscription takes the whole resource: suspending, bringing back, the
// number of licences, the name. Suspending an Azure plan hits every entitlement.
func changeSubscription(k *call, i int) (reply, *fault) {
	var in struct {
		subscriptionEcho
		ID         string  `json:"id"`
		OfferID    string  `json:"offerId"`
		Name       *string `json:"friendlyName"`
		Quantity   *int    `json:"quantity"`
		Status     string  `json:"status"`
		Attributes struct {
			ETag string `json:"etag"`
			Type string `json:"objectType"`
		} `json:"attributes"`
	}
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	old := k.customer.Subscriptions[i]
	status := strings.ToLower(in.Status)
	switch {
	case k.customer.Locked:
		return reply{}, deny(entra.CenterLocked)
	case in.ID == "" || in.OfferID == "" || in.Quantity == nil || in.Status == "":
		return reply{}, refuse(http.StatusBadRequest, 400, "The whole subscription is needed: GET it, change it, send all of it.")
	case !strings.EqualFold(in.ID, old.ID) || in.OfferID != old.Offer:
		return reply{}, refuse(http.StatusBadRequest, 400, "The body is another subscription than the path.")
	case status != "active" && status != "suspended":
		return reply{}, refuse(http.StatusBadRequest, 400, "status must be active or suspended.")
	case *in.Quantity < 1 || *in.Quantity > 1_000_000:
		return reply{}, refuse(http.StatusBadRequest, 400, "quantity must be between 1 and 1000000.")
	case in.Name != nil && len(*in.Name) > maxName:
		return reply{}, refuse(http.StatusBadRequest, 400, "friendlyName is too long.")
	}
	match := strings.Trim(strings.TrimPrefix(cmp.Or(k.Header.Get("If-Match"), in.Attributes.ETag), "W/"), `"`)
	if match != "*" && match != etag(old.ETag) {
		return reply{}, deny(entra.CenterETag)
	}
	if old.Status == "suspended" && status == "suspended" && *in.Quantity != old.Quantity {
		return reply{}, deny(entra.CenterSuspendedQuantity)
	}
	if old.Status == "deleted" {
		return reply{}, deny(entra.CenterDeleted, old.ID)
	}
	before := subscriptionOf(old)
	k.partner.Customers.Change(k.customer.TenantID, func(c *world.Customer) {
		c.Subscriptions = slices.Clone(c.Subscriptions)
		s := &c.Subscriptions[i]
		s.Quantity = *in.Quantity
		if in.Name != nil {
			s.Name = *in.Name
		}
		if s.Status != status {
			k.suspend(s, status)
		} else {
			s.ETag = max(s.ETag, 1) + 1
		}
	})
	k.s.Dirty()
	v := subscriptionOf(k.partner.Customers.Get(k.customer.TenantID).Subscriptions[i])
	k.record("subscription", "update_subscription", before, v, world.KeyValue{Key: "SubscriptionId", Value: old.ID})
	return reply{status: http.StatusOK, body: v, header: map[string]string{"ETag": v.Attributes.ETag}}, nil
}

// suspend sets a subscription's status and, of an Azure plan, the state of the
// Azure subscriptions in it that were not cancelled for themselves.
func (k *call) suspend(s *world.Subscription, status string) {
	s.Status = status
	s.ETag = max(s.ETag, 1) + 1
	if !s.AzurePlan || k.tenant == nil {
		return
	}
	state := "Enabled"
	if status != "active" {
		state = "Disabled"
	}
	for _, e := range s.Entitlements {
		if e.StatusAt(k.now) != "inactive" {
			k.tenant.Azure.Change(e.SubscriptionID, func(a *world.AzureSubscription) { a.SetState(state, k.now) })
		}
	}
}

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
