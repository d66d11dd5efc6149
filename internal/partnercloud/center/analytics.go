package center

import (
	"math"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/center/ledger"
	"partnerguard/internal/partnercloud/market"
	"partnerguard/internal/partnercloud/world"
)

// The analytics are worked out of what is there: seats sold, licences assigned, people
// who signed in of late. Of all customers together the assigned share is an estimate:
// looking at every tenant would make them all.

const activeWithin = 28 * 24 * time.Hour

func serviceName(o market.Offer) string {
	if strings.Contains(o.Product.Title, "Entra") || strings.Contains(o.Product.Title, "Enterprise Mobility") {
		return "ems"
	}
	return "o365"
}

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return math.Round(100*float64(part)/float64(whole)) / 100
}

func customerDeployment(k *call) (reply, *fault) {
	rows := []map[string]any{}
	for _, s := range k.tenant.SKUs {
		o, known := market.ByPart(s.Part)
		if !known || s.Enabled == 0 {
			continue
		}
		deployed := min(s.Consumed, s.Enabled)
		rows = append(rows, map[string]any{"customerId": k.customer.TenantID, "customerName": k.customer.Name, "productName": strings.ToUpper(o.SKU.Title),
			"licensesDeployed": deployed, "deploymentPercent": share(deployed, s.Enabled), "licensesSold": s.Enabled, "processedDateTime": refreshed(k.now),
			"serviceName": serviceName(o), "channel": "reseller", "attributes": object("CustomerLicensesDeploymentInsights")})
	}
	return ok(list(rows)), nil
}

// workloads are what a licence is used for, by the service plans it has.
var workloads = [][2]string{{"EXCHANGE", "Exchange"}, {"SHAREPOINT", "SharePoint"}, {"TEAMS", "Microsoft Teams"}, {"INTUNE", "Microsoft Intune"}}

func customerUsage(k *call) (reply, *fault) {
	rows := []map[string]any{}
	for _, s := range k.tenant.SKUs {
		o, known := market.ByPart(s.Part)
		if !known || s.Enabled == 0 {
			continue
		}
		active := 0
		for u := range k.tenant.Users.All() {
			if contains(u.Licences, s.ID) && k.now.Sub(u.LastSuccess) < activeWithin {
				active++
			}
		}
		for _, w := range workloads {
			for _, p := range s.Plans {
				if !strings.HasPrefix(p.Name, w[0]) {
					continue
				}
				rows = append(rows, map[string]any{"customerId": k.customer.TenantID, "customerName": k.customer.Name,
					"productName": strings.ToUpper(o.SKU.Title), "licensesActive": active, "licensesQualified": s.Consumed,
					"usagePercent": share(active, s.Consumed), "workloadName": w[1], "workloadCode": w[0], "processedDateTime": refreshed(k.now),
					"serviceName": serviceName(o), "channel": "reseller", "attributes": object("CustomerLicensesUsageInsights")})
				break
			}
		}
	}
	return ok(list(rows)), nil
}

// sold are the seats sold to all customers, by service.
func (k *call) sold() map[string]int {
	out := map[string]int{}
	for c := range k.partner.Customers.All() {
		for i := range c.Subscriptions {
			s := &c.Subscriptions[i]
			if o, known := market.Find(s.Offer); known && o.Kind == market.Licences && s.Status == "active" && c.Relationship != "none" {
				out[serviceName(o)] += s.Quantity
			}
		}
	}
	return out
}

func (k *call) estimate(what string) float64 {
	return float64(60+k.s.Dice("analytics/"+what, 35)) / 100
}

func partnerDeployment(k *call) (reply, *fault) {
	rows := []map[string]any{}
	sold := k.sold()
	for _, service := range []string{"o365", "ems"} {
		rows = append(rows, map[string]any{"proratedDeploymentPercent": k.estimate("deployment/" + service), "licensesSold": sold[service],
			"processedDateTime": refreshed(k.now), "serviceName": service, "channel": "reseller", "attributes": object("PartnerLicensesDeploymentInsights")})
	}
	return ok(list(rows)), nil
}

func partnerLicenceUsage(k *call) (reply, *fault) {
	rows := []map[string]any{}
	for _, w := range workloads {
		service := "o365"
		if w[0] == "INTUNE" {
			service = "ems"
		}
		rows = append(rows, map[string]any{"proratedLicensesUsagePercent": k.estimate("usage/" + w[0]), "workloadName": w[1], "workloadCode": w[0],
			"processedDateTime": refreshed(k.now), "serviceName": service, "channel": "reseller", "attributes": object("PartnerLicensesUsageInsights")})
	}
	return ok(list(rows)), nil
}

// subscriptionAnalytics lists every subscription of every customer. Its filters,
// groupings and search are left out: an option is refused.
func subscriptionAnalytics(k *call) (reply, *fault) {
	type row struct {
		c *world.Customer
		i int
	}
	var all []row
	for c := range k.partner.Customers.All() {
		for i := range c.Subscriptions {
			all = append(all, row{c, i})
		}
	}
	out, f := pageOf(k, all, func(r row) map[string]any {
		x := ledger.Stand(k.s, &r.c.Subscriptions[r.i], r.c.Currency, k.now)
		kind, end := "Office", ""
		if x.Subscription.AzurePlan {
			kind = "Azure"
		}
		if !x.Deal.TermEnd.IsZero() {
			end = stamp(x.Deal.TermEnd)
		}
		name := x.Subscription.Name
		if x.Known {
			name = x.Offer.SKU.Title
		}
		return map[string]any{"customerTenantId": r.c.TenantID, "customerName": r.c.Name, "customerMarket": r.c.Country, "id": x.Subscription.ID,
			"status": strings.ToUpper(x.Subscription.Status), "productName": strings.ToUpper(name), "subscriptionType": kind,
			"autoRenewEnabled": end != "" && !x.Deal.Once && x.Subscription.Status == "active", "partnerId": k.partner.ID,
			"friendlyName": x.Subscription.Name, "partnerName": k.partner.Name, "providerName": k.partner.Name, "creationDate": stamp(x.Subscription.Created),
			"effectiveStartDate": stamp(ledger.Day(x.Subscription.Created)), "commitmentEndDate": end, "currentStateEndDate": end,
			"lastRenewalDate": stamp(x.Deal.TermStart), "licenseCount": x.Subscription.Quantity, "billingCycleName": strings.ToUpper(x.Deal.Cycle)}
	}, 1000, 10_000)
	return ok(out), f
}
