package ledger

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/market"
	"partnerguard/internal/partnercloud/world"
)

const (
	basic   = "CFQ7TTC0LH18:0001:CFQ7TTC0K971" // 5.00 a month by the year, 6.00 by the month
	premium = "CFQ7TTC0LCHC:0002:CFQ7TTC0MN4G" // 18.00
	trial   = "CFQ7TTC0LH18:000B:CFQ7TTC0K5B1"
)

func at(text string) time.Time {
	t, err := time.Parse("2006-01-02T15:04", text)
	if err != nil {
		t, err = time.Parse("2006-01-02", text)
	}
	if err != nil {
		panic(err)
	}
	return t
}

func said(list []Charge) string {
	var out []string
	for _, c := range list {
		out = append(out, fmt.Sprintf("%s %s %d %d", c.At.Format("01-02"), c.Kind, c.Quantity, c.Amount))
	}
	return strings.Join(out, ", ")
}

// TestCharges has the money worked out by hand.
func TestCharges(t *testing.T) {
	t.Parallel()
	buy := func(offer, when string, n int, term, cycle string) world.DealEvent {
		return world.DealEvent{At: at(when), Kind: world.DealNew, Offer: offer, Quantity: n, Term: term, Cycle: cycle}
	}
	then := func(kind, when string, e world.DealEvent, n int) world.DealEvent {
		e.At, e.Kind, e.Quantity, e.End = at(when), kind, n, time.Time{}
		return e
	}
	year := buy(basic, "2026-01-10T09:00", 10, market.Year, market.Monthly)
	month := buy(basic, "2026-01-10T09:00", 10, market.Month, market.Monthly)
	upfront := buy(basic, "2026-01-10T09:00", 10, market.Year, market.Annual)
	odd := buy(basic, "2026-01-31T09:00", 1, market.Month, market.Monthly)
	short := buy(basic, "2026-01-10T09:00", 10, market.Month, market.Monthly)
	short.End = at("2026-01-25")
	once := buy("DG7GMGF0DWT0:0001:DG7GMGF0DSQR", "2026-01-10T09:00", 3, "", market.OneTime)
	for _, c := range []struct {
		name, until string
		promotion   string
		events      []world.DealEvent
		want        string
	}{
		{"a year by the month", "2026-04-01", "", []world.DealEvent{year}, "01-10 new 10 5000, 02-10 cycleCharge 10 5000, 03-10 cycleCharge 10 5000"},
		{"not yet", "2026-01-10T09:00", "", []world.DealEvent{year}, ""},
		{"a month renews", "2026-03-11", "", []world.DealEvent{month}, "01-10 new 10 6000, 02-10 renew 10 6000, 03-10 renew 10 6000"},
		{"a year in advance", "2027-01-11", "", []world.DealEvent{upfront}, "01-10 new 10 60000, 01-10 renew 10 60000"},
		{"the 31st", "2026-04-01", "", []world.DealEvent{odd}, "01-31 new 1 600, 02-28 renew 1 600, 03-28 renew 1 600"},
		{"an end of its own", "2026-03-01", "", []world.DealEvent{short}, "01-10 new 10 2900, 01-25 renew 10 6000, 02-25 renew 10 6000"},
		{"more seats for the rest of the period", "2026-03-01", "", []world.DealEvent{year, then(world.DealQuantity, "2026-01-26T10:00", year, 14)},
			"01-10 new 10 5000, 01-26 addQuantity 4 968, 02-10 cycleCharge 14 7000"},
		{"fewer", "2026-03-01", "", []world.DealEvent{year, then(world.DealQuantity, "2026-01-12T10:00", year, 4)},
			"01-10 new 10 5000, 01-12 removeQuantity 6 -2808, 02-10 cycleCharge 4 2000"},
		{"cancelled within a day", "2027-03-01", "", []world.DealEvent{year, then(world.DealCancel, "2026-01-11T08:00", year, 0)},
			"01-10 new 10 5000, 01-11 cancelImmediate 10 -5000"},
		{"cancelled within the week", "2027-03-01", "", []world.DealEvent{year, then(world.DealCancel, "2026-01-13T10:00", year, 0)},
			"01-10 new 10 5000, 01-13 cancelImmediate 10 -4520"},
		{"more seats in the very moment of the renewal", "2026-03-11", "", []world.DealEvent{month, then(world.DealQuantity, "2026-02-10", month, 14)},
			"01-10 new 10 6000, 02-10 renew 10 6000, 02-10 addQuantity 4 2400, 03-10 renew 14 8400"},
		{"cancelled in the very moment of the renewal", "2026-05-11", "", []world.DealEvent{month, then(world.DealCancel, "2026-02-10", month, 0)},
			"01-10 new 10 6000, 02-10 renew 10 6000, 02-10 cancelImmediate 10 -6000"},
		{"suspended is billed", "2026-03-01", "", []world.DealEvent{year, then(world.DealSuspend, "2026-01-13T10:00", year, 10)},
			"01-10 new 10 5000, 02-10 cycleCharge 10 5000"},
		{"not renewed", "2026-09-01", "", []world.DealEvent{month, then(world.DealEnd, "2026-02-10", month, 0)}, "01-10 new 10 6000"},
		{"renewed as something else", "2026-03-11", "", []world.DealEvent{month, {At: at("2026-02-10"), Kind: world.DealRenew, Offer: premium, Quantity: 2,
			Term: market.Month, Cycle: market.Monthly}}, "01-10 new 10 6000, 02-10 renew 2 4320, 03-10 renew 2 4320"},
		{"changed to another offer", "2026-03-01", "", []world.DealEvent{year, {At: at("2026-01-26T10:00"), Kind: world.DealConvert, Offer: premium,
			Quantity: 10, Term: market.Year, Cycle: market.Monthly}},
			"01-10 new 10 5000, 01-26 convert 10 -2420, 01-26 renew 10 18000, 02-26 cycleCharge 10 18000"},
		{"billed by the year from the next period on", "2027-01-11", "", []world.DealEvent{year, then(world.DealCycle, "2026-02-20",
			buy(basic, "2026-02-20", 10, market.Year, market.Annual), 10)}, "01-10 new 10 5000, 02-10 cycleCharge 10 5000, 03-10 cycleCharge 10 50300, " +
			"01-10 renew 10 60000"},
		{"a trial costs nothing", "2026-03-01", "", []world.DealEvent{buy(trial, "2026-01-10T09:00", 25, market.Month, market.NoCycle),
			then(world.DealEnd, "2026-02-10", year, 0)}, "01-10 new 25 0"},
		{"software once", "2027-03-01", "", []world.DealEvent{once}, "01-10 new 3 5700"},
		{"software given back", "2027-03-01", "", []world.DealEvent{once, then(world.DealCancel, "2026-01-20", once, 0)},
			"01-10 new 3 5700, 01-20 cancelImmediate 3 -5700"},
		{"a promotion is for the first term", "2027-01-11", "39NFJQT1PJQB:0001:39NFJQT1Q5KN",
			[]world.DealEvent{buy("CFQ7TTC0HD33:0003:CFQ7TTC0K59M", "2026-01-10", 10, market.Year, market.Annual)}, "01-10 new 10 45600, 01-10 renew 10 48000"},
		{"an offer that nobody sells", "2027-01-01", "", []world.DealEvent{buy("X:1:Y", "2026-01-10", 1, market.Year, market.Monthly)}, ""},
		{"nothing", "2027-01-01", "", nil, ""},
	} {
		if c.promotion != "" {
			c.events[0].Promotion = c.promotion
		}
		got := said(Charges(world.Deal{Currency: "USD", Events: c.events}, at(c.until)))
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// TestChargesAreFinal: what was charged before a moment is a beginning of what was
// charged before a later one.
func TestChargesAreFinal(t *testing.T) {
	t.Parallel()
	d := world.Deal{Currency: "EUR", Events: []world.DealEvent{
		{At: at("2024-02-29T10:00"), Kind: world.DealNew, Offer: basic, Quantity: 3, Term: market.Month, Cycle: market.Monthly},
		{At: at("2024-05-02T10:00"), Kind: world.DealQuantity, Offer: basic, Quantity: 9, Term: market.Month, Cycle: market.Monthly},
		{At: at("2024-08-09T10:00"), Kind: world.DealConvert, Offer: premium, Quantity: 9, Term: market.Year, Cycle: market.Annual},
		{At: at("2025-08-11T10:00"), Kind: world.DealCancel, Offer: premium},
	}}
	last := 0
	whole := Charges(d, at("2030-01-01"))
	for day := at("2024-02-28"); day.Before(at("2026-01-01")); day = day.AddDate(0, 0, 1) {
		got := Charges(d, day)
		if len(got) < last || said(got) != said(whole[:len(got)]) {
			t.Fatalf("before %s: %s", day.Format(time.DateOnly), said(got))
		}
		last = len(got)
		for _, c := range got {
			if !c.At.Before(day) {
				t.Fatalf("a charge of %s before %s", c.At, day)
			}
		}
	}
	if last != len(whole) || last < 8 {
		t.Errorf("%d of %d charges", last, len(whole))
	}
}

func TestStand(t *testing.T) {
	t.Parallel()
	now := at("2026-11-20T12:00")
	w := world.New(7, world.NewClock(func() time.Time { return now }))
	w.Read(func(s *world.State) {
		deal := func(change func(*world.Deal)) *world.Subscription {
			d := &world.Deal{Currency: "USD", Term: market.Month, Cycle: market.Monthly, TermStart: at("2026-11-10"), TermEnd: at("2026-12-10"),
				Events: []world.DealEvent{{At: at("2026-11-10T09:00"), Kind: world.DealNew, Offer: basic, Quantity: 5, Term: market.Month,
					Cycle: market.Monthly}}}
			if change != nil {
				change(d)
			}
			return &world.Subscription{ID: "s", Offer: basic, Quantity: 5, Status: "active", Deal: d}
		}
		at2 := func(sub *world.Subscription, when string) Standing { return Stand(s, sub, "USD", at(when)) }
		x := at2(deal(nil), "2027-02-11")
		if x.Subscription.Status != "active" || !x.Deal.TermEnd.Equal(at("2027-03-10")) || x.Moved {
			t.Errorf("renewed: %+v", x)
		}
		once := func(d *world.Deal) { d.Once = true }
		for when, want := range map[string]string{"2026-12-09": "active", "2026-12-10": "expired", "2027-01-09": "disabled", "2027-04-09": "deleted"} {
			if got := at2(deal(once), when); got.Subscription.Status != want {
				t.Errorf("%s: %s, want %s", when, got.Subscription.Status, want)
			}
		}
		suspended := deal(nil)
		suspended.Status = "suspended"
		if got := at2(suspended, "2026-12-11"); got.Subscription.Status != "disabled" || !got.Moved {
			t.Errorf("suspended at the end: %+v", got.Subscription)
		}
		next := deal(func(d *world.Deal) {
			d.Next = &world.NextTerm{Offer: premium, Term: market.Year, Cycle: market.Annual, Quantity: 7}
		})
		x = at2(next, "2026-12-11")
		if x.Subscription.Offer != premium || x.Subscription.Quantity != 7 || x.Deal.Term != market.Year || x.Deal.Next != nil || !x.Moved {
			t.Errorf("next term: %+v", x)
		}
		if next.Deal.Next == nil || len(next.Deal.Events) != 1 {
			t.Error("looking changed the world")
		}
		x = at2(deal(func(d *world.Deal) {
			d.Events = append(d.Events, world.DealEvent{At: at("2026-11-14"), Kind: world.DealQuantity, Offer: basic, Quantity: 8})
		}), "2026-11-16")
		x.Subscription.Quantity = 8
		if n, lots := x.Refundable(at("2026-11-16")); n != 8 || len(lots) != 2 || lots[1].Quantity != 3 {
			t.Errorf("refundable: %d %v", n, lots)
		}
		if n, _ := x.Refundable(at("2026-11-18")); n != 3 {
			t.Errorf("refundable later: %d", n)
		}
		if n, _ := x.Refundable(at("2026-11-22")); n != 0 {
			t.Errorf("refundable at last: %d", n)
		}
		// A subscription that came with the world: the same each time, renewed until then.
		seed := &world.Subscription{ID: "seeded", Offer: basic, Quantity: 5, Status: "active", Created: at("2023-03-31T08:00")}
		a, b := at2(seed, "2026-11-20"), at2(seed, "2026-11-20")
		if a.Deal.Order != b.Deal.Order || len(a.Deal.Order) != 12 || !a.Deal.TermEnd.After(now) || a.Deal.TermStart.After(now) {
			t.Errorf("seeded: %+v", a.Deal)
		}
		if n := len(Charges(a.Deal, now)); n < 4 {
			t.Errorf("seeded: %d charges", n)
		}
	})
}

// TestPromotionsOfTerms: a promotion is of the term that it was bought for. What was
// charged stays as it was when the next term has another one or none.
func TestPromotionsOfTerms(t *testing.T) {
	t.Parallel()
	const offer, promotion = "CFQ7TTC0HD33:0003:CFQ7TTC0K59M", "39NFJQT1PJQB:0001:39NFJQT1Q5KN"
	w := world.New(7, world.NewClock(func() time.Time { return at("2026-11-20") }))
	w.Read(func(s *world.State) {
		buy := func(first string, next *world.NextTerm) *world.Subscription {
			return &world.Subscription{ID: "s", Offer: offer, Quantity: 10, Status: "active", Deal: &world.Deal{Currency: "USD", Term: market.Year,
				Cycle: market.Annual, TermStart: at("2026-01-10"), TermEnd: at("2027-01-10"), Promotion: first, Next: next,
				Events: []world.DealEvent{{At: at("2026-01-10"), Kind: world.DealNew, Offer: offer, Quantity: 10, Term: market.Year, Cycle: market.Annual,
					Promotion: first}}}}
		}
		next := &world.NextTerm{Offer: offer, Term: market.Year, Cycle: market.Annual, Quantity: 10, Promotion: promotion}
		for want, sub := range map[string]*world.Subscription{
			"01-10 new 10 45600, 01-10 renew 10 48000":                       buy(promotion, nil),
			"01-10 new 10 48000, 01-10 renew 10 45600, 01-10 renew 10 48000": buy("", next),
		} {
			now := at("2027-01-11")
			if sub.Deal.Next != nil {
				now = at("2028-01-11")
			}
			x := Stand(s, sub, "USD", now)
			if got := said(Charges(x.Deal, now)); got != want {
				t.Errorf("got %s\nwant %s", got, want)
			}
		}
	})
}

// TestSeatsGivenBackOnce: seats that were added and given back cannot be given back
// again out of those that are committed.
func TestSeatsGivenBackOnce(t *testing.T) {
	t.Parallel()
	event := func(when, kind string, n int) world.DealEvent {
		return world.DealEvent{At: at(when), Kind: kind, Offer: basic, Quantity: n, Term: market.Year, Cycle: market.Monthly}
	}
	x := Standing{Subscription: world.Subscription{Quantity: 10}, Deal: world.Deal{TermStart: at("2026-01-10"), TermEnd: at("2027-01-10"),
		Events: []world.DealEvent{event("2026-01-10T09:00", world.DealNew, 10), event("2026-03-01T09:00", world.DealQuantity, 15),
			event("2026-03-02T09:00", world.DealQuantity, 10)}}}
	if n, lots := x.Refundable(at("2026-03-03")); n != 0 {
		t.Errorf("%d seats can be given back again: %v", n, lots)
	}
	x.Subscription.Quantity = 12
	x.Deal.Events[2].Quantity = 12
	if n, _ := x.Refundable(at("2026-03-03")); n != 2 {
		t.Errorf("%d seats of those added can be given back, not 2", n)
	}
}
