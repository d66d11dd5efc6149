package center

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/center/ledger"
	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/market"
	"partnerguard/internal/partnercloud/world"
)

// subscriptionInput is the whole resource as a client sends it back. What steers has
// a type, what is read-only is compared (readOnly).
type subscriptionInput struct {
	ID        string          `json:"id"`
	OfferID   string          `json:"offerId"`
	Name      *string         `json:"friendlyName"`
	Quantity  *int            `json:"quantity"`
	Status    string          `json:"status"`
	AutoRenew *bool           `json:"autoRenewEnabled"`
	Cycle     *string         `json:"billingCycle"`
	Term      *string         `json:"termDuration"`
	PartnerID *string         `json:"partnerId"`
	Next      json.RawMessage `json:"scheduledNextTermInstructions"`

	Trial *bool `json:"isTrial"`
	subscriptionEcho
	sentBack
}

// subscriptionEcho are members that a change sends back as they were read. The last
// ones change with time alone and are not compared: they may have been read before.
type subscriptionEcho struct {
	OrderID        any `json:"orderId"`
	UnitType       any `json:"unitType"`
	Billing        any `json:"billingType"`
	Contract       any `json:"contractType"`
	Parent         any `json:"parentSubscriptionId"`
	Promotion      any `json:"promotionId"`
	Entitlement    any `json:"entitlementId"`
	OfferName      any `json:"offerName"`
	Created        any `json:"creationDate"`
	Effective      any `json:"effectiveStartDate"`
	End            any `json:"commitmentEndDate"`
	EndAt          any `json:"commitmentEndDateTime"`
	HasAddOns      any `json:"hasPurchasableAddons"`
	Microsoft      any `json:"isMicrosoftProduct"`
	Publisher      any `json:"publisherName"`
	ProductType    any `json:"productType"`
	NextCharge     any `json:"nextChargeInstructions"`
	Consumption    any `json:"consumptionType"`
	ProductOrderID any `json:"productOrderId"`
	LineItems      any `json:"lineItems"`
	MigratedFrom   any `json:"migratedFromSubscriptionId"`

	CycleEnd      ignored `json:"billingCycleEndDate"`
	CycleEndAt    ignored `json:"billingCycleEndDateTime"`
	CancelUntil   ignored `json:"cancellationAllowedUntilDate"`
	Actions       ignored `json:"actions"`
	Reasons       ignored `json:"suspensionReasons"`
	RefundOptions ignored `json:"refundOptions"`
	Refundable    ignored `json:"refundableQuantity"`
	RenewalTerm   ignored `json:"renewalTermDuration"`
	Attention     ignored `json:"attentionNeeded"`
	ActionTaken   ignored `json:"actionTaken"`
}

// ignored is a member that says nothing, whatever it holds.
type ignored struct{}

// UnmarshalJSON takes anything.
func (ignored) UnmarshalJSON([]byte) error { return nil }

// MarshalJSON says nothing.
func (ignored) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// Updates of one subscription that are taken in a day. The bound is ours: Microsoft
// publishes none.
const (
	maxUpdates   = 50
	updatesCount = 24 * time.Hour
)

// changeSubscription takes the whole resource: suspending, bringing back, cancelling
// (status deleted) within seven days, seats, the name, automatic renewal, what comes
// with the next term. Suspending an Azure plan hits every entitlement.
func changeSubscription(k *call, i int) (reply, *fault) {
	var in subscriptionInput
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	x := k.settled(i)
	old := x
	if f := k.mayUpdate(&x, &in); f != nil {
		return reply{}, f
	}
	for _, step := range []func(*ledger.Standing, *subscriptionInput) *fault{k.readOnly, k.changeRest, k.changeState, k.changeSeats, k.changeRenewal} {
		if f := step(&x, &in); f != nil {
			return reply{}, f
		}
	}
	d := &x.Deal
	d.Actions = append(slices.DeleteFunc(slices.Clone(d.Actions), func(t time.Time) bool { return k.now.Sub(t) >= updatesCount }), k.now)
	before := k.subscriptionView(&old)
	k.keep(i, &x)
	out := k.subscriptionReply(&x)
	k.record("subscription", "update_subscription", before, out.body, world.KeyValue{Key: "SubscriptionId", Value: old.Subscription.ID})
	return out, nil
}

// mayUpdate refuses what cannot be looked at or changed at all.
func (k *call) mayUpdate(x *ledger.Standing, in *subscriptionInput) *fault {
	s := &x.Subscription
	match := k.condition(in.Attributes.ETag)
	recent := 0
	for _, t := range x.Deal.Actions {
		if k.now.Sub(t) < updatesCount {
			recent++
		}
	}
	switch {
	case k.customer.Locked:
		return deny(entra.CenterLocked)
	case in.ID == "" || in.OfferID == "" || in.Quantity == nil || in.Status == "":
		return deny(entra.CenterMalformed, "the whole subscription is needed: GET it, change it, send all of it.")
	case !strings.EqualFold(in.ID, s.ID) || !strings.EqualFold(in.OfferID, s.Offer):
		return deny(entra.CenterMalformed, "the body is another subscription than the path.")
	case match != "*" && match != etag(s.ETag):
		return deny(entra.CenterETag)
	case s.Status == "deleted":
		return deny(entra.CenterDeleted, s.ID)
	case s.Status == "expired" || s.Status == "disabled":
		return deny(entra.CenterNoMoreUpdates)
	case recent >= maxUpdates:
		return deny(entra.CenterTooOften)
	}
	return nil
}

// readOnly refuses what a client changed that cannot be changed here: ignored, it
// would look done.
func (k *call) readOnly(x *ledger.Standing, in *subscriptionInput) *fault {
	v := k.subscriptionView(x)
	if f := unchanged(in.subscriptionEcho, v); f != nil {
		return f
	}
	if in.Trial != nil && *in.Trial != v.Trial {
		return deny(entra.CenterInvalidProperty, "isTrial is read-only: convert the trial.")
	}
	return nil
}

// changeState takes the status.
func (k *call) changeState(x *ledger.Standing, in *subscriptionInput) *fault {
	s, status := &x.Subscription, strings.ToLower(in.Status)
	suspended := s.Status == "suspended"
	switch {
	case status != "active" && status != "suspended" && status != "deleted":
		return deny(entra.CenterEnum, "status")
	case suspended && *in.Quantity != s.Quantity, !suspended && status == "suspended" && *in.Quantity != s.Quantity:
		return deny(entra.CenterSuspendedQuantity)
	case status == s.Status:
		return nil
	case status == "deleted" && (s.AzurePlan || x.Deal.TermEnd.IsZero()):
		return deny(entra.CenterOrderCancel)
	case status == "deleted" && !k.now.Before(x.CancelUntil()):
		return deny(entra.CenterCancelWindowDays, int(ledger.Window/(24*time.Hour)))
	case status == "active" && x.Deal.Parent != "":
		if j, f := k.subscriptionNamed(x.Deal.Parent); f == nil {
			if parent := k.stand(j); parent.Subscription.Status != "active" {
				return deny(entra.CenterParentNotActive)
			}
		}
	}
	k.setStatus(x, status)
	return nil
}

// setStatus changes the status and notes it. What was scheduled for the next term goes
// when a subscription is suspended.
func (k *call) setStatus(x *ledger.Standing, status string) {
	kind, quantity := world.DealResume, x.Subscription.Quantity
	switch status {
	case "suspended":
		kind, x.Deal.Next = world.DealSuspend, nil
	case "deleted":
		kind, quantity = world.DealCancel, 0
	}
	x.Subscription.Status = status
	k.note(x, world.DealEvent{Kind: kind, Offer: x.Subscription.Offer, Quantity: quantity, Term: x.Deal.Term, Cycle: x.Deal.Cycle})
}

// note appends an event of this moment.
func (k *call) note(x *ledger.Standing, e world.DealEvent) {
	e.At = k.now
	x.Deal.Events = append(slices.Clone(x.Deal.Events), e)
}

// changeSeats takes the quantity: more at any time, fewer as long as they can be given
// back.
func (k *call) changeSeats(x *ledger.Standing, in *subscriptionInput) *fault {
	s, n := &x.Subscription, *in.Quantity
	if n == s.Quantity || s.Status == "deleted" {
		return nil
	}
	low, high := 1, 1_000_000
	if x.Known {
		low, high = x.Offer.Min, x.Offer.Max
	}
	if s.AzurePlan {
		high = 1
	}
	if n < low || n > high {
		return deny(entra.CenterQuantityRange)
	}
	if back, _ := x.Refundable(k.now); n < s.Quantity && s.Quantity-n > back {
		return deny(entra.CenterQuantityDecrease)
	}
	s.Quantity = n
	k.note(x, world.DealEvent{Kind: world.DealQuantity, Offer: s.Offer, Quantity: n, Term: x.Deal.Term, Cycle: x.Deal.Cycle})
	return nil
}

// changeRenewal takes what happens when the term ends.
func (k *call) changeRenewal(x *ledger.Standing, in *subscriptionInput) *fault {
	d, s := &x.Deal, &x.Subscription
	was := !d.Once && !d.TermEnd.IsZero()
	if in.AutoRenew != nil && s.Status == "active" && *in.AutoRenew != was {
		if *in.AutoRenew && (d.TermEnd.IsZero() || d.Trial && d.Next == nil && len(in.Next) == 0) {
			return deny(entra.CenterNoAutoRenew)
		}
		d.Once = !*in.AutoRenew
		if d.Once {
			d.Next = nil
		}
	}
	if len(in.Next) == 0 || d.Next == nil && string(in.Next) == "null" {
		return nil
	}
	if string(in.Next) == "null" {
		d.Next = nil
		return nil
	}
	var next nextInput
	if f := k.part(in.Next, "scheduledNextTermInstructions", &next); f != nil {
		return f
	}
	n, f := k.nextTerm(x, &next)
	if f != nil {
		return f
	}
	if d.Next == nil || *n != *d.Next {
		switch {
		case s.Status != "active":
			return deny(entra.CenterSuspended)
		case d.Once:
			return deny(entra.CenterNoAutoRenew)
		}
		d.Next = n
	}
	return nil
}

// changeRest takes the name and the reseller of record, and refuses what another
// operation is for.
func (k *call) changeRest(x *ledger.Standing, in *subscriptionInput) *fault {
	s, d := &x.Subscription, &x.Deal
	if in.Cycle != nil && *in.Cycle != "" {
		if cycle, ok := market.Cycle(*in.Cycle); !ok {
			return deny(entra.CenterEnum, "billingCycle")
		} else if cycle != d.Cycle {
			return deny(entra.CenterBillingCycle)
		}
	}
	if in.Term != nil && *in.Term != "" && !strings.EqualFold(*in.Term, d.Term) {
		switch months := market.Months(*in.Term); {
		case d.Trial:
			return deny(entra.CenterTrialTerm)
		case months == 0 || d.TermEnd.IsZero():
			return deny(entra.CenterTermInvalid)
		case months < market.Months(d.Term):
			return deny(entra.CenterTermShorter)
		}
		return deny(entra.CenterInvalidProperty, "termDuration changes with the next term: set scheduledNextTermInstructions.")
	}
	if in.PartnerID != nil && *in.PartnerID != "" && *in.PartnerID != d.Partner {
		if !slices.ContainsFunc(k.partner.Resellers, func(r world.Reseller) bool { return r.MPN == *in.PartnerID }) {
			return deny(entra.CenterNoReseller)
		}
		d.Partner = *in.PartnerID
	}
	if in.Name != nil && *in.Name != s.Name {
		switch {
		case len(*in.Name) > maxName:
			return deny(entra.CenterMalformed, "friendlyName is too long.")
		case s.Status == "suspended" && strings.EqualFold(in.Status, "suspended"):
			return deny(entra.CenterSuspended)
		}
		s.Name = *in.Name
	}
	return nil
}

type nextInput struct {
	Product struct {
		Product      string  `json:"productId"`
		SKU          string  `json:"skuId"`
		Availability string  `json:"availabilityId"`
		Cycle        string  `json:"billingCycle"`
		Term         string  `json:"termDuration"`
		Promotion    *string `json:"promotionId"`
	} `json:"product"`
	Quantity int     `json:"quantity"`
	End      *string `json:"customTermEndDate"`
}

// nextTerm checks what a subscription is to become: the same SKU or one that it can be
// upgraded to, in a term and cycle that are sold.
func (k *call) nextTerm(x *ledger.Standing, in *nextInput) (*world.NextTerm, *fault) {
	o, ok := market.Find(in.Product.Product + ":" + in.Product.SKU)
	if !ok || in.Product.Availability != "" && !strings.EqualFold(in.Product.Availability, o.Availability) {
		return nil, deny(entra.CenterOfferUnknown)
	}
	cycle, known := market.Cycle(in.Product.Cycle)
	n := &world.NextTerm{Offer: o.OfferID(), Term: strings.ToUpper(in.Product.Term), Cycle: cycle, Quantity: in.Quantity}
	switch {
	case !x.Known || o.Key() != x.Offer.Key() && !contains(x.Offer.Upgrades, o.Key()) && o.Key() != x.Offer.Convert:
		return nil, deny(entra.CenterOfferUnknown)
	case !known:
		return nil, deny(entra.CenterCycleInvalid)
	case market.Months(n.Term) == 0:
		return nil, deny(entra.CenterTermInvalid)
	case !o.Supports(n.Term, cycle):
		return nil, deny(entra.CenterTermAndCycle)
	case in.Quantity < o.Min || in.Quantity > o.Max:
		return nil, deny(entra.CenterQuantityRange)
	}
	if p := in.Product.Promotion; p != nil && *p != "" {
		promo, ok := market.FindPromotion(*p)
		if !ok || !promo.Fits(o, n.Term, cycle) {
			return nil, deny(entra.CenterMalformed, "promotionId is not valid for this product.")
		}
		n.Promotion = promo.ID
	}
	if in.End != nil && *in.End != "" {
		end, f := k.customEnd(*in.End, x.Deal.TermEnd, n.Term)
		if f != nil {
			return nil, f
		}
		n.End = end
	}
	return n, nil
}

// customEnd reads the end of a term that is to end with another subscription or with
// a calendar month. The date given is the last day.
func (k *call) customEnd(text string, start time.Time, term string) (time.Time, *fault) {
	at, err := kit.Moment(text)
	if err != nil {
		return time.Time{}, deny(entra.CenterMalformed, "customTermEndDate is not a date.")
	}
	end := ledger.Day(at).AddDate(0, 0, 1)
	if !end.After(start) || end.After(market.After(ledger.Day(start), market.Months(term))) {
		return time.Time{}, deny(entra.CenterMalformed, "customTermEndDate must lie within the first term.")
	}
	if end.Day() == 1 {
		return end, nil
	}
	for i := range k.customer.Subscriptions {
		if y := k.stand(i); !y.Deal.Trial && y.Subscription.Status == "active" && y.Deal.TermEnd.Equal(end) {
			return end, nil
		}
	}
	return time.Time{}, deny(entra.CenterMalformed, "customTermEndDate does not match with the end date of any active subscription or the end of a month.")
}
