package role_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/delegation/role"
)

// TestChoose solves small choices by trying all of them.
func TestChoose(t *testing.T) {
	t.Parallel()
	c := role.Load()
	for _, x := range []struct {
		name string
		acts []role.Act
		keep []string
		want []string
	}{
		{"nothing", nil, nil, nil},
		{"one task", []role.Act{act("", "Reset user password", "")}, nil, []string{"Password Administrator"}},
		{
			"groups, not what happens to reach them", []role.Act{act("", "Add group", ""), act("", "Add member to group", "")}, nil,
			[]string{"Groups Administrator"},
		},
		{"a role for the thing, though another is not privileged", []role.Act{act("", "Delete device", "")}, nil, []string{"Cloud Device Administrator"}},
		{"BitLocker", []role.Act{act("", "Read BitLocker key", "")}, nil, []string{"Cloud Device Administrator"}},
		{"one privileged role instead of two", []role.Act{act("", "Add user", ""), act("", "Reset user password", "")}, nil, []string{"User Administrator"}},
		{
			"never Global Administrator for two", []role.Act{act("", "Add user", ""), act("", "Add Conditional Access policy", "")}, nil,
			[]string{"Conditional Access Administrator", "User Administrator"},
		},
		{
			"an administrator's password", []role.Act{act("", "Reset user password", role.TargetPrivileged)}, nil,
			[]string{"Privileged Authentication Administrator"},
		},
		{"roles", []role.Act{act("", "Add member to role", "")}, nil, []string{"Privileged Role Administrator"}},
		{"licences", []role.Act{act("", "Change user license", ""), act("", "Set group license", "")}, nil, []string{"License Administrator"}},
		{
			"what is there anyway does", []role.Act{act("", "Delete device", "")}, []string{"11451d60-acb2-45eb-a7d6-43d0f0125c13"},
			[]string{"Windows 365 Administrator"},
		},
		{
			"partners of cross-tenant access, not the governance of this tenant from another",
			[]role.Act{act("", "Delete partner specific cross-tenant access setting", "")}, nil, []string{"Security Administrator"},
		},
		{"an unknown act calls for nothing", []role.Act{act("", "Do something", "")}, nil, nil},
		{"disable", []role.Act{act("", "Disable account", "")}, nil, []string{"User Administrator"}},
		{
			"security defaults and policies", []role.Act{act("", "Update security defaults", ""), act("", "Add named location", "")}, nil,
			[]string{"Conditional Access Administrator"},
		},
		{
			"consent", []role.Act{act("", "Consent to application", ""), act("", "Add delegated permission grant", "")}, nil,
			[]string{"Cloud Application Administrator"},
		},
	} {
		var maps []role.Mapping
		for _, a := range x.acts {
			maps = append(maps, c.Map(a))
		}
		p := c.Choose(maps, x.keep)
		var got []string
		for _, i := range cheapest(p) {
			got = append(got, c.Name(p.Roles[i]))
		}
		slices.Sort(got)
		if diff := cmp.Diff(x.want, got); diff != "" {
			t.Errorf("%s:\n%s", x.name, diff)
		}
	}
}

// cheapest tries every set of at most three roles.
func cheapest(p role.Problem) []int {
	var best []int
	found := false
	cost := func(set []int) (priv, weight int) {
		for _, i := range set {
			if p.Privileged[i] {
				priv++
			}
			weight += p.Weight[i]
		}
		return
	}
	try := func(set []int) {
		for _, n := range p.Needs {
			if len(n) > 0 && !slices.ContainsFunc(n, func(i int) bool { return slices.Contains(set, i) }) {
				return
			}
		}
		a, b := cost(set)
		c, d := cost(best)
		if !found || a < c || a == c && (b < d || b == d && len(set) < len(best)) {
			best, found = set, true
		}
	}
	try(nil)
	for i := range p.Roles {
		try([]int{i})
		for j := range i {
			try([]int{j, i})
			for k := range j {
				try([]int{k, j, i})
			}
		}
	}
	return best
}
