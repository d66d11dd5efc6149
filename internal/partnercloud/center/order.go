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

type order struct {
	ID              string           `json:"id"`
	AlternateID     string           `json:"alternateId"`
	Customer        string           `json:"referenceCustomerId"`
	Cycle           string           `json:"billingCycle"`
	Currency        string           `json:"currencyCode"`
	Symbol          string           `json:"currencySymbol"`
	Lines           []orderLine      `json:"lineItems"`
	Created         string           `json:"creationDate"`
	Status          string           `json:"status"`
	TransactionType string           `json:"transactionType"`
	Links           map[string]*link `json:"links"`
	Total           float64          `json:"totalPrice"`
	Client          map[string]any   `json:"client"`
	Attributes      attributes       `json:"attributes"`
}

type orderLine struct {
	Number          int               `json:"lineItemNumber"`
	Offer           string            `json:"offerId"`
	Subscription    string            `json:"subscriptionId,omitempty"`
	Parent          string            `json:"parentSubscriptionId,omitempty"`
	Term            string            `json:"termDuration"`
	TransactionType string            `json:"transactionType"`
	Name            string            `json:"friendlyName"`
	Quantity        int               `json:"quantity"`
	Partner         string            `json:"partnerIdOnRecord,omitempty"`
	Partners        []string          `json:"additionalPartnerIdsOnRecord,omitempty"`
	Promotion       string            `json:"promotionId,omitempty"`
	Context         map[string]string `json:"provisioningContext,omitempty"`
	Attested        bool              `json:"attestationAccepted,omitempty"`
	Pricing         pricing           `json:"pricing"`
	Links           map[string]*link  `json:"links"`
}

// pricing is invented, as all prices here are.
type pricing struct {
	List       float64 `json:"listPrice"`
	Discounted float64 `json:"discountedPrice"`
	Prorated   float64 `json:"proratedPrice"`
	Price      float64 `json:"price"`
	Extended   float64 `json:"extendedPrice"`
}

// pricingOf is the price of a billing period, and of all of the first term.
func pricingOf(l *world.OrderLine, currency string, end time.Time, now time.Time) pricing {
	o, ok := market.Find(l.Offer)
	if !ok {
		return pricing{}
	}
	unit := o.PriceOf(l.Term, l.Cycle, currency)
	price := unit
	if p, ok := market.FindPromotion(l.Promotion); ok {
		price = p.Apply(unit)
	}
	prorated, periods := price, int64(1)
	if per := market.Months(l.Cycle); per > 0 {
		periods = int64(max(1, market.Months(l.Term)/per))
		start := ledger.Day(now)
		if whole := market.After(start, per); !end.IsZero() && end.Before(whole) {
			prorated, periods = price.Part(int64(end.Sub(start)/(24*time.Hour))+1, int64(whole.Sub(start)/(24*time.Hour))), 1
		}
	}
	return pricing{unit.Float(), price.Float(), prorated.Float(), prorated.Float(), (prorated * market.Cents(periods) * market.Cents(l.Quantity)).Float()}
}

func (k *call) orderView(w *world.Order) order {
	self := "/customers/" + k.customer.TenantID + "/orders/" + w.ID
	money, _ := market.FindCurrency(w.Currency)
	v := order{ID: w.ID, AlternateID: w.ID, Customer: k.customer.TenantID, Cycle: w.Cycle, Currency: w.Currency, Symbol: money.Symbol, Lines: []orderLine{},
		Created: stamp(w.Created), Status: w.Status, TransactionType: "UserPurchase", Client: map[string]any{}, Attributes: object("Order"),
		Links: map[string]*link{"self": get(self), "provisioningStatus": get(self + "/provisioningstatus"),
			"patchOperation": {URI: self, Method: http.MethodPatch, Headers: []header{}}}}
	for i := range w.Lines {
		l := &w.Lines[i]
		row := orderLine{Number: i, Offer: l.Offer, Subscription: l.Subscription, Parent: l.Parent, Term: l.Term, TransactionType: "New", Name: l.Name,
			Quantity: l.Quantity, Partner: l.Partner, Partners: l.Partners, Promotion: l.Promotion, Context: l.Context, Attested: l.Attested,
			Pricing: pricingOf(l, w.Currency, time.Time{}, w.Created), Links: map[string]*link{}}
		if !l.Cancelled.IsZero() {
			row.Quantity = 0
		}
		if o, ok := market.Find(l.Offer); ok {
			row.Links = k.offerLinks(o)
		}
		if l.Subscription != "" {
			row.Links["subscription"] = get("/customers/" + k.customer.TenantID + "/subscriptions/" + l.Subscription)
		}
		v.Total += row.Pricing.Extended
		v.Lines = append(v.Lines, row)
	}
	v.Total = market.FromFloat(v.Total).Float()
	return v
}

// orders are the customer's, oldest first: those placed here, and those that the
// subscriptions of the seeded world came from.
func (k *call) orders() []world.Order {
	out := slices.Clone(k.customer.Trade().Orders)
	known := map[string]bool{}
	for i := range out {
		known[strings.ToLower(out[i].ID)] = true
	}
	for i := range k.customer.Subscriptions {
		x := k.stand(i)
		if known[strings.ToLower(x.Deal.Order)] {
			continue
		}
		e := x.Deal.Events[0]
		out = append(out, world.Order{ID: x.Deal.Order, Created: e.At, Cycle: x.Deal.Cycle, Currency: x.Deal.Currency, Status: "completed",
			Lines: []world.OrderLine{{Offer: e.Offer, Subscription: x.Subscription.ID, Parent: x.Deal.Parent, Name: x.Subscription.Name, Quantity: e.Quantity,
				Term: e.Term, Cycle: e.Cycle, Partner: x.Deal.Partner, Promotion: e.Promotion}}})
	}
	slices.SortStableFunc(out, func(a, b world.Order) int { return a.Created.Compare(b.Created) })
	return out
}

func (k *call) orderIn() (*world.Order, *fault) {
	list := k.orders()
	for i := range list {
		if strings.EqualFold(list[i].ID, k.params["order"]) {
			return &list[i], nil
		}
	}
	return nil, deny(entra.CenterOrderUnknown)
}

// keepOrder writes an order down.
func (k *call) keepOrder(w world.Order) {
	k.partner.Customers.Change(k.customer.TenantID, func(c *world.Customer) {
		c.SetTrade(func(t *world.Commerce) {
			t.Orders = slices.Clone(t.Orders)
			for i := range t.Orders {
				if strings.EqualFold(t.Orders[i].ID, w.ID) {
					t.Orders[i] = w
					return
				}
			}
			t.Orders = append(t.Orders, w)
		})
	})
	k.customer = k.partner.Customers.Get(k.customer.TenantID)
	k.s.Dirty()
}

func listOrders(k *call) (reply, *fault) {
	cycle := k.query("billingType")
	want, known := market.Cycle(cycle)
	if cycle != "" && !known {
		return reply{}, deny(entra.CenterEnum, "billingType")
	}
	rows := []order{}
	for _, w := range k.orders() {
		if cycle == "" || w.Cycle == want {
			rows = append(rows, k.orderView(&w))
		}
	}
	return ok(linked(k, rows)), nil
}

func getOrder(k *call, w *world.Order) (reply, *fault) { return ok(k.orderView(w)), nil }

// orderProvisioning says that all is there: purchases are fulfilled at once.
func orderProvisioning(_ *call, w *world.Order) (reply, *fault) {
	rows := []map[string]any{}
	for i, l := range w.Lines {
		status := "fulfilled"
		if !l.Cancelled.IsZero() {
			status = "cancelled"
		}
		rows = append(rows, map[string]any{"orderLineItemId": i, "lineItemNumber": i, "status": status,
			"quantityProvisioningInformation": []any{map[string]any{"quantity": l.Quantity, "status": status}}})
	}
	return ok(list(rows)), nil
}

// lineIn finds the line of the path.
func (k *call) lineIn(w *world.Order) (int, *fault) {
	n, err := strconv.Atoi(k.params["line"])
	if err != nil || n < 0 || n >= len(w.Lines) {
		return 0, deny(entra.CenterLineItem)
	}
	return n, nil
}

// orderLinks are the activation links of all lines.
func orderLinks(k *call, _ *world.Order) (reply, *fault) { return ok(linked(k, []any{})), nil }

// orderActivation lists no link: nothing that is sold here is activated elsewhere.
func orderActivation(k *call, w *world.Order) (reply, *fault) {
	if _, f := k.lineIn(w); f != nil {
		return reply{}, f
	}
	return ok(linked(k, []any{})), nil
}
