package center

import (
	"cmp"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/market"
)

// oneTimeLine is a billing line (Microsoft: Invoice resources, OneTimeInvoiceLineItem).
type oneTimeLine struct {
	PartnerID     string     `json:"partnerId"`
	CustomerID    string     `json:"customerId"`
	CustomerName  string     `json:"customerName"`
	Domain        string     `json:"customerDomainName"`
	Country       string     `json:"customerCountry"`
	Invoice       string     `json:"invoiceNumber"`
	MPN           string     `json:"mpnId"`
	ResellerMPN   string     `json:"resellerMpnId"`
	OrderID       string     `json:"orderId"`
	OrderDate     string     `json:"orderDate"`
	ProductID     string     `json:"productId"`
	SKUID         string     `json:"skuId"`
	Availability  string     `json:"availabilityId"`
	ProductName   string     `json:"productName"`
	SKUName       string     `json:"skuName"`
	Qualifiers    []string   `json:"productQualifiers"`
	ChargeType    string     `json:"chargeType"`
	UnitPrice     float64    `json:"unitPrice"`
	Effective     float64    `json:"effectiveUnitPrice"`
	UnitType      string     `json:"unitType"`
	Quantity      int        `json:"quantity"`
	Subtotal      float64    `json:"subtotal"`
	Tax           float64    `json:"taxTotal"`
	Total         float64    `json:"totalForCustomer"`
	Currency      string     `json:"currency"`
	Publisher     string     `json:"publisherName"`
	PublisherID   string     `json:"publisherId"`
	Description   string     `json:"subscriptionDescription"`
	Subscription  string     `json:"subscriptionId"`
	SubStart      string     `json:"subscriptionStartDate"`
	SubEnd        string     `json:"subscriptionEndDate"`
	ChargeStart   string     `json:"chargeStartDate"`
	ChargeEnd     string     `json:"chargeEndDate"`
	TermAndCycle  string     `json:"termAndBillingCycle"`
	AlternateID   string     `json:"alternateId"`
	Adjustment    string     `json:"priceAdjustmentDescription"`
	Discount      string     `json:"discountDetails"`
	CreditReason  string     `json:"creditReasonCode"`
	PriceCurrency string     `json:"pricingCurrency"`
	Rate          float64    `json:"pcToBCExchangeRate"`
	RateDate      string     `json:"pcToBCExchangeRateDate"`
	Billable      float64    `json:"billableQuantity"`
	Meter         string     `json:"meterDescription"`
	Frequency     string     `json:"billingFrequency"`
	Reservation   string     `json:"reservationOrderId"`
	Type          string     `json:"invoiceLineItemType"`
	Provider      string     `json:"billingProvider"`
	Promotion     string     `json:"promotionId"`
	Attributes    attributes `json:"attributes"`
}

// rateDate is the day of the exchange rate: the first of the month.
func rateDate(t time.Time) string { return firstOfMonth(t).Format("2006-01-02T15:04:05") }

func (k *call) lineView(b *billed, invoice string) oneTimeLine {
	c, ch := b.customer, &b.charge
	v := oneTimeLine{
		PartnerID: k.partner.ID, CustomerID: c.TenantID, CustomerName: c.Name, Domain: c.Domain, Country: c.Country, Invoice: invoice, MPN: mpnOf(k.partner),
		ResellerMPN: "0", OrderID: b.order, OrderDate: stamp(b.ordered), Qualifiers: []string{}, ChargeType: ch.Kind, UnitPrice: ch.Unit.Float(),
		Effective: ch.Effective.Float(), Quantity: ch.Quantity, Subtotal: b.amount.Float(), Total: b.amount.Float(), Currency: k.billingCurrency(),
		Publisher: "Microsoft Corporation", Description: b.name, Subscription: b.sub, SubStart: stamp(b.start), ChargeStart: stamp(ch.Start),
		ChargeEnd: stamp(ch.End.Add(-time.Second)), TermAndCycle: termText(market.Term{Duration: ch.Term, Cycle: ch.Cycle}), AlternateID: b.order,
		Adjustment: `["` + market.Invented + `"]`, PriceCurrency: b.currency, Rate: market.Rate(b.currency, k.billingCurrency()), RateDate: rateDate(ch.At),
		Billable: float64(ch.Quantity), Frequency: ch.Cycle, Type: "billing_line_items", Provider: "one_time", Promotion: ch.Promotion,
		Attributes: object("OneTimeInvoiceLineItem"),
	}
	if b.partner != "" {
		v.ResellerMPN = b.partner
	}
	if !b.end.IsZero() {
		v.SubEnd = stamp(b.end.Add(-time.Second))
	}
	if o := b.offer; o.Product != nil {
		v.ProductID, v.SKUID, v.Availability, v.ProductName, v.SKUName = o.Product.ID, o.SKU.ID, o.Availability, o.Product.Title, o.SKU.Title
		if o.AddOn {
			v.Qualifiers = append(v.Qualifiers, "AddOn")
		}
		if o.Trial {
			v.Qualifiers = append(v.Qualifiers, "Trial")
		}
	}
	if b.meter != "" {
		v.Meter, v.Billable, v.UnitType, v.Description, v.TermAndCycle = b.meter, b.use, "1 Hour", b.azure, ""
	}
	return v
}

// dailyLine is a day's use (Microsoft: Invoice resources, DailyRatedUsageLineItem).
type dailyLine struct {
	PartnerID     string     `json:"partnerId"`
	PartnerName   string     `json:"partnerName"`
	CustomerID    string     `json:"customerId"`
	CustomerName  string     `json:"customerName"`
	Domain        string     `json:"customerDomainName"`
	Country       string     `json:"customerCountry"`
	Invoice       string     `json:"invoiceNumber"`
	ProductID     string     `json:"productId"`
	SKUID         string     `json:"skuId"`
	Availability  string     `json:"availabilityId"`
	SKUName       string     `json:"skuName"`
	ProductName   string     `json:"productName"`
	Publisher     string     `json:"publisherName"`
	PublisherID   string     `json:"publisherId"`
	Subscription  string     `json:"subscriptionId"`
	Description   string     `json:"subscriptionDescription"`
	ChargeStart   string     `json:"chargeStartDate"`
	ChargeEnd     string     `json:"chargeEndDate"`
	Date          string     `json:"usageDate"`
	MeterType     string     `json:"meterType"`
	Category      string     `json:"meterCategory"`
	MeterID       string     `json:"meterId"`
	SubCategory   string     `json:"meterSubCategory"`
	MeterName     string     `json:"meterName"`
	MeterRegion   string     `json:"meterRegion"`
	Unit          string     `json:"unitOfMeasure"`
	Location      string     `json:"resourceLocation"`
	Service       string     `json:"consumedService"`
	Group         string     `json:"resourceGroup"`
	URI           string     `json:"resourceUri"`
	Tags          string     `json:"tags"`
	Info          string     `json:"additionalInfo"`
	ServiceInfo1  string     `json:"serviceInfo1"`
	ServiceInfo2  string     `json:"serviceInfo2"`
	MPN           string     `json:"mpnId"`
	ResellerMPN   string     `json:"resellerMpnId"`
	ChargeType    string     `json:"chargeType"`
	UnitPrice     float64    `json:"unitPrice"`
	Quantity      float64    `json:"quantity"`
	UnitType      string     `json:"unitType"`
	BillTotal     float64    `json:"billingPreTaxTotal"`
	BillCurrency  string     `json:"billingCurrency"`
	PriceTotal    float64    `json:"pricingPreTaxTotal"`
	PriceCurrency string     `json:"pricingCurrency"`
	Entitlement   string     `json:"entitlementId"`
	EntitlementAs string     `json:"entitlementDescription"`
	Rate          float64    `json:"pcToBCExchangeRate"`
	RateDate      string     `json:"pcToBCExchangeRateDate"`
	Effective     float64    `json:"effectiveUnitPrice"`
	Credit        float64    `json:"rateOfPartnerEarnedCredit"`
	HasCredit     bool       `json:"hasPartnerEarnedCredit"`
	RateOfCredit  float64    `json:"rateOfCredit"`
	CreditType    string     `json:"creditType"`
	Type          string     `json:"invoiceLineItemType"`
	Provider      string     `json:"billingProvider"`
	Attributes    attributes `json:"attributes"`
}

func (k *call) dayView(u *used, invoice string) dailyLine {
	c := u.customer
	price := 0.0
	if u.row.Quantity != 0 {
		price = u.row.Cost / u.row.Quantity
	}
	m := market.MeterNamed(u.row.Category, u.row.Meter)
	group := ""
	if parts := strings.Split(u.row.Resource, "/"); len(parts) > 2 {
		group = parts[2]
	}
	v := dailyLine{
		PartnerID: k.partner.ID, PartnerName: k.partner.Name, CustomerID: c.TenantID, CustomerName: c.Name, Domain: c.Domain, Country: c.Country,
		Invoice: invoice, Publisher: "Microsoft", Subscription: u.plan.ID, Description: u.plan.Name, ChargeStart: stamp(firstOfMonth(u.row.Day)),
		ChargeEnd: stamp(market.After(firstOfMonth(u.row.Day), 1).Add(-time.Second)), Date: stamp(u.row.Day), MeterType: m.Name, Category: u.row.Category,
		MeterID: m.ID, SubCategory: m.SubCategory, MeterName: m.Name, MeterRegion: m.Region, Unit: u.row.Unit,
		Location: cmp.Or(u.row.Location, m.Location), Service: m.Service,
		Group: group,
		URI:   "/subscriptions/" + u.azure.SubscriptionID + u.row.Resource, MPN: mpnOf(k.partner), ResellerMPN: u.partner, ChargeType: "new", UnitPrice: price,
		Quantity: u.row.Quantity, UnitType: u.row.Unit, BillTotal: u.amount.Float(), BillCurrency: k.billingCurrency(), PriceTotal: u.row.Cost,
		PriceCurrency: u.currency, Entitlement: u.azure.SubscriptionID, EntitlementAs: u.azure.Name, Rate: market.Rate(u.currency, k.billingCurrency()),
		RateDate: rateDate(u.row.Day), Effective: price, Type: "usage_line_items", Provider: "one_time", Attributes: object("DailyRatedUsageLineItem"),
	}
	if o, ok := market.Find(u.plan.Offer); ok {
		v.ProductID, v.SKUID, v.Availability, v.SKUName, v.ProductName = o.Product.ID, o.SKU.ID, o.Availability, o.SKU.Title, o.Product.Title
	}
	return v
}

// linesAsked reads which lines a request is for.
func (k *call) linesAsked() (usage, ours bool, f *fault) {
	provider, kind := strings.ToLower(k.params["provider"]), strings.ToLower(k.params["itemtype"])
	if provider == "" {
		provider, kind = strings.ToLower(k.query("provider")), strings.ToLower(k.query("invoiceLineItemType"))
	}
	switch strings.ReplaceAll(provider, "_", "") {
	case "onetime", "all":
		ours = true
	case "office", "azure", "azuredatamarket", "marketplace": // nothing is bought by them here
	case "":
		return false, false, deny(entra.CenterInvalidInput, "provider is missing.")
	default:
		return false, false, deny(entra.CenterEnum, "provider")
	}
	switch strings.ReplaceAll(kind, "_", "") {
	case "billinglineitems":
	case "usagelineitems":
		usage = true
	case "":
		return false, false, deny(entra.CenterInvalidInput, "invoiceLineItemType is missing.")
	default:
		return false, false, deny(entra.CenterEnum, "invoiceLineItemType")
	}
	earned, f := k.flag("hasPartnerEarnedCredit", false)
	if f != nil {
		return false, false, f
	}
	ours = ours && !(earned && usage) // none is earned here
	return usage, ours, k.asksCurrency(false)
}

// maxLines is the most lines of a page, and how many come unless it is said.
const maxLines = 2000

func (k *call) lines(b *bill, invoice string) (reply, *fault) {
	usage, ours, f := k.linesAsked()
	if f != nil {
		return reply{}, f
	}
	if !ours {
		b = new(bill)
	}
	var out collection
	if usage {
		all := make([]*used, len(b.usage))
		for i := range b.usage {
			all[i] = &b.usage[i]
		}
		out, f = pageOf(k, all, func(u *used) dailyLine { return k.dayView(u, invoice) }, maxLines, maxLines)
	} else {
		all := make([]*billed, len(b.lines))
		for i := range b.lines {
			all[i] = &b.lines[i]
		}
		out, f = pageOf(k, all, func(l *billed) oneTimeLine { return k.lineView(l, invoice) }, maxLines, maxLines)
	}
	return ok(out), f
}

// invoiceLines are the lines of an invoice. period says nothing here: an invoice has
// one.
func invoiceLines(k *call, v issued) (reply, *fault) {
	if p := k.query("period"); p != "" && !strings.EqualFold(p, "previous") && !strings.EqualFold(p, "current") {
		return reply{}, deny(entra.CenterEnum, "period")
	}
	return k.lines(k.month(v.month), v.id)
}

// unbilledLines are the lines of this month, or of the last one while its invoice is
// to come.
func unbilledLines(k *call) (reply, *fault) {
	if f := k.asksCurrency(true); f != nil {
		return reply{}, f
	}
	month := firstOfMonth(k.now)
	switch strings.ToLower(k.query("period")) {
	case "current":
		return k.lines(k.month(month), "")
	case "previous":
		if k.now.Before(month.AddDate(0, 0, invoiceDay-1)) {
			return k.lines(k.month(market.After(month, -1)), "")
		}
		return k.lines(new(bill), "")
	case "":
		return reply{}, deny(entra.CenterInvalidInput, "period is missing.")
	}
	return reply{}, deny(entra.CenterEnum, "period")
}
