//go:build !judge

package inquiry

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"partnerguard/internal/print"
)

// known says that one of some resources was read of the customer, so that what is not in it
// says something.
func (b *build) known(names ...string) bool {
	return !b.f.o.Files && slices.ContainsFunc(b.t.Reads, func(r Read) bool { return !r.Partner && slices.Contains(names, r.Resource) && r.State.Known() })
}

// Rate is what a day cost between two estimates.
type Rate struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Daily float64   `json:"daily"`
}

// Rates are the daily costs between estimates of one month, oldest first. Estimates of the
// same moment count once, the one that was read last; a total that fell was corrected, and
// says nothing of its day.
func Rates(costs []Cost) (out []Rate) {
	var list []Cost
	for _, c := range costs {
		if n := len(list); n > 0 && list[n-1].At.Equal(c.At) {
			list[n-1] = c
			continue
		}
		list = append(list, c)
	}
	for i := 1; i < len(list); i++ {
		a, z := &list[i-1], &list[i]
		days := z.At.Sub(a.At).Hours() / 24
		same := a.At.Month() == z.At.Month() && a.At.Year() == z.At.Year() && a.Currency == z.Currency
		if days <= 0 || !same || z.Total < a.Total {
			continue
		}
		out = append(out, Rate{a.At, z.At, (z.Total - a.Total) / days})
	}
	return out
}

// median of some daily costs; 0 of none.
func median(list []Rate) float64 {
	if len(list) == 0 {
		return 0
	}
	v := make([]float64, len(list))
	for i := range list {
		v[i] = list[i].Daily
	}
	slices.Sort(v)
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

// byCost looks at what it costs: the slow sign, a day late.
func (b *build) byCost() {
	costs := slices.Clone(b.f.costs)
	slices.SortStableFunc(costs, func(a, b Cost) int { return cmp.Or(a.At.Compare(b.At), a.Known.Compare(b.Known)) })
	costs = slices.CompactFunc(costs, func(a, b Cost) bool { return a.At.Equal(b.At) && a.Total == b.Total && a.Currency == b.Currency })
	b.t.Costs = append(b.t.Costs, costs[max(0, len(costs)-200):]...)
	if len(costs) == 0 {
		b.ask("cost", "what it costs: no estimate of this customer was read", "GET /v1/customers/usagerecords at Partner Center")
		return
	}
	last := &costs[len(costs)-1]
	if !last.At.After(b.onset) {
		b.ask("cost", fmt.Sprintf("what it costs: the newest estimate is of %s, before it began; costs come a day late", print.When(last.At)),
			"GET /v1/customers/usagerecords at Partner Center, tomorrow")
		return
	}
	before, since := split(Rates(costs), b.onset)
	usual := median(before)
	switch {
	case len(before) < 3 || len(since) == 0:
		b.ask("cost", "whether the cost rose: too few estimates lie before it began, or behind", "GET /v1/customers/usagerecords at Partner Center, tomorrow")
	case since[len(since)-1].Daily > 3*usual && since[len(since)-1].Daily-usual > 1:
		b.say(sideFor, "cost", fmt.Sprintf("a day costs %s now, and cost %s before", money(since[len(since)-1].Daily, last.Currency), money(usual,
			last.Currency)),
			since[len(since)-1].Daily > 10*usual)
	default:
		b.say(sideAgainst, "usualCost", "a day costs about what it did before, as far as the estimates go", false)
	}
	if last.Budget != nil && *last.Budget > 0 && last.Total > *last.Budget {
		b.say(sideFor, "overBudget", fmt.Sprintf("the month is at %s of a budget of %s", money(last.Total, last.Currency), money(*last.Budget,
			last.Currency)), false)
	}
}

// split parts rates at a moment.
func split(list []Rate, at time.Time) (before, since []Rate) {
	for _, r := range list {
		if r.To.After(at) {
			since = append(since, r)
		} else {
			before = append(before, r)
		}
	}
	return before, since
}

// money is an amount for people.
func money(v float64, currency string) string {
	s := print.Number(int64(v + 0.5))
	if v < 100 {
		s = fmt.Sprintf("%.2f", v)
	}
	if currency == "" {
		return s
	}
	return s + " " + currency
}

// wanted says in words what a resource is read for, of those whose absence is told.
var wanted = map[string]string{
	"azureActivity": "who made, changed or deleted what in Azure", "azureRoleAssignments": "who holds which right in Azure",
	"directoryAudits": "credentials, consents, roles and methods that were changed", "signIns.interactiveUser": "from where people signed in",
	"signIns.nonInteractiveUser": "what ran in an account's name without it being there", "signIns.servicePrincipal": "from where apps signed in",
	"riskyUsers": "whom Microsoft holds for at risk", "riskDetections": "why Microsoft held somebody for at risk",
	"azureResources": "what there is in the subscription",
}

// byReading says what was not read, and what settles it.
func (b *build) byReading() {
	for i := range b.t.Reads {
		r := &b.t.Reads[i]
		words := wanted[r.Resource]
		if words == "" || r.Partner || r.State.Known() {
			continue
		}
		why := cmp.Or(r.Why, map[ReadState]string{ReadNever: "it was not read yet", ReadFailed: "asking failed, and is tried again",
			ReadRefused: "it was refused"}[r.State])
		if r.Needs != "" {
			why += "; it needs " + r.Needs
		}
		b.ask("read:"+r.Resource, words+": "+why, cmp.Or(r.Ask, "partnerguard fraud inquire "+b.t.Alert.ID))
	}
	if b.f.dropped > 0 {
		b.ask("dropped", fmt.Sprintf("what %s before %s were: there were too many", print.Plural(int64(b.f.dropped), "older acts"), print.When(b.f.lost)),
			"partnerguard archive export writes all rows")
	}
	if b.f.unread > 0 {
		b.ask("unread", fmt.Sprintf("what is in %s: not to be read", print.Plural(int64(b.f.unread), "records")),
			"partnerguard archive export writes all rows")
	}
}

// ResourceName is what a resource of the collection is called on pages.
func ResourceName(name string) string {
	if s := resourceNames[name]; s != "" {
		return s
	}
	return name
}

var resourceNames = map[string]string{
	"azureActivity": "Azure activity", "azureRoleAssignments": "Azure role assignments", "azureSubscriptions": "Subscriptions",
	"azureResources": "Azure resources",
	"azureMachines":  "Virtual machines", "azureScaleSets": "Scale sets", "directoryAudits": "Directory audits",
	"signIns.interactiveUser":    "Sign-ins of people",
	"signIns.nonInteractiveUser": "Sign-ins without a person", "signIns.servicePrincipal": "Sign-ins of apps", "riskyUsers": "Risky users",
	"riskDetections": "Risk detections", "servicePrincipals": "Apps in the tenant", "applications": "Apps registered", "oauth2PermissionGrants": "Consents",
	"securityAlerts": "Security alerts", "fraudEvents": "Fraud events", "usageRecords": "Usage records", "auditRecords": "Partner Center's audit records",
}
