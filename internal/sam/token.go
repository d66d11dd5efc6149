package sam

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"time"

	"partnerguard/internal/claim"
	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
)

// Held are the refresh tokens of a connection. Entra ID leaves a token valid
// when it gives a new one, so the one before stays until the newest was used
// with success once: a reply that was stored wrong, or a newest one that is
// refused as unknown, then costs nothing.
type Held struct {
	Connection Connection
	// Current is the newest that opens; Previous the one before it, zero when
	// there is none.
	Current, Previous secret.Text
	// Generation is the connection's: the fence of what is written after using a
	// token. Of and PreviousOf are the tokens' own; Of is lower than Generation
	// when the newest sealed row is damaged.
	Generation, Of, PreviousOf int64
}

// Token opens a connection's refresh tokens. When no sealed row opens, the
// connection is marked Damaged and the error is vault.ErrDamaged; other
// connections are not touched.
func (s *Store) Token(ctx context.Context, id string) (Held, error) {
	for attempt := 0; ; attempt++ {
		h, err := s.open(ctx, id)
		// A renewal may have put a new generation between our two reads.
		if err == nil || !errors.Is(err, errRace) || attempt == 4 {
			return h, wrap(err, "open a refresh token")
		}
	}
}

func (s *Store) open(ctx context.Context, id string) (Held, error) {
	r, err := s.find(ctx, id)
	if err != nil {
		return Held{}, err
	}
	if r.forged != nil {
		return Held{}, r.forged
	}
	if err := s.Standing(ctx, r.Connection); err != nil {
		return Held{}, err
	}
	if r.Cloud.Authority == "" {
		return Held{}, problem.New(problem.Usage, "the connection %s is of the cloud %.40q, and this installation is not of it", r.Name, r.Cloud.Name)
	}
	h := Held{Connection: r.Connection, Generation: r.Generation}
	var damage error
	for _, g := range r.generations() {
		text, err := s.v.Get(ctx, r.tokenRef(g))
		switch {
		case err == nil && h.Of == 0:
			h.Current, h.Of = text, g
		case err == nil:
			h.Previous, h.PreviousOf = text, g
		case errors.Is(err, vault.ErrDamaged), errors.Is(err, problem.NotFound):
			if damage == nil {
				damage = err
			}
		default:
			return Held{}, err
		}
	}
	if h.Of != 0 {
		return h, nil
	}
	if now, err := s.find(ctx, r.ID); err != nil {
		return Held{}, err
	} else if now.Generation != r.Generation {
		return Held{}, errRace
	}
	if older, err := s.older(ctx, r); err != nil {
		return Held{}, err
	} else if older != 0 {
		return Held{}, rolledBack(r.Connection, "only an older sealed token is there: the vault was put back to an earlier state")
	}
	if r.State != Damaged {
		_, err = s.Failed(ctx, r.ID, Failure{From: r.Generation, State: Damaged, Next: s.now().Add(24 * time.Hour), Trouble: Trouble{
			At: stamp(s.now()), Words: "its sealed refresh token does not open", Fix: "restore the vault from a backup, or consent again: partnerguard connect",
		}})
		if errors.Is(err, ErrMoved) {
			return Held{}, errRace
		} else if err != nil {
			return Held{}, err
		}
	}
	return Held{}, problem.Wrap(errors.Join(vault.ErrDamaged, damage), problem.BadInput, "the sealed refresh token of connection %s does not open", r.Name).
		WithHint("restore the vault from a backup, or consent again: partnerguard connect")
}

// older finds the newest older token when none that is known opens, as after a
// vault was restored from a backup, or by whoever writes the database. It may
// be used when a person says so, see [Store.Accept]; 0 when there is none.
func (s *Store) older(ctx context.Context, r *row) (int64, error) {
	list, err := s.olders(ctx, r)
	if err != nil {
		return 0, err
	}
	for _, g := range list {
		if _, err := s.v.Get(ctx, r.tokenRef(g)); errors.Is(err, vault.ErrDamaged) || errors.Is(err, problem.NotFound) {
			continue
		} else if err != nil {
			return 0, err
		}
		return g, nil
	}
	return 0, nil
}

// olders lists the sealed generations that the row does not know, newest first.
func (s *Store) olders(ctx context.Context, r *row) ([]int64, error) {
	names, err := s.v.Names(ctx, PurposeRefresh, r.ID)
	if err != nil {
		return nil, err
	}
	var older []int64
	for _, name := range names {
		if g, err := strconv.ParseInt(name, 10, 64); err == nil && g > 0 && g != r.Generation && g != r.previous {
			older = append(older, g)
		}
	}
	slices.SortFunc(older, func(a, b int64) int { return cmp.Compare(b, a) })
	return older, nil
}

// Renewal is what came of using a refresh token with success.
type Renewal struct {
	From    int64         // Held.Generation it was done from
	Used    int64         // generation of the token that was used: Held.Of or Held.PreviousOf
	Refresh secret.Text   // the new token; zero when the answer had none
	At      time.Time     // when it was asked for
	Next    time.Time     // when the next renewal is due; zero: RenewEvery after At
	Proof   claim.Verdict // of the access token that came; zero Answer: keep
	Auth    time.Time     // auth_time of that token; zero: keep
	// Scopes replaces what was granted for the resources it names.
	Scopes map[string][]string
}

// Renewed stores a success: the new token becomes the next generation, the one
// used stays as the previous, others are deleted, troubles are forgotten and the
// lease ends, all at once. ErrMoved when the connection is no longer at From:
// then the new token is not needed.
func (s *Store) Renewed(ctx context.Context, id string, n Renewal) (Connection, error) {
	if len(n.Refresh.Reveal()) > maxToken {
		return Connection{}, problem.New(problem.Limit, "the refresh token is longer than %d bytes", maxToken)
	}
	return s.change(ctx, id, func(ctx context.Context, r *row) error {
		if r.Generation != n.From {
			return ErrMoved
		}
		var drop []int64
		for _, g := range r.generations() {
			if g != n.Used {
				drop = append(drop, g)
			}
		}
		if n.Used == 0 || len(drop) == len(r.generations()) {
			return problem.New(problem.Internal, "generation %d of connection %s is not one that is kept", n.Used, r.ID)
		}
		at := stamp(n.At)
		if now := stamp(s.now()); at.IsZero() || at.After(now) {
			at = now
		}
		if n.Refresh.IsZero() {
			// No new one: what was used goes on, alone. Its number may be the lower.
			if err := s.moveUp(ctx, r, n.Used); err != nil {
				return err
			}
			r.previous = 0
		} else {
			r.Generation++
			if err := s.v.Put(ctx, r.tokenRef(r.Generation), n.Refresh); err != nil {
				return err
			}
			r.previous = n.Used
			if err := s.forget(ctx, r.ID, drop...); err != nil {
				return err
			}
		}
		r.ObtainedAt, r.State, r.Trouble = at, Active, nil
		r.RenewAfter = stamp(n.Next)
		if n.Next.IsZero() {
			r.RenewAfter = at.Add(RenewEvery)
		}
		if n.Proof.Answer != "" {
			r.Proof = n.Proof
		}
		if !n.Auth.IsZero() {
			r.AuthTime = stamp(n.Auth)
		}
		for resource, list := range n.Scopes {
			if r.Scopes == nil {
				r.Scopes = map[string][]string{}
			}
			r.Scopes[resource] = list
		}
		r.leaseBy, r.leaseUntil = "", time.Time{}
		return nil
	})
}

// moveUp makes a kept generation the only one. Under a number that was not in
// use, so that the fence moves too.
func (s *Store) moveUp(ctx context.Context, r *row, used int64) error {
	old := r.generations()
	text, err := s.v.Get(ctx, r.tokenRef(used))
	if err != nil {
		return err
	}
	r.Generation++
	if err := s.v.Put(ctx, r.tokenRef(r.Generation), text); err != nil {
		return err
	}
	return s.forget(ctx, r.ID, old...)
}

// Failure is what came of using the refresh tokens without success.
type Failure struct {
	From    int64     // Held.Generation it was done from
	State   State     // what the connection is now; Active for what may pass
	Trouble Trouble   // Times is counted by the store
	Next    time.Time // when to try again
}

// Failed stores a failure and ends the lease; the tokens stay. ErrMoved when
// the connection is no longer at From: then the failure says nothing about it.
func (s *Store) Failed(ctx context.Context, id string, f Failure) (Connection, error) {
	return s.change(ctx, id, func(ctx context.Context, r *row) error {
		if r.Generation != f.From {
			return ErrMoved
		}
		t := f.Trouble
		t.At = stamp(t.At)
		t.Times = 1
		if r.Trouble != nil && r.Trouble.Transient == t.Transient {
			t.Times += r.Trouble.Times
		}
		r.Trouble, r.State, r.RenewAfter = &t, f.State, stamp(f.Next)
		r.leaseBy, r.leaseUntil = "", time.Time{}
		return nil
	})
}

// SetForecast keeps a forecast for a connection that is still at generation.
func (s *Store) SetForecast(ctx context.Context, id string, generation int64, f Forecast) (Connection, error) {
	return s.change(ctx, id, func(ctx context.Context, r *row) error {
		if r.Generation != generation {
			return ErrMoved
		}
		f.At, f.Computed = stamp(f.At), stamp(f.Computed)
		r.Forecast = &f
		return nil
	})
}

// Hasten makes connections due at once, because something changed that they
// were refused for: of one client id, or of all with "".
func (s *Store) Hasten(ctx context.Context, clientID string) error {
	return s.d.InTx(ctx, func(ctx context.Context) error { return s.hasten(ctx, clientID) })
}

func (s *Store) hasten(ctx context.Context, clientID string) error {
	now := s.now()
	rows, err := s.d.QueryContext(ctx, readOfApp, lower(clientID))
	if err != nil {
		return err
	}
	var troubled []string
	for rows.Next() {
		r, err := s.scan(ctx, rows)
		if err != nil {
			_ = rows.Close()
			return err
		}
		if r.Trouble != nil {
			troubled = append(troubled, r.ID)
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, id := range troubled {
		r, err := s.lockedID(ctx, id)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		} else if err != nil {
			return err
		}
		if r.forged != nil {
			continue // it is not vouched for by writing it
		}
		r.RenewAfter = stamp(now)
		if err := s.update(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// Lease reserves a connection for one renewer until the lease ends, and says
// whether it was free. It only spares double work: what keeps two renewers from
// overwriting each other is the generation. A lease that ends farther ahead
// than life, which a clock that went back leaves behind, counts as ended.
func (s *Store) Lease(ctx context.Context, id, who string, life time.Duration) (bool, error) {
	now := s.now()
	res, err := s.d.ExecContext(ctx, takeLease,
		who, db.Micros(now.Add(life)), id, db.Micros(now))
	if err != nil {
		return false, wrap(err, "lease a connection")
	}
	n, err := res.RowsAffected()
	return n > 0, wrap(err, "lease a connection")
}

// Release ends a lease that is still who's.
func (s *Store) Release(ctx context.Context, id, who string) error {
	_, err := s.d.ExecContext(ctx, endLease, id, who)
	return wrap(err, "release a connection")
}

// Due lists at most limit connections to renew, longest due first: those whose
// time has come, and those whose time is farther away than ahead, which no
// renewal sets: the clock was wrong when it was written. Leased ones are left out.
func (s *Store) Due(ctx context.Context, ahead time.Duration, limit int) ([]string, error) {
	now := s.now()
	rows, err := s.d.QueryContext(ctx, readDue, db.Micros(now), db.Micros(now.Add(ahead)), db.Micros(now.Add(maxLease)), limit)
	if err != nil {
		return nil, wrap(err, "list what is due")
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, wrap(err, "list what is due")
		}
		out = append(out, id)
	}
	return out, wrap(rows.Err(), "list what is due")
}

// maxLease is longer than any renewer leases.
const maxLease = time.Hour
