package coverage_test

import (
	"fmt"
	"testing"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/coverage"
	"partnerguard/internal/lenient"
)

// TestBig: a tenant of 50,000 accounts, 200 policies and 60 places takes seconds, and says
// what it did not look at.
func TestBig(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	big := bigTenant(50_000, 200, 60)
	began := time.Now()
	e := access.Compile(big)
	compiled := time.Since(began)
	in := coverage.Input{Engine: e}
	for i, c := range big.Changes() {
		if i < 8 {
			in.Changes = append(in.Changes, coverage.Proposal{Changes: []access.Change{c}, Title: c.Text})
		}
	}
	p := coverage.Build(in)
	took := time.Since(began)
	t.Logf("compiled in %s, built in %s: %d classes, %d places, %d details, %+v", compiled, took, len(p.Who), len(p.Places), len(p.Details), p.Counts)
	if took > 60*time.Second {
		t.Errorf("it took %s", took)
	}
}

func bigTenant(accounts, policies, places int) *access.Tenant {
	t := &access.Tenant{KnownGroups: map[string]bool{}, RolesKnown: true, Whole: true, Names: map[string]string{}}
	for i := range places {
		l := &access.NamedLocation{ID: fmt.Sprintf("site-%d", i), DisplayName: fmt.Sprintf("Site %d", i)}
		l.Ranges.Items = []access.IPRange{{CIDR: fmt.Sprintf("10.%d.0.0/16", i)}}
		t.Locations = append(t.Locations, l)
	}
	for i := range 40 {
		t.KnownGroups[fmt.Sprintf("g%d", i)] = true
	}
	for i := range accounts {
		s := access.Subject{ID: fmt.Sprintf("u%d", i), Name: fmt.Sprintf("user%d@contoso.example", i), Groups: []string{fmt.Sprintf("g%d", i%40)}}
		if i%7 == 0 {
			s.Groups = append(s.Groups, fmt.Sprintf("g%d", i/7%40))
		}
		t.Users = append(t.Users, s)
	}
	for i := range policies {
		t.Policies = append(t.Policies, policy(fmt.Sprintf("P%03d", i), []string{"mfa", "block"}[i%5/4], func(p *access.Policy) {
			p.Conditions.Users.IncludeUsers, p.Conditions.Users.IncludeGroups = nil, lenient.Strings{fmt.Sprintf("g%d", i%40)}
			p.Conditions.Locations.Items = []access.LocationCondition{{IncludeLocations: lenient.Strings{"All"},
				ExcludeLocations: lenient.Strings{fmt.Sprintf("site-%d", i%places)}}}
			if i%3 == 0 {
				p.Conditions.ClientAppTypes = lenient.Strings{"browser"}
			}
			if i%11 == 0 {
				p.State = access.ReportOnly
			}
		}))
	}
	return t
}
