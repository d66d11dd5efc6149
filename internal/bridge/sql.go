package bridge

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// deviceBook: whoever writes such a row lets somebody into a mailbox.
var deviceBook = &vault.Book{Table: "bridge_devices", Version: 1, Key: []string{"id"}, Columns: []string{"name", "mailbox", "protocols", "sources", "senders",
	"selector", "hash", "made", "ends", "actor", "revoked", "revoker"}}

// Books are the tables whose rows are marked.
func Books() []*vault.Book { return []*vault.Book{deviceBook} }

// failed is what a person is told of a database that does not answer.
func failed(err error) error {
	if err == nil || errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if _, ok := errors.AsType[*problem.Error](err); ok || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return problem.Wrap(err, problem.Unavailable, "the devices of the bridge cannot be read: the database does not answer").WithAfter(5 * time.Second)
}

const deviceColumns = "id, name, mailbox, protocols, sources, senders, selector, hash, made, ends, actor, revoked, revoker"

func (d *Device) values() []any {
	return []any{d.ID, d.Name, d.Mailbox, list(d.Protocols), list(d.Sources), list(d.Senders), d.selector, d.hash, db.Micros(d.Made), db.Micros(d.Ends),
		d.By, db.Micros(d.Revoked), d.RevokedBy}
}

func scan(r interface{ Scan(...any) error }) (d Device, err error) {
	var protocols, sources, senders string
	var made, ends, revoked, used int64
	err = r.Scan(&d.ID, &d.Name, &d.Mailbox, &protocols, &sources, &senders, &d.selector, &d.hash, &made, &ends, &d.By, &revoked, &d.RevokedBy,
		&used, &d.UsedFrom, &d.UsedBy, &d.mark)
	d.Protocols, d.Sources, d.Senders = unlist(protocols), unlist(sources), unlist(senders)
	d.Made, d.Ends, d.Revoked, d.Used = db.Time(made), db.Time(ends), db.Time(revoked), db.Time(used)
	return d, err
}

// row reads the one device with a value in a column, which code names.
func (s *Store) row(ctx context.Context, column, value string) (Device, error) {
	d, err := scan(s.d.DB.QueryRowContext(ctx, "SELECT "+deviceColumns+", used, used_from, used_by, mark FROM bridge_devices WHERE "+column+" = $1", value))
	return d, failed(err)
}

func (s *Store) rows(ctx context.Context) ([]Device, error) {
	rows, err := s.d.DB.QueryContext(ctx, "SELECT "+deviceColumns+", used, used_from, used_by, mark FROM bridge_devices ORDER BY made, id")
	if err != nil {
		return nil, failed(err)
	}
	defer rows.Close()
	out := []Device{}
	for rows.Next() {
		d, err := scan(rows)
		if err != nil {
			return nil, failed(err)
		}
		out = append(out, d)
	}
	return out, failed(rows.Err())
}

func (s *Store) insert(ctx context.Context, d *Device) error {
	mark, err := s.d.Vault.Mark(ctx, deviceBook, d.values()...)
	if err != nil {
		return err
	}
	_, err = s.d.DB.ExecContext(ctx, "INSERT INTO bridge_devices ("+deviceColumns+
		", used, used_from, used_by, mark) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, '', '', $14)", append(d.values(), mark)...)
	return failed(err)
}

// update writes what a revocation changes.
func (s *Store) update(ctx context.Context, d *Device) error {
	mark, err := s.d.Vault.Mark(ctx, deviceBook, d.values()...)
	if err != nil {
		return err
	}
	_, err = s.d.DB.ExecContext(ctx, "UPDATE bridge_devices SET revoked = $2, revoker = $3, mark = $4 WHERE id = $1", d.ID, db.Micros(d.Revoked),
		d.RevokedBy, mark)
	return failed(err)
}

func (s *Store) touch(ctx context.Context, id string, now time.Time, from, by string) error {
	_, err := s.d.DB.ExecContext(ctx, "UPDATE bridge_devices SET used = $2, used_from = $3, used_by = $4 WHERE id = $1", id, db.Micros(now), from, by)
	return failed(err)
}

// forget takes away what was over before a moment.
func (s *Store) forget(ctx context.Context, before time.Time) error {
	_, err := s.d.DB.ExecContext(ctx, "DELETE FROM bridge_devices WHERE ends < $1 OR (revoked > 0 AND revoked < $1)", db.Micros(before))
	return failed(err)
}
