package facts

import (
	"cmp"
	"strings"

	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
)

// takeDelegation keeps what no rule is decided by and a partner's delegation is told from.
func (f *Facts) takeDelegation(kind evidence.Kind, raw []byte, src evidence.Source) error {
	switch kind {
	case evidence.AppRoleAssignment:
		return take(raw, func(a *directory.AppRole) { a.Source = src; f.AppRoles[key(a.ID, "", src)] = a })
	case evidence.AzureRoleAssignment:
		return take(raw, func(a *partner.AzureRole) { a.Source = src; f.AzureRoles[key(a.ID, "", src)] = a })
	case evidence.DelegatedCustomer, evidence.Contract:
		return take(raw, func(c *partner.NamedCustomer) {
			c.Source = src
			into(f.Named, kind)[key(cmp.Or(c.CustomerID, c.TenantID), "", src)] = c
		})
	}
	return take(raw, func(s *partner.RelationshipStep) {
		s.Source = src
		into(f.Steps, kind)[strings.ToLower(string(s.Relation))+"|"+key(s.ID, "", src)] = s
	})
}

func into[T any](m map[evidence.Kind]map[string]T, kind evidence.Kind) map[string]T {
	if m[kind] == nil {
		m[kind] = map[string]T{}
	}
	return m[kind]
}

// Standing says who is in which group and holds which role, as far as the records tell.
// Memberships that PIM made active are among the members of the groups from then on.
func (f *Facts) Standing() *directory.Standing { return f.standing() }
