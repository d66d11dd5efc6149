package story

import (
	"slices"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/problem"
)

// AlertAsk is what Microsoft is to do with alerts.
type AlertAsk struct {
	Do       string        // raise, reopen, change
	Count    int           // of raise; 0 is one
	Customer string        // of raise: domain or tenant id; "" spreads them over all with Azure
	Type     string        // alertType, any text; "" is ARM_AnomalousResourceConsumption
	Severity string        // low, medium, high; "" is medium
	Test     bool          // of raise: a test event
	Late     time.Duration // how long ago it was detected
	ID       string        // of reopen and change
}

const (
	maxStorm = 5_000
	maxLate  = 365 * 24 * time.Hour
)

// Alerts does what is asked and gives the ids of the alerts. What cannot be is refused
// with package problem's errors. Used with the state locked.
func Alerts(s *world.State, ask AlertAsk) ([]string, error) {
	if s.PartnerTenant() == nil {
		return nil, problem.New(problem.NotFound, "this world has no partner")
	}
	switch ask.Do {
	case "raise":
		return storm(s, ask)
	case "reopen", "change":
		return again(s, ask)
	}
	return nil, problem.New(problem.Usage, "alerts cannot be told to %.40q", ask.Do).WithHint("one of: raise, reopen, change")
}

// place is a subscription that an alert can be about.
type place struct{ customer, subscription string }

func places(s *world.State, customer string) (out []place) {
	for c := range s.PartnerTenant().Customers.All() {
		if customer != "" && !strings.EqualFold(c.TenantID, customer) && !strings.EqualFold(c.Domain, customer) {
			continue
		}
		for i := range c.Subscriptions {
			for _, e := range c.Subscriptions[i].Entitlements {
				out = append(out, place{c.TenantID, e.SubscriptionID})
			}
		}
	}
	return out
}

// storm raises alerts, each with an id of its own.
func storm(s *world.State, ask AlertAsk) ([]string, error) {
	n := max(1, ask.Count)
	severity := strings.ToLower(ask.Severity)
	if severity == "" {
		severity = "medium"
	}
	list := places(s, ask.Customer)
	switch {
	case ask.Count < 0 || n > maxStorm:
		return nil, problem.New(problem.Usage, "%d alerts are too many or too few", ask.Count).WithHint("1 to %d", maxStorm)
	case !slices.Contains([]string{"informational", "low", "medium", "high"}, severity):
		return nil, problem.New(problem.Usage, "no alert has the severity %.20q", ask.Severity).WithHint("informational, low, medium, high")
	case len(ask.Type) > 200 || ask.Late < 0 || ask.Late > maxLate:
		return nil, problem.New(problem.Usage, "the type is too long, or the alert too late")
	case ask.ID != "":
		return nil, problem.New(problem.Usage, "a new alert has no id yet").WithHint("--id is for reopen and change")
	case len(list) == 0:
		return nil, problem.New(problem.NotFound, "nobody like that has Azure").WithHint("name a customer with an Azure subscription by domain or tenant id")
	}
	kind := ask.Type
	if kind == "" {
		kind = "ARM_AnomalousResourceConsumption"
	}
	legacy, known := world.LegacyAlertType(kind)
	if !known {
		legacy = kind
	}
	now := s.Clock.Now()
	detected := now.Add(-ask.Late).Truncate(time.Second)
	var ids []string
	for i := range n {
		at := list[i%len(list)]
		a := &world.Alert{ID: world.NewGUID(), Type: kind, LegacyType: legacy, Name: "Unusual activity", Description: "Raised by hand.", Severity: severity,
			Confidence: "medium", Status: "active", Detected: detected, First: detected.Add(-time.Hour), Last: detected, Customer: at.customer,
			Subscription: at.subscription, Offer: "ms-azr-17g", Test: ask.Test, Hits: 1, Details: map[string]string{},
			Activity: []world.AlertActivity{}, Resources: []world.AlertResource{}}
		a.EventID = at.subscription + "_" + world.NewGUID()
		s.RaiseAlertAt(a, now)
		ids = append(ids, a.ID)
	}
	return ids, nil
}

// again reopens an alert that was answered, or changes one: seen once more, and more
// severe.
func again(s *world.State, ask AlertAsk) ([]string, error) {
	old := s.PartnerTenant().Alerts.Get(ask.ID)
	if old == nil {
		return nil, problem.New(problem.NotFound, "no alert has the id %.60q", ask.ID).WithHint("list them: partnerguard cloud graph GET " +
			"/beta/security/partner/securityAlerts")
	}
	now := s.Clock.Now()
	a := *old
	a.Last = now.Truncate(time.Second)
	if ask.Do == "change" {
		a.Hits++
		if a.Severity = "high"; ask.Severity != "" {
			a.Severity = strings.ToLower(ask.Severity)
		}
	} else {
		if a.Status == "active" {
			return nil, problem.New(problem.Limit, "the alert is open").WithHint("only one that was answered can be opened again")
		}
		a.Activity = append(slices.Clone(a.Activity), world.AlertActivity{From: a.Status, To: "active", By: "Microsoft", At: now})
		a.Status, a.Reason, a.ResolvedBy, a.ResolvedOn = "active", "", "", time.Time{}
	}
	s.RaiseAlertAt(&a, now)
	return []string{a.ID}, nil
}
