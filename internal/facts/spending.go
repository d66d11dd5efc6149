package facts

import (
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
)

// takeSpending keeps what customers' Azure costs, and what budgets there are.
func (f *Facts) takeSpending(kind evidence.Kind, raw []byte, src evidence.Source) error {
	switch kind {
	case evidence.CustomerUsage:
		return take(raw, func(u *partner.Usage) { u.Source = src; f.addUsage(u) })
	case evidence.CustomerSubscription:
		return take(raw, func(b *partner.Bought) { b.Source = src; f.Bought[key(b.ID, "", src)] = b })
	case evidence.AzureSubscription:
		return take(raw, func(s *partner.AzureSubscription) { s.Source = src; f.Subscriptions[key(s.ID, "", src)] = s })
	}
	return take(raw, func(b *partner.AzureBudget) { b.Source = src; f.AzureBudgets[key(b.ID, "", src)] = b })
}

// addUsage keeps the newest estimate of each customer. A record that names no customer says
// that the list has more than was read.
func (f *Facts) addUsage(u *partner.Usage) {
	tenant := u.Tenant()
	f.kept(len(tenant) == 36 && strings.Count(tenant, "-") == 4, evidence.CustomerUsage, u.Source)
	if old := f.Usage[tenant]; tenant != "" && (old == nil || !old.Modified.After(u.Modified.Time)) {
		f.Usage[tenant] = u
	}
}
