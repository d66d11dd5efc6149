package db

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"partnerguard/internal/problem"
)

// ErrStale says that another process changed a row in between, or took its lease.
var ErrStale = errors.New("changed by another")

// Row is what a scan reads: a row, or the one of several at hand.
type Row interface{ Scan(...any) error }

// Kept is what rows are of, in words: "the moves of delegation". Errors name it.
type Kept string

// Failed is an error of the database in the house's words, kind problem.Unavailable. What is no
// error of it, sql.ErrNoRows and ErrStale stay what they are.
func (k Kept) Failed(err error) error {
	if err == nil || errors.Is(err, sql.ErrNoRows) || errors.Is(err, ErrStale) {
		return err
	}
	if _, ok := errors.AsType[*problem.Error](err); ok || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return problem.Wrap(err, problem.Unavailable, "%s cannot be read: the database does not answer", string(k)).WithAfter(5 * time.Second)
}

// One says ErrStale when no row was written.
func (k Kept) One(r sql.Result, err error) error {
	if err != nil {
		return k.Failed(err)
	}
	if n, err := r.RowsAffected(); err != nil {
		return k.Failed(err)
	} else if n == 0 {
		return ErrStale
	}
	return nil
}

// All reads a list; an empty one is no nil.
func All[T any](ctx context.Context, d *DB, k Kept, scan func(Row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := d.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, k.Failed(err)
	}
	defer rows.Close()
	out := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, k.Failed(err)
		}
		out = append(out, v)
	}
	return out, k.Failed(rows.Err())
}
