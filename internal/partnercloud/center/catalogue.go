package center

import (
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/market"
)

type product struct {
	ID          string           `json:"id"`
	Title       string           `json:"title"`
	Description string           `json:"description"`
	Type        productType      `json:"productType"`
	Microsoft   bool             `json:"isMicrosoftProduct"`
	Publisher   string           `json:"publisherName"`
	Links       map[string]*link `json:"links"`
}

type productType struct {
	idName
	Sub *idName `json:"subType,omitempty"`
}

type productSKUView struct {
	ID             string           `json:"id"`
	ProductID      string           `json:"productId"`
	Title          string           `json:"title"`
	Description    string           `json:"description"`
	Min            int              `json:"minimumQuantity"`
	Max            int              `json:"maximumQuantity"`
	Trial          bool             `json:"isTrial"`
	Cycles         []string         `json:"supportedBillingCycles"`
	Prerequisites  []string         `json:"purchasePrerequisites"`
	Inventory      []string         `json:"inventoryVariables"`
	Provisioning   []string         `json:"provisioningVariables"`
	Actions        []string         `json:"actions"`
	Dynamic        map[string]any   `json:"dynamicAttributes"`
	Links          map[string]*link `json:"links"`
	AttestationFor *attestation     `json:"attestationProperties,omitempty"`
}

type attestation struct {
	Type    string `json:"attestationType"`
	Enforce bool   `json:"enforceAttestation"`
}

type availability struct {
	ID          string           `json:"id"`
	ProductID   string           `json:"productId"`
	SKUID       string           `json:"skuId"`
	CatalogID   string           `json:"catalogItemId"`
	Currency    currencyName     `json:"defaultCurrency"`
	Segment     string           `json:"segment"`
	Country     string           `json:"country"`
	Purchasable bool             `json:"isPurchasable"`
	Renewable   bool             `json:"isRenewable"`
	Renewal     []renewalRule    `json:"renewalInstructions,omitempty"`
	Terms       []termView       `json:"terms"`
	Product     product          `json:"product"`
	SKU         productSKUView   `json:"sku"`
	Links       map[string]*link `json:"links"`
}

type currencyName struct {
	Code   string `json:"code"`
	Symbol string `json:"symbol"`
}

type renewalRule struct {
	Terms   []string        `json:"applicableTermIds"`
	Options []renewalOption `json:"renewalOptions"`
}

type renewalOption struct {
	To   string `json:"renewToId"`
	Auto bool   `json:"isAutoRenewable"`
}

type termView struct {
	ID           string        `json:"id"`
	Duration     string        `json:"duration"`
	Description  string        `json:"description"`
	Cycle        string        `json:"billingCycle"`
	Cancellation []cancelTerms `json:"cancellationPolicies"`
}

type cancelTerms struct {
	Options []cancelTerm `json:"refundOptions"`
}

type cancelTerm struct {
	Sequence int    `json:"sequenceId"`
	Type     string `json:"type"`
	Expires  string `json:"expiresAfter"`
}

// views are the target views that Microsoft names; most have nothing in them here.
var views = []string{"Azure", "MicrosoftAzure", "OnlineServices", "Software", "SoftwareSUSELinux", "SoftwarePerpetual", "SoftwareSubscriptions",
	"AzureReservations", "AzureReservationsVM", "AzureAzureReservationsVM", "AzureReservationsSQL", "AzureReservationsCosmosDb", "AzureSavingsPlan", "SaaS"}

// in reads the country that is asked about: the customer's, or the option.
func (k *call) in() (market.Country, *fault) {
	if v := k.query("reservationScope"); v != "" && !strings.EqualFold(v, "AzurePlan") { // all reservations here are of it
		return market.Country{}, deny(entra.CenterEnum, "reservationScope")
	}
	code := k.query("country")
	if k.customer != nil {
		code = k.customer.Country
	}
	if code == "" {
		return market.Country{}, deny(entra.CenterInvalidInput, "country is missing.")
	}
	c, ok := market.FindCountry(code)
	if !ok {
		return c, deny(entra.CenterOfferCountry)
	}
	return c, nil
}

// segment reads targetSegment: all that is sold here is commercial.
func (k *call) segment() (commercial bool, f *fault) {
	switch v := strings.ToLower(k.query("targetSegment") + k.query("segment")); v {
	case "", "commercial":
		return true, nil
	case "education", "government", "nonprofit":
		return false, nil
	}
	return false, deny(entra.CenterEnum, "targetSegment")
}

func (k *call) productView(p *market.Product, country string) product {
	v := product{ID: p.ID, Title: p.Title, Description: p.Description, Microsoft: true, Publisher: "Microsoft Corporation",
		Type: productType{idName: idName{string(p.Kind), string(p.Kind)}}, Links: map[string]*link{
			"skus": get("/products/" + p.ID + "/skus?country=" + country), "self": get("/products/" + p.ID + "?country=" + country)}}
	switch p.Kind {
	case market.AzurePlan:
		v.Type = productType{idName{"Azure", "Azure"}, &idName{"AzurePlan", "AzurePlan"}}
	case market.Reservation:
		v.Type = productType{idName{"Azure", "Azure"}, &idName{"VirtualMachines", "VirtualMachines"}}
	}
	return v
}

func (k *call) skuView(o market.Offer, country string) productSKUView {
	self := "/products/" + o.Product.ID + "/skus/" + o.SKU.ID
	v := productSKUView{ID: o.SKU.ID, ProductID: o.Product.ID, Title: o.SKU.Title, Description: o.Description, Min: o.Min, Max: o.Max, Trial: o.Trial,
		Cycles: o.Cycles(), Prerequisites: []string{"MicrosoftCustomerAgreement"}, Inventory: []string{}, Provisioning: []string{}, Actions: []string{"Refund"},
		Dynamic: map[string]any{"isMicrosoftProduct": true, "isAddon": o.AddOn, "prerequisiteSkus": orEmpty(o.Needs),
			"upgradeTargetOffers": orEmpty(o.Upgrades),
			"hasConstraints":      o.Max < 1000, "priceNote": market.Invented},
		Links: map[string]*link{"availabilities": get(self + "/availabilities?country=" + country), "self": get(self + "?country=" + country)}}
	if o.Directory != "" {
		v.Dynamic["provisioningId"] = o.Directory
	}
	if o.AddOn {
		v.Provisioning = []string{"ParentSubscriptionId"}
	}
	if o.Attest {
		v.AttestationFor = &attestation{"Windows365", true}
	}
	if o.Kind == market.Reservation {
		v.Prerequisites = append(v.Prerequisites, "AzureSubscriptionRegistration", "InventoryCheck")
		v.Inventory, v.Provisioning = []string{"CustomerId", "AzureSubscriptionId"}, []string{"Scope", "SubscriptionId"}
	}
	return v
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func (k *call) availabilityView(o market.Offer, c market.Country) availability {
	money, _ := market.FindCurrency(c.Currency)
	self := "/products/" + o.Product.ID + "/skus/" + o.SKU.ID + "/availabilities/" + o.Availability + "?country=" + c.Code
	v := availability{ID: o.Availability, ProductID: o.Product.ID, SKUID: o.SKU.ID, CatalogID: o.OfferID(), Currency: currencyName{money.Code, money.Symbol},
		Segment: "commercial", Country: c.Code, Purchasable: true, Renewable: o.Kind == market.Licences, Terms: []termView{}, Product: k.productView(o.Product,
			c.Code), SKU: k.skuView(o, c.Code), Links: map[string]*link{"self": get(self)}}
	for _, t := range o.Terms {
		row := termView{ID: termID(o, t), Duration: t.Duration, Description: termText(t), Cycle: t.Cycle, Cancellation: []cancelTerms{{Options: []cancelTerm{
			{0, "Full", "P1D"}, {1, "Partial", "P7D"}}}}}
		v.Terms = append(v.Terms, row)
		if v.Renewable {
			to := o.Key()
			if o.Trial {
				to = o.Convert
			}
			v.Renewal = append(v.Renewal, renewalRule{[]string{row.ID}, []renewalOption{{to, true}}})
		}
	}
	return v
}

// termID names a term of an offer: what it is of, short and the same each time.
func termID(o market.Offer, t market.Term) string {
	return strings.ToLower(strings.Join([]string{o.Availability, t.Duration, t.Cycle}, "-"))
}

func termText(t market.Term) string {
	length := map[string]string{market.Month: "One-Month", market.Year: "One-Year", market.ThreeYears: "Three-Year"}[t.Duration]
	switch {
	case t.Duration == "":
		return "One time purchase"
	case t.Cycle == market.OneTime:
		return length + " prepaid"
	case t.Cycle == market.NoCycle:
		return length + " commitment for trial"
	}
	return length + " commitment for " + t.Cycle + " billing"
}

func listProducts(k *call) (reply, *fault) {
	c, f := k.in()
	if f != nil {
		return reply{}, f
	}
	view := k.query("targetView")
	commercial, f := k.segment()
	switch {
	case f != nil:
		return reply{}, f
	case view == "":
		return reply{}, deny(entra.CenterInvalidInput, "targetView is missing.")
	case !contains(views, view):
		return reply{}, deny(entra.CenterTargetView)
	}
	rows := []product{}
	list := market.Products()
	for i := range list {
		if p := &list[i]; commercial && inView(p, view) {
			rows = append(rows, k.productView(p, c.Code))
		}
	}
	return ok(linked(k, rows)), nil
}

// inView reports a product that a target view lists: some views are of others.
func inView(p *market.Product, view string) bool {
	switch strings.ToLower(view) {
	case "microsoftazure", "azure":
		return p.View == "Azure"
	case "azurereservations", "azurereservationsvm", "azureazurereservationsvm":
		return p.View == "AzureReservationsVM"
	case "software":
		return strings.HasPrefix(p.View, "Software")
	}
	return strings.EqualFold(p.View, view)
}

// linked is a list with a link to itself.
func linked[T any](k *call, rows []T) collection {
	out := list(rows)
	uri := k.URL.RequestURI()
	if len(uri) > 3 && strings.EqualFold(uri[:4], "/v1/") {
		uri = uri[3:]
	}
	out.Links = &links{Self: get(uri)}
	return out
}

// productIn finds the product of the path and the country.
func (k *call) productIn() (*market.Product, market.Country, *fault) {
	c, f := k.in()
	if f != nil {
		return nil, c, f
	}
	p, ok := market.FindProduct(k.params["product"])
	if !ok {
		return nil, c, deny(entra.CenterProductUnknown)
	}
	return p, c, nil
}

func (k *call) skuIn() (market.Offer, market.Country, *fault) {
	p, c, f := k.productIn()
	if f != nil {
		return market.Offer{}, c, f
	}
	s, ok := p.SKU(k.params["sku"])
	if !ok {
		return market.Offer{}, c, deny(entra.CenterSKUUnknown)
	}
	return market.Offer{Product: p, SKU: s}, c, nil
}

func getProduct(k *call) (reply, *fault) {
	p, c, f := k.productIn()
	if f != nil {
		return reply{}, f
	}
	return ok(k.productView(p, c.Code)), nil
}

func listProductSKUs(k *call) (reply, *fault) {
	p, c, f := k.productIn()
	if f != nil {
		return reply{}, f
	}
	commercial, f := k.segment()
	if f != nil {
		return reply{}, f
	}
	rows := []productSKUView{}
	for i := range p.SKUs {
		if commercial {
			rows = append(rows, k.skuView(market.Offer{Product: p, SKU: &p.SKUs[i]}, c.Code))
		}
	}
	return ok(linked(k, rows)), nil
}

func getProductSKU(k *call) (reply, *fault) {
	o, c, f := k.skuIn()
	if f != nil {
		return reply{}, f
	}
	return ok(k.skuView(o, c.Code)), nil
}

func listAvailabilities(k *call) (reply, *fault) {
	o, c, f := k.skuIn()
	if f != nil {
		return reply{}, f
	}
	commercial, f := k.segment()
	if f != nil {
		return reply{}, f
	}
	rows := []availability{}
	if v := k.query("targetView"); v != "" && !contains(views, v) {
		return reply{}, deny(entra.CenterTargetView)
	} else if commercial && (v == "" || inView(o.Product, v)) {
		rows = append(rows, k.availabilityView(o, c))
	}
	return ok(linked(k, rows)), nil
}

func getAvailability(k *call) (reply, *fault) {
	o, c, f := k.skuIn()
	if f != nil {
		return reply{}, f
	}
	if !strings.EqualFold(o.Availability, k.params["availability"]) {
		return reply{}, deny(entra.CenterAvailability)
	}
	return ok(k.availabilityView(o, c)), nil
}

// maxItems bounds the items of one request.
const maxItems = 200

// checkInventory says whether something is restricted: reservations are while the
// Azure subscription is not registered.
func checkInventory(k *call) (reply, *fault) {
	var in struct {
		sent
		Items []struct {
			Product string `json:"productId"`
			SKU     string `json:"skuId"`
		} `json:"targetItems"`
		Context map[string]string `json:"inventoryContext"`
	}
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	if _, f := k.in(); f != nil {
		return reply{}, f
	}
	if len(in.Items) == 0 || len(in.Items) > maxItems {
		return reply{}, deny(entra.CenterMalformed, "targetItems must name 1 to 200 items.")
	}
	rows := []map[string]any{}
	for _, item := range in.Items {
		p, ok := market.FindProduct(item.Product)
		if !ok {
			return reply{}, deny(entra.CenterProductUnknown)
		}
		found := false
		for i := range p.SKUs {
			if item.SKU != "" && !strings.EqualFold(item.SKU, p.SKUs[i].ID) {
				continue
			}
			found = true
			row := map[string]any{"productId": p.ID, "skuId": p.SKUs[i].ID, "isRestricted": false, "restrictions": []any{}}
			if p.Kind == market.Reservation && !k.registeredAzure(in.Context) {
				row["isRestricted"] = true
				row["restrictions"] = []any{map[string]any{"reasonCode": "NotAvailableForSubscription",
					"description": "The Azure subscription is not registered for reservations.", "properties": map[string]string{}}}
			}
			rows = append(rows, row)
		}
		if !found {
			return reply{}, deny(entra.CenterSKUUnknown)
		}
	}
	return ok(rows), nil
}

// registeredAzure looks for a registered Azure subscription by an inventory context.
func (k *call) registeredAzure(context map[string]string) bool {
	customer, azure := "", ""
	for name, v := range context {
		switch strings.ToLower(name) {
		case "customerid":
			customer = v
		case "azuresubscriptionid":
			azure = v
		}
	}
	c := k.partner.Customers.Get(customer)
	if c == nil {
		return false
	}
	return slices.ContainsFunc(registered(c), func(id string) bool { return strings.EqualFold(id, azure) })
}
