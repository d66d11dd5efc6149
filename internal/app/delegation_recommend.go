package app

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/recommend"
	"partnerguard/internal/delegation/role"
	"partnerguard/internal/delegation/use"
	"partnerguard/internal/evidence"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// RecommendQuestion says what a recommendation is asked for.
type RecommendQuestion struct {
	AsOf     time.Time       // the window's end; zero: the newest of what was read
	Now      time.Time       // later than which nothing read can be; zero asks the clock
	Days     int             // the window's length; 0 is recommend.DefaultDays
	Customer string          // tenant id, domain or name; "" all
	Job      string          // a group, or a set of roles by name; "" all
	Accept   []string        // roles by name or id
	Pins     []recommend.Pin // kept whatever was seen; roles, groups and customers by name or id

	kept []recommend.Pin // of the installation: by ids, also of what is not there any more
}

// DelegationRecommend reads files, and derives the least roles from what was done: the
// partner's own lists, and of each customer what lies in customers/<tenant id>/.
func DelegationRecommend(ctx context.Context, r Reading, q RecommendQuestion) (*recommend.Result, error) {
	in, said, err := RecommendFrom(ctx, r, q)
	if err != nil {
		return nil, err
	}
	out := recommend.Run(in)
	out.Job = said
	return out, nil
}

// RecommendFrom reads files into what a recommendation is made of; said is what was chosen for
// a job, in words.
func RecommendFrom(ctx context.Context, r Reading, q RecommendQuestion) (in recommend.Input, said string, err error) {
	now := cmp.Or(q.Now, r.Now)
	if now.IsZero() {
		now = time.Now()
	}
	r.Now, r.At = now, q.AsOf
	own := &partnerUse{o: use.Options{To: q.AsOf}, folds: map[string]*use.Fold{}}
	r.records = own.take
	inv, src, err := Delegation(ctx, DelegationReading{Reading: r})
	if err != nil {
		return in, "", err
	}
	o := use.Options{To: q.AsOf, Apps: map[string]bool{}, People: map[string]string{}}
	for _, a := range src.Facts.Directory.Applications {
		o.Apps[strings.ToLower(a.AppID)] = true
	}
	for key, u := range src.Facts.Directory.Users {
		if u.ID != "" && u.UserPrincipalName != "" {
			o.People[strings.ToLower(u.UserPrincipalName)] = key
		}
	}
	parts := map[string]*use.Part{}
	for _, folder := range src.Folders {
		tenant, ok := use.ObjectID(folder.Tenant)
		if !ok {
			tenant = strings.ToLower(folder.Tenant)
		}
		o.Tenant = tenant
		p, err := readUse(ctx, r, folder, o)
		if err != nil {
			return in, "", err
		}
		parts[tenant] = p
	}
	for tenant, f := range own.folds {
		if p := parts[tenant]; p != nil {
			parts[tenant] = p.Join(f.Part(src.Facts.Inputs), o.People)
		}
	}
	to := q.AsOf
	if to.IsZero() {
		to = newestOf(inv, parts, now)
	}
	if !inv.AsOf.Equal(to) {
		inv = delegation.Build(src.Facts, to)
	}
	in = recommend.Input{Inventory: inv, Use: parts, To: to, Days: q.Days}
	for _, p := range parts {
		if p.Newest.After(in.Latest) {
			in.Latest = p.Newest // of a clock that goes before ours
		}
	}
	if src.Facts.Whole(evidence.User) {
		users := src.Facts.Directory.Users
		in.Stranger = func(id string) bool { return users[id] == nil }
	}
	said, err = q.fill(&in)
	return in, said, err
}

// newestOf is the newest date of anything that was read: the window ends there.
func newestOf(inv *delegation.Inventory, parts map[string]*use.Part, now time.Time) (to time.Time) {
	see := func(list ...time.Time) {
		for _, t := range list {
			if t.After(to) && !t.After(now) {
				to = t
			}
		}
	}
	for _, p := range parts {
		see(p.Newest)
	}
	for i := range inv.Customers {
		for j := range inv.Customers[i].Relationships {
			r := &inv.Customers[i].Relationships[j]
			see(r.Created, r.Modified, r.Activated)
		}
	}
	return cmp.Or(to, now).UTC()
}

// fill brings what a person asked by name to ids.
func (q *RecommendQuestion) fill(in *recommend.Input) (said string, err error) {
	if q.Customer != "" {
		tenant, err := customerID(in.Inventory, q.Customer)
		if err != nil {
			return "", err
		}
		in.Customers = map[string]bool{tenant: true}
	}
	if q.Job != "" {
		if in.Groups, said, err = recommend.GroupsOf(in.Inventory, q.Job); err != nil {
			return "", err
		}
	}
	for _, name := range q.Accept {
		id, err := RoleID(name)
		if err != nil {
			return "", err
		}
		in.Accepted = append(in.Accepted, id)
	}
	for _, p := range q.Pins {
		if p.Role, err = RoleID(p.Role); err != nil {
			return "", err
		}
		if p.Customer != "" {
			if p.Customer, err = customerID(in.Inventory, p.Customer); err != nil {
				return "", err
			}
		}
		if p.Group != "" {
			if p.Group, err = groupID(in.Inventory, p.Group); err != nil {
				return "", err
			}
		}
		in.Pins = append(in.Pins, p)
	}
	in.Pins = append(in.Pins, q.kept...)
	return said, nil
}

// RoleID is the template id of a role that a person names.
func RoleID(name string) (string, error) {
	c := role.Load()
	if r, ok := c.Role(strings.TrimSpace(name)); ok {
		return r.ID, nil
	}
	if r, ok := c.ByName(name); ok {
		return r.ID, nil
	}
	return "", problem.New(problem.Usage, "no role of the directory is called %q", print.Clean(name, print.MaxName)).
		WithHint("use Microsoft's name, e.g. 'Helpdesk Administrator', or its template id")
}

// customerID is the tenant of a customer whom a person names by id, domain or name.
func customerID(inv *delegation.Inventory, name string) (string, error) {
	id, _ := use.ObjectID(name)
	var found []string
	for i := range inv.Customers {
		c := &inv.Customers[i]
		if strings.EqualFold(c.Tenant, name) || strings.EqualFold(c.Tenant, id) || strings.EqualFold(c.Domain, name) || strings.EqualFold(c.Name, name) {
			found = append(found, strings.ToLower(c.Tenant))
		}
	}
	slices.Sort(found)
	found = slices.Compact(found)
	shown := print.Clean(name, print.MaxName)
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return "", problem.New(problem.BadInput, "%d customers are called %q", len(found), shown).WithHint("name one by its tenant id: %s",
			strings.Join(found[:min(len(found), 5)], ", "))
	}
	return "", problem.New(problem.NotFound, "no customer %q is in what was read",
		shown).WithHint("partnerguard delegation list shows the customers; one is found by tenant id, domain or name")
}

// groupID is the id of a group whom a person names by id or name.
func groupID(inv *delegation.Inventory, name string) (string, error) {
	for id, g := range inv.Groups {
		if strings.EqualFold(id, name) || strings.EqualFold(g.Name, name) {
			return id, nil
		}
	}
	return "", problem.New(problem.NotFound, "no group %q has any customer", print.Clean(name, print.MaxName)).WithHint("name it by its id or its name")
}
