package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// bare runs the statements of one right answer and judges nothing: on copies of the same
// tables, with the same keys and the same lock of the trail's head.
type bare struct {
	h       *house
	persons []string
	factors []string
}

func newBare(ctx context.Context, h *house) (*bare, error) {
	b := &bare{h: h}
	for _, t := range []string{"mfa_people", "mfa_factors", "mfa_tries", "vault_rows", "trail_head", "trail_pages"} {
		for _, q := range []string{"CREATE TABLE bare_%[1]s (LIKE %[1]s INCLUDING ALL)", "INSERT INTO bare_%[1]s SELECT * FROM %[1]s", "ANALYZE bare_%[1]s"} {
			if _, err := h.DB.ExecContext(ctx, fmt.Sprintf(q, t)); err != nil {
				return nil, err
			}
		}
	}
	rows, err := h.DB.QueryContext(ctx, "SELECT id, person FROM mfa_factors ORDER BY id")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var f, p string
		if err := rows.Scan(&f, &p); err != nil {
			return nil, err
		}
		b.factors, b.persons = append(b.factors, f), append(b.persons, p)
	}
	return b, rows.Err()
}

const (
	bareRow    = "SELECT id, look, person, state, ends, body, version, mark FROM bare_%s WHERE %s = $1"
	bareChange = "UPDATE bare_%s SET look = $2, person = $3, state = $4, ends = $5, body = $6, version = $7, mark = $8 WHERE id = $1 AND version = $9"
)

type marked struct {
	id, look, person, state, body string
	ends, version                 int64
	mark                          []byte
}

func (b *bare) read(ctx context.Context, table, by, arg string) (m marked, err error) {
	err = b.h.DB.QueryRowContext(ctx, fmt.Sprintf(bareRow, table, by), arg).Scan(&m.id, &m.look, &m.person, &m.state, &m.ends, &m.body, &m.version, &m.mark)
	return m, err
}

func (b *bare) change(ctx context.Context, table string, m marked) error {
	_, err := b.h.DB.ExecContext(ctx, fmt.Sprintf(bareChange, table), m.id, m.look, m.person, m.state, m.ends, m.body, m.version+1, m.mark, m.version)
	return err
}

// tries reads three rows of wrong answers and writes two, as each of the two transactions
// of an answer does.
func (b *bare) tries(ctx context.Context, person string) error {
	now := time.Now().UnixMicro()
	for i, id := range []string{person + " at 10.0.0.1/32", person + " elsewhere", "10.0.0.1/32"} {
		var gotID, gotPerson, body string
		var last, until, version int64
		err := b.h.DB.QueryRowContext(ctx, "SELECT id, person, last, until, body, version FROM bare_mfa_tries WHERE id = $1", id).
			Scan(&gotID, &gotPerson, &last, &until, &body, &version)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if i == 2 {
			continue
		}
		if version == 0 {
			_, err = b.h.DB.ExecContext(ctx, "INSERT INTO bare_mfa_tries (id, person, last, until, body, version) VALUES ($1, $2, $3, $4, $5, 1) "+
				"ON CONFLICT (id) DO NOTHING", id, person, now, int64(0), `{"Count":1}`)
		} else {
			_, err = b.h.DB.ExecContext(ctx, "UPDATE bare_mfa_tries SET person = $2, last = $3, until = $4, body = $5, version = $6 "+
				"WHERE id = $1 AND version = $7", id, person, now, int64(0), `{"Count":1}`, version+1, version)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// one is the statements of one right answer of somebody.
func (b *bare) one(ctx context.Context, n int) error {
	factor, person := b.factors[n], b.persons[n]
	f, err := b.read(ctx, "mfa_factors", "person", person)
	if err != nil || f.id != factor {
		return fmt.Errorf("a factor of %s: %q, %w", person, f.id, err)
	}
	if err := b.h.DB.InTx(ctx, func(ctx context.Context) error { return b.tries(ctx, person) }); err != nil {
		return err
	}
	var sealed []byte
	if err := b.h.DB.QueryRowContext(ctx, "SELECT substr(sealed, 1, $4) FROM bare_vault_rows WHERE purpose = $1 AND owner = $2 AND name = $3", "mfa-totp",
		person, factor, 1<<20).Scan(&sealed); err != nil {
		return err
	}
	return b.h.DB.InTx(ctx, func(ctx context.Context) error {
		if err := errors.Join(b.change(ctx, "mfa_factors", f), b.tries(ctx, person)); err != nil {
			return err
		}
		p, err := b.read(ctx, "mfa_people", "id", person)
		if err != nil {
			return err
		}
		return errors.Join(b.change(ctx, "mfa_people", p), b.record(ctx))
	})
}

// record adds an entry of the usual length below the lock of the head.
func (b *bare) record(ctx context.Context) error {
	var size int64
	var nodes []byte
	if err := b.h.DB.QueryRowContext(ctx, "UPDATE bare_trail_head SET size = size WHERE one = 1 RETURNING size, nodes").Scan(&size, &nodes); err != nil {
		return err
	}
	if _, err := b.h.DB.ExecContext(ctx, "UPDATE bare_trail_head SET size = $1, nodes = $2 WHERE one = 1 AND size = $3 AND nodes = $4", size+1, nodes, size,
		nodes); err != nil {
		return err
	}
	at := time.Now().UnixMicro()
	_, err := b.h.DB.ExecContext(ctx, "INSERT INTO bare_trail_pages (first, last, earliest, latest, entries) VALUES ($1, $2, $3, $4, $5)", size+1, size+1, at,
		at, strings.Repeat("e", 500))
	return err
}
