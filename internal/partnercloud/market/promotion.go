package market

import (
	"strings"
	"time"
)

// Promotion is a discount on the first term of an offer. All are invented.
type Promotion struct {
	ID, Name   string
	Product    string // product:sku
	Term       Term
	Percent    int64
	MinSeats   int
	MaxSeats   int
	Start, End time.Time
}

var promotions = []Promotion{
	{ID: "39NFJQT1PJQB:0001:39NFJQT1Q5KN", Name: "Visio Plan 1, first year", Product: "CFQ7TTC0HD33:0003", Term: Term{Year, Annual}, Percent: 5, MinSeats: 1,
		MaxSeats: 2400, Start: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), End: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)},
	{ID: "39NFJQT1SNC7:0001:39NFJQT1Q5KM", Name: "Microsoft 365 E3, first year", Product: "CFQ7TTC0LFLX:0001", Term: Term{Year, Monthly}, Percent: 15,
		MinSeats: 10, MaxSeats: 2400, Start: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), End: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)},
}

// Promotions are all of them. The slice is shared: do not change it.
func Promotions() []Promotion { return promotions }

// FindPromotion finds a promotion by its id, without case.
func FindPromotion(id string) (Promotion, bool) {
	for _, p := range promotions {
		if strings.EqualFold(p.ID, id) {
			return p, true
		}
	}
	return Promotion{}, false
}

// Apply is a price after the discount.
func (p Promotion) Apply(price Cents) Cents { return price.Part(100-p.Percent, 100) }

// Fits reports an offer, bought this way, that the promotion is for.
func (p Promotion) Fits(o Offer, term, cycle string) bool {
	return strings.EqualFold(p.Product, o.Key()) && strings.EqualFold(p.Term.Duration, term) && p.Term.Cycle == cycle
}
