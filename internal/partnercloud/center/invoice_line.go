package center

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/center/ledger"
	"partnerguard/internal/partnercloud/market"
	"partnerguard/internal/partnercloud/world"
)

// billed is one line of an invoice: a charge for licences, software or reservations,
// or the use of one meter by one Azure subscription in a month.
type billed struct {
	customer *world.Customer
	offer    market.Offer
	charge   ledger.Charge
	amount   market.Cents // in the billing currency
	order    string
	ordered  time.Time
	sub      string
	name     string
	partner  string // reseller's partner number
	currency string // of the price
	start    time.Time
	end      time.Time
	meter    string
	use      float64
	azure    string
}

// used is one day's use of one meter by one Azure subscription.
type used struct {
	customer *world.Customer
	plan     *world.Subscription
	order    string
	partner  string
	azure    *world.Entitlement
	row      world.AzureUsage
	amount   market.Cents // in the billing currency
	currency string       // of the price
}

// billingCurrency is the currency that the partner is billed in: that of its country.
func (k *call) billingCurrency() string {
	if c, ok := market.FindCountry(k.partner.Country); ok {
		return c.Currency
	}
	return "EUR"
}

// moneyOf are a customer's lines from one moment to before another.
func (k *call) moneyOf(c *world.Customer, from, to time.Time) (lines []billed, usage []used) {
	to2 := k.billingCurrency()
	charge := func(d world.Deal, sub, name string, x market.Offer) {
		for _, ch := range ledger.Charges(d, to) {
			if ch.At.Before(from) {
				continue
			}
			o, ok := market.Find(ch.Offer)
			if !ok {
				o = x
			}
			lines = append(lines, billed{customer: c, offer: o, charge: ch, amount: market.Convert(ch.Amount, d.Currency, to2), order: d.Order,
				ordered: d.Events[0].At, sub: sub, name: name, partner: d.Partner, currency: d.Currency, start: d.Events[0].At, end: d.TermEnd})
		}
	}
	for i := range c.Subscriptions {
		x := ledger.Stand(k.s, &c.Subscriptions[i], c.Currency, k.now)
		if !x.Subscription.AzurePlan {
			charge(x.Deal, x.Subscription.ID, x.Subscription.Name, x.Offer)
			continue
		}
		month, days := k.azureMoney(c, &x, from, to)
		lines, usage = append(lines, month...), append(usage, days...)
	}
	for _, w := range c.Trade().Orders {
		for i := range w.Lines {
			l := &w.Lines[i]
			if l.Subscription != "" {
				continue
			}
			d := world.Deal{Order: w.ID, Currency: w.Currency, Partner: l.Partner, Events: []world.DealEvent{{At: w.Created, Kind: world.DealNew,
				Offer: l.Offer, Quantity: l.Quantity, Term: l.Term, Cycle: l.Cycle, Promotion: l.Promotion}}}
			if !l.Cancelled.IsZero() {
				d.Events = append(d.Events, world.DealEvent{At: l.Cancelled, Kind: world.DealCancel, Offer: l.Offer})
			}
			charge(d, "", l.Name, market.Offer{})
		}
	}
	return lines, usage
}

// azureMoney is the use of an Azure plan by day, and by month and meter.
func (k *call) azureMoney(c *world.Customer, x *ledger.Standing, from, to time.Time) (lines []billed, days []used) {
	bill := k.billingCurrency()
	plan := x.Subscription
	for i := range plan.Entitlements {
		e := &plan.Entitlements[i]
		total := map[string]*billed{}
		var meters []string
		for _, row := range k.s.Usage(c.TenantID, e.SubscriptionID, plan.Created, from, to) {
			day := used{customer: c, plan: &plan, order: x.Deal.Order, partner: x.Deal.Partner, azure: e, row: row, currency: c.Currency,
				amount: market.Convert(market.FromFloat(row.Cost), c.Currency, bill)}
			days = append(days, day)
			meter := meterName(&row)
			b := total[meter]
			if b == nil {
				b = &billed{customer: c, offer: x.Offer, order: x.Deal.Order, ordered: plan.Created, sub: plan.ID, name: plan.Name, partner: x.Deal.Partner,
					currency: c.Currency, meter: meter, azure: e.Name, charge: ledger.Charge{At: row.Day, Kind: ledger.ChargeNew, Offer: plan.Offer,
						Quantity: 1, Start: from, End: to, Cycle: market.Monthly}}
				total[meter] = b
				meters = append(meters, meter)
			}
			b.use += row.Quantity
			b.charge.Amount += market.FromFloat(row.Cost)
			b.amount += day.amount
		}
		for _, m := range meters {
			total[m].charge.Unit, total[m].charge.Effective = total[m].charge.Amount, total[m].charge.Amount
			lines = append(lines, *total[m])
		}
	}
	return lines, days
}

// meterName is the name of what was measured.
func meterName(u *world.AzureUsage) string { return cmp.Or(u.Meter, u.Category) }

// bill is a month's money.
type bill struct {
	lines []billed
	usage []used
	total market.Cents
}

// maxBills bounds the closed months that are remembered.
const maxBills = 6

// month gives the money of a calendar month, up to now. A month that is over does not
// change: it is worked out once.
func (k *call) month(first time.Time) *bill {
	closed := !market.After(first, 1).After(k.now)
	if b := k.c.bills[first]; b != nil && closed {
		return b
	}
	b := new(bill)
	end := market.After(first, 1)
	if end.After(k.now) {
		end = k.now
	}
	for c := range k.partner.Customers.All() {
		lines, usage := k.moneyOf(c, first, end)
		b.lines, b.usage = append(b.lines, lines...), append(b.usage, usage...)
	}
	for i := range b.lines {
		b.total += b.lines[i].amount
	}
	slices.SortStableFunc(b.lines, func(x, y billed) int {
		return cmp.Compare(strings.ToLower(x.customer.Name), strings.ToLower(y.customer.Name))
	})
	if closed {
		if len(k.c.bills) >= maxBills || k.c.bills == nil {
			k.c.bills = map[time.Time]*bill{}
		}
		k.c.bills[first] = b
	}
	return b
}

// firstOfMonth is the first moment of a moment's month.
func firstOfMonth(t time.Time) time.Time {
	t = t.UTC()
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}
