package posture

import (
	"context"

	"partnerguard/internal/problem"
)

// Newest is the newest state of a tenant, with its round. Kind NotFound where nothing
// was judged.
func (s *Store) Newest(ctx context.Context, tenant string) (*State, Mark, error) {
	m, err := s.lastRound(ctx, tenant)
	if err == nil && m.Round == 0 {
		err = problem.New(problem.NotFound, "nothing of tenant %s was judged yet", tenant).WithHint("partnerguard collect --now reads and judges it")
	}
	if err != nil {
		return nil, m, err
	}
	st, err := s.state(ctx, tenant, m)
	return st, m, err
}

// Since compares a round with the newest one, and says why; nil where it is the newest.
// A round that is not kept any more is stood for by the oldest.
func (s *Store) Since(ctx context.Context, tenant string, round int64) (*Changes, error) {
	rounds, err := s.rounds(ctx, tenant)
	if err != nil || len(rounds) == 0 {
		return nil, err
	}
	from, last := rounds[0], rounds[len(rounds)-1]
	if last.Round <= round {
		return nil, nil
	}
	for _, m := range rounds {
		if m.Round <= round {
			from = m
		}
	}
	if from.Round == last.Round {
		return nil, nil
	}
	return s.between(ctx, tenant, from, last)
}
