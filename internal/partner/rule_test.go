package partner_test

import (
	"strings"
	"testing"
	"time"

	"partnerguard/internal/partner"
)

func on(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestStanding(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		id, asOf string
		kind     partner.Kind
		cloud    partner.Cloud
		want     partner.Standing
	}{
		{"mfa-every-user", "2019-05-31", partner.DirectBill, partner.Public, partner.NotYet},
		{"mfa-every-user", "2019-07-15", partner.DirectBill, partner.Public, partner.Announce},
		{"mfa-every-user", "2019-07-31", partner.DirectBill, partner.Public, partner.Announce},
		{"mfa-every-user", "2019-08-01", partner.DirectBill, partner.Public, partner.Contract},
		{"mfa-every-sign-in", "2019-11-17", partner.DirectBill, partner.Public, partner.Contract},
		{"mfa-every-sign-in", "2019-11-18", partner.DirectBill, partner.Public, partner.Enforced},
		{"mfa-every-sign-in", "2020-06-01", partner.Advisor, partner.Public, partner.Enforced},
		{"secure-application-model", "2026-04-01", partner.ControlPanelVendor, partner.Public, partner.Contract},
		{"secure-application-model", "2026-06-07", partner.ControlPanelVendor, partner.Public, partner.Contract},
		{"secure-application-model", "2026-06-08", partner.ControlPanelVendor, partner.Public, partner.Enforced},
		{"mfa-every-sign-in", "2026-11-21", partner.DirectBill, partner.USGov, partner.Advised},
		{"mfa-every-sign-in", "2026-11-21", partner.DirectBill, partner.China, partner.Advised},
		{"mfa-every-user", "2026-11-21", partner.DirectBill, partner.Germany, partner.Advised},
		{"third-party-mfa-exception", "2022-02-28", partner.DirectBill, partner.Public, partner.Announce},
		{"third-party-mfa-exception", "2022-03-01", partner.DirectBill, partner.Public, partner.Enforced},
		{"mfa-admin-roles", "2025-09-30", partner.DirectBill, partner.Public, partner.NotYet},
		{"mfa-admin-roles", "2025-10-01", partner.DirectBill, partner.Public, partner.Contract},
		{"security-contact", "2026-01-01", partner.IndirectReseller, partner.Public, partner.Contract},
		{"security-alerts-answered", "2026-01-01", partner.IndirectReseller, partner.Public, partner.Exempt},
		{"security-alerts-answered", "2026-01-01", partner.IndirectProvider, partner.Public, partner.Contract},
		{"no-dap", "2026-01-01", partner.DirectBill, partner.Public, partner.Advised},
		{"gdap-least-privilege", "2026-01-01", partner.DirectBill, partner.China, partner.Exempt},
	} {
		r, ok := partner.Find(c.id)
		if !ok {
			t.Fatalf("no rule %s", c.id)
		}
		if got, why := r.On(on(c.asOf), c.kind, c.cloud); got != c.want || why == "" {
			t.Errorf("%s on %s for %s in %s: %s (%s), want %s", c.id, c.asOf, c.kind, c.cloud, got, why, c.want)
		}
	}
}

// TestNothingBindsInJuly2019 and its neighbours pin the two sentences of the
// programme's history that people quote.
func TestNothingBindsInJuly2019(t *testing.T) {
	t.Parallel()
	binding := func(asOf string, cloud partner.Cloud) (ids []string) {
		for _, r := range partner.Book() {
			if s, _ := r.On(on(asOf), partner.DirectBill, cloud); s.Binding() {
				ids = append(ids, r.ID)
			}
		}
		return ids
	}
	if ids := binding("2019-07-31", partner.Public); len(ids) > 0 {
		t.Errorf("binding in July 2019: %v", ids)
	}
	if ids := binding("2020-01-01", partner.Public); len(ids) == 0 {
		t.Error("nothing binds in 2020")
	}
	for _, c := range []partner.Cloud{partner.USGov, partner.China, partner.Germany} {
		if ids := binding("2026-11-21", c); len(ids) > 0 {
			t.Errorf("binding in %s: %v", c, ids)
		}
	}
}

func TestBookIsWhole(t *testing.T) {
	t.Parallel()
	asked := strings.Fields(`mfa-every-user mfa-every-sign-in mfa-admin-roles secure-application-model
		automation-without-user-credentials legacy-authentication app-passwords modern-authentication-clients
		third-party-mfa-claim third-party-mfa-exception security-defaults-or-conditional-access inactive-dap no-dap
		gdap-least-privilege azure-fraud-watch security-alerts-answered security-contact customer-admin-mfa
		customer-spending-budget entra-id-p2-admin-agents privileged-identity-management risk-based-access sign-in-log-access`)
	for _, id := range asked {
		if _, ok := partner.Find(id); !ok {
			t.Errorf("the book lacks %s", id)
		}
	}
	seen := map[string]bool{}
	for _, r := range partner.Book() {
		if seen[r.ID] {
			t.Errorf("%s stands twice", r.ID)
		}
		seen[r.ID] = true
		if r.Title == "" || r.Text == "" || r.Unit == "" || len(r.Needs) == 0 || r.Helps == nil || r.Contract.IsZero() ||
			(r.Level != partner.Mandatory && r.Level != partner.Recommended) {
			t.Errorf("%s is not whole: %+v", r.ID, r)
		}
		if !strings.HasPrefix(r.Source, "https://learn.microsoft.com/") {
			t.Errorf("%s has the source %q", r.ID, r.Source)
		}
		if !r.Announced.IsZero() && r.Announced.After(r.Contract.Time) {
			t.Errorf("%s binds before it is announced", r.ID)
		}
		for i, s := range r.Enforced {
			if s.Date.Before(r.Contract.Time) || i > 0 && s.Date.Before(r.Enforced[i-1].Date.Time) {
				t.Errorf("%s: enforcement steps are out of order", r.ID)
			}
		}
	}
	m := partner.Milestones()
	for i := 1; i < len(m); i++ {
		if m[i].Date.Before(m[i-1].Date.Time) {
			t.Errorf("milestone %s is out of order", m[i].Date)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	if k, ok := partner.ParseKind(" Indirect-Reseller "); !ok || k != partner.IndirectReseller {
		t.Error("kind is not parsed")
	}
	if _, ok := partner.ParseKind("reseller"); ok {
		t.Error("a kind that does not exist was accepted")
	}
	if c, ok := partner.ParseCloud("Commercial"); !ok || c != partner.Public {
		t.Errorf("the older word: %v %v", c, ok)
	}
	if c, ok := partner.ParseCloud("USGov"); !ok || !c.Sovereign() {
		t.Error("cloud is not parsed")
	}
	if partner.Public.Sovereign() {
		t.Error("the public cloud is not sovereign")
	}
}
