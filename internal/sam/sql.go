package sam

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// row is a connection with what only the store looks at.
type row struct {
	Connection
	previous   int64
	leaseBy    string
	leaseUntil time.Time
	fit        func() error
	key        [2]string // id and name as the row says
	forged     error     // why its mark does not fit; nil when it does
}

const columns = "id, generation, previous, state, renew_after, lease_by, lease_until, name, tenant, client_id, account, body, mark"

// scan reads a row and holds it to its mark. One that does not fit, or whose
// record cannot be read, comes as Damaged, and costs this connection alone; who
// means to use it looks at forged. The columns outrank the body, and a cloud's
// addresses come from the program or its configuration, never from the row.
func (s *Store) scan(ctx context.Context, from interface{ Scan(...any) error }) (*row, error) {
	var r row
	var id, state, name, tenant, client, account, body string
	var mark []byte
	var generation, renewAfter, leaseUntil int64
	if err := from.Scan(&id, &generation, &r.previous, &state, &renewAfter, &r.leaseBy, &leaseUntil, &name, &tenant, &client, &account, &body,
		&mark); err != nil {
		return nil, err
	}
	// Later, not within the caller's rows: the vault may have to ask the database.
	r.fit = func() error {
		return s.v.Fits(ctx, Connections, mark, id, name, tenant, client, account, state, generation, r.previous, renewAfter, body)
	}
	if err := json.Unmarshal([]byte(body), &r.Connection); err != nil {
		r.Connection = Connection{Name: name, Tenant: tenant, ClientID: client,
			Trouble: &Trouble{Words: "the connection's record in the database cannot be read",
				Fix: "restore a backup, or remove the connection and consent again"}}
		state = string(Damaged)
	}
	r.Cloud = s.cloud(r.Cloud.Name)
	r.ID, r.Generation, r.State, r.key = id, generation, State(state), [2]string{id, name}
	r.RenewAfter, r.leaseUntil = db.Time(renewAfter), db.Time(leaseUntil)
	return &r, nil
}

// hold looks at a row's mark. The error is that the vault could not be asked.
func (r *row) hold() error {
	err := r.fit()
	if err == nil || !errors.Is(err, vault.ErrForged) {
		return err
	}
	r.refuse(err)
	return nil
}

// refuse makes a row one that is not to be used.
func (r *row) refuse(why error) {
	r.forged = why
	r.State = Damaged
	r.Trouble = &Trouble{Words: "its row in the database was written by something else than partnerguard", Fix: fixForged}
}

// asked refuses a row that is not the one with this id or name.
func (r *row) asked(key string) {
	if r.key[0] != key && r.key[1] != key && r.forged == nil {
		r.refuse(vault.Other(Connections, key))
	}
}

const fixForged = "find out what writes into the database; then say that this connection is right (partnerguard connect accept), or remove it and consent again"

// read scans one row and looks at its mark.
func (s *Store) read(ctx context.Context, from *sql.Row) (*row, error) {
	r, err := s.scan(ctx, from)
	if err != nil {
		return nil, err
	}
	return r, r.hold()
}

// cloud gives a cloud by its name: as the program's configuration has it, else
// as Microsoft's are known. Of one that is neither there is only the name, and
// nothing can be asked of it.
func (s *Store) cloud(name string) msapi.Cloud {
	name = msapi.CloudName(name) // kept under an older word, perhaps
	for _, c := range s.clouds {
		if c.Name == name {
			return c
		}
	}
	for _, c := range msapi.Clouds() {
		if c.Name == name {
			return c
		}
	}
	return msapi.Cloud{Name: name}
}

// record is the body of a row: a cloud is named, and nothing of it kept.
func record(c Connection) (string, error) {
	c.Cloud = msapi.Cloud{Name: msapi.CloudName(c.Cloud.Name)}
	b, err := json.Marshal(c)
	return string(b), err
}

func (s *Store) mark(ctx context.Context, r *row, body string) ([]byte, error) {
	return s.v.Mark(ctx, Connections, r.ID, lower(r.Name), lower(r.Tenant), lower(r.ClientID), accountKey(r.Account, r.ObjectID), string(r.State),
		r.Generation, r.previous, db.Micros(r.RenewAfter), body)
}

// locked reads one row under a lock that lasts as long as tx: SQLite's writers
// are alone, PostgreSQL locks the row that is updated.
func (s *Store) locked(ctx context.Context, where string, args ...any) (*row, error) {
	return s.read(ctx, s.d.QueryRowContext(ctx, "UPDATE connections SET changes = changes + 1 WHERE "+where+" RETURNING "+columns, args...))
}

// lockedID is locked for a connection by its id.
func (s *Store) lockedID(ctx context.Context, id string) (*row, error) {
	r, err := s.locked(ctx, "id = $1", id)
	if err == nil && r.key[0] != id {
		return nil, vault.Other(Connections, id)
	}
	return r, err
}

func (s *Store) insert(ctx context.Context, r *row) error {
	body, err := record(r.Connection)
	if err != nil {
		return err
	}
	mark, err := s.mark(ctx, r, body)
	if err != nil {
		return err
	}
	res, err := s.d.ExecContext(ctx, `INSERT INTO connections (id, name, tenant, client_id, account, state, generation, previous, renew_after, lease_by, lease_until, changes, body, mark)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', 0, 1, $10, $11) ON CONFLICT DO NOTHING`,
		r.ID, lower(r.Name), lower(r.Tenant), lower(r.ClientID), accountKey(r.Account, r.ObjectID), string(r.State), r.Generation, r.previous,
		db.Micros(r.RenewAfter), body, mark)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, errRace)
	}
	return nil
}

func (s *Store) update(ctx context.Context, r *row) error {
	body, err := record(r.Connection)
	if err != nil {
		return err
	}
	mark, err := s.mark(ctx, r, body)
	if err != nil {
		return err
	}
	// All that is marked is written: nothing of another hand is vouched for.
	res, err := s.d.ExecContext(ctx, `UPDATE connections SET name = $1, tenant = $2, client_id = $3, account = $4, state = $5, generation = $6, previous = $7,
		renew_after = $8, lease_by = $9, lease_until = $10, body = $11, mark = $12 WHERE id = $13`,
		lower(r.Name), lower(r.Tenant), lower(r.ClientID), accountKey(r.Account, r.ObjectID), string(r.State), r.Generation, r.previous,
		db.Micros(r.RenewAfter),
		r.leaseBy, db.Micros(r.leaseUntil), body, mark, r.ID)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, problem.New(problem.Internal, "the database did not keep the connection %s", r.ID))
	}
	return nil
}

// change edits one connection in one transaction.
func (s *Store) change(ctx context.Context, id string, edit func(ctx context.Context, r *row) error) (Connection, error) {
	var out Connection
	err := s.d.InTx(ctx, func(ctx context.Context) error {
		r, err := s.lockedID(ctx, id)
		if errors.Is(err, sql.ErrNoRows) {
			return problem.New(problem.NotFound, "there is no connection %.80q", id)
		} else if err != nil {
			return err
		}
		if r.forged != nil {
			return r.forged
		}
		if err := edit(ctx, r); err != nil {
			return err
		}
		if err := s.update(ctx, r); err != nil {
			return err
		}
		out = r.Connection
		return nil
	})
	if err != nil {
		return Connection{}, wrap(err, "change a connection")
	}
	return out, nil
}

// The statements.
const (
	countNamedElsewhere = "SELECT count(*) FROM connections WHERE name = $1 AND (tenant <> $2 OR client_id <> $3)"
	countNamed          = "SELECT count(*) FROM connections WHERE name = $1 AND id <> $2"
	readByID            = "SELECT " + columns + " FROM connections ORDER BY id"
	setBody             = "UPDATE connections SET body = $1 WHERE id = $2"
	putRegistration     = `INSERT INTO registrations (client_id, sealed, waiting, body, mark) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (client_id) DO UPDATE SET sealed = excluded.sealed, waiting = excluded.waiting, body = excluded.body, mark = excluded.mark`
	readRegistration   = "SELECT client_id, sealed, waiting, body, mark FROM registrations WHERE client_id = $1"
	readApps           = "SELECT client_id FROM registrations ORDER BY client_id"
	deleteRegistration = "DELETE FROM registrations WHERE client_id = $1"
	deleteConnection   = "DELETE FROM connections WHERE id = $1"
	readByName         = "SELECT " + columns + " FROM connections ORDER BY name, id"
	findConnection     = "SELECT " + columns + " FROM connections WHERE id = $1 OR name = $1"
	readOfApp          = "SELECT " + columns + " FROM connections WHERE client_id = $1 OR $1 = ''"
	takeLease          = `UPDATE connections SET lease_by = $1, lease_until = $2, changes = changes + 1
		WHERE id = $3 AND (lease_by = '' OR lease_by = $1 OR lease_until <= $4 OR lease_until > $2)`
	endLease = "UPDATE connections SET lease_by = '', lease_until = 0 WHERE id = $1 AND lease_by = $2"
	readDue  = `SELECT id FROM connections WHERE (renew_after <= $1 OR renew_after > $2) AND (lease_by = '' OR lease_until <= $1 OR lease_until > $3)
		ORDER BY renew_after, id LIMIT $4`
)
