package center

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/market"
	"partnerguard/internal/partnercloud/world"
)

// orderInput is an order as a client sends it: to make one, to add to one, to cancel
// it, or to be billed otherwise.
type orderInput struct {
	ID       *string          `json:"id"`
	Customer *string          `json:"referenceCustomerId"`
	Cycle    string           `json:"billingCycle"`
	Currency string           `json:"currencyCode"`
	Status   string           `json:"status"`
	Lines    []orderLineInput `json:"lineItems"`
	Attested bool             `json:"partnerOnRecordAttestationAccepted"`

	AlternateID     any `json:"alternateId"`
	Symbol          any `json:"currencySymbol"`
	Created         any `json:"creationDate"`
	TransactionType any `json:"transactionType"`
	Total           any `json:"totalPrice"`
	Client          any `json:"client"`
	sent
}

type orderLineInput struct {
	Number       int               `json:"lineItemNumber"`
	Offer        string            `json:"offerId"`
	Subscription string            `json:"subscriptionId"`
	Parent       string            `json:"parentSubscriptionId"`
	Term         string            `json:"termDuration"`
	Name         string            `json:"friendlyName"`
	Quantity     *int              `json:"quantity"`
	Partner      string            `json:"partnerIdOnRecord"`
	Partners     []string          `json:"additionalPartnerIdsOnRecord"`
	Context      map[string]string `json:"provisioningContext"`
	Attested     bool              `json:"attestationAccepted"`
	Promotion    string            `json:"promotionId"`
	End          string            `json:"customTermEndDate"`
	RenewsTo     *renewsTo         `json:"renewsTo"`

	TransactionType any `json:"transactionType"`
	Pricing         any `json:"pricing"`
	sent
}

type renewsTo struct {
	Term string `json:"termDuration"`
}

// cartLine makes a line of an order one that can be checked and bought.
func (in *orderLineInput) cartLine(n int, cycle, currency string) (world.CartLine, *fault) {
	l := world.CartLine{ID: n, Currency: currency, OrderLine: world.OrderLine{Offer: in.Offer, Name: in.Name, Quantity: 1, Term: in.Term,
		Partner: in.Partner, Partners: in.Partners, Promotion: in.Promotion, Context: in.Context, Attested: in.Attested, Parent: in.Parent}}
	if in.Quantity != nil {
		l.Quantity = *in.Quantity
	}
	if cycle != "" {
		var ok bool
		if l.Cycle, ok = market.Cycle(cycle); !ok {
			return l, deny(entra.CenterEnum, "billingCycle")
		}
	}
	if in.RenewsTo != nil {
		l.RenewsTo = in.RenewsTo.Term
	}
	if in.End != "" {
		end, err := kit.Moment(in.End)
		if err != nil {
			return l, deny(entra.CenterMalformed, "customTermEndDate is not a date.")
		}
		l.End = end
	}
	if len(in.Name) > maxName || len(in.Context) > 20 || len(in.Partners) > 20 {
		return l, deny(entra.CenterMalformed, "friendlyName or provisioningContext is too long.")
	}
	return l, nil
}

// lineFault says of an order at once what a cart says of a line.
func lineFault(l *world.CartLine) *fault {
	switch l.Error {
	case cartCatalogItem:
		return deny(entra.CenterOfferUnknown)
	case cartCurrency:
		return deny(entra.CenterCurrency, l.Currency)
	case cartSeats:
		return deny(entra.CenterItemQuantity, l.ID)
	case cartAttestation:
		return deny(entra.CenterNoAttestation, l.Offer)
	case cartSubscription:
		return deny(entra.CenterAddOnUnrelated)
	}
	return deny(entra.CenterMalformed, l.Why)
}

func createOrder(k *call) (reply, *fault) {
	var in orderInput
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	if f := k.mayBuy(); f != nil {
		return reply{}, f
	}
	lines, f := k.orderLines(&in, in.Lines)
	if f != nil {
		return reply{}, f
	}
	relate(lines)
	w := k.buy(lines)
	return reply{status: http.StatusCreated, body: k.orderView(&w), header: map[string]string{"Location": k.base + "/v1/customers/" + k.customer.TenantID +
		"/orders/" + w.ID}}, nil
}

// orderLines checks lines that are to be bought in one order.
func (k *call) orderLines(in *orderInput, asked []orderLineInput) ([]world.CartLine, *fault) {
	if len(asked) == 0 || len(asked) > maxItems {
		return nil, deny(entra.CenterMalformed, "lineItems must name 1 to 200 items.")
	}
	if in.Customer != nil && *in.Customer != "" && !strings.EqualFold(*in.Customer, k.customer.TenantID) {
		return nil, deny(entra.CenterCustomerInvalid)
	}
	lines := make([]world.CartLine, 0, len(asked))
	for n := range asked {
		l, f := asked[n].cartLine(n, in.Cycle, in.Currency)
		if f != nil {
			return nil, f
		}
		lines = append(lines, l)
	}
	if !in.Attested && slices.ContainsFunc(lines, func(l world.CartLine) bool { return l.Partner != "" || len(l.Partners) > 0 }) {
		return nil, deny(entra.CenterPartnerAttestation)
	}
	for i := range lines {
		if k.check(&lines[i], lines); lines[i].Error != 0 {
			return nil, lineFault(&lines[i])
		}
		if lines[i].Cycle != lines[0].Cycle {
			return nil, deny(entra.CenterMalformed, "the items of an order are billed in one cycle.")
		}
	}
	return lines, nil
}

// changeOrder cancels an order or lines of it, adds add-ons to it, or has it billed in
// another cycle.
func changeOrder(k *call, w *world.Order) (reply, *fault) {
	var in orderInput
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	if in.ID != nil && *in.ID != "" && !strings.EqualFold(*in.ID, w.ID) {
		return reply{}, deny(entra.CenterMalformed, "the body is another order than the path.")
	}
	var added []orderLineInput
	for _, l := range in.Lines {
		if l.Subscription == "" && l.Parent != "" {
			added = append(added, l)
		}
	}
	before := k.orderView(w)
	if f := sameLines(&before, &in); f != nil && !strings.EqualFold(in.Status, "cancelled") {
		return reply{}, f
	}
	cycle, known := market.Cycle(in.Cycle)
	var f *fault
	switch {
	case k.customer.Locked:
		f = deny(entra.CenterLocked)
	case strings.EqualFold(in.Status, "cancelled"):
		f = k.cancelOrder(w, in.Lines)
	case len(added) > 0:
		f = k.addToOrder(w, &in, added)
	case in.Cycle != "" && !known:
		f = deny(entra.CenterEnum, "billingCycle")
	case in.Cycle != "" && cycle != w.Cycle:
		f = k.billOrder(w, cycle)
	default:
		f = deny(entra.CenterMalformed, "the body changes nothing: an order can be cancelled, billed otherwise, or get add-ons.")
	}
	if f != nil {
		return reply{}, f
	}
	k.keepOrder(*w)
	after := k.orderView(w)
	k.record("order", "update_order", before, after, world.KeyValue{Key: "OrderId", Value: w.ID})
	return ok(after), nil
}

// sameLines refuses lines and members that a client sends back otherwise than they were
// read: seats, terms and offers are changed on the subscription, and would look done
// here.
func sameLines(was *order, in *orderInput) *fault {
	rest := *in
	rest.Cycle, rest.Status, rest.Lines, rest.Attested = "", "", nil, false
	if f := unchanged(rest, was); f != nil {
		return f
	}
	for _, l := range in.Lines {
		if l.Subscription == "" && l.Parent != "" {
			continue // is being added
		}
		if l.Number < 0 || l.Number >= len(was.Lines) {
			return deny(entra.CenterLineItem)
		}
		v := &was.Lines[l.Number]
		if l.Offer != "" && !strings.EqualFold(l.Offer, v.Offer) {
			return deny(entra.CenterOfferUnknown)
		}
		if f := unchanged(l, v); f != nil {
			return f
		}
	}
	return nil
}

// softwareWindow is how long software can be given back.
const softwareWindow = 30

// cancelOrder cancels lines, all of them when none is named. Outside a sandbox only
// software can be cancelled this way.
func (k *call) cancelOrder(w *world.Order, named []orderLineInput) *fault {
	w.Lines = slices.Clone(w.Lines)
	all := len(named) == 0
	for _, l := range named {
		if l.Number < 0 || l.Number >= len(w.Lines) {
			return deny(entra.CenterLineItem)
		}
		if l.Offer != "" && !strings.EqualFold(l.Offer, w.Lines[l.Number].Offer) {
			return deny(entra.CenterOfferUnknown)
		}
	}
	var chosen []int
	for i := range w.Lines {
		if all || slices.ContainsFunc(named, func(l orderLineInput) bool { return l.Number == i }) {
			chosen = append(chosen, i)
		}
	}
	for _, i := range chosen { // all or nothing
		l := &w.Lines[i]
		o, _ := market.Find(l.Offer)
		switch {
		case !l.Cancelled.IsZero():
			return deny(entra.CenterOrderCancel)
		case o.Product != nil && o.Kind == market.Software && k.now.Sub(w.Created) >= softwareWindow*24*time.Hour:
			return deny(entra.CenterCancelWindowDays, softwareWindow)
		case o.Product != nil && o.Kind == market.Software:
		case l.Subscription == "":
			return deny(entra.CenterOrderCancel)
		case !k.partner.Sandbox:
			return deny(entra.CenterOrderCancelPatch, w.ID, k.customer.TenantID)
		}
	}
	for _, i := range chosen {
		w.Lines[i].Cancelled = k.now
		if j, f := k.subscriptionNamed(w.Lines[i].Subscription); f == nil {
			if x := k.settled(j); x.Subscription.Status != "deleted" {
				k.setStatus(&x, "deleted")
				k.keep(j, &x)
			}
		}
	}
	if !slices.ContainsFunc(w.Lines, func(l world.OrderLine) bool { return l.Cancelled.IsZero() }) {
		w.Status = "cancelled"
	}
	return nil
}

// addToOrder buys add-ons in an order that is there.
func (k *call) addToOrder(w *world.Order, in *orderInput, added []orderLineInput) *fault {
	if f := k.mayBuy(); f != nil {
		return f
	}
	if in.Cycle == "" {
		in.Cycle = w.Cycle
	}
	lines, f := k.orderLines(in, added)
	if f != nil {
		return f
	}
	w.Lines = slices.Clone(w.Lines)
	for i := range lines {
		k.buyLine(w, &lines[i], len(w.Lines))
		w.Lines = append(w.Lines, lines[i].OrderLine)
	}
	return nil
}

// billOrder has every subscription of an order billed in another cycle, from the next
// billing period on.
func (k *call) billOrder(w *world.Order, cycle string) *fault {
	var places []int
	for i := range w.Lines {
		j, f := k.subscriptionNamed(w.Lines[i].Subscription)
		if f != nil {
			return deny(entra.CenterCycleUnsupported)
		}
		x := k.settled(j)
		switch {
		case x.Subscription.Status != "active":
			return deny(entra.CenterCycleNeedsActive)
		case !x.Known || !x.Offer.Supports(x.Deal.Term, cycle):
			return deny(entra.CenterCycleUnsupported)
		}
		places = append(places, j)
	}
	w.Lines = slices.Clone(w.Lines)
	w.Cycle = cycle
	for i, j := range places {
		x := k.settled(j)
		x.Deal.Cycle = cycle
		w.Lines[i].Cycle = cycle
		k.note(&x, world.DealEvent{Kind: world.DealCycle, Offer: x.Subscription.Offer, Quantity: x.Subscription.Quantity, Term: x.Deal.Term, Cycle: cycle})
		k.keep(j, &x)
	}
	return nil
}
