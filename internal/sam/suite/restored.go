package suite

import (
	"context"
	"errors"

	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/renew"
)

// Restored is a connection after a backup was put into place.
type Restored struct {
	Connection sam.Connection
	// Held is why it is not used, as it was before the backup: nil for one that is.
	Held error
	// Outcome is what Entra ID said; "" when it was not asked.
	Outcome renew.Outcome
	Note    string
}

// Restore takes the database as it stands, on the word of the person who put a
// backup into place, and seals every connection's token under a number that was
// never used. A row that did not fit before the backup is not made to fit by it.
// With ask each is renewed at once: whether its token still lives only Entra ID
// knows.
func (s *Suite) Restore(ctx context.Context, ask bool, tell func(done, of int)) ([]Restored, error) {
	if _, err := s.past.Accept(ctx); err != nil {
		return nil, err
	}
	list, err := s.Store.List(ctx)
	if err != nil {
		return nil, err
	}
	r, err := s.Renewer()
	if err != nil {
		return nil, err
	}
	out := []Restored{}
	for n, c := range list {
		if tell != nil {
			tell(n, len(list))
		}
		x := Restored{Connection: c}
		_, x.Held = s.Store.Token(ctx, c.ID)
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		if x.Held == nil && c.State == sam.Active {
			accepted, err := s.accept(ctx, c.ID)
			if err != nil {
				x.Held = err
			} else {
				x.Connection = accepted
			}
		}
		if x.Held == nil && ask {
			res, err := r.Once(ctx, c.ID)
			if err != nil && (ctx.Err() != nil || !errors.Is(err, problem.NotFound)) {
				return out, err
			}
			x.Connection, x.Outcome, x.Note = res.Connection, res.Outcome, res.Note
		}
		out = append(out, x)
	}
	s.past.Forget() // what was accepted is the newest now
	return out, nil
}
