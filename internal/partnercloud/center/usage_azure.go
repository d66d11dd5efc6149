package center

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/market"
	"partnerguard/internal/partnercloud/world"
)

// usedBy is what an Azure plan used from one moment to before another, by entitlement.
func (k *call) usedBy(c *world.Customer, s *world.Subscription, from, to time.Time) map[string][]world.AzureUsage {
	out := map[string][]world.AzureUsage{}
	for i := range s.Entitlements {
		e := &s.Entitlements[i]
		out[e.ID] = k.s.Usage(c.TenantID, e.SubscriptionID, s.Created, from, to)
	}
	return out
}

// costOf is what a plan cost in the month at hand, in the customer's currency.
func (k *call) costOf(c *world.Customer, s *world.Subscription) market.Cents {
	total := market.Cents(0)
	for _, rows := range k.usedBy(c, s, firstOfMonth(k.now), k.now) {
		for _, u := range rows {
			total += market.FromFloat(u.Cost)
		}
	}
	return total
}

// monthCost is what a customer's Azure cost in the month at hand; what the scenario
// said of it, where nothing tells days apart.
func (k *call) monthCost(c *world.Customer) float64 {
	total := market.Cents(0)
	for i := range c.Subscriptions {
		if s := &c.Subscriptions[i]; s.AzurePlan {
			total += k.costOf(c, s)
		}
	}
	if total == 0 && c.Cost != 0 && !k.tellsDays(c) {
		return c.Cost
	}
	return total.Float()
}

// tellsDays reports that there is use by the day of any Azure subscription.
func (k *call) tellsDays(c *world.Customer) bool {
	for i := range c.Subscriptions {
		for j := range c.Subscriptions[i].Entitlements {
			if len(k.s.Usage(c.TenantID, c.Subscriptions[i].Entitlements[j].SubscriptionID, time.Time{}, k.s.Created.AddDate(0, 0, -7), k.now)) > 0 {
				return true
			}
		}
	}
	return false
}

func usd(amount float64, currency string) float64 {
	return market.Convert(market.FromFloat(amount), currency, "USD").Float()
}

// partnerUsage is all customers' use in the month at hand.
func partnerUsage(k *call) (reply, *fault) {
	total, with, over := market.Cents(0), 0, 0
	bill := k.billingCurrency()
	for c := range k.partner.Customers.All() {
		if c.Relationship == "none" || !hasAzure(c) {
			continue
		}
		with++
		cost := k.monthCost(c)
		total += market.Convert(market.FromFloat(cost), c.Currency, bill)
		if c.Budget != nil && *c.Budget > 0 && cost > *c.Budget {
			over++
		}
	}
	first := firstOfMonth(k.now)
	return ok(map[string]any{"customersOverBudget": over, "customersTrendingOver": 0, "customersWithUsageBasedSubscription": with, "resourceId": k.partner.ID,
		"id": k.partner.ID, "resourceName": k.partner.Name, "name": k.partner.Name, "billingStartDate": stamp(first),
		"billingEndDate": stamp(market.After(first, 1).Add(-time.Second)), "totalCost": total.Float(), "currencyCode": bill,
		"usdTotalCost": usd(total.Float(), bill), "lastModifiedDate": refreshed(k.now), "links": selfLink("/usagesummary"),
		"attributes": object("PartnerUsageSummary")}), nil
}

// subscriptionUsage is the use of each Azure plan of a customer in the month at hand.
func subscriptionUsage(k *call) (reply, *fault) {
	rows := []map[string]any{}
	for i := range k.customer.Subscriptions {
		s := &k.customer.Subscriptions[i]
		if !s.AzurePlan {
			continue
		}
		cost := k.costOf(k.customer, s).Float()
		rows = append(rows, map[string]any{"status": s.Status, "partnerOnRecord": k.resellerMPN(), "offerId": s.Offer, "resourceId": s.ID, "id": s.ID,
			"resourceName": s.Name, "name": s.Name, "totalCost": cost, "currencyCode": k.customer.Currency, "usdTotalCost": usd(cost, k.customer.Currency),
			"lastModifiedDate": refreshed(k.now), "attributes": object("SubscriptionMonthlyUsageRecord")})
	}
	return ok(linked(k, rows)), nil
}

func planSummary(k *call, i int) (reply, *fault) {
	s := &k.customer.Subscriptions[i]
	cost, first := k.costOf(k.customer, s).Float(), firstOfMonth(k.now)
	return ok(map[string]any{"resourceId": s.ID, "id": s.ID, "resourceName": s.Name, "name": s.Name, "billingStartDate": stamp(first),
		"billingEndDate": stamp(market.After(first, 1).Add(-time.Second)), "totalCost": cost, "currencyCode": k.customer.Currency,
		"usdTotalCost": usd(cost, k.customer.Currency), "lastModifiedDate": refreshed(k.now),
		"links":      selfLink("/customers/" + k.customer.TenantID + "/subscriptions/" + s.ID + "/usagesummary"),
		"attributes": object("SubscriptionUsageSummary")}), nil
}

// sumOf is the use of one meter or resource.
type sumOf struct {
	name     string
	category string
	quantity float64
	unit     string
	cost     market.Cents
}

// byMeter sums the month at hand by meter, in the order they come.
func (k *call) byMeter(s *world.Subscription) []*sumOf {
	var out []*sumOf
	for i := range s.Entitlements {
		for _, u := range k.usedBy(k.customer, s, firstOfMonth(k.now), k.now)[s.Entitlements[i].ID] {
			at := slices.IndexFunc(out, func(x *sumOf) bool { return x.name == meterName(&u) })
			if at < 0 {
				out, at = append(out, &sumOf{name: meterName(&u), category: u.Category, unit: u.Unit}), len(out)
			}
			out[at].quantity += u.Quantity
			out[at].cost += market.FromFloat(u.Cost)
		}
	}
	return out
}

func meterUsage(k *call, i int) (reply, *fault) {
	s := &k.customer.Subscriptions[i]
	rows := []map[string]any{}
	for _, u := range k.byMeter(s) {
		m := market.MeterNamed(u.category, u.name)
		rows = append(rows, map[string]any{"subscriptionId": s.ID, "meterId": m.ID, "meterName": m.Name, "category": u.category, "subcategory": m.SubCategory,
			"quantityUsed": u.quantity, "unit": u.unit, "totalCost": u.cost.Float(), "currencyCode": k.customer.Currency,
			"usdTotalCost": usd(u.cost.Float(), k.customer.Currency), "lastModifiedDate": refreshed(k.now), "attributes": object("MeterUsageRecord")})
	}
	return ok(linked(k, rows)), nil
}

// monthlyResources is the older form of the use by meter.
func monthlyResources(k *call, i int) (reply, *fault) {
	s := &k.customer.Subscriptions[i]
	rows := []map[string]any{}
	for _, u := range k.byMeter(s) {
		m := market.MeterNamed(u.category, u.name)
		rows = append(rows, map[string]any{"category": u.category, "subcategory": m.SubCategory, "quantityUsed": u.quantity, "unit": u.unit, "id": m.ID,
			"name": m.Name, "totalCost": u.cost.Float(), "currencyCode": k.customer.Currency, "attributes": object("AzureResourceMonthlyUsageRecord")})
	}
	return ok(linked(k, rows)), nil
}

// weight is how much of a subscription's cost a resource makes up: invented, by what it
// is.
func weight(r *world.AzureResource) int64 {
	switch {
	case strings.HasSuffix(r.Type, "virtualMachines"):
		if strings.Contains(r.Size, "_NC") {
			return 400
		}
		return 80
	case strings.HasSuffix(r.Type, "disks"):
		return 15
	}
	return 1
}

// resourceUsage is the use of the month at hand by resource. What is not told by
// resource is shared among those that are there.
func resourceUsage(k *call, i int) (reply, *fault) {
	s := &k.customer.Subscriptions[i]
	all := k.usedBy(k.customer, s, firstOfMonth(k.now), k.now)
	rows := []map[string]any{}
	for j := range s.Entitlements {
		e := &s.Entitlements[j]
		a := k.tenant.Azure.Get(e.SubscriptionID)
		if a == nil {
			continue
		}
		for _, c := range byResource(a, all[e.ID]) {
			parts := strings.Split(c.path+"////////", "/") // /resourceGroups/{}/providers/{}/{}/{}
			rows = append(rows, map[string]any{"subscriptionId": s.ID, "resourceUri": "/subscriptions/" + a.ID + c.path, "resourceType": parts[4],
				"entitlementId": e.ID, "entitlementName": e.Name, "resourceGroupName": parts[2], "name": parts[6], "resourceName": parts[6],
				"totalCost": c.cost.Float(), "currencyCode": k.customer.Currency, "usdTotalCost": usd(c.cost.Float(), k.customer.Currency),
				"lastModifiedDate": refreshed(k.now), "attributes": object("ResourceUsageRecord")})
		}
	}
	return ok(linked(k, rows)), nil
}

// resourceCost is what one resource cost.
type resourceCost struct {
	path string
	cost market.Cents
}

func byResource(a *world.AzureSubscription, used []world.AzureUsage) []resourceCost {
	var out []resourceCost
	add := func(path string, cost market.Cents) {
		at := slices.IndexFunc(out, func(c resourceCost) bool { return strings.EqualFold(c.path, path) })
		if at < 0 {
			out, at = append(out, resourceCost{path: path}), len(out)
		}
		out[at].cost += cost
	}
	for i := range a.Resources {
		add(a.Resources[i].Path(), 0)
	}
	rest, weights := market.Cents(0), int64(0)
	for _, u := range used {
		if u.Resource != "" {
			add(u.Resource, market.FromFloat(u.Cost))
		} else {
			rest += market.FromFloat(u.Cost)
		}
	}
	for i := range a.Resources {
		weights += weight(&a.Resources[i])
	}
	left := rest
	for i := range a.Resources {
		part := rest.Part(weight(&a.Resources[i]), weights)
		if i == len(a.Resources)-1 {
			part = left // so that the parts are the whole
		}
		left -= part
		add(a.Resources[i].Path(), part)
	}
	return slices.DeleteFunc(out, func(c resourceCost) bool { return c.cost == 0 })
}

func dailyUsage(k *call, i int) (reply, *fault) {
	s := &k.customer.Subscriptions[i]
	total := map[string]market.Cents{}
	var days []string
	for _, rows := range k.usedBy(k.customer, s, firstOfMonth(k.now), k.now) {
		for _, u := range rows {
			d := stamp(u.Day)
			if _, there := total[d]; !there {
				days = append(days, d)
			}
			total[d] += market.FromFloat(u.Cost)
		}
	}
	slices.Sort(days)
	rows := []map[string]any{}
	for _, d := range days {
		rows = append(rows, map[string]any{"dateUsed": d, "id": s.ID, "name": s.Name, "totalCost": total[d].Float(), "currencyCode": k.customer.Currency,
			"attributes": object("SubscriptionDailyUsageRecord")})
	}
	return ok(linked(k, rows)), nil
}

// maxRecords is the most utilization records of a page, and how many come unless it is
// said.
const maxRecords = 1000

// maxSpan bounds the time that utilization is asked for.
const maxSpan = 400 * 24 * time.Hour

// utilizations are raw records of use, by the day or by the hour.
func utilizations(k *call, i int) (reply, *fault) {
	s := &k.customer.Subscriptions[i]
	start, err1 := kit.Moment(strings.ReplaceAll(k.query("start_time"), " ", "+"))
	end, err2 := kit.Moment(strings.ReplaceAll(k.query("end_time"), " ", "+"))
	hourly := strings.EqualFold(k.query("granularity"), "hourly")
	switch g := k.query("granularity"); {
	case err1 != nil || err2 != nil || !end.After(start) || end.Sub(start) > maxSpan:
		return reply{}, deny(entra.CenterMalformed, "start_time and end_time are needed, in order, at most 400 days apart.")
	case g != "" && !hourly && !strings.EqualFold(g, "daily"):
		return reply{}, deny(entra.CenterEnum, "granularity")
	}
	details, f := k.flag("show_details", true)
	if f != nil {
		return reply{}, f
	}
	step, parts := 24*time.Hour, 1
	if hourly {
		step, parts = time.Hour, 24
	}
	var rows []map[string]any
	for j := range s.Entitlements {
		e := &s.Entitlements[j]
		for _, u := range k.s.Usage(k.customer.TenantID, e.SubscriptionID, s.Created, start, end) {
			m := market.MeterNamed(u.Category, u.Meter)
			for n := range parts {
				at := u.Day.Add(time.Duration(n) * step)
				if at.Before(start) || !at.Before(end) || at.After(k.now) {
					continue
				}
				row := map[string]any{"usageStartTime": stamp(at), "usageEndTime": stamp(at.Add(step)), "resource": map[string]any{"id": m.ID, "name": m.Name,
					"category": u.Category, "subcategory": m.SubCategory, "region": m.Region}, "quantity": u.Quantity / float64(parts), "unit": u.Unit,
					"infoFields": map[string]any{}, "attributes": object("AzureUtilizationRecord")}
				if details {
					row["instanceData"] = map[string]any{"resourceUri": "/subscriptions/" + e.SubscriptionID + u.Resource,
						"location": cmp.Or(u.Location, m.Location), "partNumber": "",
						"orderNumber": "", "additionalInfo": map[string]any{}}
				}
				rows = append(rows, row)
			}
		}
	}
	out, f := pageOf(k, rows, func(m map[string]any) map[string]any { return m }, maxRecords, maxRecords)
	return ok(out), f
}

// rateCard is the price of every meter, for Azure and for shared services alike. All of
// it is invented.
func rateCard(k *call) (reply, *fault) {
	currency := k.billingCurrency()
	if v := k.query("currency"); v != "" {
		c, known := market.FindCurrency(v)
		if !known {
			return reply{}, deny(entra.CenterInvalidInput, "currency is none that is sold in here.")
		}
		currency = c.Code
	}
	if v := k.query("region"); v != "" {
		if _, known := market.FindCountry(v); !known {
			return reply{}, deny(entra.CenterInvalidInput, "region is none that is sold to here.")
		}
	}
	rows := []map[string]any{}
	for _, m := range market.Meters() {
		rows = append(rows, map[string]any{"id": m.ID, "name": m.Name, "rates": map[string]float64{"0": m.Rate * market.Rate("USD", currency)},
			"tags": []string{market.Invented}, "category": m.Category, "subcategory": m.SubCategory, "region": m.Region, "unit": m.Unit,
			"includedQuantity": 0.0,
			"effectiveDate":    "2024-01-01T00:00:00Z"})
	}
	return ok(map[string]any{"locale": "en", "currency": currency, "isTaxIncluded": false, "meters": rows, "offerTerms": []any{},
		"attributes": object("AzureRateCard")}), nil
}

// periodIn is the month that service costs are asked for.
func (k *call) periodIn() (time.Time, *fault) {
	first := firstOfMonth(k.now)
	switch strings.ToLower(k.params["period"]) {
	case "current":
		return first, nil
	case "mostrecent":
		return market.After(first, -1), nil
	}
	return first, deny(entra.CenterEnum, "billing-period")
}

// serviceCosts are what one customer costs the partner in a month.
func serviceCosts(k *call) (reply, *fault) {
	first, f := k.periodIn()
	if f != nil {
		return reply{}, f
	}
	lines, _ := k.moneyOf(k.customer, first, k.monthEnd(first))
	total := market.Cents(0)
	for i := range lines {
		total += lines[i].amount
	}
	money, _ := market.FindCurrency(k.billingCurrency())
	self := "/customers/" + k.customer.TenantID + "/servicecosts/" + k.params["period"]
	summary := func() map[string]any {
		return map[string]any{"billingStartDate": stamp(first), "billingEndDate": stamp(market.After(first, 1).Add(-time.Second)), "pretaxTotal": total.Float(),
			"tax": 0.0, "afterTaxTotal": total.Float(), "currencyCode": money.Code, "currencySymbol": money.Symbol, "customerId": k.customer.TenantID,
			"attributes": object("ServiceCostsSummary")}
	}
	out := summary()
	out["details"] = []any{map[string]any{"invoiceType": "OneTime", "summary": summary()}}
	out["links"] = map[string]*link{"serviceCostLineItems": get(self + "/lineitems"), "self": get(self)}
	return ok(out), nil
}

func (k *call) monthEnd(first time.Time) time.Time {
	if end := market.After(first, 1); end.Before(k.now) {
		return end
	}
	return k.now
}

func serviceCostLines(k *call) (reply, *fault) {
	first, f := k.periodIn()
	if f != nil {
		return reply{}, f
	}
	lines, _ := k.moneyOf(k.customer, first, k.monthEnd(first))
	money, _ := market.FindCurrency(k.billingCurrency())
	number := ""
	for _, v := range k.invoices() {
		if v.month.Equal(first) {
			number = v.id
		}
	}
	rows := []map[string]any{}
	for i := range lines {
		l := &lines[i]
		v := k.lineView(l, number)
		rows = append(rows, map[string]any{"afterTaxTotal": v.Total, "chargeType": v.ChargeType, "currencyCode": money.Code, "currencySymbol": money.Symbol,
			"customerId": v.CustomerID, "customerName": v.CustomerName, "startDate": v.ChargeStart, "endDate": v.ChargeEnd, "offerId": l.charge.Offer,
			"offerName": v.SKUName, "orderId": v.OrderID, "pretaxTotal": v.Subtotal, "quantity": v.Quantity, "resellerMPNId": v.ResellerMPN,
			"subscriptionFriendlyName": l.name, "subscriptionId": l.sub, "tax": 0.0, "unitPrice": v.UnitPrice, "invoiceNumber": number,
			"invoiceType": "OneTime", "productId": v.ProductID, "skuId": v.SKUID, "availabilityId": v.Availability, "productName": v.ProductName,
			"skuName": v.SKUName, "publisherName": v.Publisher, "publisherId": v.PublisherID, "termAndBillingCycle": v.TermAndCycle,
			"discountDetails": v.Discount})
	}
	return ok(list(rows)), nil
}
