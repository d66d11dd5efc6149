package alert_test

import (
	"testing"
	"time"

	"partnerguard/internal/alert"
	"partnerguard/internal/facts"
	"partnerguard/internal/partner"
)

// Some answers of Microsoft name a customer by its name alone. It is known by it, unless
// two bear it: staff of one must not be told of the other.
func TestCustomerOfWarning(t *testing.T) {
	named := func(id, name string) *partner.Customer {
		c := &partner.Customer{ID: id}
		c.CompanyProfile.TenantID, c.CompanyProfile.CompanyName = id, name
		return c
	}
	f := facts.New()
	f.Customers = map[string]*partner.Customer{"a": named("a", "Fabrikam"), "b": named("b", "Twin"), "c": named("c", "twin")}
	const unknown = "4E89E2A0-fad3-4c7b-8ed0-18a56d2245a5"
	for said, want := range map[string][2]string{"A": {"a", "vm (Fabrikam)"}, "fabrikam": {"a", "vm (Fabrikam)"}, "Twin": {"", "vm (Twin)"}, "": {"", "vm"},
		"Nobody": {"", "vm (Nobody)"}, unknown: {"4e89e2a0-fad3-4c7b-8ed0-18a56d2245a5", "vm"}} {
		f.Alerts = map[string]partner.Alert{"x": {ID: "x", Name: "vm", Customer: said}}
		p := alert.Build(f, nil, time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC))
		if w := p.Microsoft[0]; w.Customer != want[0] || w.Titled() != want[1] {
			t.Errorf("%q is %q, %q, want %q", said, w.Customer, w.Titled(), want)
		}
	}
}
