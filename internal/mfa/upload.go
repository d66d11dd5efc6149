package mfa

import (
	"context"
	"database/sql"
	"errors"

	"partnerguard/internal/audit"
	"partnerguard/internal/factor"
	"partnerguard/internal/problem"
)

// Passcodes are a factor of passcodes with its person.
type Passcodes struct {
	Person Person
	Factor Factor
}

// AllPasscodes are the factors of passcodes of a tenant that count, of people who are
// not blocked.
func (s *Store) AllPasscodes(ctx context.Context, tenant string) ([]Passcodes, error) {
	list, err := s.People(ctx)
	if err != nil {
		return nil, err
	}
	out := []Passcodes{}
	for _, p := range list {
		if p.Refused != "" || p.State != Active || p.Account.Tenant != tenant {
			continue
		}
		have, err := s.Factors(ctx, p.ID)
		if err != nil {
			return nil, err
		}
		for _, f := range counted(have, TOTP) {
			out = append(out, Passcodes{p, f})
		}
	}
	return out, nil
}

// Seed opens the seed of a factor of passcodes that counts, for one request to Entra ID:
// nobody is shown it. Kind problem.NotFound where there is no such factor.
func (s *Store) Seed(ctx context.Context, id string) (factor.Seed, error) {
	none := problem.New(problem.NotFound, "no factor of passcodes has the id %.40q", id).WithHint("partnerguard mfa factors lists them")
	r, err := s.one(ctx, factors, id, "")
	if errors.Is(err, sql.ErrNoRows) {
		return factor.Seed{}, none
	}
	if err != nil {
		return factor.Seed{}, err
	}
	f, err := readFactor(&r)
	if err != nil {
		return factor.Seed{}, err
	}
	said, err := s.said(ctx)
	if err != nil {
		return factor.Seed{}, failed(err)
	}
	if err := s.holds(ctx, factors, &r, said, audit.MFAEnrolled); err != nil {
		return factor.Seed{}, err
	}
	if f.Kind != TOTP {
		return factor.Seed{}, none
	}
	p, err := s.Person(ctx, r.person)
	if err != nil {
		return factor.Seed{}, err
	}
	return s.seed(ctx, &p, &f)
}
