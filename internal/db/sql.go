package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// Setting reads what a database says of itself under a name; "" is nothing.
func (d *DB) Setting(ctx context.Context, name string) (value string, err error) {
	err = d.QueryRowContext(ctx, "SELECT value FROM settings WHERE name = $1", name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return value, err
}

// Settle writes down what a database says of itself, unless it says something
// under that name already.
func (d *DB) Settle(ctx context.Context, name, value string) error {
	_, err := d.ExecContext(ctx, "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", name, value)
	return err
}

// Empty says that none of these tables has a row. Their names come from the
// rooms that own them, never from outside.
func (d *DB) Empty(ctx context.Context, tables ...string) (bool, error) {
	for _, t := range tables {
		if t == "" || strings.Trim(t, "abcdefghijklmnopqrstuvwxyz_") != "" {
			return false, fmt.Errorf("%q is no table's name", t)
		}
		var some bool
		if err := d.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM "+t+")").Scan(&some); err != nil || some {
			return false, err
		}
	}
	return true, nil
}

// Between processes that migrate at once.
const (
	takeLock = "SELECT pg_advisory_lock($1)"
	endLock  = "SELECT pg_advisory_unlock($1)"
)
