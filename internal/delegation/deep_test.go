package delegation_test

import (
	"testing"

	"partnerguard/internal/delegation"
	"partnerguard/internal/entra"
)

// TestDeep: groups nested a thousand deep and round in a circle are followed a good way, and
// then it is not known who else is in.
func TestDeep(t *testing.T) {
	t.Parallel()
	const n = 1000
	list := []record{relationship("one", fabrikam, "", gives{1, []string{entra.RoleHelpdeskAdministrator}}), user(5000, "Near", ""), user(5001, "Far", "")}
	for i := 1; i <= n; i++ {
		switch i {
		case 50:
			list = append(list, group(i, "g", "", -(i+1), 5000))
		case n:
			list = append(list, group(i, "g", "", -1, 5001))
		default:
			list = append(list, group(i, "g", "", -(i+1)))
		}
	}
	inv := delegation.Build(read(t, list...), now)
	if in := of(t, inv, 1); len(in) != 1 || inv.Groups[id(1)].Whole || inv.Groups[id(1)].Why == "" {
		t.Errorf("%d people, whole %v: %s", len(in), inv.Groups[id(1)].Whole, inv.Groups[id(1)].Why)
	}
	if in := of(t, inv, n-10); len(in) != 2 {
		t.Errorf("near the end of the chain: %d people", len(in))
	}
}
