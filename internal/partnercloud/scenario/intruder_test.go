package scenario

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// An attack is told of by five logs: they must tell the same. The sign-in comes
// first and is let in; the machines are made with its token, from its address; usage
// rises when they are there; the fraud event names one of them.
func TestAttackIsOneStory(t *testing.T) {
	t.Parallel()
	stories := 0
	for seed := range uint64(4) {
		w := build(t, Options{Customers: 120, Seed: seed + 1})
		w.Read(func(s *world.State) {
			for c := range s.PartnerTenant().Customers.All() {
				tenant := s.Tenant(c.TenantID)
				if tenant == nil {
					continue
				}
				for a := range tenant.Azure.All() {
					if tellsOf(t, s, tenant, a) {
						stories++
					}
				}
			}
		})
	}
	if stories < 4 {
		t.Fatalf("only %d stories", stories)
	}
}

type storyEvent struct {
	At     time.Time `json:"eventTimestamp"`
	Caller string    `json:"caller"`
	Group  string    `json:"resourceGroupName"`
	ID     string    `json:"resourceId"`
	Claims struct {
		UTI string `json:"uti"`
		IP  string `json:"ipaddr"`
	} `json:"claims"`
}

func tellsOf(t *testing.T, s *world.State, tenant *world.Tenant, a *world.AzureSubscription) bool {
	t.Helper()
	made := map[string]storyEvent{}
	for _, raw := range a.Activity {
		var e storyEvent
		if err := json.Unmarshal(raw, &e); err != nil {
			t.Fatal(err)
		}
		if e.Claims.UTI != "" && strings.Contains(e.ID, "/virtualMachines/") {
			made[strings.ToLower(e.ID)] = e
		}
	}
	if len(made) == 0 {
		return false
	}
	for id, e := range made {
		var row *world.SignIn
		for r := range s.Newest(tenant, e.At.Add(-24*time.Hour), e.At) {
			if r.UniqueToken == e.Claims.UTI {
				row = r
				break
			}
		}
		if row == nil {
			t.Fatalf("%s: no sign-in made the token of %s", tenant.Name, id)
		}
		at := row.CreatedDateTime.Time
		if row.Status.ErrorCode != 0 || !strings.EqualFold(row.UserPrincipalName, e.Caller) || row.IPAddress != e.Claims.IP || !at.Before(e.At) ||
			e.At.Sub(at) > time.Hour || row.RiskDuring != "high" && row.RiskDuring != "hidden" { // hidden: without P2
			t.Errorf("%s: sign-in %s of %s from %s (%d), machine %s by %s from %s", tenant.Name, at, row.UserPrincipalName, row.IPAddress,
				row.Status.ErrorCode, e.At, e.Caller, e.Claims.IP)
		}
		if u := tenant.UserByName(e.Caller); u == nil || u.Risk != "high" {
			t.Errorf("%s: %s is at no risk", tenant.Name, e.Caller)
		}
		cost := 0.0
		for _, u := range s.UsageOf(tenant.ID, a.ID, time.Time{}, s.Clock.Now()) {
			if strings.EqualFold("/subscriptions/"+a.ID+u.Resource, id) {
				cost += u.Cost
				if u.Day.Before(e.At.Truncate(24 * time.Hour)) {
					t.Errorf("%s: %s cost something on %s, before it was there", tenant.Name, id, u.Day)
				}
			}
		}
		if cost <= 0 {
			t.Errorf("%s: %s cost nothing", tenant.Name, id)
		}
	}
	named := false
	for al := range s.PartnerTenant().Alerts.All() {
		for _, r := range al.Resources {
			if e, is := made[strings.ToLower(r.ID)]; is && al.Customer == tenant.ID && al.First.After(e.At) {
				named = true
			}
		}
	}
	if !named {
		t.Errorf("%s: no fraud event names a machine of the attack", tenant.Name)
	}
	return true
}

// What runs is paid for as the clock goes on.
func TestUsageGoesOn(t *testing.T) {
	t.Parallel()
	build(t, Options{}).Read(func(s *world.State) {
		for c := range s.PartnerTenant().Customers.All() {
			tenant := s.Tenant(c.TenantID)
			for a := range tenant.Azure.All() {
				of := func() float64 {
					return total(s.UsageOf(tenant.ID, a.ID, s.Clock.Now().AddDate(0, 0, -20), s.Clock.Now()))
				}
				past := of()
				if _, err := s.Clock.Jump(3 * 24 * time.Hour); err != nil {
					t.Fatal(err)
				}
				later := total(s.UsageOf(tenant.ID, a.ID, s.Clock.Now().AddDate(0, 0, -23), s.Clock.Now()))
				if later <= past {
					t.Errorf("%s: %v now, %v in three days", a.Name, past, later)
				}
				return
			}
		}
		t.Error("nobody has Azure")
	})
}

func total(rows []world.AzureUsage) (sum float64) {
	for _, u := range rows {
		sum += u.Cost
	}
	return sum
}
