package recommend

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/role"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// jobs are the sets of roles that partners give to a job (contracts.md 8.2), by name.
var jobs = map[string][]string{
	"tier1": {"Service Support Administrator", "Security Reader", "Intune Administrator", "SharePoint Administrator",
		"Teams Communications Support Specialist",
		"Helpdesk Administrator", "Desktop Analytics Administrator", "Authentication Administrator", "Exchange Administrator", "License Administrator",
		"User Administrator", "Groups Administrator", "Directory Readers", "Message Center Reader", "Printer Administrator", "Guest Inviter"},
	"simple": {"Directory Readers", "Global Reader", "Helpdesk Administrator", "License Administrator", "Service Support Administrator"},
	"provider": {"Directory Readers", "Directory Writers", "Global Reader", "User Administrator", "License Administrator", "Service Support Administrator",
		"Helpdesk Administrator"},
}

// GroupsOf finds the groups of a job: a group by its id or name, the groups whose name has the
// job's word in it, else those whose granted roles are mostly of the job's set. It says in
// words what it chose. Kind problem.BadInput where nothing fits.
func GroupsOf(inv *delegation.Inventory, job string) (groups map[string]bool, said string, err error) {
	var named, like []*delegation.Group
	word := plain(job)
	for _, g := range inv.Groups {
		switch {
		case strings.EqualFold(g.ID, job), strings.EqualFold(g.Name, job):
			named = append(named, g)
		case word != "" && strings.Contains(plain(g.Name), word):
			like = append(like, g)
		}
	}
	how := "by its name"
	if len(named) == 0 {
		named, how = like, fmt.Sprintf("because the name has %q in it", print.Clean(job, print.MaxName))
	}
	if len(named) == 0 {
		if names := jobs[word]; names != nil {
			var set []string
			for _, name := range names {
				if r, ok := role.Load().ByName(name); ok {
					set = append(set, r.ID)
				}
			}
			named, how = bySet(inv, set), "because at least half of what it is granted is of the roles that Microsoft names for "+word
		}
	}
	if len(named) == 0 {
		return nil, "", problem.New(problem.BadInput, "no group fits the job %q", print.Clean(job, print.MaxName)).
			WithHint("name a group by its id or name, or one of tier1, simple and provider; partnerguard delegation list shows the groups")
	}
	slices.SortFunc(named, func(a, b *delegation.Group) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	groups = map[string]bool{}
	var words []string
	for _, g := range named {
		groups[strings.ToLower(g.ID)] = true
		words = append(words, print.Clean(print.First(g.ID, g.Name), print.MaxName))
	}
	const most = 5
	said = "the group " + words[0]
	if len(words) > 1 {
		said = fmt.Sprintf("%d groups, %s", len(words), strings.Join(words[:min(len(words), most)], ", "))
		if len(words) > most {
			said += " …"
		}
	}
	return groups, said + ", " + how, nil
}

// plain leaves of a name its letters and digits, in lower case.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 127 {
			return r
		}
		return -1
	}, strings.ToLower(s))
}

// bySet are the groups at least half of whose granted roles are in a set.
func bySet(inv *delegation.Inventory, set []string) (out []*delegation.Group) {
	granted := map[string]map[string]bool{}
	for i := range inv.Customers {
		for _, r := range inv.Customers[i].Relationships {
			for _, a := range r.Assignments {
				g := strings.ToLower(a.Group)
				if r.Active && a.Active && granted[g] == nil {
					granted[g] = map[string]bool{}
				}
				for _, id := range a.Roles {
					if r.Active && a.Active {
						granted[g][strings.ToLower(id)] = true
					}
				}
			}
		}
	}
	for id, roles := range granted {
		n := 0
		for r := range roles {
			if slices.Contains(set, r) {
				n++
			}
		}
		if len(roles) > 0 && 2*n >= len(roles) {
			g := inv.Groups[id]
			if g == nil {
				g = &delegation.Group{ID: id}
			}
			out = append(out, g)
		}
	}
	return out
}
