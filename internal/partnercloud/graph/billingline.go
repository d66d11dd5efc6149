package graph

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/market"
	"partnerguard/internal/partnercloud/world"
)

// Attributes that are the same on every line: the Azure plan as a product (K).
const (
	planProduct = "DZH318Z0BPS6"
	planSKU     = "0001"
)

var sizeParts = regexp.MustCompile(`(?i)^(?:Standard|Basic)_([A-Z]+)\d+(?:-\d+)?([a-z]*)((?:_[A-Za-z0-9]+)*)$`)

// meterOfSize is how a machine's size is called on a bill: NC64as T4 v3 of the NCas T4 v3
// Series.
func meterOfSize(size string) (name, series string) {
	m := sizeParts.FindStringSubmatch(size)
	if m == nil {
		return size, ""
	}
	_, rest, _ := strings.Cut(size, "_")
	return strings.ReplaceAll(rest, "_", " "), m[1] + m[2] + strings.ReplaceAll(m[3], "_", " ") + " Series"
}

// usageLine is one daily-rated line, in the names of the partner billing export.
func usageLine(s *world.State, p *world.Tenant, c *world.Customer, plan *world.Subscription, e *world.Entitlement, u *world.AzureUsage,
	x *export) map[string]any {
	m := market.MeterNamed(u.Category, u.Meter)
	name, series := m.Name, m.SubCategory
	location := u.Location
	if size, sub := meterOfSize(u.Meter); sub != "" {
		name, series = size, sub
	}
	if location == "" {
		location = m.Location
	}
	group, service := "", m.Service
	if parts := strings.Split(u.Resource, "/"); len(parts) > 4 {
		group, service = parts[2], parts[4]
	}
	billed := func(v float64) float64 { return math.Round(convert(v, c.Currency, x.currency)*1e6) / 1e6 }
	unit := 0.0
	if u.Quantity != 0 {
		unit = u.Cost / u.Quantity
	}
	day := u.Day.UTC().Format("2006-01-02T00:00:00Z")
	first := time.Date(u.Day.Year(), u.Day.Month(), 1, 0, 0, 0, 0, time.UTC)
	out := map[string]any{
		"PartnerId": p.ID, "CustomerId": c.TenantID, "CustomerName": c.Name, "CustomerDomainName": c.Domain, "CustomerCountry": c.Country,
		"InvoiceNumber": "", "ProductId": planProduct, "SkuId": planSKU, "SkuName": "Azure plan", "ProductName": "Azure plan",
		"SubscriptionId": plan.ID, "SubscriptionDescription": plan.Name, "EntitlementId": e.SubscriptionID, "EntitlementDescription": e.Name,
		"ChargeStartDate": first.Format("2006-01-02T15:04:05Z"), "ChargeEndDate": first.AddDate(0, 1, -1).Format("2006-01-02T15:04:05Z"), "UsageDate": day,
		"MeterType": "1 " + u.Unit, "MeterCategory": u.Category, "MeterId": s.GUID("meter/" + u.Category + "/" + name), "MeterSubCategory": series,
		"MeterName": name, "MeterRegion": location, "ResourceLocation": strings.ToUpper(location), "Unit": u.Unit, "ConsumedService": service,
		"ResourceGroup": strings.ToUpper(group), "ResourceURI": "/subscriptions/" + e.SubscriptionID + u.Resource, "ChargeType": "new",
		"UnitPrice": unit, "EffectiveUnitPrice": unit, "Quantity": u.Quantity, "UnitType": u.Unit, "BillingPreTaxTotal": billed(u.Cost),
		"BillingCurrency": x.currency, "PricingPreTaxTotal": math.Round(u.Cost*1e6) / 1e6, "PricingCurrency": c.Currency,
	}
	if x.set != "full" {
		return out
	}
	_, cores := world.Cores(u.Meter)
	out["PartnerName"], out["MpnId"], out["Tier2MpnId"], out["PublisherName"], out["PublisherId"] = p.Name, "", "", "Microsoft", ""
	out["ServiceInfo1"], out["ServiceInfo2"], out["Tags"], out["AdditionalInfo"] = "", "", tagsOf(s, c.TenantID, e.SubscriptionID, u.Resource), ""
	if u.Meter != "" {
		out["AdditionalInfo"] = jsonText(map[string]any{"ServiceType": u.Meter, "vCPUs": strconv.Itoa(cores)})
	}
	out["PCToBCExchangeRate"], out["PartnerEarnedCreditPercentage"], out["CreditType"] = rate(c.Currency, x.currency), 15, "Partner Earned Credit Applied"
	return out
}

// tagsOf are a resource's tags as JSON text; "" for none, and for tenants that nobody has
// looked at yet.
func tagsOf(s *world.State, tenant, subscription, path string) string {
	t := s.MadeTenant(tenant)
	if t == nil {
		return ""
	}
	if a := t.Azure.Get(subscription); a != nil {
		for i := range a.Resources {
			if r := &a.Resources[i]; len(r.Tags) > 0 && strings.EqualFold(r.Path(), path) {
				return jsonText(r.Tags)
			}
		}
	}
	return ""
}

func convert(v float64, from, to string) float64 { return v * rate(from, to) }

// rate is the exchange rate; 1 where a currency is none of the market's.
func rate(from, to string) float64 {
	if _, known := market.FindCurrency(from); !known {
		return 1
	}
	if _, known := market.FindCurrency(to); !known {
		return 1
	}
	return market.Rate(from, to)
}
