package center

import (
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/market"
	"partnerguard/internal/partnercloud/world"
)

// Legacy offers are the catalogue's licences as they were called before new commerce:
// by the directory's SKU id. They can be looked at, and bought no more.

func offerView(o market.Offer, c market.Country) map[string]any {
	category := categories(c)[0]
	if o.Max <= 300 {
		category = categories(c)[1]
	}
	id := strings.ToUpper(o.Directory)
	return map[string]any{
		"id": id, "name": o.SKU.Title, "description": o.Description, "minimumQuantity": o.Min, "maximumQuantity": o.Max, "rank": 100,
		"uri": "/offers/" + id, "locale": "en-US", "country": c.Code, "category": category,
		"prerequisiteOffers": needsOf(o), "isAddOn": o.AddOn, "isAvailableForPurchase": false, "billing": "license", "isAutoRenewable": true,
		"isTrial":  o.Trial,
		"product":  map[string]string{"id": strings.ToLower(o.Directory), "name": o.SKU.Title, "unit": "Licenses"},
		"unitType": "Licenses", "links": map[string]*link{"self": get("/offers/" + id + "?country=" + c.Code)}, "attributes": object("Offer"),
	}
}

func needsOf(o market.Offer) []string {
	out := []string{}
	for _, key := range o.Needs {
		if base, ok := market.Find(key); ok {
			out = append(out, strings.ToUpper(base.Directory))
		}
	}
	return out
}

func categories(c market.Country) []map[string]any {
	row := func(id, name string, rank int) map[string]any {
		return map[string]any{"id": id, "name": name, "rank": rank, "locale": "en-us", "country": c.Code, "attributes": object("OfferCategory")}
	}
	return []map[string]any{row("Enterprise_Key", "Enterprise", 20), row("SmallBusiness_Key", "Small Business", 30)}
}

// legacy are the offers that were, trials left out.
func legacy() []market.Offer {
	var out []market.Offer
	list := market.Products()
	for i := range list {
		for j := range list[i].SKUs {
			if o := (market.Offer{Product: &list[i], SKU: &list[i].SKUs[j]}); o.Directory != "" && !o.Trial {
				out = append(out, o)
			}
		}
	}
	return out
}

// language reads the option locale: English alone is written here.
func (k *call) language() *fault {
	if v := k.query("locale"); v != "" && !strings.HasPrefix(strings.ToLower(v), "en") {
		return deny(entra.CenterInvalidInput, "the catalogue is in English alone.")
	}
	return nil
}

func listOffers(k *call) (reply, *fault) {
	c, f := k.in()
	if f == nil {
		f = k.language()
	}
	if f != nil {
		return reply{}, f
	}
	rows := []map[string]any{}
	for _, o := range legacy() {
		v := offerView(o, c)
		if id := k.query("offer_category_id"); id == "" || strings.EqualFold(v["category"].(map[string]any)["id"].(string), id) {
			rows = append(rows, v)
		}
	}
	return ok(linked(k, rows)), nil
}

func (k *call) offerIn() (market.Offer, market.Country, *fault) {
	c, f := k.in()
	if f != nil {
		return market.Offer{}, c, f
	}
	id := k.params["offerid"]
	if _, ok := market.Find(id); ok {
		return market.Offer{}, c, deny(entra.CenterNoOffer, id)
	}
	if !world.IsGUID(id) {
		return market.Offer{}, c, deny(entra.CenterOfferUnknown)
	}
	for _, o := range legacy() {
		if strings.EqualFold(o.Directory, id) {
			return o, c, nil
		}
	}
	return market.Offer{}, c, deny(entra.CenterNotFound)
}

func getOffer(k *call) (reply, *fault) {
	o, c, f := k.offerIn()
	if f != nil {
		return reply{}, f
	}
	return ok(offerView(o, c)), nil
}

func offerAddOns(k *call) (reply, *fault) {
	base, c, f := k.offerIn()
	if f != nil {
		return reply{}, f
	}
	rows := []map[string]any{}
	for _, o := range legacy() {
		if contains(o.Needs, base.Key()) {
			rows = append(rows, offerView(o, c))
		}
	}
	return ok(linked(k, rows)), nil
}

func listOfferCategories(k *call) (reply, *fault) {
	c, f := k.in()
	if f == nil {
		f = k.language()
	}
	if f != nil {
		return reply{}, f
	}
	return ok(list(categories(c))), nil
}
