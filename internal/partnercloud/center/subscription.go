package center

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/center/ledger"
	"partnerguard/internal/partnercloud/market"
	"partnerguard/internal/partnercloud/world"
)

func etag(n int64) string { return strconv.FormatInt(max(n, 1), 10) }

func contains(list []string, v string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, v) })
}

func quote(v string) string { return text(v) }

// subscription is the resource as it is sent (Microsoft: Subscription resources).
type subscription struct {
	ID              string            `json:"id"`
	OfferID         string            `json:"offerId"`
	OfferName       string            `json:"offerName"`
	Name            string            `json:"friendlyName"`
	ProductType     idName            `json:"productType"`
	Quantity        int               `json:"quantity"`
	UnitType        string            `json:"unitType"`
	Parent          string            `json:"parentSubscriptionId,omitempty"`
	HasAddOns       bool              `json:"hasPurchasableAddons"`
	Created         string            `json:"creationDate"`
	Effective       string            `json:"effectiveStartDate"`
	CommitmentEnd   string            `json:"commitmentEndDate"`
	CommitmentEndAt string            `json:"commitmentEndDateTime"`
	CycleEnd        string            `json:"billingCycleEndDate,omitempty"`
	CycleEndAt      string            `json:"billingCycleEndDateTime,omitempty"`
	CancelUntil     string            `json:"cancellationAllowedUntilDate,omitempty"`
	Status          string            `json:"status"`
	AutoRenew       bool              `json:"autoRenewEnabled"`
	Trial           bool              `json:"isTrial"`
	Billing         string            `json:"billingType"`
	Cycle           string            `json:"billingCycle"`
	Term            string            `json:"termDuration"`
	RenewalTerm     string            `json:"renewalTermDuration"`
	RefundOptions   []refundOption    `json:"refundOptions"`
	Refundable      *refundable       `json:"refundableQuantity,omitempty"`
	Next            *nextInstructions `json:"scheduledNextTermInstructions,omitempty"`
	Microsoft       bool              `json:"isMicrosoftProduct"`
	Publisher       string            `json:"publisherName"`
	PartnerID       string            `json:"partnerId"`
	Attention       bool              `json:"attentionNeeded"`
	ActionTaken     bool              `json:"actionTaken"`
	Actions         []string          `json:"actions"`
	Reasons         []string          `json:"suspensionReasons,omitempty"`
	Contract        string            `json:"contractType"`
	Promotion       string            `json:"promotionId,omitempty"`
	Links           map[string]*link  `json:"links"`
	OrderID         string            `json:"orderId"`
	Attributes      attributes        `json:"attributes"`
}

type idName struct {
	ID   string `json:"id"`
	Name string `json:"displayName"`
}

type refundOption struct {
	Type    string `json:"type"`
	Expires string `json:"expiresAt"`
}

type refundable struct {
	Total   int             `json:"totalQuantity"`
	Details []refundableLot `json:"details"`
}

type refundableLot struct {
	Quantity int    `json:"quantity"`
	Until    string `json:"allowedUntilDateTime"`
}

type nextInstructions struct {
	Product  nextProduct `json:"product"`
	Quantity int         `json:"quantity"`
	End      *string     `json:"customTermEndDate"`
}

type nextProduct struct {
	Product      string `json:"productId"`
	SKU          string `json:"skuId"`
	Availability string `json:"availabilityId"`
	Cycle        string `json:"billingCycle"`
	Term         string `json:"termDuration"`
	Promotion    string `json:"promotionId"`
}

// farAway is the commitment end of what has none.
const farAway = "9999-12-10T00:00:00Z"

// stand says how a subscription of the customer stands now.
func (k *call) stand(i int) ledger.Standing {
	return ledger.Stand(k.s, &k.customer.Subscriptions[i], k.customer.Currency, k.now)
}

func (k *call) subscriptionView(x *ledger.Standing) subscription {
	s, d := &x.Subscription, &x.Deal
	self := "/customers/" + k.customer.TenantID + "/subscriptions/" + s.ID
	v := subscription{
		ID: s.ID, OfferID: s.Offer, OfferName: s.Name, Name: s.Name, Quantity: s.Quantity, UnitType: "Licenses", Parent: d.Parent, Created: stamp(s.Created),
		Effective: stamp(ledger.Day(s.Created)), CommitmentEnd: farAway, CommitmentEndAt: farAway, Status: s.Status, Trial: d.Trial, Billing: "license",
		Cycle: d.Cycle, Term: d.Term, Microsoft: true, Publisher: "Microsoft Corporation", PartnerID: d.Partner, Contract: "subscription",
		Promotion: d.Promotion, OrderID: d.Order, RefundOptions: []refundOption{}, Actions: []string{}, ProductType: idName{string(market.Licences),
			"Online Services"}, Links: map[string]*link{"self": get(self)}, Attributes: attributes{ETag: etag(s.ETag), ObjectType: "Subscription"},
	}
	if x.Known {
		v.OfferName = x.Offer.SKU.Title
		v.HasAddOns = hasAddOns(x.Offer)
		for name, at := range k.offerLinks(x.Offer) {
			v.Links[name] = at
		}
	}
	if d.Parent != "" {
		v.Links["parentSubscription"] = get("/customers/" + k.customer.TenantID + "/subscriptions/" + d.Parent)
	}
	if s.AzurePlan {
		v.UnitType, v.Billing, v.ProductType = "Usage-based", "usage", idName{string(market.AzurePlan), "Azure Plan"}
		v.Term = ""
	}
	if s.Status == "suspended" {
		v.Reasons = []string{"CustomerCancellation"}
	}
	if s.Status == "active" || s.Status == "suspended" {
		v.Actions = append(v.Actions, "edit")
	}
	if !d.TermEnd.IsZero() {
		k.termView(x, &v)
	}
	return v
}

// termView adds what a term brings.
func (k *call) termView(x *ledger.Standing, v *subscription) {
	d := &x.Deal
	v.CommitmentEnd, v.CommitmentEndAt = stamp(d.TermEnd.AddDate(0, 0, -1)), stamp(d.TermEnd.Add(-time.Second))
	v.AutoRenew = !d.Once && x.Subscription.Status == "active"
	if v.AutoRenew {
		v.RenewalTerm = d.Term
	}
	if end := cycleEnd(d, k.now); !end.IsZero() {
		v.CycleEnd, v.CycleEndAt = stamp(end.AddDate(0, 0, -1)), stamp(end.Add(-time.Second))
	}
	if n := d.Next; n != nil {
		v.Next = nextView(n)
		v.RenewalTerm = n.Term
	}
	until := x.CancelUntil()
	if !k.now.Before(until) || x.Subscription.Status != "active" && x.Subscription.Status != "suspended" {
		return
	}
	v.CancelUntil = stamp(until)
	v.Actions = append(v.Actions, "cancel")
	if full := until.Add(ledger.FullRefund - ledger.Window); k.now.Before(full) {
		v.RefundOptions = append(v.RefundOptions, refundOption{"Full", stamp(full)})
	}
	v.RefundOptions = append(v.RefundOptions, refundOption{"Partial", stamp(until)})
	total, lots := x.Refundable(k.now)
	v.Refundable = &refundable{Total: total, Details: []refundableLot{}}
	for _, l := range lots {
		v.Refundable.Details = append(v.Refundable.Details, refundableLot{l.Quantity, stamp(l.Until)})
	}
}

// cycleEnd is when the billing period at hand ends.
func cycleEnd(d *world.Deal, now time.Time) time.Time {
	step := market.Months(d.Cycle)
	if step == 0 {
		return d.TermEnd
	}
	for n := step; n <= market.Months(market.ThreeYears)+step; n += step {
		if end := market.After(d.TermStart, n); end.After(now) {
			if end.After(d.TermEnd) {
				return d.TermEnd
			}
			return end
		}
	}
	return d.TermEnd
}

func nextView(n *world.NextTerm) *nextInstructions {
	v := &nextInstructions{Quantity: n.Quantity, Product: nextProduct{Cycle: n.Cycle, Term: n.Term, Promotion: n.Promotion}}
	parts := append(strings.SplitN(n.Offer, ":", 3), "", "")
	v.Product.Product, v.Product.SKU, v.Product.Availability = parts[0], parts[1], parts[2]
	if !n.End.IsZero() {
		end := stamp(n.End)
		v.End = &end
	}
	return v
}

func hasAddOns(o market.Offer) bool {
	for _, p := range market.Products() {
		for i := range p.SKUs {
			if contains(p.SKUs[i].Needs, o.Key()) {
				return true
			}
		}
	}
	return false
}

// listSubscriptions lists all, those of one order (order_id) or those of one reseller
// (mpn_id).
func listSubscriptions(k *call) (reply, *fault) {
	order, mpn := k.query("order_id"), k.query("mpn_id")
	rows := []subscription{}
	for i := range k.customer.Subscriptions {
		x := k.settled(i)
		if order != "" && !strings.EqualFold(x.Deal.Order, order) || mpn != "" && !strings.EqualFold(x.Deal.Partner, mpn) {
			continue
		}
		rows = append(rows, k.subscriptionView(&x))
	}
	return ok(list(rows)), nil
}

// subscriptionIn finds the subscription of the path among the customer's own.
func (k *call) subscriptionIn() (int, *fault) { return k.subscriptionNamed(k.params["subscription"]) }

func (k *call) subscriptionNamed(id string) (int, *fault) {
	for i := range k.customer.Subscriptions {
		if strings.EqualFold(k.customer.Subscriptions[i].ID, id) {
			return i, nil
		}
	}
	return -1, deny(entra.CenterSubscriptionUnknown, id)
}

func getSubscription(k *call, i int) (reply, *fault) {
	x := k.settled(i)
	return k.subscriptionReply(&x), nil
}

func (k *call) subscriptionReply(x *ledger.Standing) reply {
	v := k.subscriptionView(x)
	return reply{status: http.StatusOK, body: v, header: map[string]string{"ETag": v.Attributes.ETag}}
}

// addOns lists the subscriptions that add to one.
func addOns(k *call, i int) (reply, *fault) {
	rows := []subscription{}
	for j := range k.customer.Subscriptions {
		if x := k.settled(j); strings.EqualFold(x.Deal.Parent, k.customer.Subscriptions[i].ID) {
			rows = append(rows, k.subscriptionView(&x))
		}
	}
	return ok(list(rows)), nil
}

// provisioning says that a subscription is ready: it is at once.
func provisioning(k *call, i int) (reply, *fault) {
	x := k.settled(i)
	v := k.subscriptionView(&x)
	id := x.Subscription.Offer
	if x.Known && x.Offer.Directory != "" {
		id = x.Offer.Directory
	}
	return ok(map[string]any{"skuId": id, "status": "success", "quantity": v.Quantity, "endDate": v.CommitmentEnd,
		"attributes": object("SubscriptionProvisioningStatus")}), nil
}
