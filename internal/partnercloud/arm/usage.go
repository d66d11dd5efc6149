package arm

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/pattern"
)

// usageRoutes are usage in detail.
func usageRoutes() []*route {
	return from(kit.Read, "Azure Consumption: Usage Details (SDK arm-consumption 9.2)",
		add("GET", atSubscription|atGroup, consumption, "usageDetails", "Microsoft.Consumption/usageDetails/read", listUsage).
			takes("$top", "$skiptoken", "$filter", "$expand", "metric").only("$expand", "properties/additionalInfo", "properties/meterDetails").
			only("metric", "ActualCost", "AmortizedCost", "Usage"))
}

var usageCondition = pattern.Later(
	`(?i)^(?:properties/)?(usageStart|usageEnd|date) (ge|gt|le|lt|eq) '([^']{1,40})'$|` +
		`^(?:properties/)?(resourceGroup|resourceGroupName|instanceName|resourceName|resourceId|chargeType|publisherType) eq '([^']*)'$`)

// usageFilter is what a $filter asks: a time, and equal values by lower names.
type usageFilter struct {
	from, to time.Time // whole days, to is the first day after
	equal    map[string]string
}

// parseUsageFilter reads conditions joined by and. Without a time it is the current
// month.
func parseUsageFilter(text string, now time.Time) (*usageFilter, *fault) {
	no := bad("BadRequest", "Invalid query parameter '$filter': usageStart, usageEnd or date with ge, gt, le, lt, eq, and resourceGroup, instanceName, "+
		"resourceId, chargeType or publisherType with eq, joined by and.")
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	f := &usageFilter{from: month, to: month.AddDate(0, 1, 0), equal: map[string]string{}}
	if strings.TrimSpace(text) == "" {
		return f, nil
	}
	if len(text) > 4<<10 {
		return nil, no
	}
	timed := false
	for _, part := range conjunction.Split(text, -1) {
		m := usageCondition.FindStringSubmatch(unwrapped(strings.Join(strings.Fields(part), " ")))
		if m == nil {
			return nil, no
		}
		if name := strings.ToLower(m[4]); name != "" {
			if _, twice := f.equal[name]; twice {
				return nil, no
			}
			f.equal[name] = m[5]
			continue
		}
		if !timed {
			timed, f.from, f.to = true, now.AddDate(-3, 0, 0), now.AddDate(0, 0, 1)
		}
		if !f.bound(strings.ToLower(m[2]), m[3]) {
			return nil, no
		}
	}
	if f.to.Before(f.from) {
		return nil, bad("BadRequest", "Invalid query parameter '$filter': the start is after the end.")
	}
	return f, nil
}

// bound narrows the time by a condition; false: it is no time. Usage is of whole days,
// which begin at midnight: those are taken whose beginning meets the condition.
func (f *usageFilter) bound(word, text string) bool {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		if at, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return false
		}
	}
	day := at.UTC().Truncate(24 * time.Hour)
	next := day.AddDate(0, 0, 1)
	ceil := day
	if !at.Equal(day) {
		ceil = next
	}
	from, to := f.from, f.to
	switch word {
	case "ge":
		from = ceil
	case "gt":
		from = next
	case "le":
		to = next
	case "lt":
		to = ceil
	case "eq":
		from, to = ceil, next
	}
	if from.After(f.from) {
		f.from = from
	}
	if to.Before(f.to) {
		f.to = to
	}
	return true
}

// listUsage gives usage a day and resource a row, in the form of a Microsoft Partner
// Agreement. What the world knows for a subscription alone is shared out equally
// among the machines of that day.
func listUsage(k *call) (reply, *fault) {
	f, no := parseUsageFilter(k.param("$filter"), k.now)
	if no != nil {
		return reply{}, no
	}
	if v := k.param("$top"); v != "" {
		if n, err := strconv.Atoi(v); err != nil || n < 1 || n > 1000 {
			return reply{}, bad("BadRequest", "Invalid query parameter '$top': the value must be between 1 and 1000.")
		}
	}
	rows := []object{}
	for _, u := range k.s.UsageByResource(k.tenant.ID, k.sub.ID, f.from, f.to, k.now) {
		if u.Day.Before(f.from) || !u.Day.Before(f.to) {
			continue
		}
		parts := strings.Split(u.Resource, "/")
		group, name := "", ""
		if len(parts) > 6 {
			group, name = parts[2], parts[len(parts)-1]
		}
		have := map[string]string{"resourcegroup": group, "resourcegroupname": group, "instancename": "/subscriptions/" + k.sub.ID + u.Resource,
			"resourcename": name, "resourceid": "/subscriptions/" + k.sub.ID + u.Resource, "chargetype": "Usage", "publishertype": "Microsoft"}
		fits := k.at.group == "" || strings.EqualFold(group, k.at.group)
		for n, v := range f.equal {
			fits = fits && strings.EqualFold(have[n], v)
		}
		if fits {
			rows = append(rows, k.usageView(&u, group))
		}
	}
	if len(rows) == 0 && k.param("$skiptoken") == "" {
		return reply{status: http.StatusOK, body: object{"value": rows}}, nil
	}
	return page(k, rows)
}

func (k *call) usageView(u *world.AzureUsage, group string) object {
	day := u.Day.UTC().Format("2006-01-02T00:00:00.0000000Z")
	month := time.Date(u.Day.Year(), u.Day.Month(), 1, 0, 0, 0, 0, time.UTC)
	meter, unit := u.Meter, 0.0
	if meter == "" {
		meter = u.Category
	}
	if u.Quantity > 0 {
		unit = u.Cost / u.Quantity
	}
	cost := math.Round(u.Cost*1e6) / 1e6
	provider := "Microsoft.Compute"
	if parts := strings.Split(u.Resource, "/"); len(parts) > 4 {
		provider = parts[4]
	} else if u.Category != "Virtual Machines" {
		provider = "Microsoft." + strings.ReplaceAll(u.Category, " ", "")
	}
	partner := ""
	if p := k.s.PartnerTenant(); p != nil {
		partner = p.Name
	}
	name := k.s.GUID(fmt.Sprintf("usage/%s/%s/%s/%s", k.sub.ID, u.Resource, u.Category, day))
	props := object{
		"billingAccountId": "", "billingProfileId": "", "billingPeriodStartDate": month.Format("2006-01-02T15:04:05.0000000Z"),
		"billingPeriodEndDate": month.AddDate(0, 1, -1).Format("2006-01-02T15:04:05.0000000Z"), "subscriptionGuid": k.sub.ID, "subscriptionName": k.sub.Name,
		"date": day, "product": u.Category + " - " + meter, "meterId": k.s.GUID("meter/" + u.Category + "/" + meter), "meterName": meter,
		"meterCategory": u.Category, "meterSubCategory": "", "meterRegion": u.Location, "serviceFamily": "Compute", "quantity": u.Quantity,
		"unitOfMeasure": u.Unit, "unitPrice": unit, "effectivePrice": unit, "costInBillingCurrency": cost, "costInPricingCurrency": cost,
		"billingCurrencyCode": k.currency(), "pricingCurrencyCode": k.currency(), "exchangeRate": "1",
		"instanceName":     "/subscriptions/" + k.sub.ID + u.Resource,
		"resourceLocation": u.Location, "resourceLocationNormalized": u.Location, "resourceGroup": group, "consumedService": provider,
		"chargeType": "Usage", "frequency": "UsageBased", "publisherType": "Microsoft", "publisherName": "Microsoft", "isAzureCreditEligible": true,
		"pricingModel": "OnDemand", "customerTenantId": k.tenant.ID, "customerName": k.tenant.Name, "partnerTenantId": k.s.Partner, "partnerName": partner,
		"additionalInfo": nil,
	}
	if strings.Contains(strings.ToLower(k.param("$expand")), "additionalinfo") {
		props["additionalInfo"] = `{"ServiceType":"` + meter + `"}`
	}
	return object{"id": "/subscriptions/" + k.sub.ID + "/providers/Microsoft.Consumption/usageDetails/" + name, "name": name,
		"type": "Microsoft.Consumption/usageDetails", "kind": "modern", "tags": object{}, "properties": props}
}
