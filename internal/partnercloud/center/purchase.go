package center

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/center/ledger"
	"partnerguard/internal/partnercloud/market"
	"partnerguard/internal/partnercloud/world"
)

// Errors of a cart's line (Microsoft: Cart resources, CartErrorCode).
const (
	cartCurrency     = 10000
	cartCatalogItem  = 10001
	cartParticipants = 10004
	cartSubscription = 10007
	cartBadInput     = 10010
	cartRegistration = 10011
	cartAttestation  = 10012
	cartSeats        = 10015
)

// cartNames are the names of the errors, as the API writes them.
var cartNames = map[int]string{cartCurrency: "CurrencyIsNotSupported", cartCatalogItem: "CatalogItemIdIsNotValid",
	cartParticipants: "ParticipantsIsNotSupportedForPartner", cartSubscription: "SubscriptionIsNotValid", cartBadInput: "InvalidInput",
	cartRegistration: "SubscriptionNotRegistered", cartAttestation: "AttestationNotAccepted", cartSeats: "MaxAllowedSeatsPerSubscriptionExceeded"}

// maxSubscriptions bounds the subscriptions of a customer. The bound is ours.
const maxSubscriptions = 2_000

// mayBuy refuses purchases for a customer who may not buy at all.
func (k *call) mayBuy() *fault {
	switch {
	case len(k.customer.Subscriptions) >= maxSubscriptions:
		return deny(entra.CenterMalformed, "the customer has too many subscriptions.")
	case k.customer.Locked:
		return deny(entra.CenterLocked)
	case !k.customer.Agreed:
		return deny(entra.CenterNoAgreement)
	}
	return nil
}

// check fills in what a line leaves open and says what is wrong with it. lines are all
// of the cart or order: an add-on may have its base among them.
func (k *call) check(l *world.CartLine, lines []world.CartLine) {
	wrong := func(code int, why string) { l.Error, l.Why = code, why }
	l.Error, l.Why = 0, ""
	l.Currency = strings.ToUpper(cmp.Or(l.Currency, k.customer.Currency))
	o, ok := market.Find(l.Offer)
	if !ok || strings.Count(l.Offer, ":") != 2 {
		wrong(cartCatalogItem, "Catalog item ID isn't valid: "+l.Offer)
		return
	}
	l.Offer = o.OfferID()
	l.Name = cmp.Or(l.Name, o.SKU.Title)
	k.fillTerm(l, o)
	switch {
	case l.Currency != k.customer.Currency:
		wrong(cartCurrency, "Currency isn't supported for given market: "+k.customer.Currency+" is.")
	case l.Quantity > o.Max:
		wrong(cartSeats, "Requested number of seats exceeds the limit.")
	case l.Quantity < o.Min:
		wrong(cartBadInput, "The quantity is below the minimum of the offer.")
	case !o.Supports(l.Term, l.Cycle):
		wrong(cartBadInput, "The combination of term duration and billing cycle isn't supported for the offer.")
	case o.Attest && !l.Attested:
		wrong(cartAttestation, "Attestation hasn't been accepted.")
	case (l.Partner != "" || len(l.Partners) > 0) && len(k.partner.Resellers) == 0:
		wrong(cartParticipants, "Setting participants isn't supported for Partner.")
	case l.Partner != "" && !k.resells(l.Partner), slices.ContainsFunc(l.Partners, func(mpn string) bool { return !k.resells(mpn) }):
		wrong(cartBadInput, "The participant is no indirect reseller of this partner.")
	case l.Promotion != "" && !promoted(o, l):
		wrong(cartBadInput, "The promotion isn't valid for the item.")
	case l.RenewsTo != "" && !renews(o, l.RenewsTo):
		wrong(cartBadInput, "renewsTo must be a term that the trial's paid offer is sold for; other offers have none.")
	case o.AddOn:
		if !k.hasBase(l, o, lines) {
			wrong(cartSubscription, "The add-on isn't related to the specified parent subscription.")
		}
	case l.Parent != "":
		wrong(cartBadInput, "Only an add-on has a parent subscription.")
	case o.Kind == market.AzurePlan && k.azurePlan() >= 0:
		wrong(cartBadInput, "The customer has an Azure plan already.")
	case o.Kind == market.AzurePlan && slices.ContainsFunc(lines, func(x world.CartLine) bool { return x.ID < l.ID && sameProduct(x.Offer, l.Offer) }):
		wrong(cartBadInput, "A customer has one Azure plan at most.")
	case o.Kind == market.Reservation && !slices.ContainsFunc(registered(k.customer), func(id string) bool { return contextHas(l.Context, id) }):
		wrong(cartRegistration, "The Azure subscription isn't registered for reservations: register it first.")
	}
	if l.Error == 0 && !l.End.IsZero() {
		if _, f := k.customEnd(l.End.Format(time.DateOnly), ledger.Day(k.now), l.Term); f != nil {
			wrong(cartBadInput, f.Text)
		}
	}
}

// renews reports that a trial can become its paid offer for a term: otherwise it would
// begin again for nothing.
func renews(o market.Offer, term string) bool {
	paid, ok := market.Find(o.Convert)
	return o.Trial && ok && paid.Supports(strings.ToUpper(term), market.Monthly)
}

// sameProduct reports two offers of one product, whatever their availability.
func sameProduct(a, b string) bool {
	x, known := market.Find(a)
	y, also := market.Find(b)
	return known && also && x.Product.ID == y.Product.ID
}

// resells reports the partner number of an indirect reseller of this partner.
func (k *call) resells(mpn string) bool {
	return slices.ContainsFunc(k.partner.Resellers, func(r world.Reseller) bool { return r.MPN == mpn })
}

// fillTerm makes up for a term that is left out.
func (k *call) fillTerm(l *world.CartLine, o market.Offer) {
	l.Term = strings.ToUpper(l.Term)
	if o.Kind == market.AzurePlan || o.Kind == market.Software {
		l.Term = "" // what clients send there means nothing
	}
	if l.Cycle == "" {
		l.Cycle = o.Terms[0].Cycle
	}
	if l.Term == "" {
		for _, t := range o.Terms {
			if t.Cycle == l.Cycle {
				l.Term = t.Duration
				return
			}
		}
	}
}

func promoted(o market.Offer, l *world.CartLine) bool {
	p, ok := market.FindPromotion(l.Promotion)
	return ok && p.Fits(o, l.Term, l.Cycle) && l.Quantity >= p.MinSeats && l.Quantity <= p.MaxSeats
}

func contextHas(context map[string]string, v string) bool {
	for name, got := range context {
		if strings.EqualFold(name, "subscriptionId") && strings.EqualFold(got, v) {
			return true
		}
	}
	return false
}

// hasBase looks for what an add-on adds to: the subscription named, another line, or
// any subscription of the customer that fits, which is then taken.
func (k *call) hasBase(l *world.CartLine, o market.Offer, lines []world.CartLine) bool {
	fits := func(offer string) bool {
		base, ok := market.Find(offer)
		return ok && contains(o.Needs, base.Key())
	}
	if l.AddOnOf != nil {
		for i := range lines {
			if lines[i].ID == *l.AddOnOf {
				return fits(lines[i].Offer)
			}
		}
		return false
	}
	if l.Parent != "" {
		i, f := k.subscriptionNamed(l.Parent)
		if f != nil {
			return false
		}
		x := k.stand(i)
		return x.Subscription.Status == "active" && fits(x.Subscription.Offer)
	}
	for i := range lines {
		if lines[i].ID != l.ID && fits(lines[i].Offer) {
			id := lines[i].ID
			l.AddOnOf = &id
			return true
		}
	}
	for i := range k.customer.Subscriptions {
		if x := k.stand(i); x.Subscription.Status == "active" && fits(x.Subscription.Offer) {
			l.Parent = x.Subscription.ID
			return true
		}
	}
	return false
}

// azurePlan is the place of the customer's Azure plan, or -1.
func (k *call) azurePlan() int {
	return slices.IndexFunc(k.customer.Subscriptions, func(s world.Subscription) bool { return s.AzurePlan && s.Status != "deleted" })
}

// buy makes an order of lines that were checked, with the subscriptions that come of
// it.
func (k *call) buy(lines []world.CartLine) world.Order {
	order := world.Order{ID: newOrderID(), Created: k.now, Cycle: lines[0].Cycle, Currency: lines[0].Currency, Status: "completed"}
	slices.SortStableFunc(lines, func(a, b world.CartLine) int { // a base before what adds to it
		return cmp.Compare(boolInt(a.AddOnOf != nil), boolInt(b.AddOnOf != nil))
	})
	for i := range lines {
		l := &lines[i]
		k.buyLine(&order, l, i)
		order.Lines = append(order.Lines, l.OrderLine)
	}
	k.keepOrder(order)
	k.record("order", "create_order", nil, k.orderView(&order), world.KeyValue{Key: "OrderId", Value: order.ID})
	return order
}

// relate gives the lines that others add to the ids of their subscriptions before they
// are bought: an add-on may be billed otherwise, and so stand in another order.
func relate(lines []world.CartLine) {
	for i := range lines {
		l := &lines[i]
		if l.AddOnOf == nil {
			continue
		}
		for j := range lines {
			if base := &lines[j]; base.ID == *l.AddOnOf {
				base.Subscription = cmp.Or(base.Subscription, world.NewGUID())
				l.Parent = base.Subscription
			}
		}
	}
}

func boolInt(v bool) int {
	if v {
		return 1
	}
	return 0
}

// newOrderID is twelve hexadecimal digits, as new commerce's orders have them.
func newOrderID() string { return strings.ReplaceAll(world.NewGUID(), "-", "")[:12] }

func (k *call) buyLine(order *world.Order, l *world.CartLine, n int) {
	o, _ := market.Find(l.Offer)
	if o.Kind == market.Reservation || o.Kind == market.Software {
		return
	}
	mpn := cmp.Or(l.Partner, k.resellerMPN())
	l.Subscription = cmp.Or(l.Subscription, world.NewGUID())
	deal := &world.Deal{Order: order.ID, Line: n, Currency: l.Currency, Term: l.Term, Cycle: l.Cycle, Trial: o.Trial, TermStart: ledger.Day(k.now),
		Promotion: l.Promotion, Partner: mpn, Parent: l.Parent, Context: maps.Clone(l.Context)}
	event := world.DealEvent{At: k.now, Kind: world.DealNew, Offer: l.Offer, Quantity: l.Quantity, Term: l.Term, Cycle: l.Cycle, Promotion: l.Promotion}
	if months := market.Months(l.Term); months > 0 {
		deal.TermEnd = market.After(deal.TermStart, months)
		if !l.End.IsZero() {
			deal.TermEnd = ledger.Day(l.End).AddDate(0, 0, 1)
			event.End = deal.TermEnd
		}
	}
	if o.Trial {
		deal.Once = l.RenewsTo == ""
		if paid, ok := market.Find(o.Convert); ok && l.RenewsTo != "" {
			deal.Next = &world.NextTerm{Offer: paid.OfferID(), Term: strings.ToUpper(l.RenewsTo), Cycle: market.Monthly, Quantity: l.Quantity}
		}
	}
	deal.Events = []world.DealEvent{event}
	s := world.Subscription{ID: l.Subscription, Offer: l.Offer, Name: l.Name, Quantity: l.Quantity, Status: "active", Created: k.now, ETag: 1, Deal: deal}
	if o.Kind == market.AzurePlan {
		s.AzurePlan = true
		s.Entitlements = []world.Entitlement{k.newAzure("Azure subscription 1")}
	}
	k.add(s)
}

// resellerMPN is the partner number of the customer's indirect reseller, or "".
func (k *call) resellerMPN() string {
	for _, r := range k.partner.Resellers {
		if k.customer.Reseller != "" && (strings.EqualFold(r.TenantID, k.customer.Reseller) || r.MPN == k.customer.Reseller) {
			return r.MPN
		}
	}
	return ""
}

// newAzure makes the first Azure subscription of a plan: empty, with the partner's
// Admin Agents as its owner.
func (k *call) newAzure(name string) world.Entitlement {
	a := &world.AzureSubscription{ID: world.NewGUID(), Name: name, State: "Enabled", Created: k.now, Resources: []world.AzureResource{},
		Roles: []world.AzureRole{}}
	if g := k.partner.GroupByName(world.AdminAgents); g != nil {
		a.Roles = append(a.Roles, world.AzureRole{ID: world.NewGUID(), Role: "Owner", Principal: g.ID, PrincipalType: "ForeignGroup",
			Scope: "/subscriptions/" + a.ID, Created: k.now})
	}
	if k.tenant != nil {
		k.tenant.Azure.Put(a)
	}
	return world.Entitlement{ID: a.ID, Name: name, SubscriptionID: a.ID, Status: "active"}
}
