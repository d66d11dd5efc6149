package delegation

import (
	"fmt"
	"strings"

	"partnerguard/internal/delegation/role"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// Resolve turns the names of a question into ids: a person by object id, user principal name
// or name, a customer by tenant id, domain or name, a role by template id or name. Capitals do
// not matter, and a part of a name is enough where it fits one alone. Who asks for Global
// Administrator gets what leads there, too. Kind problem.NotFound where nothing fits, and
// problem.BadInput where more than one thing does; the hint names them.
func Resolve(inv *Inventory, q Question) (Question, error) {
	var err error
	if q.Person != "" {
		var all []choice
		for _, id := range sorted(inv.People) {
			p := inv.People[id]
			all = append(all, choice{id, []string{id, p.UPN, p.Name}})
		}
		if q.Person, err = choose(all, q.Person, "person", "people are known who are in a group that a way goes by"); err != nil {
			return q, err
		}
	}
	if q.Customer != "" {
		var all []choice
		for i := range inv.Customers {
			c := &inv.Customers[i]
			all = append(all, choice{c.Tenant, []string{c.Tenant, c.Domain, c.Name}})
		}
		if q.Customer, err = choose(all, q.Customer, "customer", "partnerguard delegation list shows all"); err != nil {
			return q, err
		}
	}
	if q.Role != "" {
		if r, ok := role.Load().ByName(q.Role); ok {
			q.Role = r.ID
		} else {
			var all []choice
			for _, r := range role.Load().All() {
				all = append(all, choice{r.ID, []string{r.ID, "", r.Name}})
			}
			if q.Role, err = choose(all, q.Role, "role", "a role is named as Microsoft names it, or by its template id"); err != nil {
				return q, err
			}
		}
		q.Roads = q.Role == role.GlobalAdministrator
	}
	return q, nil
}

// choice is something that may be asked for, by its names, the id first.
type choice struct {
	id    string
	names []string
}

// maxChoices bounds the names that a hint lists.
const maxChoices = 5

func choose(all []choice, asked, what, hint string) (string, error) {
	want := strings.ToLower(strings.TrimSpace(asked))
	var same, part []choice
	for _, c := range all {
		is, has := false, false
		for _, n := range c.names {
			n = strings.ToLower(n)
			is, has = is || n == want && n != "", has || len(want) > 1 && strings.Contains(n, want)
		}
		if is {
			same = append(same, c)
		} else if has {
			part = append(part, c)
		}
	}
	if len(same) == 0 {
		same = part
	}
	switch len(same) {
	case 1:
		return same[0].id, nil
	case 0:
		return "", problem.New(problem.NotFound, "no %s %q is known", what, print.Clean(asked, maxText)).WithHint("%s", hint)
	}
	var names []string
	for i := range same {
		if i == maxChoices {
			names = append(names, fmt.Sprintf("and %d more", len(same)-maxChoices))
			break
		}
		names = append(names, fmt.Sprintf("%s (%s)", print.First(same[i].id, same[i].names[2], same[i].names[1]), same[i].id))
	}
	return "", problem.New(problem.BadInput, "%q is more than one %s", print.Clean(asked, maxText), what).
		WithHint("name one of %s", strings.Join(names, ", "))
}
