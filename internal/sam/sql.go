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
)

// row is a connection with what only the store looks at.
type row struct {
	Connection
	previous   int64
	leaseBy    string
	leaseUntil time.Time
}

const columns = "id, generation, previous, state, renew_after, lease_by, lease_until, name, tenant, client_id, body"

// scan reads a row. The columns outrank the body, whose loss costs this
// connection alone.
func scan(from interface{ Scan(...any) error }) (*row, error) {
	var r row
	var id, state, name, tenant, client, body string
	var generation, renewAfter, leaseUntil int64
	if err := from.Scan(&id, &generation, &r.previous, &state, &renewAfter, &r.leaseBy, &leaseUntil, &name, &tenant, &client, &body); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(body), &r.Connection); err != nil {
		r.Connection = Connection{Name: name, Tenant: tenant, ClientID: client, Trouble: &Trouble{Words: "the connection's record in the database cannot be read", Fix: "restore a backup, or remove the connection and consent again"}}
		state = string(Damaged)
	}
	r.Cloud.Name = msapi.CloudName(r.Cloud.Name) // kept under an older word, perhaps
	r.ID, r.Generation, r.State = id, generation, State(state)
	r.RenewAfter, r.leaseUntil = db.Time(renewAfter), db.Time(leaseUntil)
	return &r, nil
}

// locked reads one row under a lock that lasts as long as tx: SQLite's writers
// are alone, PostgreSQL locks the row that is updated.
func (s *Store) locked(ctx context.Context, tx *sql.Tx, where string, args ...any) (*row, error) {
	var id string
	if err := tx.QueryRowContext(ctx, "UPDATE connections SET changes = changes + 1 WHERE "+where+" RETURNING id", args...).Scan(&id); err != nil {
		return nil, err
	}
	return scan(tx.QueryRowContext(ctx, "SELECT "+columns+" FROM connections WHERE id = $1", id))
}

func (s *Store) insert(ctx context.Context, tx *sql.Tx, r *row) error {
	body, err := json.Marshal(r.Connection)
	if err != nil {
		return err
	}
	res, err := tx.ExecContext(ctx, `INSERT INTO connections (id, name, tenant, client_id, account, state, generation, previous, renew_after, lease_by, lease_until, changes, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', 0, 1, $10) ON CONFLICT DO NOTHING`,
		r.ID, lower(r.Name), lower(r.Tenant), lower(r.ClientID), accountKey(r.Account, r.ObjectID), string(r.State), r.Generation, r.previous, db.Micros(r.RenewAfter), string(body))
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, errRace)
	}
	return nil
}

func (s *Store) update(ctx context.Context, tx *sql.Tx, r *row) error {
	body, err := json.Marshal(r.Connection)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE connections SET name = $1, state = $2, generation = $3, previous = $4, renew_after = $5, lease_by = $6, lease_until = $7, body = $8 WHERE id = $9`,
		lower(r.Name), string(r.State), r.Generation, r.previous, db.Micros(r.RenewAfter), r.leaseBy, db.Micros(r.leaseUntil), string(body), r.ID)
	return err
}

// change edits one connection in a transaction of its own.
func (s *Store) change(ctx context.Context, id string, edit func(tx *sql.Tx, r *row) error, also []Also[Connection]) (Connection, error) {
	var out Connection
	err := s.d.Tx(ctx, func(tx *sql.Tx) error {
		r, err := s.locked(ctx, tx, "id = $1", id)
		if errors.Is(err, sql.ErrNoRows) {
			return problem.New(problem.NotFound, "there is no connection %.80q", id)
		} else if err != nil {
			return err
		}
		if err := edit(tx, r); err != nil {
			return err
		}
		if err := s.update(ctx, tx, r); err != nil {
			return err
		}
		out = r.Connection
		return run(ctx, tx, out, also)
	})
	if err != nil {
		return Connection{}, wrap(err, "change a connection")
	}
	return out, nil
}
