package graph

import (
	"testing"

	"partnerguard/internal/partnercloud/world"
)

// A user's plans follow from the licences: by one user, by the list and in a filter.
func TestAssignedPlans(t *testing.T) {
	l := newLab(t)
	want := 0
	l.w.Read(func(s *world.State) {
		t := s.Tenant(partnerID)
		t.Users.Change(ada, func(u *world.User) { u.Licences = []string{t.SKUs[0].ID} })
		want = len(t.SKUs[0].Plans)
		s.Touch(t)
	})
	if want == 0 {
		t.Fatal("the SKU has no plan")
	}
	if n := len(objs(l.get("/v1.0/users/"+ada+"?$select=id,ASSIGNEDPLANS", l.admin()).want(200).body, "assignedPlans")); n != want {
		t.Errorf("%d plans, want %d", n, want)
	}
	for _, u := range l.get("/v1.0/users?$select=id,assignedPlans,assignedLicenses", l.admin()).want(200).rows() {
		if plans, licences := len(objs(u, "assignedPlans")), len(objs(u, "assignedLicenses")); (plans == 0) != (licences == 0) {
			t.Errorf("%s: %d plans by %d licences", str(u, "id"), plans, licences)
		}
	}
}
