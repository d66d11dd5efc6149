package db

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"partnerguard/internal/observe"
)

// within is the key under which a context carries a transaction of a database.
type within struct{ d *DB }

// InTx runs do in one transaction: committed when it returns nil, undone
// otherwise. The context that do gets carries it: whatever reads or writes this
// database with that context, in whatever room, does so within it. When ctx
// carries one already do joins it, and whoever began it commits it.
//
// When the database says that two transactions got in each other's way it is run
// again, so do must not do what cannot be repeated. A transaction is for one
// goroutine, and a context that carries one that ended fails.
func (d *DB) InTx(ctx context.Context, do func(context.Context) error) error {
	if d.Tx(ctx) != nil {
		return do(ctx)
	}
	ctx, span := observe.Below(ctx, "transaction")
	for attempt := 0; ; attempt++ {
		err := d.once(ctx, do)
		if err == nil || attempt == 5 || !conflict(err) {
			ended(span, err, attempt)
			return err
		}
		select {
		case <-ctx.Done():
			ended(span, ctx.Err(), attempt)
			return ctx.Err()
		case <-time.After(time.Duration(1<<attempt) * 10 * time.Millisecond):
		}
	}
}

// ended ends the span of a transaction.
func ended(span observe.Span, err error, again int) {
	how := "committed"
	if err != nil {
		how = "undone"
	}
	if again > 0 {
		span.Say("again", strconv.Itoa(again))
	}
	span.End(how, false) // what undid it is the failure, not the undoing
}

func (d *DB) once(ctx context.Context, do func(context.Context) error) error {
	tx, err := d.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // a no-op after Commit
	if err := do(context.WithValue(ctx, within{d}, tx)); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// Tx is the transaction that ctx carries, nil without one: for libraries that
// take one.
func (d *DB) Tx(ctx context.Context) *sql.Tx {
	tx, _ := ctx.Value(within{d}).(*sql.Tx)
	return tx
}

// Apart gives ctx without the transaction that it carries: for what is to stay
// whatever becomes of that. On SQLite it waits for the transaction to end.
func (d *DB) Apart(ctx context.Context) context.Context {
	if d.Tx(ctx) == nil {
		return ctx
	}
	return context.WithValue(ctx, within{d}, nil)
}

// ExecContext is sql.DB's, within the transaction that ctx carries.
func (d *DB) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if tx := d.Tx(ctx); tx != nil {
		return tx.ExecContext(ctx, query, args...)
	}
	return d.DB.ExecContext(ctx, query, args...)
}

// QueryContext is sql.DB's, within the transaction that ctx carries. Rows must be
// closed before the next statement of a transaction.
func (d *DB) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if tx := d.Tx(ctx); tx != nil {
		return tx.QueryContext(ctx, query, args...)
	}
	return d.DB.QueryContext(ctx, query, args...)
}

// QueryRowContext is sql.DB's, within the transaction that ctx carries.
func (d *DB) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if tx := d.Tx(ctx); tx != nil {
		return tx.QueryRowContext(ctx, query, args...)
	}
	return d.DB.QueryRowContext(ctx, query, args...)
}
