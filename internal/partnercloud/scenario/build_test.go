package scenario

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// start is the moment the tests' worlds are made at.
var start = time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)

// still is a clock that stands at start.
func still() *world.Clock {
	c := world.NewClock(func() time.Time { return start })
	return c
}

func load(t testing.TB, text []byte) *Scenario {
	t.Helper()
	sc, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

func build(t testing.TB, o Options) *world.World {
	t.Helper()
	if o.Clock == nil {
		o.Clock = still()
	}
	w, err := Build(load(t, Default()), o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestDefaultWorld(t *testing.T) {
	t.Parallel()
	w := build(t, Options{})
	w.Read(func(s *world.State) {
		p := s.PartnerTenant()
		if p == nil || p.Name != "Contoso Cloud Partners" || p.ID != "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21" || !p.HasPlan(world.PlanP2) {
			t.Fatalf("partner: %+v", p)
		}
		if n := p.Users.Len(); n != 45 {
			t.Errorf("%d people", n)
		}
		if n := p.Customers.Len(); n != 12 {
			t.Errorf("%d customers", n)
		}
		for c := range p.Customers.All() {
			k := s.Tenant(c.TenantID)
			if k == nil || k.Users.Len() == 0 {
				t.Errorf("%s has no tenant or no users", c.Name)
				continue
			}
			if s.Tenant(c.Domain) != k {
				t.Errorf("%s is not found by its domain", c.Name)
			}
			s.Engine(k)
		}
		sam := p.UserByName("sam-agent@contoso.com")
		d, ok := s.Delegated(sam, s.Tenant("fabrikam.example"))
		if !ok || !d.GDAP || len(d.Roles) < 8 {
			t.Errorf("sam-agent at Fabrikam: %+v", d)
		}
		if d, ok := s.Delegated(sam, s.Tenant("wingtip.example")); !ok || d.GDAP {
			t.Errorf("sam-agent at Wingtip: %+v %v", d, ok)
		}
		for _, name := range []string{"litware.example", "trey.example"} {
			if d, ok := s.Delegated(sam, s.Tenant(name)); ok {
				t.Errorf("sam-agent at %s: %+v", name, d)
			}
		}
		b, _ := json.Marshal(s)
		if strings.Contains(string(b), `"raw":null`) {
			t.Error("a document without content")
		}
	})
}
