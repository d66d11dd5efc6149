//go:build !judge

package collect

import (
	"cmp"
	"context"
	"slices"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/evidence"
	"partnerguard/internal/problem"
)

// Tenant is a tenant that is read.
type Tenant struct {
	ID      string    `json:"tenant"`
	Domain  string    `json:"domain,omitempty"`
	Name    string    `json:"name,omitempty"`
	Partner bool      `json:"partner"` // the partner's own
	Risk    int       `json:"risk"`    // the higher, the sooner it is read
	Seen    time.Time `json:"seen,omitzero"`
	Gone    time.Time `json:"gone,omitzero"` // it is no customer any more, since
	Last    time.Time `json:"last,omitzero"` // the end of the last round
	Words   string    `json:"words,omitempty"`

	accounts int // as far as they were read
}

// Store keeps what is known of the readings. Safe for concurrent use, by several
// processes too.
type Store struct {
	db   *db.DB
	now  func() time.Time
	plan []evidence.Resource
}

// NewStore makes a store over a database whose schema is current. plan is what is
// read; nil is [evidence.Resources].
func NewStore(d *db.DB, plan []evidence.Resource, now func() time.Time) (*Store, error) {
	if d == nil || now == nil {
		return nil, problem.New(problem.Internal, "the readings have no database or no clock")
	}
	if plan == nil {
		plan = evidence.Resources()
	}
	return &Store{d, func() time.Time { return now().UTC().Truncate(time.Microsecond) }, plan}, nil
}

// resource finds a row of the plan.
func (s *Store) resource(name string) (evidence.Resource, bool) {
	i := slices.IndexFunc(s.plan, func(r evidence.Resource) bool { return r.Name == name })
	if i < 0 {
		return evidence.Resource{}, false
	}
	return s.plan[i], true
}

// Tenants are those that are read, the partner's own first, then by risk and by how
// long ago they were read; without those that are customers no more.
func (s *Store) Tenants(ctx context.Context) ([]Tenant, error) { return s.named(ctx, "") }

// named are those of Tenants that a word names.
func (s *Store) named(ctx context.Context, which string) ([]Tenant, error) {
	all, err := s.tenantRows(ctx, which)
	now := s.now()
	return slices.DeleteFunc(all, func(t Tenant) bool { return !t.Gone.IsZero() && !t.Gone.After(now) }), err
}

// Tenant finds one by id or domain. Kind problem.NotFound where there is none.
func (s *Store) Tenant(ctx context.Context, idOrDomain string) (Tenant, error) {
	var all []Tenant
	if idOrDomain != "" { // an empty word names none
		var err error
		if all, err = s.named(ctx, idOrDomain); err != nil {
			return Tenant{}, err
		}
	}
	for _, t := range all {
		if t.ID == idOrDomain || t.Domain == idOrDomain || t.Partner && idOrDomain == "partner" {
			return t, nil
		}
	}
	return Tenant{}, problem.New(problem.NotFound, "no tenant %.100q is read here", idOrDomain).
		WithHint("partnerguard collect status lists them; customers are known once the partner's tenant was read: partnerguard collect --now --tenant partner")
}

// Known takes over who the tenants are: the partner's own and, where whole says
// that these are all, its customers. Those that are missing then are gone.
func (s *Store) Known(ctx context.Context, list []Tenant, whole bool) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		now := s.now()
		kept, err := s.tenantRows(ctx, "")
		if err != nil {
			return err
		}
		old := map[string]Tenant{}
		for _, t := range kept {
			old[t.ID] = t
		}
		for _, t := range list {
			was := old[t.ID]
			delete(old, t.ID)
			t.Domain, t.Name = cmp.Or(t.Domain, was.Domain), cmp.Or(t.Name, was.Name)
			t.Seen, t.Gone = now, time.Time{}
			t.Partner = t.Partner || was.Partner
			if err := s.putTenant(ctx, &t); err != nil {
				return err
			}
		}
		if !whole {
			return nil
		}
		for _, t := range old {
			if t.Partner || !t.Gone.IsZero() {
				continue
			}
			t.Gone = now
			if err := s.putTenant(ctx, &t); err != nil {
				return err
			}
		}
		return nil
	})
}
