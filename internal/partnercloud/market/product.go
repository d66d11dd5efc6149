package market

import (
	"slices"
	"strings"
)

// Kind is the type of a product, by the id that the API gives it.
type Kind string

// The kinds (Microsoft: Products resources, ItemType).
const (
	Licences    Kind = "OnlineServicesNCE" // new commerce, by seats
	AzurePlan   Kind = "AzurePlan"
	Reservation Kind = "AzureReservationsVM"
	Software    Kind = "Software"
)

// Product is something to buy, in one or more SKUs.
type Product struct {
	ID, Title, Description string
	Kind                   Kind
	View                   string // targetView that lists it
	SKUs                   []SKU
}

// SKU is one way to buy a product. An offer's id is product:sku:availability.
type SKU struct {
	ID, Availability string
	Title            string
	Part             string // skuPartNumber in the directory; "" gives no licence
	Directory        string // the directory's SKU id
	Plans            []Plan
	Min, Max         int
	Trial, AddOn     bool
	Needs            []string // offers of which an add-on needs one: product:sku
	Upgrades         []string // product:sku
	Price            Cents    // invented: US dollars, a seat and month in a term of a year
	Terms            []Term
	Attest           bool // the buyer must accept an attestation
	Convert          string
}

// Plan is a service plan of a SKU in the directory.
type Plan struct{ ID, Name string }

// Term is a length of commitment with a way to be billed for it.
type Term struct{ Duration, Cycle string }

// Offer is a SKU with its product.
type Offer struct {
	*Product
	*SKU
}

// OfferID is the catalogue item id.
func (o Offer) OfferID() string { return o.Product.ID + ":" + o.SKU.ID + ":" + o.Availability }

// Key names the SKU in the whole catalogue: product:sku.
func (o Offer) Key() string { return o.Product.ID + ":" + o.SKU.ID }

// Supports reports a term and cycle that the offer is sold by.
func (o Offer) Supports(term, cycle string) bool {
	return slices.ContainsFunc(o.Terms, func(t Term) bool { return strings.EqualFold(t.Duration, term) && t.Cycle == cycle })
}

// Cycles are the billing cycles, each once.
func (o Offer) Cycles() []string {
	var out []string
	for _, t := range o.Terms {
		if !slices.Contains(out, t.Cycle) {
			out = append(out, t.Cycle)
		}
	}
	return out
}

// PriceOf is the price of a seat for one billing period, in a currency. A term of a
// month costs a fifth more; three years a tenth less. All of it is invented.
func (o Offer) PriceOf(term, cycle, currency string) Cents {
	if o.Trial || o.Kind == AzurePlan {
		return 0
	}
	price := o.Price
	switch strings.ToUpper(term) {
	case Month:
		price = price.Part(6, 5)
	case ThreeYears:
		price = price.Part(9, 10)
	}
	months := Months(cycle)
	if cycle == OneTime {
		months = max(Months(term), 1)
	}
	return Convert(price*Cents(months), "USD", currency)
}

// Find finds an offer by its id, product:sku:availability or product:sku.
func Find(id string) (Offer, bool) {
	parts := strings.Split(id, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return Offer{}, false
	}
	p, ok := FindProduct(parts[0])
	if !ok {
		return Offer{}, false
	}
	s, ok := p.SKU(parts[1])
	if !ok || len(parts) == 3 && !strings.EqualFold(s.Availability, parts[2]) {
		return Offer{}, false
	}
	return Offer{p, s}, true
}

// FindProduct finds a product by its id, without case.
func FindProduct(id string) (*Product, bool) {
	list := Products()
	for i := range list {
		if strings.EqualFold(list[i].ID, id) {
			return &list[i], true
		}
	}
	return nil, false
}

// SKU finds a SKU of the product by its id, without case.
func (p *Product) SKU(id string) (*SKU, bool) {
	for i := range p.SKUs {
		if strings.EqualFold(p.SKUs[i].ID, id) {
			return &p.SKUs[i], true
		}
	}
	return nil, false
}

// ByTitle finds the offer that people call by a name; trials are not among them.
func ByTitle(title string) (Offer, bool) {
	return first(func(o Offer) bool { return !o.Trial && strings.EqualFold(o.SKU.Title, title) })
}

// ByPart finds the offer that gives a SKU of the directory, by its part number.
func ByPart(part string) (Offer, bool) {
	return first(func(o Offer) bool { return !o.Trial && part != "" && strings.EqualFold(o.Part, part) })
}

func first(is func(Offer) bool) (Offer, bool) {
	list := Products()
	for i := range list {
		for j := range list[i].SKUs {
			if o := (Offer{&list[i], &list[i].SKUs[j]}); is(o) {
				return o, true
			}
		}
	}
	return Offer{}, false
}
