package ledger

import (
	"time"

	"partnerguard/internal/partnercloud/market"
	"partnerguard/internal/partnercloud/world"
)

// Kinds of charges, as invoices write them.
const (
	ChargeNew    = "new"
	ChargeCycle  = "cycleCharge"
	ChargeRenew  = "renew"
	ChargeAdd    = "addQuantity"
	ChargeRemove = "removeQuantity"
	ChargeCancel = "cancelImmediate"
	ChargeChange = "convert"
)

// Charge is one amount of money that a subscription cost, or gave back.
type Charge struct {
	At         time.Time // when it became due
	Kind       string
	Offer      string
	Quantity   int
	Unit       market.Cents // a seat's price for a whole billing period
	Effective  market.Cents // the part of it that was charged, after promotion
	Amount     market.Cents // negative when money came back
	Start, End time.Time    // what it pays for; End is exclusive
	Term       string
	Cycle      string
	Promotion  string
}

// maxPeriods bounds the billing periods of one subscription that are looked at.
const maxPeriods = 1200

// Charges are what a subscription cost before a moment, oldest first.
func Charges(d world.Deal, until time.Time) []Charge {
	if len(d.Events) == 0 {
		return nil
	}
	w := walk{d: d, until: until, now: d.Events[0], next: 1, first: true}
	if o, ok := market.Find(w.now.Offer); !ok || o.Kind == market.AzurePlan {
		return nil
	}
	if market.Months(w.now.Term) == 0 || w.now.Cycle == market.OneTime {
		w.once()
		return w.out
	}
	start := Day(w.now.At)
	for range maxPeriods {
		end := w.now.End
		if end.IsZero() {
			end = market.After(start, market.Months(w.now.Term))
		}
		restart, done := w.term(start, end)
		if done {
			break
		}
		if start = end; !restart.IsZero() {
			start = restart
		}
	}
	return w.out
}

// walk goes through what happened.
type walk struct {
	d     world.Deal
	until time.Time
	now   world.DealEvent // as it stands
	next  int             // the event that comes
	first bool
	out   []Charge
}

// price is a seat's price for a whole billing period, and after promotion.
func (w *walk) price() (unit, effective market.Cents) {
	o, ok := market.Find(w.now.Offer)
	if !ok {
		return 0, 0
	}
	unit = o.PriceOf(w.now.Term, w.now.Cycle, w.d.Currency)
	effective = unit
	if p, ok := market.FindPromotion(w.now.Promotion); ok {
		effective = p.Apply(unit)
	}
	return unit, effective
}

// once charges what is bought once.
func (w *walk) once() {
	unit, effective := w.price()
	at := w.now.At
	if !at.Before(w.until) {
		return
	}
	end := at
	if n := market.Months(w.now.Term); n > 0 {
		end = market.After(Day(at), n)
	}
	w.out = append(w.out, Charge{At: at, Kind: ChargeNew, Offer: w.now.Offer, Quantity: w.now.Quantity, Unit: unit, Effective: effective,
		Amount: effective * market.Cents(w.now.Quantity), Start: Day(at), End: end, Term: w.now.Term, Cycle: w.now.Cycle, Promotion: w.now.Promotion})
	for _, e := range w.d.Events[1:] {
		if e.Kind == world.DealCancel && e.At.Before(w.until) {
			c := w.out[0]
			c.At, c.Kind, c.Amount = e.At, ChargeCancel, -c.Amount
			w.out = append(w.out, c)
		}
	}
}

// term charges one term. done says that nothing comes after it; restart, that another
// term began before its end.
func (w *walk) term(start, end time.Time) (restart time.Time, done bool) {
	kind := ChargeRenew
	if w.first {
		kind = ChargeNew
	}
	for n, at := 0, start; at.Before(end); {
		due := at
		if w.first {
			due = w.now.At
		}
		if !due.Before(w.until) {
			return restart, true
		}
		n += max(market.Months(w.now.Cycle), 1)
		if w.now.Cycle == market.NoCycle {
			n = max(market.Months(w.now.Term), 1)
		}
		whole := market.After(start, n)
		stop := whole
		if stop.After(end) {
			stop = end
		}
		w.charge(due, kind, w.now.Quantity, at, stop, days(at, whole), 1)
		w.first, kind = false, ChargeCycle
		if restart, done = w.events(at, stop, days(at, whole)); done || !restart.IsZero() {
			return restart, done
		}
		at = stop
	}
	w.now.Promotion = "" // was of the term that ends
	// What happens at the very end of a term. Whatever else happens at that moment is of
	// the next one.
	for ; w.next < len(w.d.Events) && w.d.Events[w.next].At.Equal(end); w.next++ {
		e := w.d.Events[w.next]
		if e.Kind == world.DealEnd {
			return restart, true
		}
		if e.Kind != world.DealRenew {
			break
		}
		w.now = e
	}
	w.now.End = keepEnd(w.now, end)
	return restart, false
}

// keepEnd drops the unusual end of a term that is over.
func keepEnd(e world.DealEvent, end time.Time) time.Time {
	if e.End.After(end) {
		return e.End
	}
	return time.Time{}
}

// events takes what happened in a billing period.
func (w *walk) events(from, to time.Time, whole int64) (restart time.Time, done bool) {
	for ; w.next < len(w.d.Events); w.next++ {
		e := w.d.Events[w.next]
		if !e.At.Before(to) {
			return restart, false
		}
		if !e.At.Before(w.until) {
			return restart, true
		}
		was, at := w.now, Day(e.At)
		switch e.Kind {
		case world.DealQuantity:
			w.now.Quantity = e.Quantity
			if by := e.Quantity - was.Quantity; by > 0 {
				w.charge(e.At, ChargeAdd, by, at, to, whole, 1)
			} else if by < 0 {
				w.charge(e.At, ChargeRemove, -by, at, to, whole, -1)
			}
		case world.DealCycle:
			w.now.Cycle = e.Cycle
		case world.DealConvert:
			w.charge(e.At, ChargeChange, was.Quantity, at, to, whole, -1)
			w.now, w.first = e, false
			w.next++
			return at, false
		case world.DealCancel:
			if e.At.Sub(w.began(from)) < FullRefund {
				at = from
			}
			w.charge(e.At, ChargeCancel, was.Quantity, at, to, whole, -1)
			return restart, true
		case world.DealEnd:
			return restart, true
		}
	}
	return restart, false
}

// began is when a billing period began, to the second where the purchase did.
func (w *walk) began(from time.Time) time.Time {
	for _, e := range w.d.Events {
		if (e.Kind == world.DealNew || e.Kind == world.DealConvert) && Day(e.At).Equal(from) {
			return e.At
		}
	}
	return from
}

func (w *walk) charge(at time.Time, kind string, quantity int, from, to time.Time, whole int64, sign market.Cents) {
	unit, effective := w.price()
	effective = effective.Part(days(from, to), whole)
	w.out = append(w.out, Charge{At: at, Kind: kind, Offer: w.now.Offer, Quantity: quantity, Unit: unit, Effective: effective,
		Amount: sign * effective * market.Cents(quantity), Start: from, End: to, Term: w.now.Term, Cycle: w.now.Cycle, Promotion: w.now.Promotion})
}

func days(from, to time.Time) int64 { return int64(to.Sub(from) / day) }
