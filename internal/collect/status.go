//go:build !judge

package collect

import (
	"context"
	"time"

	"partnerguard/internal/evidence"
)

// ResourceStatus is how one resource of a tenant stands.
type ResourceStatus struct {
	Resource string             `json:"resource"`
	State    string             `json:"state"` // read, refused, failing, reading, never
	Last     time.Time          `json:"last,omitzero"`
	Covered  time.Time          `json:"covered,omitzero"` // of a log: read up to here
	Due      time.Time          `json:"due,omitzero"`
	Pages    int                `json:"pages,omitempty"` // of the reading under way
	Tries    int                `json:"tries,omitempty"`
	Refused  evidence.GapReason `json:"refused,omitempty"`
	Needs    string             `json:"needs,omitempty"`
	Words    string             `json:"words,omitempty"`
}

// TenantStatus is how a tenant stands.
type TenantStatus struct {
	Tenant
	Resources []ResourceStatus `json:"resources"`
	Counts    map[string]int   `json:"counts"` // of the resources, by state
	Gaps      int              `json:"gaps"`
	Reading   bool             `json:"reading"` // somebody is at it, by its own word
}

// Status tells how the readings stand, of one tenant by id or of all with "".
func (c *Collector) Status(ctx context.Context, tenant string) ([]TenantStatus, error) {
	all, err := c.named(ctx, tenant)
	if err != nil {
		return nil, err
	}
	list, err := c.cursors(ctx, tenant)
	if err != nil {
		return nil, err
	}
	at := map[[2]string]*cursor{}
	for i := range list {
		at[[2]string{list[i].tenant, list[i].resource}] = &list[i]
	}
	gaps, err := c.Gaps(ctx, tenant, c.now())
	if err != nil {
		return nil, err
	}
	n := map[string]int{}
	for _, g := range gaps {
		n[g.Tenant]++
	}
	out := []TenantStatus{}
	for _, t := range all {
		if tenant != "" && t.ID != tenant {
			continue
		}
		s := TenantStatus{Tenant: t, Resources: []ResourceStatus{}, Counts: map[string]int{}, Gaps: n[t.ID]}
		l, err := c.leaseOf(ctx, t.ID)
		if err != nil {
			return nil, err
		}
		s.Reading = l.owner != "" && !dead(l.owner)
		for _, r := range c.plan {
			if r.Scope.Covers(t.Partner) {
				x := at[[2]string{t.ID, r.Name}].status(r.Name)
				s.Counts[x.State]++
				s.Resources = append(s.Resources, x)
			}
		}
		out = append(out, s)
	}
	return out, nil
}

func (c *cursor) status(name string) ResourceStatus {
	if c == nil {
		return ResourceStatus{Resource: name, State: "never"}
	}
	s := ResourceStatus{Resource: name, Last: c.whole, Covered: c.covered, Due: c.due, Tries: c.tries, Refused: c.refused, Needs: c.needs, Words: c.words}
	switch {
	case c.refused != "":
		s.State = "refused"
	case c.tries > 0:
		s.State = "failing"
	case c.run != "":
		s.State, s.Pages = "reading", c.pages
	case c.whole.IsZero() && c.covered.IsZero():
		s.State = "never"
	default:
		s.State = "read"
	}
	return s
}
