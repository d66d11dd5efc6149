package alert_test

import (
	"testing"
	"time"

	"partnerguard/internal/alert"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/entra"
	"partnerguard/internal/facts"
	"partnerguard/internal/lenient"
	"partnerguard/internal/partner"
)

// TestStages: the end of a relationship is told 60, 30, 14, 7 and 1 days before, each once.
func TestStages(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := newBench(t, d, alert.Route{To: []string{"team"}})
		end := b.at.Add(61*24*time.Hour + time.Hour)
		b.dates = []alert.Deadline{{ID: "gdap/1", Kind: alert.DueDelegation, At: end, Title: "GDAP with Fabrikam ends", Sure: true}}
		var told []int
		for days := 61; days >= 1; days-- {
			for range 3 { // also by who looks often
				b.at = b.at.Add(5 * time.Minute)
				b.look()
			}
			if len(b.said()) > 0 {
				told = append(told, days)
			}
			b.at = end.Add(-time.Duration(days-1) * 24 * time.Hour) // a day later, the next number of days is left
		}
		want := []int{60, 30, 14, 7, 1}
		if len(told) != len(want) {
			t.Fatalf("told with %v days left, want %v", told, want)
		}
		for i := range want {
			if told[i] != want[i] {
				t.Errorf("told with %v days left, want %v", told, want)
			}
		}
	})
}

// TestEndsOfGDAP: one that extends itself has no deadline; with Global Administrator none extends itself.
func TestEndsOfGDAP(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)
	for _, x := range []struct {
		name, auto string
		roles      []string
		found      int
		sure       bool
	}{
		{"does not extend itself", "PT0S", []string{entra.RoleDirectoryReaders}, 1, true},
		{"extends itself", "P180D", []string{entra.RoleDirectoryReaders}, 0, false},
		{"with Global Administrator", "P180D", []string{entra.RoleDirectoryReaders, entra.RoleGlobalAdministrator}, 1, true},
		{"roles not read", "P180D", nil, 1, false},
	} {
		r := &partner.Relationship{ID: "r", Status: "active", AutoExtend: lenient.String(x.auto), RolesLost: len(x.roles) == 0}
		r.EndDateTime = lenient.Time{Set: true, Time: now.AddDate(0, 1, 0)}
		for _, id := range x.roles {
			r.AccessDetails.UnifiedRoles.Items = append(r.AccessDetails.UnifiedRoles.Items, struct {
				RoleDefinitionID string `json:"roleDefinitionId"`
			}{id})
		}
		f := facts.New()
		f.Relationships = map[string]*partner.Relationship{"r": r}
		p := alert.Build(f, nil, now)
		if len(p.Deadlines) != x.found || x.found == 1 && p.Deadlines[0].Sure != x.sure {
			t.Errorf("%s: %+v", x.name, p.Deadlines)
		}
	}
}
