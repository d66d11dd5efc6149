package directory

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"partnerguard/internal/lenient"
)

// TestResolveAgain: who is in which group, and holds which role, is the same however often it
// is asked; what the first answer added to a group's list does not put the second in doubt.
func TestResolveAgain(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	added := 0
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 9))
		d := New()
		d.At = at
		for i := range 6 {
			d.AddUser(User{ID: fmt.Sprint("u", i), UserPrincipalName: fmt.Sprintf("u%d@example.com", i)})
		}
		for i := range 4 {
			g := Group{ID: fmt.Sprint("g", i)}
			g.Members.Set = r.IntN(3) > 0
			for range r.IntN(3) {
				g.Members.Items = append(g.Members.Items, Member{ID: fmt.Sprint("u", r.IntN(6)), Type: "user"})
			}
			if r.IntN(3) == 0 {
				g.Transitive.Set = true
				g.Transitive.Items = append(g.Transitive.Items, Member{ID: fmt.Sprint("u", r.IntN(6)), Type: "user"})
			}
			d.AddGroup(g)
		}
		s := GroupSchedule{ID: "s", GroupID: fmt.Sprint("g", r.IntN(4)), PrincipalID: fmt.Sprint("u", r.IntN(6)), AccessID: "member", Status: "Provisioned"}
		s.StartDateTime = lenient.Time{Time: at.Add(-time.Hour)}
		d.AddGroupSchedule(s)
		d.AddAssignment(RoleAssignment{ID: "a", PrincipalID: fmt.Sprint("g", r.IntN(4)), RoleDefinitionID: "r"})
		first := d.Resolve(true)
		for _, g := range d.Groups {
			for _, m := range g.Members.Items {
				if m.added {
					added++
				}
			}
		}
		for range 2 {
			if again := d.Resolve(true); !reflect.DeepEqual(first, again) {
				t.Fatalf("seed %d: first\n%+v\nthen\n%+v", seed, first, again)
			}
		}
	}
	if added < 50 {
		t.Errorf("only %d members were added", added)
	}
}
