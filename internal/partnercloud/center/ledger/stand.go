package ledger

import (
	"slices"
	"time"

	"partnerguard/internal/partnercloud/market"
	"partnerguard/internal/partnercloud/world"
)

// Window is how long a purchase or renewal can be cancelled, and seats be taken back.
// FullRefund is how much of it gives all the money back.
const (
	Window     = 7 * day
	FullRefund = day
)

// How long what has ended stays before it is deleted.
const (
	expiredFor  = 30 * day
	disabledFor = 90 * day
)

const day = 24 * time.Hour

// Day is the beginning of a moment's day.
func Day(t time.Time) time.Time { return t.UTC().Truncate(day) }

// Standing is a subscription with its deal at a moment.
type Standing struct {
	Subscription world.Subscription // offer, quantity and status as they are at the moment
	Deal         world.Deal
	Offer        market.Offer
	Known        bool // the offer stands in the catalogue
	// Moved says that time alone changed something that nobody wrote down yet.
	Moved bool
}

// Stand says how a subscription stands. currency is the customer's.
func Stand(s *world.State, sub *world.Subscription, currency string, now time.Time) Standing {
	out := Standing{Subscription: *sub}
	if sub.Deal != nil {
		out.Deal = *sub.Deal
	} else {
		out.Deal = seeded(s, sub, currency)
	}
	out.settle(now)
	out.Offer, out.Known = market.Find(out.Subscription.Offer)
	return out
}

// seeded is the deal of a subscription that came with the world.
func seeded(s *world.State, sub *world.Subscription, currency string) world.Deal {
	start := Day(sub.Created)
	d := world.Deal{Order: s.OrderID(sub.ID), Currency: currency, Term: market.Year, Cycle: market.Monthly, TermStart: start}
	if sub.AzurePlan {
		d.Term, d.Cycle = "", market.OneTime
	} else {
		switch n := s.Dice("term/"+sub.ID, 20); {
		case n < 4:
			d.Term = market.Month
		case n < 7:
			d.Cycle = market.Annual
		}
		d.TermEnd = market.After(start, market.Months(d.Term))
	}
	d.Events = []world.DealEvent{{At: sub.Created, Kind: world.DealNew, Offer: sub.Offer, Quantity: sub.Quantity, Term: d.Term, Cycle: d.Cycle}}
	// Up to the making of the world all terms were renewed. In one of twelve that was
	// switched off.
	for !d.TermEnd.IsZero() && !d.TermEnd.After(s.Created) {
		d.TermStart, d.TermEnd = d.TermEnd, market.After(d.TermEnd, market.Months(d.Term))
	}
	d.Once = !sub.AzurePlan && s.Dice("once/"+sub.ID, 12) == 0
	return d
}

// settle lets the terms pass that have passed.
func (x *Standing) settle(now time.Time) {
	sub, d := &x.Subscription, &x.Deal
	for sub.Status != "deleted" && !d.TermEnd.IsZero() && !now.Before(d.TermEnd) && !ended(d) {
		at := d.TermEnd
		if d.Once || sub.Status != "active" {
			d.Events = append(slices.Clone(d.Events), world.DealEvent{At: at, Kind: world.DealEnd, Offer: sub.Offer, Term: d.Term, Cycle: d.Cycle})
			x.Moved = true
			break
		}
		start := at
		if n := d.Next; n != nil {
			sub.Offer, sub.Quantity, d.Term, d.Cycle, d.Promotion, d.Trial = n.Offer, n.Quantity, n.Term, n.Cycle, n.Promotion, false
			d.Events = append(slices.Clone(d.Events), world.DealEvent{At: at, Kind: world.DealRenew, Offer: n.Offer, Quantity: n.Quantity, Term: n.Term,
				Cycle: n.Cycle, End: n.End, Promotion: n.Promotion})
			d.Next, d.TermEnd, x.Moved = nil, n.End, true
			if n.End.IsZero() {
				d.TermEnd = market.After(start, market.Months(n.Term))
			}
		} else {
			d.TermEnd = market.After(start, market.Months(d.Term))
			d.Promotion = ""
		}
		d.TermStart = start
	}
	if e := last(d); e.Kind == world.DealEnd {
		was := sub.Status
		switch past := now.Sub(e.At); {
		case past >= expiredFor+disabledFor:
			sub.Status = "deleted"
		case past >= expiredFor || was == "suspended" || was == "disabled":
			sub.Status = "disabled"
		default:
			sub.Status = "expired"
		}
		x.Moved = x.Moved || was != sub.Status
	}
}

func last(d *world.Deal) world.DealEvent { return d.Events[len(d.Events)-1] }

func ended(d *world.Deal) bool { return last(d).Kind == world.DealEnd }

// CancelUntil is until when the term at hand can be cancelled; zero: never.
func (x *Standing) CancelUntil() time.Time {
	if x.Deal.TermEnd.IsZero() {
		return time.Time{}
	}
	at := x.Deal.Events[0].At
	if !Day(at).Equal(x.Deal.TermStart) {
		at = x.Deal.TermStart
	}
	for _, e := range x.Deal.Events {
		if e.Kind == world.DealConvert && Day(e.At).Equal(x.Deal.TermStart) {
			at = e.At
		}
	}
	return at.Add(Window)
}

// Refundable are seats that can still be given back, with until when: those of the
// purchase or renewal, and those added since.
func (x *Standing) Refundable(now time.Time) (total int, lots []Lot) {
	if until := x.CancelUntil(); now.Before(until) {
		seats := x.Subscription.Quantity
		for _, e := range added(&x.Deal) {
			seats -= e.Quantity
		}
		if seats > 0 {
			lots = append(lots, Lot{seats, until})
		}
	}
	for _, e := range added(&x.Deal) {
		if until := e.At.Add(Window); now.Before(until) && e.At.After(x.Deal.TermStart) {
			lots = append(lots, Lot{e.Quantity, until})
		}
	}
	left := x.Subscription.Quantity
	for i := range lots {
		lots[i].Quantity = min(lots[i].Quantity, left)
		left -= lots[i].Quantity
		total += lots[i].Quantity
	}
	return total, slices.DeleteFunc(lots, func(l Lot) bool { return l.Quantity <= 0 })
}

// Lot is a number of seats with a moment.
type Lot struct {
	Quantity int
	Until    time.Time
}

// added are the increases of the term at hand, with by how much, as far as they were
// not taken back: a decrease takes the last ones first.
func added(d *world.Deal) []world.DealEvent {
	var out []world.DealEvent
	for i, e := range d.Events {
		if i == 0 || e.Kind != world.DealQuantity || !e.At.After(d.TermStart) {
			continue
		}
		by := e.Quantity - d.Events[i-1].Quantity
		if by > 0 {
			e.Quantity = by
			out = append(out, e)
		}
		for n := len(out) - 1; n >= 0 && by < 0; n-- {
			taken := min(-by, out[n].Quantity)
			out[n].Quantity -= taken
			by += taken
		}
	}
	return out
}
