//go:build !judge

package app

import (
	"slices"
	"testing"

	"partnerguard/internal/access"
)

// TestRolesOfNow: who lost a role since the collection is not counted among those who hold
// it, who got one is, by a group too; a role over a part of the directory is none.
func TestRolesOfNow(t *testing.T) {
	t.Parallel()
	was := []access.Subject{{ID: "A", Roles: []string{"ga"}}, {ID: "b"}, {ID: "c", Groups: []string{"g"}}, {ID: "d", PerhapsRoles: []string{"ga", "ca"}}}
	got := withRoles(was, []heldRole{{"B", "GA", "/"}, {"g", "ca", "/"}, {"a", "ga", "/administrativeUnits/1"}, {"d", "ca", "/"}, {"d", "ca", "/"}})
	for i, want := range [][]string{nil, {"ga"}, {"ca"}, {"ca"}} {
		if !slices.Equal(got[i].Roles, want) {
			t.Errorf("%s holds %q, not %q", got[i].ID, got[i].Roles, want)
		}
	}
	if !slices.Equal(got[3].PerhapsRoles, []string{"ga"}) || len(was[0].Roles) != 1 || !got[1].Admin {
		t.Errorf("%+v", got)
	}
}
