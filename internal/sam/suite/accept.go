package suite

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"partnerguard/internal/audit"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/vault"
)

// Accept takes a connection that is held back into use, on a person's word.
func (s *Suite) Accept(ctx context.Context, nameOrID string) (sam.Connection, error) {
	if behind := s.past.Behind(); behind != "" {
		return sam.Connection{}, problem.New(problem.Usage, "%s", behind).WithHint("partnerguard connect accept --all accepts the whole database")
	}
	return s.accept(ctx, nameOrID)
}

func (s *Suite) accept(ctx context.Context, nameOrID string) (c sam.Connection, err error) {
	// What the trail says is read before the database is locked: the first time
	// that may be much.
	if c, err := s.Store.Look(ctx, nameOrID); err == nil {
		_ = s.Store.Standing(ctx, c)
	}
	err = s.Store.InTx(ctx, func(ctx context.Context) error {
		if c, err = s.Store.Accept(ctx, nameOrID); err != nil {
			return err
		}
		return s.past.Record(ctx, audit.Event{
			Action: audit.ConnectionAccepted, Outcome: audit.Done, Actor: s.d.Actor, Object: c.ID, Tenant: c.Tenant, Reason: "a person said that it is right",
			Details: map[string]string{"generation": strconv.FormatInt(c.Generation, 10), "name": c.Name, "account": c.Account, "app": c.ClientID,
				"cloud": c.Cloud.Name},
		})
	})
	return c, err
}

// AcceptAll takes the database as it stands, also when it is older than it was,
// and every connection that is held back and can be accepted. It gives what was
// accepted, and the reasons of what was not.
func (s *Suite) AcceptAll(ctx context.Context) (done []sam.Connection, not []error, err error) {
	why, err := s.past.Accept(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer s.past.Forget() // what was accepted is the newest now
	list, err := s.Store.List(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, c := range list {
		_, held := s.Store.Token(ctx, c.ID)
		// After an older database every token is sealed under a new number, so that
		// those which the newer one had do not fit again.
		if why == "" && !errors.Is(held, vault.ErrForged) && !errors.Is(held, sam.ErrRolledBack) {
			continue
		}
		out, err := s.accept(ctx, c.ID)
		if err != nil {
			not = append(not, fmt.Errorf("%s: %w", c.Name, err))
			continue
		}
		done = append(done, out)
	}
	return done, not, nil
}
