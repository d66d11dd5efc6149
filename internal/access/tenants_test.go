package access

import "testing"

// A list of external tenants whose members an export lost may name anybody.
func TestLostTenants(t *testing.T) {
	t.Parallel()
	e := Externals{Types: []string{"serviceProvider"}, Tenants: &ExternalTenants{Kind: "enumerated", Members: []string{"t1"}}}
	provider := func(home string) *Subject { return &Subject{ID: "x", External: ServiceProvider, HomeTenant: home} }
	for _, c := range []struct {
		home string
		lost bool
		want tri
	}{{"t1", false, yes}, {"t2", false, no}, {"", false, maybe}, {"t2", true, maybe}, {"", true, maybe}} {
		if e.Tenants.MembersLost = c.lost; e.selects(provider(c.home)) != c.want {
			t.Errorf("home %q, lost %v: %v", c.home, c.lost, e.selects(provider(c.home)))
		}
	}
	if e.selects(&Subject{ID: "m"}) != no {
		t.Error("a member is taken")
	}
}
