package rehearse_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/signin"
)

// Rows that are told to have the same texts fall into the patterns that their texts say.
func TestRowsAlikeFallIntoTheSamePatterns(t *testing.T) {
	t.Parallel()
	today := tenant(policy("MFA", "mfa", func(p *access.Policy) {
		p.Conditions.Locations.Items = []access.LocationCondition{{IncludeLocations: []string{"All"}, ExcludeLocations: []string{"office"}}}
		p.Conditions.ClientAppTypes = []string{"browser"}
	}))
	office := &access.NamedLocation{ID: "office", DisplayName: "office"}
	office.Ranges.Items = []access.IPRange{{CIDR: "198.51.100.0/25"}}
	today.Locations = []*access.NamedLocation{office}
	then := *today
	then.Policies = append(append([]*access.Policy(nil), today.Policies...), policy("block", "block", func(p *access.Policy) {
		p.Conditions.Platforms.Items = []access.PlatformCondition{{Include: []string{"linux"}}}
	}))
	then.Policies[1].Conditions.Applications.IncludeApplications = []string{"app1"}
	r := rand.New(rand.NewPCG(8, 8))
	for range 30 {
		var plain, alike []signin.Sighting
		for i := range 400 {
			who, what, seenAs, book := r.IntN(3), r.IntN(4), r.IntN(3), r.IntN(3)
			s := seen(fmt.Sprint(i), []string{"able", "unable", "svc"}[who], func(s *signin.Sighting) {
				s.AppID, s.ClientAppUsed, s.Country = fmt.Sprint("app", what/2), []string{"Browser", "IMAP4"}[what%2], []string{"NL", "DE"}[what/2]
				s.Legacy = what%2 == 1
				s.Platform = []string{"Windows 10", "Linux", ""}[seenAs]
				s.IPAddress = []string{"198.51.100.7", "198.51.100.200", "2001:db8::1", ""}[r.IntN(4)]
				s.Compliant = signin.Tri(r.IntN(3))
				s.DeviceCode, s.ROPC = r.IntN(5) == 0, r.IntN(5) == 0
				s.At = at.Add(time.Duration(r.IntN(500)) * time.Minute)
			})
			plain = append(plain, s)
			s.Alike = signin.Alike{Book: uint64(book), Who: uint32(who + 1), What: uint32(what + 1), Seen: uint32(seenAs)}
			alike = append(alike, s)
		}
		want, _ := json.Marshal(run(t, today, &then, plain...))
		got, _ := json.Marshal(run(t, today, &then, alike...))
		if string(want) != string(got) {
			t.Fatalf("want %s\ngot  %s", want, got)
		}
		var counted struct{ Patterns int }
		if err := json.Unmarshal(want, &counted); err != nil || counted.Patterns < 50 {
			t.Fatalf("%v: %s", err, want)
		}
	}
}
