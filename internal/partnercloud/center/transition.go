package center

import (
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/center/ledger"
	"partnerguard/internal/partnercloud/market"
	"partnerguard/internal/partnercloud/world"
)

// Ways to move from one offer to another.
const (
	moveOnly         = "transition_only"
	moveWithLicences = "transition_with_license_transfer"
)

// transitionEligibilities are the offers that a subscription can be moved to.
func transitionEligibilities(k *call, i int) (reply, *fault) {
	x := k.settled(i)
	switch v := k.query("eligibilityType"); strings.ToLower(v) {
	case "immediate", "scheduled", "":
	default:
		return reply{}, deny(entra.CenterEnum, "eligibilityType")
	}
	rows := []map[string]any{}
	for _, key := range upgradesOf(&x) {
		o, known := market.Find(key)
		if !known || x.Subscription.Status != "active" || x.Deal.Trial {
			continue
		}
		targets := []map[string]any{}
		for j := range k.customer.Subscriptions {
			y := k.stand(j)
			if y.Subscription.Offer != o.OfferID() || y.Subscription.Status != "active" {
				continue
			}
			row := map[string]any{"isEligible": true, "subscriptionId": y.Subscription.ID, "subscriptionFriendlyName": y.Subscription.Name,
				"subscriptionTermDuration": y.Deal.Term, "subscriptionBillingCycle": y.Deal.Cycle, "errors": []any{}}
			if market.Months(y.Deal.Term) < market.Months(x.Deal.Term) {
				row["isEligible"] = false
				row["errors"] = []any{map[string]any{"code": 3,
					"description": "The subscription's term duration is shorter than the source subscription's term duration."}}
			}
			targets = append(targets, row)
		}
		rows = append(rows, map[string]any{"catalogItemId": o.OfferID(), "title": o.SKU.Title, "description": o.Description,
			"quantity":                  x.Subscription.Quantity,
			"subscriptionEligibilities": targets, "eligibilities": []any{map[string]any{"isEligible": true, "transitionType": moveOnly, "errors": []any{}},
				map[string]any{"isEligible": true, "transitionType": moveWithLicences, "errors": []any{}}}, "attributes": object("TransitionEligibility")})
	}
	return ok(list(rows)), nil
}

func transitionView(from string, t *world.Transition) map[string]any {
	event := func(status string) map[string]any {
		return map[string]any{"name": "Conversion", "status": status, "timestamp": stamp(t.At), "attributes": object("TransitionEvent")}
	}
	return map[string]any{"operationId": t.ID, "fromCatalogItemId": t.From, "fromSubscriptionId": from, "toCatalogItemId": t.To, "toSubscriptionId": t.ToSub,
		"quantity": t.Quantity, "termDuration": t.Term, "billingCycle": t.Cycle, "transitionType": t.Kind,
		"events":     []any{event("Started"), event("Completed")},
		"attributes": object("Transition")}
}

func listTransitions(k *call, i int) (reply, *fault) {
	x := k.settled(i)
	rows := []map[string]any{}
	for n := range x.Deal.Transitions {
		if id := k.query("operationId"); id != "" && !strings.EqualFold(id, x.Deal.Transitions[n].ID) {
			continue
		}
		rows = append(rows, transitionView(x.Subscription.ID, &x.Deal.Transitions[n]))
	}
	return ok(list(rows)), nil
}

type transitionInput struct {
	From     string `json:"fromCatalogItemId"`
	FromSub  string `json:"fromSubscriptionId"`
	To       string `json:"toCatalogItemId"`
	ToSub    string `json:"toSubscriptionId"`
	Quantity int    `json:"quantity"`
	Term     string `json:"termDuration"`
	Cycle    string `json:"billingCycle"`
	Kind     string `json:"transitionType"`

	Promotion string `json:"promotionId"`
	transitionEcho
}

// transitionEcho are what a transition has when it is made.
type transitionEcho struct {
	OperationID any `json:"operationId"`
	Events      any `json:"events"`
	sent
}

// createTransition moves seats to a better offer: all of them in place, or some into
// another subscription.
func createTransition(k *call, i int) (reply, *fault) {
	var in transitionInput
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	if f := unchanged(in.transitionEcho, nil); f != nil {
		return reply{}, f
	}
	x := k.settled(i)
	to, f := k.checkTransition(&x, &in)
	if f != nil {
		return reply{}, f
	}
	before := k.subscriptionView(&x)
	t := world.Transition{ID: world.NewGUID(), At: k.now, From: x.Subscription.Offer, To: to.OfferID(), Quantity: in.Quantity, Term: strings.ToUpper(in.Term),
		Kind: strings.ToLower(in.Kind)}
	t.Cycle, _ = market.Cycle(in.Cycle)
	old := x.Offer
	if in.ToSub == "" && in.Quantity == x.Subscription.Quantity {
		t.ToSub = x.Subscription.ID
		k.convert(&x, to, t.Term, t.Cycle)
	} else {
		t.ToSub = k.moveSeats(&x, to, &in, &t)
	}
	x.Deal.Transitions = append(slices.Clone(x.Deal.Transitions), t)
	k.keep(i, &x)
	if t.Kind == moveWithLicences {
		k.moveLicences(old, to, in.Quantity)
	}
	k.record("subscription", "update_subscription", before, k.subscriptionView(&x), world.KeyValue{Key: "SubscriptionId", Value: x.Subscription.ID})
	return ok(transitionView(x.Subscription.ID, &t)), nil
}

func (k *call) checkTransition(x *ledger.Standing, in *transitionInput) (to market.Offer, f *fault) {
	to, known := market.Find(in.To)
	cycle, good := market.Cycle(in.Cycle)
	kind := strings.ToLower(in.Kind)
	switch {
	case k.customer.Locked:
		return to, deny(entra.CenterLocked)
	case in.Promotion != "":
		return to, deny(entra.CenterInvalidProperty, "promotionId: promotions of transitions are not part of the partner cloud.")
	case x.Subscription.Status == "suspended":
		return to, deny(entra.CenterSuspended)
	case x.Subscription.Status != "active":
		return to, deny(entra.CenterNoMoreUpdates)
	case in.FromSub != "" && !strings.EqualFold(in.FromSub, x.Subscription.ID) || in.From != "" && !strings.EqualFold(in.From, x.Subscription.Offer):
		return to, deny(entra.CenterMalformed, "the body is of another subscription than the path.")
	case !known || !x.Known || !contains(x.Offer.Upgrades, to.Key()):
		return to, deny(entra.CenterOfferUnknown)
	case kind != moveOnly && kind != moveWithLicences:
		return to, deny(entra.CenterEnum, "transitionType")
	case market.Months(in.Term) == 0:
		return to, deny(entra.CenterTransitionTerm)
	case market.Months(in.Term) < market.Months(x.Deal.Term):
		return to, deny(entra.CenterTransitionShorter)
	case !good:
		return to, deny(entra.CenterCycleInvalid)
	case market.Months(cycle) > market.Months(in.Term):
		return to, deny(entra.CenterCycleLonger)
	case !to.Supports(in.Term, cycle):
		return to, deny(entra.CenterTermAndCycle)
	case in.Quantity < 1 || in.Quantity > x.Subscription.Quantity || in.Quantity > to.Max:
		return to, deny(entra.CenterQuantityRange)
	}
	if in.ToSub == "" {
		return to, nil
	}
	j, f := k.subscriptionNamed(in.ToSub)
	if f != nil {
		return to, f
	}
	y := k.stand(j)
	switch {
	case strings.EqualFold(in.ToSub, x.Subscription.ID):
		return to, deny(entra.CenterToSame)
	case y.Subscription.Status != "active":
		return to, deny(entra.CenterToInactive)
	case y.Subscription.Offer != to.OfferID():
		return to, deny(entra.CenterToOther)
	case y.Subscription.Quantity+in.Quantity > to.Max:
		return to, deny(entra.CenterQuantityRange)
	}
	return to, nil
}

// convert makes a subscription one of another offer: a new term begins.
func (k *call) convert(x *ledger.Standing, to market.Offer, term, cycle string) {
	d := &x.Deal
	x.Subscription.Offer, x.Offer, x.Known = to.OfferID(), to, true
	d.Term, d.Cycle, d.Trial, d.Next, d.Promotion = term, cycle, false, nil, ""
	d.TermStart = ledger.Day(k.now)
	d.TermEnd = market.After(d.TermStart, market.Months(term))
	k.note(x, world.DealEvent{Kind: world.DealConvert, Offer: to.OfferID(), Quantity: x.Subscription.Quantity, Term: term, Cycle: cycle})
}

// moveSeats takes seats out of one subscription and puts them into another, a new one
// when none is named, and gives that one's id.
func (k *call) moveSeats(x *ledger.Standing, to market.Offer, in *transitionInput, t *world.Transition) string {
	s := &x.Subscription
	s.Quantity -= in.Quantity
	if s.Quantity == 0 {
		s.Status = "deleted"
		k.note(x, world.DealEvent{Kind: world.DealCancel, Offer: s.Offer, Term: x.Deal.Term, Cycle: x.Deal.Cycle})
	} else {
		k.note(x, world.DealEvent{Kind: world.DealQuantity, Offer: s.Offer, Quantity: s.Quantity, Term: x.Deal.Term, Cycle: x.Deal.Cycle})
	}
	if in.ToSub != "" {
		j, _ := k.subscriptionNamed(in.ToSub)
		y := k.stand(j)
		y.Subscription.Quantity += in.Quantity
		k.note(&y, world.DealEvent{Kind: world.DealQuantity, Offer: y.Subscription.Offer, Quantity: y.Subscription.Quantity, Term: y.Deal.Term,
			Cycle: y.Deal.Cycle})
		k.keep(j, &y)
		return y.Subscription.ID
	}
	order := k.buy([]world.CartLine{{Currency: x.Deal.Currency, OrderLine: world.OrderLine{Offer: to.OfferID(), Name: to.SKU.Title, Quantity: in.Quantity,
		Term: t.Term, Cycle: t.Cycle, Partner: x.Deal.Partner}}})
	return order.Lines[0].Subscription
}

// moveLicences gives those who hold the old licence the new one, as many as moved.
func (k *call) moveLicences(old, to market.Offer, n int) {
	skus := slices.Clone(k.tenant.SKUs)
	from := slices.IndexFunc(skus, func(s world.SKU) bool { return strings.EqualFold(s.ID, old.Directory) })
	into := slices.IndexFunc(skus, func(s world.SKU) bool { return strings.EqualFold(s.ID, to.Directory) })
	if from < 0 || into < 0 {
		return
	}
	for _, u := range k.tenant.Users.List() {
		if n == 0 {
			break
		}
		if !contains(u.Licences, skus[from].ID) || contains(u.Licences, skus[into].ID) {
			continue
		}
		n--
		skus[from].Consumed, skus[into].Consumed = max(0, skus[from].Consumed-1), skus[into].Consumed+1
		change := k.s.Change()
		k.tenant.Users.Change(u.ID, func(c *world.User) {
			c.Licences = append(slices.DeleteFunc(slices.Clone(c.Licences), func(v string) bool { return strings.EqualFold(v, skus[from].ID) }), skus[into].ID)
			c.Changed = change
		})
	}
	k.tenant.SKUs = skus
	k.s.Touch(k.tenant)
}

// conversionOf is what a trial can become, or nothing.
func conversionOf(x *ledger.Standing) (market.Offer, bool) {
	if !x.Deal.Trial || !x.Known || x.Subscription.Status != "active" {
		return market.Offer{}, false
	}
	return market.Find(x.Offer.Convert)
}

func listConversions(k *call, i int) (reply, *fault) {
	x := k.settled(i)
	rows := []map[string]any{}
	if o, may := conversionOf(&x); may {
		rows = append(rows, map[string]any{"offerId": x.Subscription.Offer, "targetOfferId": o.OfferID(), "orderId": x.Deal.Order,
			"quantity": x.Subscription.Quantity, "billingCycle": market.Monthly, "attributes": object("Conversion")})
	}
	return ok(list(rows)), nil
}

// createConversion makes a trial a paid subscription, for a year.
func createConversion(k *call, i int) (reply, *fault) {
	var in struct {
		Offer    string `json:"offerId"`
		Target   string `json:"targetOfferId"`
		Order    string `json:"orderId"`
		Quantity int    `json:"quantity"`
		Cycle    string `json:"billingCycle"`
		sent
	}
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	x := k.settled(i)
	o, may := conversionOf(&x)
	cycle, good := market.Cycle(in.Cycle)
	switch {
	case !may || !strings.EqualFold(in.Target, o.OfferID()) || in.Offer != "" && !strings.EqualFold(in.Offer, x.Subscription.Offer):
		return reply{}, deny(entra.CenterOfferUnknown)
	case in.Order != "" && !strings.EqualFold(in.Order, x.Deal.Order):
		return reply{}, deny(entra.CenterOrderUnknown)
	case !good || !o.Supports(market.Year, cycle):
		return reply{}, deny(entra.CenterCycleInvalid)
	case in.Quantity < o.Min || in.Quantity > o.Max:
		return reply{}, deny(entra.CenterQuantityRange)
	}
	before := k.subscriptionView(&x)
	from := x.Subscription.Offer
	x.Subscription.Quantity, x.Deal.Once = in.Quantity, false
	k.convert(&x, o, market.Year, cycle)
	k.keep(i, &x)
	k.record("subscription", "update_subscription", before, k.subscriptionView(&x), world.KeyValue{Key: "SubscriptionId", Value: x.Subscription.ID})
	return ok(map[string]any{"subscriptionId": x.Subscription.ID, "offerId": from, "targetOfferId": o.OfferID(), "attributes": object("ConversionResult")}), nil
}

// activationLinks: nothing that is sold here is activated elsewhere.
func activationLinks(k *call, _ int) (reply, *fault) { return ok(linked(k, []any{})), nil }

func upgradesOf(x *ledger.Standing) []string {
	if !x.Known {
		return nil
	}
	return x.Offer.Upgrades
}
