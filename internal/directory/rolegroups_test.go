package directory

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// TestRolesNeedNoOtherGroups holds who holds which role, found through the groups that
// hold one alone, to what resolving every group finds.
func TestRolesNeedNoOtherGroups(t *testing.T) {
	t.Parallel()
	nested, closed, held := 0, 0, 0
	for seed := range uint64(300) {
		build := func() *Directory {
			r := rand.New(rand.NewPCG(seed, 5))
			d := New()
			for i := range 12 {
				d.AddUser(User{ID: fmt.Sprint("u", i), UserPrincipalName: fmt.Sprintf("u%d@example.com", i)})
			}
			for i := range 8 {
				g := Group{ID: fmt.Sprint("g", i), DisplayName: fmt.Sprint("Group ", i)}
				if r.IntN(5) > 0 {
					g.Members.Set = true
				}
				for range r.IntN(5) {
					switch r.IntN(6) {
					case 0:
						g.Members.Items = append(g.Members.Items, Member{ID: fmt.Sprint("g", r.IntN(9)), Type: "group"}) // g8 is not in the export
					case 1:
						g.Members.Items = append(g.Members.Items, Member{ID: fmt.Sprint("stranger", r.IntN(3))})
					default:
						g.Members.Items = append(g.Members.Items, Member{ID: fmt.Sprint("u", r.IntN(12)), Type: "user"})
					}
				}
				d.AddGroup(g)
			}
			for i := range 6 {
				principal := fmt.Sprint("u", r.IntN(12))
				if r.IntN(3) > 0 {
					principal = fmt.Sprint("g", r.IntN(8))
				}
				d.AddAssignment(RoleAssignment{ID: fmt.Sprint("a", i), PrincipalID: principal, RoleDefinitionID: fmt.Sprint("r", r.IntN(4)),
					Eligible: r.IntN(3) == 0})
			}
			if r.IntN(4) == 0 {
				d.AddGroupSchedule(GroupSchedule{ID: "s", GroupID: fmt.Sprint("g", r.IntN(8)), PrincipalID: fmt.Sprint("g", r.IntN(8)),
					AccessID: "member", Eligible: true})
			}
			return d
		}
		d := build()
		roles, open := d.RolesByPrincipal()
		all := build()
		want := all.resolve(true, nil)
		if !reflect.DeepEqual(roles, want.Roles) {
			t.Fatalf("seed %d: roles\n%v\nof all groups\n%v", seed, roles, want.Roles)
		}
		var wantOpen []string
		for _, a := range all.Assignments {
			if all.Groups[a.PrincipalID] != nil && want.OpenGroups[a.PrincipalID] != "" {
				wantOpen = append(wantOpen, a.PrincipalID)
			}
		}
		slices.Sort(wantOpen)
		if wantOpen = slices.Compact(wantOpen); !slices.Equal(open, wantOpen) {
			t.Fatalf("seed %d: open groups %v, of all groups %v", seed, open, wantOpen)
		}
		if d.roleGroups() != nil && len(d.roleGroups()) < len(d.Groups) {
			nested++
		}
		closed, held = closed+len(open), held+len(roles)
	}
	if nested == 0 || closed == 0 || held == 0 {
		t.Errorf("nothing was tried: %d, %d open, %d hold a role", nested, closed, held)
	}
}
