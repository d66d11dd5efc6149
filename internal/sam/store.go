package sam

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/token"
	"partnerguard/internal/vault"
)

// RenewEvery is how long after a consent or renewal the next renewal is due
// unless the renewer says otherwise: well inside the 90 idle days after which a
// refresh token dies (contracts.md section 4.3).
const RenewEvery = 7 * 24 * time.Hour

// ErrMoved says that a connection's generation is not the one a change was
// meant for: somebody else was faster, and nothing was changed.
var ErrMoved = errors.New("the connection has moved on")

// Store keeps connections and registrations. Every change is one transaction,
// sealed rows included, within the one that a context carries: what is to be kept
// with it, an audit event above all, is written in [db.DB.InTx]. Safe for concurrent use, also by several processes.
type Store struct {
	d      *db.DB
	v      Vault
	now    func() time.Time
	clouds []msapi.Cloud
	past   Past
}

// NewStore makes a store over an open database and vault. A nil now is the
// machine's clock. clouds are those beside Microsoft's that the program's
// configuration knows, the local partner cloud: a connection names its cloud,
// and where that answers is never read from the database.
func NewStore(d *db.DB, v Vault, now func() time.Time, clouds ...msapi.Cloud) *Store {
	if now == nil {
		now = time.Now
	}
	return &Store{d: d, v: v, now: now, clouds: clouds}
}

// InTx is [db.DB.InTx]: changes of the store within do, and what else is written
// with the context that it gets, are kept together or not at all.
func (s *Store) InTx(ctx context.Context, do func(context.Context) error) error {
	return s.d.InTx(ctx, do)
}

// Keep stores a proven consent. The same account's consent to the same app in
// the same tenant takes the place of the earlier one: id and, without a new
// one, name stay, troubles are forgotten, the earlier tokens are deleted. A
// connection without a name of its own gets one that is free. Kind
// problem.Usage says that Name is another connection's or is no name.
func (s *Store) Keep(ctx context.Context, c Captured) (Connection, error) {
	if err := checkCaptured(&c); err != nil {
		return Connection{}, err
	}
	var out Connection
	for attempt := 0; ; attempt++ {
		err := s.d.InTx(ctx, func(ctx context.Context) (err error) {
			out, err = s.keep(ctx, &c, attempt > 0)
			return err
		})
		// Two at once for the same account or name: the second looks again.
		if !errors.Is(err, errRace) || attempt == 9 {
			if err != nil {
				return Connection{}, wrap(err, "keep the consent of "+c.Account)
			}
			return out, nil
		}
	}
}

var errRace = errors.New("another row was faster")

// keep is Keep within tx. A name that is taken may be so by the very same
// account, kept a moment ago by another process: sure says that we looked twice.
func (s *Store) keep(ctx context.Context, c *Captured, sure bool) (Connection, error) {
	now := s.now()
	r, err := s.locked(ctx, "tenant = $1 AND client_id = $2 AND account = $3", lower(c.Tenant), lower(c.ClientID), accountKey(c.Account, c.ObjectID))
	isNew := errors.Is(err, sql.ErrNoRows)
	if err == nil && r.forged != nil {
		// The consent is new and proven; of the row that stands there nothing is
		// kept, above all not its id, by which policies know a connection.
		if err := s.clear(ctx, r); err != nil {
			return Connection{}, err
		}
		isNew = true
	}
	switch {
	case isNew:
		r = &row{Connection: Connection{ID: token.ID("c")}}
	case err != nil:
		return Connection{}, err
	case lower(r.Tenant) != lower(c.Tenant) || lower(r.ClientID) != lower(c.ClientID) ||
		accountKey(r.Account, r.ObjectID) != accountKey(c.Account, c.ObjectID):
		return Connection{}, vault.Other(Connections, c.Account)
	}
	if r.Name, err = s.nameFor(ctx, c, r, sure); err != nil {
		return Connection{}, err
	}
	old := []int64{r.Generation, r.previous}
	at := stamp(c.At)
	if at.IsZero() || at.After(now) {
		at = stamp(now)
	}
	r.Connection = Connection{
		ID: r.ID, Name: r.Name, Model: c.Model, Cloud: s.cloud(c.Cloud.Name), Tenant: c.Tenant, Domain: c.Domain, ClientID: c.ClientID,
		Account: c.Account, ObjectID: c.ObjectID, State: Active, Scopes: c.Scopes, Proof: c.Proof, AuthTime: stamp(c.AuthTime),
		ConsentedAt: at, ObtainedAt: at, Generation: r.Generation + 1, RenewAfter: at.Add(RenewEvery),
	}
	r.previous, r.leaseBy, r.leaseUntil = 0, "", time.Time{}
	if isNew {
		err = s.insert(ctx, r)
	} else {
		err = s.update(ctx, r)
	}
	if err != nil {
		return Connection{}, err
	}
	if err := s.v.Put(ctx, r.tokenRef(r.Generation), c.Refresh); err != nil {
		return Connection{}, err
	}
	if err := s.forget(ctx, r.ID, old...); err != nil {
		return Connection{}, err
	}
	return r.Connection, nil
}

// clear takes a row away that is not as it was written, with its tokens.
func (s *Store) clear(ctx context.Context, r *row) error {
	if err := s.forget(ctx, r.key[0], r.generations()...); err != nil {
		return err
	}
	_, err := s.d.ExecContext(ctx, deleteConnection, r.key[0])
	return err
}

// forget deletes sealed generations; 0 is none. One that is absent is no error.
func (s *Store) forget(ctx context.Context, id string, generations ...int64) error {
	for _, g := range generations {
		if g == 0 {
			continue
		}
		if err := s.v.Delete(ctx, refreshRef(id, g)); err != nil && !errors.Is(err, problem.NotFound) {
			return err
		}
	}
	return nil
}

// Limits of what is kept, far above what Microsoft sends.
const (
	maxText  = 1 << 10
	maxToken = 64 << 10 // refresh tokens have no published limit; a few kilobytes are seen
)

func checkCaptured(c *Captured) error {
	c.Name = strings.TrimSpace(c.Name)
	if err := checkName(c.Name); c.Name != "" && err != nil {
		return err
	}
	for what, v := range map[string]string{"tenant": c.Tenant, "client id": c.ClientID, "account": c.Account} {
		if v == "" || len(v) > maxText {
			return problem.New(problem.Internal, "a consent without a usable %s cannot be kept", what)
		}
	}
	switch n := len(c.Refresh.Reveal()); {
	case n == 0:
		return problem.New(problem.BadInput, "the consent brought no refresh token").WithHint("the app must ask for offline_access")
	case n > maxToken:
		return problem.New(problem.Limit, "the refresh token is longer than %d bytes", maxToken)
	}
	return nil
}

// List gives every connection by name. One whose record cannot be read, or
// whose row is not as it was written, comes as Damaged, with what the row says.
func (s *Store) List(ctx context.Context) ([]Connection, error) {
	rows, err := s.d.QueryContext(ctx, readByName)
	if err != nil {
		return nil, wrap(err, "list the connections")
	}
	defer rows.Close()
	out := []Connection{}
	var read []*row
	for rows.Next() {
		r, err := s.scan(ctx, rows)
		if err != nil {
			return nil, wrap(err, "list the connections")
		}
		read = append(read, r)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, wrap(err, "list the connections")
	}
	for _, r := range read {
		if err := r.hold(); err != nil {
			return nil, wrap(err, "list the connections")
		}
		out = append(out, r.Connection)
	}
	return out, nil
}

// Find gives a connection by id or name, in any case of letters. Kind
// problem.NotFound when there is none; its hint names those there are. One
// whose row is not as it was written is refused with vault.ErrForged.
func (s *Store) Find(ctx context.Context, nameOrID string) (Connection, error) {
	r, err := s.find(ctx, nameOrID)
	if err != nil {
		return Connection{}, err
	}
	if r.forged != nil {
		return Connection{}, r.forged
	}
	return r.Connection, nil
}

// Look is Find for looking only: a connection that is not to be used comes too,
// as Damaged.
func (s *Store) Look(ctx context.Context, nameOrID string) (Connection, error) {
	r, err := s.find(ctx, nameOrID)
	if err != nil {
		return Connection{}, err
	}
	return r.Connection, nil
}

func (s *Store) find(ctx context.Context, nameOrID string) (*row, error) {
	key := lower(strings.TrimSpace(nameOrID))
	r, err := s.read(ctx, s.d.QueryRowContext(ctx, findConnection, key))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, s.absent(ctx, nameOrID)
	case err != nil:
		return nil, wrap(err, "find a connection")
	}
	r.asked(key)
	return r, nil
}

func (s *Store) absent(ctx context.Context, nameOrID string) error {
	e := problem.New(problem.NotFound, "there is no connection %.80q", nameOrID)
	all, err := s.List(ctx)
	if err != nil || len(all) == 0 {
		return e.WithHint("partnerguard connect makes one")
	}
	var names []string
	for _, c := range all[:min(len(all), 10)] {
		names = append(names, c.Name)
	}
	return e.WithHint("connections: %s", strings.Join(names, ", "))
}

// Remove forgets a connection with its sealed tokens. It does not revoke them:
// that is done in Entra ID.
func (s *Store) Remove(ctx context.Context, nameOrID string) (Connection, error) {
	found, err := s.find(ctx, nameOrID)
	if err != nil {
		return Connection{}, err
	}
	var gone Connection
	err = s.d.InTx(ctx, func(ctx context.Context) error {
		r, err := s.lockedID(ctx, found.ID)
		if errors.Is(err, sql.ErrNoRows) {
			return problem.New(problem.NotFound, "there is no connection %.80q", nameOrID)
		} else if err != nil {
			return err
		}
		if err := s.forget(ctx, r.ID, r.Generation, r.previous); err != nil {
			return err
		}
		if _, err := s.d.ExecContext(ctx, deleteConnection, r.ID); err != nil {
			return err
		}
		gone = r.Connection
		return nil
	})
	return gone, wrap(err, "remove a connection")
}

// Rename gives a connection another name.
func (s *Store) Rename(ctx context.Context, nameOrID, name string) (Connection, error) {
	name = strings.TrimSpace(name)
	if err := checkName(name); err != nil {
		return Connection{}, err
	}
	found, err := s.find(ctx, nameOrID)
	if err != nil {
		return Connection{}, err
	}
	return s.change(ctx, found.ID, func(ctx context.Context, r *row) error {
		if taken, err := s.nameTaken(ctx, name, r.ID); err != nil {
			return err
		} else if taken {
			return problem.New(problem.Usage, "another connection is called %q", name)
		}
		r.Name = name
		return nil
	})
}

func lower(v string) string { return strings.ToLower(v) }

// accountKey tells accounts apart: an object id outlives a change of name.
func accountKey(account, objectID string) string { return lower(cmp.Or(objectID, account)) }

// stamp is a moment as it is stored: UTC, whole microseconds.
func stamp(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

// wrap adds what was done to an error that says nothing to a person yet.
func wrap(err error, doing string) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*problem.Error](err); ok {
		return err
	}
	for _, known := range []error{ErrMoved, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, known) {
			return err
		}
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// generations lists the sealed generations of a row, newest first.
func (r *row) generations() []int64 {
	return slices.DeleteFunc([]int64{r.Generation, r.previous}, func(g int64) bool { return g == 0 })
}
