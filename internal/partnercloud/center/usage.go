package center

import (
	"net/http"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/world"
)

type budget struct {
	Amount     *float64   `json:"amount"`
	Attributes attributes `json:"attributes"`
}

func budgetOf(c *world.Customer) budget { return budget{c.Budget, object("SpendingBudget")} }

func getBudget(k *call) (reply, *fault) { return ok(budgetOf(k.customer)), nil }

// changeBudget sets or, by null, removes the budget. It notifies and caps
// nothing (contracts.md section 7.2).
func changeBudget(k *call) (reply, *fault) {
	var in map[string]any
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	var amount *float64
	found := false
	for name, v := range in {
		switch {
		case strings.EqualFold(name, "attributes"), strings.EqualFold(name, "links"):
			continue
		case !strings.EqualFold(name, "amount"):
			return reply{}, refuse(http.StatusBadRequest, 400, "The member '%s' is not known here.", kit.Clip(name))
		}
		found = true
		switch n := v.(type) {
		case nil:
		case float64:
			if n < 0 || n > 1e12 {
				return reply{}, refuse(http.StatusBadRequest, 400, "The amount must not be negative.")
			}
			amount = &n
		default:
			return reply{}, refuse(http.StatusBadRequest, 400, "The amount must be a number or null.")
		}
	}
	if !found {
		return reply{}, refuse(http.StatusBadRequest, 400, "The amount is missing.")
	}
	if k.partner.Sandbox {
		return reply{}, refuse(http.StatusForbidden, 403, "A sandbox has no spending budgets.")
	}
	before := budgetOf(k.customer)
	k.partner.Customers.Change(k.customer.TenantID, func(c *world.Customer) { c.Budget = amount; c.ETag++ })
	k.s.Dirty()
	after := budgetOf(k.partner.Customers.Get(k.customer.TenantID))
	k.record("spending_limit", "update_customer_spending_budget", before, after)
	return ok(after), nil
}

type usage struct {
	Budget     budget     `json:"budget"`
	ID         string     `json:"resourceId"`
	Name       string     `json:"resourceName"`
	Start      string     `json:"billingStartDate,omitempty"`
	End        string     `json:"billingEndDate,omitempty"`
	Percent    *float64   `json:"percentUsed,omitempty"`
	Upgraded   *bool      `json:"isUpgraded,omitempty"`
	Total      float64    `json:"totalCost"`
	Currency   string     `json:"currencyCode"`
	Modified   string     `json:"lastModifiedDate"`
	Attributes attributes `json:"attributes"`
}

// refreshed is when the estimate was last made: once a day.
func refreshed(now time.Time) string {
	return now.UTC().Truncate(24 * time.Hour).Format(time.RFC3339)
}

func hasAzure(c *world.Customer) bool {
	for i := range c.Subscriptions {
		if c.Subscriptions[i].AzurePlan {
			return true
		}
	}
	return false
}

func usageRecords(k *call) (reply, *fault) {
	var rows []*world.Customer
	for c := range k.partner.Customers.All() {
		if c.Relationship != "none" && hasAzure(c) {
			rows = append(rows, c)
		}
	}
	out, f := page(k, rows, func(c *world.Customer) usage {
		v := usage{Budget: budgetOf(c), ID: c.TenantID, Name: c.Name, Total: k.monthCost(c), Currency: c.Currency, Modified: refreshed(k.now),
			Attributes: object("CustomerMonthlyUsageRecord")}
		yes, percent := true, 0.0
		v.Upgraded = &yes
		if c.Budget != nil && *c.Budget > 0 {
			percent = v.Total / *c.Budget * 100
		}
		v.Percent = &percent
		return v
	})
	return ok(out), f
}

func usageSummary(k *call) (reply, *fault) {
	if !hasAzure(k.customer) {
		return reply{}, refuse(http.StatusNotFound, 404, "The customer has no Azure plan.")
	}
	first := time.Date(k.now.Year(), k.now.Month(), 1, 0, 0, 0, 0, time.UTC)
	return ok(usage{
		Budget: budgetOf(k.customer), ID: k.customer.TenantID, Name: k.customer.Name, Start: first.Format(time.RFC3339), End: first.AddDate(0, 1, 0).
			Add(-time.Second).Format(time.RFC3339),
		Total: k.monthCost(k.customer), Currency: k.customer.Currency, Modified: refreshed(k.now), Attributes: object("CustomerUsageSummary"),
	}), nil
}

// thresholdExceeded is what a webhook about a spending budget follows from.
const thresholdExceeded = "usagerecords_threshold_exceeded"

// overBudget tells, once a month and customer, that the month at hand costs more than the
// spending budget. Costs are looked at once a day, as the estimate is made (contracts.md
// section 7.2).
func overBudget(s *world.State, now time.Time) {
	p := s.PartnerTenant()
	if p == nil || now.Sub(s.Created) < 24*time.Hour {
		return
	}
	month := now.UTC().Format("2006-01")
	for _, c := range p.Customers.List() {
		if c.Budget == nil || *c.Budget <= 0 || c.BudgetTold == month || c.Relationship == "none" || !hasAzure(c) {
			continue
		}
		k := &call{s: s, partner: p, customer: c, now: now}
		if k.monthCost(c) <= *c.Budget {
			continue
		}
		p.Customers.Change(c.TenantID, func(c *world.Customer) { c.BudgetTold = month })
		s.Record(&world.AuditRecord{At: now, Customer: c.TenantID, CustomerName: c.Name, ResourceType: "spending_limit", Operation: thresholdExceeded,
			Quiet: true})
	}
}
