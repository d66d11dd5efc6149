//go:build !judge

package move

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/delegation"
	"partnerguard/internal/entra"
	"partnerguard/internal/msapi"
)

const (
	partner = "11111111-1111-1111-1111-111111111111"
	helpers = "aaaaaaaa-0000-0000-0000-000000000001"
	admins  = "aaaaaaaa-0000-0000-0000-000000000002"
)

var begin = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

func tenantOf(n int) string { return fmt.Sprintf("cccccccc-0000-0000-0000-%012d", n) }

// fake is Microsoft in memory: relationships, assignments and DAP, with the states that they
// pass through. Safe for concurrent use.
type fake struct {
	mu     sync.Mutex
	now    time.Time
	rel    map[string]*fakeRel
	dap    map[string]bool
	count  int
	writes int
	// answers says what a customer does with an offer, and after how long.
	answers func(tenant string, offer int) (yes bool, after time.Duration)
	never   bool // operations never end
}

type fakeRel struct {
	Seen
	offered, due time.Time
	yes          bool
	etag         int
	as           []*fakeAssigned
	ops          map[string]time.Time
}

type fakeAssigned struct {
	Assigned
	due time.Time
	n   int
}

func newFake() *fake {
	return &fake{now: begin, rel: map[string]*fakeRel{}, dap: map[string]bool{},
		answers: func(string, int) (bool, time.Duration) { return true, 3 * time.Hour }}
}

func (f *fake) clock() time.Time { f.mu.Lock(); defer f.mu.Unlock(); return f.now }
func (f *fake) jump(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}

func apiError(status int) error {
	return &msapi.APIError{Service: "Microsoft Graph", Status: status, Transient: status == 0 || status == 429 || status >= 500}
}

// at brings a relationship to the present. The caller holds the lock.
func (f *fake) at(id string) *fakeRel {
	r := f.rel[id]
	if r == nil {
		return nil
	}
	if r.Status == statusPending && !r.due.IsZero() && !f.now.Before(r.due) {
		if r.yes {
			r.Status, r.End = statusActive, r.due.Add(730*24*time.Hour)
		} else {
			r.Status = statusEnded
		}
	}
	if r.Status == statusPending && f.now.Sub(r.offered) >= OfferLife {
		r.Status = statusExpired
	}
	if r.Status == "terminating" && !f.now.Before(r.due) {
		r.Status = statusEnded
	}
	for _, a := range r.as {
		switch {
		case f.now.Before(a.due):
		case a.Status == assignPending:
			a.Status = assignActive
		case a.Status == assignDeleting:
			a.Status = assignDeleted
		}
	}
	r.ETag = fmt.Sprintf(`W/"%d"`, r.etag)
	return r
}

func (f *fake) Relationship(_ context.Context, id string) (Seen, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.at(id)
	if r == nil {
		return Seen{}, apiError(404)
	}
	s := r.Seen
	s.Roles = slices.Clone(s.Roles)
	return s, nil
}

func (f *fake) Named(_ context.Context, name string) (Seen, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id := range f.rel {
		if r := f.at(id); strings.EqualFold(r.Name, name) {
			return r.Seen, true, nil
		}
	}
	return Seen{}, false, nil
}

func (f *fake) Create(_ context.Context, tenant string, r Relationship) (Seen, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes++
	for _, x := range f.rel {
		if strings.EqualFold(x.Name, r.Name) {
			return Seen{}, apiError(409)
		}
	}
	f.count++
	id := fmt.Sprintf("dddddddd-0000-0000-0000-%012d-%s", f.count, partner)
	x := &fakeRel{Seen: Seen{ID: id, Name: r.Name, Status: statusCreated, Customer: tenant, Roles: slices.Clone(r.Roles)}, etag: 1, ops: map[string]time.Time{}}
	f.rel[id] = x
	return f.at(id).Seen, nil
}

func (f *fake) Ask(_ context.Context, id, action string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes++
	r := f.at(id)
	switch {
	case r == nil:
		return apiError(404)
	case action == "lockForApproval" && r.Status == statusCreated:
		r.Status, r.offered = statusPending, f.now
		offer := 0
		if _, tail, ok := strings.Cut(r.Name[max(0, len(r.Name)-3):], "-"); ok {
			fmt.Sscan(tail, &offer)
		}
		yes, after := f.answers(r.Customer, offer)
		if after > 0 {
			r.yes, r.due = yes, f.now.Add(after)
		}
	case action == "terminate" && r.Status == statusActive:
		r.Status, r.due = "terminating", f.now.Add(2*time.Minute)
	default:
		return apiError(409)
	}
	r.etag++
	return nil
}

func (f *fake) Discard(_ context.Context, id, etag string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes++
	r := f.at(id)
	switch {
	case r == nil:
		return apiError(404)
	case r.ETag != etag:
		return apiError(412)
	case r.Status != statusCreated:
		return apiError(409)
	}
	delete(f.rel, id)
	return nil
}

func (r *fakeRel) operation(f *fake) string {
	f.count++
	op := fmt.Sprintf("op-%d", f.count)
	r.ops[op] = f.now.Add(20 * time.Second)
	return op
}

func (f *fake) SetRoles(_ context.Context, id, etag string, roles []string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes++
	r := f.at(id)
	switch {
	case r == nil:
		return "", apiError(404)
	case r.ETag != etag:
		return "", apiError(412)
	case r.Status != statusActive || !same(roles, beyond(r.Roles, []string{entra.RoleGlobalAdministrator})):
		return "", apiError(409)
	}
	r.Roles = slices.Clone(roles)
	r.etag++
	return r.operation(f), nil
}

func (f *fake) Assignments(_ context.Context, id string) ([]Assigned, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.at(id)
	if r == nil {
		return nil, apiError(404)
	}
	var out []Assigned
	for _, a := range r.as {
		x := a.Assigned
		x.Roles, x.ETag = slices.Clone(x.Roles), fmt.Sprintf(`W/"%d"`, a.n)
		out = append(out, x)
	}
	return out, nil
}

func (f *fake) Assign(_ context.Context, id, group string, roles []string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes++
	r := f.at(id)
	switch {
	case r == nil:
		return apiError(404)
	case group == "ffffffff-0000-0000-0000-000000000000" || len(beyond(roles, r.Roles)) > 0:
		return apiError(400)
	case r.Status != statusActive || slices.ContainsFunc(r.as, func(a *fakeAssigned) bool { return a.Group == group && a.Status != assignDeleted }):
		return apiError(409)
	}
	f.give(r, group, roles, assignPending)
	return nil
}

func (f *fake) give(r *fakeRel, group string, roles []string, status string) {
	f.count++
	r.as = append(r.as, &fakeAssigned{Assigned{ID: fmt.Sprintf("eeeeeeee-%d", f.count), Group: group, Status: status, Roles: slices.Clone(roles)},
		f.now.Add(30 * time.Second), 1})
}

func (f *fake) find(id, assignment, etag string) (*fakeRel, *fakeAssigned, error) {
	f.writes++
	r := f.at(id)
	if r == nil {
		return nil, nil, apiError(404)
	}
	for _, a := range r.as {
		switch {
		case a.ID != assignment:
		case fmt.Sprintf(`W/"%d"`, a.n) != etag:
			return nil, nil, apiError(412)
		default:
			return r, a, nil
		}
	}
	return nil, nil, apiError(404)
}

func (f *fake) Reassign(_ context.Context, id, assignment, etag string, roles []string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, a, err := f.find(id, assignment, etag)
	if err != nil {
		return "", err
	}
	if a.Status != assignActive || r.Status != statusActive {
		return "", apiError(409)
	}
	a.Roles, a.n = slices.Clone(roles), a.n+1
	return r.operation(f), nil
}

func (f *fake) Unassign(_ context.Context, id, assignment, etag string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, a, err := f.find(id, assignment, etag)
	if err != nil {
		return err
	}
	if a.Status != assignActive && a.Status != assignPending {
		return apiError(409)
	}
	a.Status, a.due, a.n = assignDeleting, f.now.Add(30*time.Second), a.n+1
	return nil
}

func (f *fake) Operation(_ context.Context, id, operation string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.at(id)
	if r == nil || r.ops[operation].IsZero() {
		return "", apiError(404)
	}
	if f.never || f.now.Before(r.ops[operation]) {
		return "running", nil
	}
	return "succeeded", nil
}

func (f *fake) DAP(_ context.Context, tenant string) (delegation.Answer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dap[tenant] {
		return delegation.Yes, nil
	}
	return delegation.No, nil
}

func (f *fake) RemoveDAP(_ context.Context, tenant string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes++
	f.dap[tenant] = false
	return nil
}

// seed puts a customer there: an active relationship with roles for the helpers and for the
// admins.
func (f *fake) seed(n int, name string, dap bool, roles, help, adm []string) string {
	id := fmt.Sprintf("bbbbbbbb-0000-0000-0000-%012d-%s", len(f.rel)+1, partner)
	r := &fakeRel{Seen: Seen{ID: id, Name: name, Status: statusActive, Customer: tenantOf(n), Roles: roles, End: begin.Add(400 * 24 * time.Hour)}, etag: 7,
		ops: map[string]time.Time{}}
	f.rel[id] = r
	for group, roles := range map[string][]string{helpers: help, admins: adm} {
		if len(roles) > 0 {
			f.give(r, group, roles, assignActive)
		}
	}
	f.dap[tenantOf(n)] = dap
	return id
}

// inventory is what there is now, as a collection would find it.
func (f *fake) inventory(customers int) *delegation.Inventory {
	f.mu.Lock()
	defer f.mu.Unlock()
	inv := &delegation.Inventory{AsOf: f.now, Tenant: partner, Groups: map[string]*delegation.Group{},
		Lists: map[string]delegation.ListRead{"groups": {Whole: true}}}
	for id, name := range map[string]string{helpers: "GDAP Helpdesk", admins: "GDAP Admins"} {
		inv.Groups[id] = &delegation.Group{ID: id, Name: name, Known: true, Whole: true}
	}
	for n := range customers {
		c := delegation.Customer{Tenant: tenantOf(n), Name: fmt.Sprintf("Customer %d", n), Domain: fmt.Sprintf("c%d.example", n), DAP: delegation.No}
		if f.dap[c.Tenant] {
			c.DAP = delegation.Yes
		}
		for _, id := range slices.Sorted(maps.Keys(f.rel)) {
			r := f.at(id)
			if r.Customer != c.Tenant {
				continue
			}
			x := delegation.Relationship{ID: id, Name: r.Name, Status: r.Status, Active: r.Status == statusActive, Roles: slices.Clone(r.Roles), End: r.End,
				Read: delegation.Yes, Microsoft: strings.HasPrefix(r.Name, "MLT_")}
			for _, a := range r.as {
				x.Assignments = append(x.Assignments, delegation.Assignment{ID: a.ID, Group: a.Group, Status: a.Status, Active: a.Status == assignActive,
					Roles: slices.Clone(a.Roles)})
			}
			slices.SortFunc(x.Assignments, func(a, b delegation.Assignment) int { return cmp.Compare(a.Group, b.Group) })
			c.Relationships = append(c.Relationships, x)
		}
		inv.Customers = append(inv.Customers, c)
	}
	return inv
}

// world is what there is in the end, without ids and times: to compare runs.
func (f *fake) world() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for id := range f.rel {
		r := f.at(id)
		line := r.Customer + " " + r.Name + " " + r.Status
		if r.Status == statusActive {
			line += " " + strings.Join(sorted(r.Roles), ",")
			var as []string
			for _, a := range r.as {
				if a.Status != assignDeleted {
					as = append(as, a.Group+"="+a.Status+":"+strings.Join(sorted(a.Roles), ","))
				}
			}
			slices.Sort(as)
			line += " " + strings.Join(as, " ")
		}
		out = append(out, line)
	}
	for t, on := range f.dap {
		out = append(out, fmt.Sprint(t, " dap ", on))
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}
