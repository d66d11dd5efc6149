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

// version is the schema that the database has. Unlike the migrations' own question
// it makes no table for the answer.
func (d *DB) version(ctx context.Context) (n int64, err error) {
	err = d.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied").Scan(&n)
	return n, err
}

// Filled names the tables that hold something, but for those of the migrations.
func (d *DB) Filled(ctx context.Context) (names []string, err error) {
	query := listTables
	if d.Dialect == Postgres {
		query = listTablesPostgres
	}
	rows, err := d.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		all = append(all, name)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	for _, name := range all {
		if empty, err := d.Empty(ctx, name); err != nil {
			return nil, err
		} else if !empty {
			names = append(names, name)
		}
	}
	return names, nil
}

// All tables but those of the migrations and of the database itself.
const (
	listTables         = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%' ORDER BY name"
	listTablesPostgres = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'" +
		" AND table_name NOT LIKE 'goose_%' ORDER BY table_name"
)

// Between processes that migrate at once.
const (
	takeLock = "SELECT pg_advisory_lock($1)"
	endLock  = "SELECT pg_advisory_unlock($1)"
)
