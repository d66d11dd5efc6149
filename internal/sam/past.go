package sam

import (
	"context"
	"errors"
	"fmt"
	"time"

	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
)

// ErrRolledBack says that a connection is not what the audit trail says it is:
// its row or token is of an earlier time, or it was removed and is back. Use
// errors.Is. A person may accept it, see [Store.Accept].
var ErrRolledBack = errors.New("rolled back")

// Height is the newest that the audit trail says of a connection.
type Height struct {
	Known      bool  // the trail knows the connection
	Generation int64 // of its refresh token
	Removed    bool
	At         time.Time
	// Behind says in words why the whole database is older than what was seen
	// of it outside of it; "" when nothing says so.
	Behind string
}

// Past is what the audit trail remembers of connections. It is asked for every
// use of a token.
type Past interface {
	Newest(ctx context.Context, connection string) (Height, error)
}

// Remember makes the store compare every connection with the past before its
// token is used. Call it before the store is used.
func (s *Store) Remember(p Past) { s.past = p }

// Standing compares a connection, as it was read, with the past: nil when both
// agree or nothing remembers it, else [ErrRolledBack] with words and way out.
func (s *Store) Standing(ctx context.Context, c Connection) error {
	if s.past == nil {
		return nil
	}
	for try := 0; ; try++ {
		h, err := s.past.Newest(ctx, c.ID)
		if err != nil {
			return err
		}
		why := h.against(c)
		if why == "" {
			return nil
		}
		if try == 3 {
			return rolledBack(c, why)
		}
		// The row was read before the trail: a renewal may have come between.
		r, err := s.find(ctx, c.ID)
		if err != nil {
			return err
		}
		if r.forged != nil {
			return r.forged
		}
		c = r.Connection
	}
}

func (h *Height) against(c Connection) string {
	switch {
	case h.Behind != "":
		return h.Behind
	case !h.Known:
		return "the audit trail does not know it"
	case h.Removed:
		return fmt.Sprintf("it was removed on %s and is back", h.At.UTC().Format(time.DateOnly))
	case h.Generation != c.Generation:
		return fmt.Sprintf("its row is of generation %d, and the audit trail's newest is %d, of %s", c.Generation, h.Generation, h.At.UTC().
			Format(time.DateOnly))
	}
	return ""
}

func rolledBack(c Connection, why string) error {
	return problem.Wrap(ErrRolledBack, problem.BadInput, "the connection %s is not used: %s", c.Name, why).
		WithHint("somebody put an earlier state of the database back; when that was you: partnerguard connect accept %s", c.ID)
}

// Accept is a person's word that a connection is right though its row was
// written by something else, or is older than the audit trail knows. A sealed
// token must open for what the row says: an edited tenant, app, account or cloud
// cannot be accepted. It is sealed anew under a generation that was never used.
func (s *Store) Accept(ctx context.Context, nameOrID string) (Connection, error) {
	found, err := s.find(ctx, nameOrID)
	if err != nil {
		return Connection{}, err
	}
	var h Height
	if s.past != nil {
		if h, err = s.past.Newest(ctx, found.ID); err != nil {
			return Connection{}, err
		}
	}
	var out Connection
	err = s.d.InTx(ctx, func(ctx context.Context) error {
		r, err := s.lockedID(ctx, found.ID)
		if err != nil {
			return err
		}
		kept, err := s.olders(ctx, r)
		if err != nil {
			return err
		}
		kept = append(r.generations(), kept...)
		text, err := s.anyToken(ctx, r, kept)
		if err != nil {
			return err
		}
		r.Generation = max(r.Generation, h.Generation, kept[0]) + 1
		r.previous, r.State, r.Trouble, r.Forecast = 0, Active, nil, nil
		r.RenewAfter, r.leaseBy, r.leaseUntil = stamp(s.now()), "", time.Time{}
		if err := s.v.Put(ctx, r.tokenRef(r.Generation), text); err != nil {
			return err
		}
		if err := s.forget(ctx, r.ID, kept...); err != nil {
			return err
		}
		if err := s.update(ctx, r); err != nil {
			return err
		}
		out = r.Connection
		return nil
	})
	if err != nil {
		return Connection{}, wrap(err, "accept a connection")
	}
	return out, nil
}

// anyToken opens the first of the generations that opens for what the row says.
// One from before tokens were bound, of a vault's old backup, will do here.
func (s *Store) anyToken(ctx context.Context, r *row, generations []int64) (secret.Text, error) {
	var last error
	for _, g := range generations {
		for _, ref := range []vault.Ref{r.tokenRef(g), refreshRef(r.ID, g)} {
			text, err := s.v.Get(ctx, ref)
			if err == nil {
				return text, nil
			}
			if last = err; !errors.Is(err, vault.ErrDamaged) && !errors.Is(err, problem.NotFound) {
				return secret.Text{}, err
			}
		}
	}
	return secret.Text{}, problem.Wrap(last, problem.BadInput,
		"the connection %s cannot be accepted: no sealed token opens for the tenant, app, account and cloud that its row names", r.Name).
		WithHint("consent again: partnerguard connect; or partnerguard connect remove %s", r.ID)
}

// Trust seals every refresh token anew, bound to what it is for, through the
// vault within: once, for an installation from before that. A token that does
// not open stays as it is. Rows come first into their present form.
func (s *Store) Trust(ctx context.Context, within Vault, each func(Connection) error) error {
	rows, err := s.d.QueryContext(ctx, readByID)
	if err != nil {
		return err
	}
	defer rows.Close()
	var list []*row
	for rows.Next() {
		r, err := s.scan(ctx, rows)
		if err != nil {
			return err
		}
		list = append(list, r)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, r := range list {
		for _, g := range r.generations() {
			text, err := within.Get(ctx, refreshRef(r.ID, g))
			if errors.Is(err, vault.ErrDamaged) || errors.Is(err, problem.NotFound) {
				continue
			} else if err != nil {
				return err
			}
			if err := within.Put(ctx, r.tokenRef(g), text); err != nil {
				return err
			}
		}
		if !r.ConsentedAt.IsZero() { // else its record cannot be read, and stays for whoever can
			body, err := record(r.Connection)
			if err != nil {
				return err
			}
			if _, err := s.d.ExecContext(ctx, setBody, body, r.ID); err != nil {
				return err
			}
		}
		if err := each(r.Connection); err != nil {
			return err
		}
	}
	return nil
}
