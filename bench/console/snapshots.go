package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"partnerguard/internal/coverage"
	"partnerguard/internal/customers"
	"partnerguard/internal/people"
	"partnerguard/internal/problem"
	"partnerguard/internal/signins"
	"partnerguard/internal/snapshot"
)

// rowsOfLog is how many sign-ins a customer's page has.
const rowsOfLog = 300

// shown makes the parts that pages show of customers out of the partner's real ones.
type shown struct {
	people   *people.Part
	coverage *coverage.Part
	signins  *signins.Part
	accounts int
}

func (h *house) parts(ctx context.Context, accounts int) (s *shown, err error) {
	s = &shown{accounts: accounts}
	t := lower(h.partner)
	if s.people, _, err = snapshot.Get[people.Part](ctx, h.Snapshot, t, people.PartName); err == nil && len(s.people.Rows) == 0 {
		err = errors.New("the partner has no people")
	}
	if err == nil {
		s.coverage, _, err = snapshot.Get[coverage.Part](ctx, h.Snapshot, t, coverage.PartName)
	}
	if err == nil {
		s.signins, _, err = snapshot.Get[signins.Part](ctx, h.Snapshot, t, signins.PartName)
	}
	return s, err
}

var (
	given  = []string{"Ada", "Bela", "Carla", "Dag", "Emre", "Fatima", "Goran", "Hana", "Ivo", "Jun", "Katya", "Liam", "Mina", "Nils", "Oona", "Pavel", "Rosa", "Siri", "Timo", "Uma"}
	family = []string{"Alvarez", "Berg", "Chen", "Dahl", "Eriksen", "Fischer", "Garcia", "Haddad", "Ito", "Jansen", "Kaya", "Larsen", "Moreau", "Novak", "Okafor", "Petrov", "Rossi", "Singh", "Tanaka", "Weber"}
)

// of makes the parts of the nth customer, as of a moment: the accounts are others, what
// is known of them is the partner's.
func (s *shown) of(n int, at time.Time) map[string]any {
	id := tenantID(n)
	p := *s.people
	p.Tenant, p.Name, p.At = id, tenantName(n), at
	p.Rows = make([]people.Row, s.accounts)
	for i := range p.Rows {
		r := s.people.Rows[(n*7+i)%len(s.people.Rows)]
		r.Tenant, r.ID = id, fmt.Sprintf("%08x-1111-4000-8000-%012x", n+1, i+1)
		r.Name = fmt.Sprintf("%s %s", given[(n+i)%len(given)], family[(n/3+i*7)%len(family)])
		r.UPN = fmt.Sprintf("user%d@%s", i+1, tenantDomain(n))
		p.Rows[i] = r
	}
	l := *s.signins
	l.Rows = slices.Clone(l.Rows[:min(len(l.Rows), rowsOfLog)])
	for i := range l.Rows {
		r := &l.Rows[i]
		k := i % s.accounts
		r.ID, r.UserID = fmt.Sprintf("%08x-2222-4000-8000-%012x", n+1, i+1), fmt.Sprintf("%08x-1111-4000-8000-%012x", n+1, k+1)
		r.User = fmt.Sprintf("user%d@%s", k+1, tenantDomain(n))
	}
	c := *s.coverage
	own := customers.OwnPart{AsOf: at, SignIns: 900, WithMFA: 800, First: at.AddDate(0, 0, -30), Last: at}
	if n%3 == 0 {
		own.Without, own.LastWithout, own.Accounts = int64(n%40+1), at.Add(-time.Duration(n)*time.Hour), n%9+1
	}
	return map[string]any{people.PartName: p, signins.PartName: l, coverage.PartName: c, customers.OwnName: own}
}

func (h *house) fillSnapshots(ctx context.Context, z *size) error {
	s, err := h.parts(ctx, z.accounts)
	if err != nil {
		return err
	}
	now := h.Now().UTC()
	for n := range h.tenants {
		if err := h.Snapshot.Put(ctx, h.tenants[n], now, "", s.of(n, now)); err != nil {
			return err
		}
	}
	return h.fillCustomers(ctx, now)
}

// fillCustomers adds the customers to the partner's list of them.
func (h *house) fillCustomers(ctx context.Context, now time.Time) error {
	was, _, err := snapshot.Get[customers.Part](ctx, h.Snapshot, lower(h.partner), customers.PartName)
	if errors.Is(err, problem.NotFound) {
		p := customers.Build(customers.Input{Facts: h.judged.Facts, AsOf: now})
		was, err = &p, nil
	}
	if err != nil {
		return err
	}
	if len(was.Customers) == 0 {
		return errors.New("the partner has no customers")
	}
	p := *was
	p.Customers = slices.Clone(p.Customers)
	for n, id := range h.tenants {
		c := was.Customers[n%len(was.Customers)]
		c.Tenant, c.Name, c.Domain = id, tenantName(n), tenantDomain(n)
		c.GDAP = slices.Clone(c.GDAP)
		for i := range c.GDAP {
			g := &c.GDAP[i]
			g.ID = fmt.Sprintf("%08x-3333-4000-8000-%012x", n+1, i+1)
			if !g.End.IsZero() {
				g.End = g.End.Add(time.Duration(n%200) * 24 * time.Hour)
			}
		}
		p.Customers = append(p.Customers, c)
	}
	return h.Snapshot.Put(ctx, h.partner, now, "", map[string]any{customers.PartName: p})
}
