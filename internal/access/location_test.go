package access

import (
	"fmt"
	"strings"
	"testing"

	"partnerguard/internal/lenient"
)

// TestTooManyPlacesAreUnknown: an absurd number of named locations costs the
// answer, never memory without end and never a silent pass.
// TestTrustNotExported: a location whose trust was not exported, and further
// locations that were not, may be trusted or not.
func TestTrustNotExported(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		trusted lenient.Bool
		lack    string
		want    ProofVerdict
	}{
		"trusted":               {lenient.Bool{Value: true, Set: true}, "", Proved},
		"not trusted":           {lenient.Bool{Set: true}, "", GapFound},
		"not exported":          {lenient.Bool{}, "", UnknownProof},
		"others may be trusted": {lenient.Bool{Set: true}, "GET them", UnknownProof},
	} {
		p := covering(func(p *Policy) {
			p.Conditions.Locations.Items = []LocationCondition{{IncludeLocations: []string{"AllTrusted"}}}
		})
		rest := covering(func(p *Policy) {
			p.ID = "rest"
			p.Conditions.Locations.Items = []LocationCondition{{IncludeLocations: []string{"All"}, ExcludeLocations: []string{"hq"}}}
		})
		tenant := whole(p, rest)
		tenant.LocationsLack = c.lack
		tenant.Locations = []*NamedLocation{{ID: "hq", DisplayName: "HQ", IsTrusted: c.trusted,
			Ranges: lenient.List[IPRange]{Items: []IPRange{{"203.0.113.0/24"}}}}}
		if proof := mustProve(t, tenant, "mfa-every-sign-in"); proof.Verdict != c.want {
			t.Errorf("%s: %s because %s, want %s", name, proof.Verdict, proof.Reason, c.want)
		}
	}
}

func TestTooManyPlacesAreUnknown(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]ProofVerdict{40: GapFound, 300: UnknownProof} {
		var ids lenient.Strings
		tenant := &Tenant{Users: []Subject{{ID: "u", Name: "u@x"}}, RolesKnown: true, Whole: true}
		for i := range n {
			ip := &NamedLocation{ID: fmt.Sprint("ip", i), DisplayName: fmt.Sprint("range ", i)}
			ip.Ranges.Items = []IPRange{{fmt.Sprintf("10.%d.%d.0/24", i/256, i%256)}}
			tenant.Locations = append(tenant.Locations, ip, &NamedLocation{ID: fmt.Sprint("c", i), DisplayName: fmt.Sprint("country ", i),
				Countries: []string{fmt.Sprint("C", i)}})
			ids = append(ids, ip.ID, fmt.Sprint("c", i))
		}
		p := &Policy{ID: "p", DisplayName: "P", State: Enabled, GrantControls: &GrantControls{Operator: "OR", BuiltInControls: []string{"mfa"}}}
		p.Conditions.Users.IncludeUsers = []string{"All"}
		p.Conditions.Applications.IncludeApplications = []string{"All"}
		p.Conditions.Locations.Items = []LocationCondition{{IncludeLocations: []string{"All"}, ExcludeLocations: ids}}
		tenant.Policies = []*Policy{p}
		e := Compile(tenant)
		if len(e.geo.places) > maxPlaces+2 {
			t.Errorf("%d places", len(e.geo.places))
		}
		q, _ := FindQuestion("mfa-every-sign-in")
		proof, err := e.Prove(q)
		if err != nil || proof.Verdict != want {
			t.Errorf("%d locations: %s because %s (%v), want %s", 2*n, proof.Verdict, proof.Reason, err, want)
		}
		if want == UnknownProof && !strings.Contains(strings.Join(proof.Missing, " "), "too many to tell apart") {
			t.Errorf("the answer does not say why: %v", proof.Missing)
		}
	}
}
