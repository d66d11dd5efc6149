package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
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

// SetSetting writes down what a database says of itself, in the place of what it
// said.
func (d *DB) SetSetting(ctx context.Context, name, value string) error {
	_, err := d.ExecContext(ctx, "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value)
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
	all, err := d.list(ctx, query)
	if err != nil {
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

// list reads a column of texts.
func (d *DB) list(ctx context.Context, query string, args ...any) (all []string, err error) {
	rows, err := d.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		all = append(all, name)
	}
	return all, errors.Join(rows.Err(), rows.Close())
}

// All tables but those of the migrations and of the database itself.
const (
	listTables         = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%' ORDER BY name"
	listTablesPostgres = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'" +
		" AND table_name NOT LIKE 'goose_%' ORDER BY table_name"
)

// What a database says of its tables, for copies of it.
const (
	listColumns         = "SELECT name, type FROM pragma_table_info($1) ORDER BY cid"
	listColumnsPostgres = "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1" +
		" ORDER BY ordinal_position"
	rollbackJournal = "PRAGMA journal_mode = DELETE"
	aboutSQLite     = "SELECT sqlite_version()"
	wholeCheck      = "PRAGMA integrity_check(100)"
	foreignCheck    = "SELECT \"table\" || ' has a row without what it belongs to' FROM pragma_foreign_key_check LIMIT 100"
	quickCheck      = "PRAGMA quick_check(10)"
	aboutPostgres   = "SELECT current_setting('server_version'), date_part('epoch', clock_timestamp())"
	sizePostgres    = "SELECT pg_database_size(current_database())"
)

// A stage in PostgreSQL: a schema that takes the place of another one's tables.
const (
	tryLock       = "SELECT pg_try_advisory_lock($1)"
	currentSchema = "SELECT coalesce(current_schema(), '')"
	tablesOf      = "SELECT table_name FROM information_schema.tables WHERE table_schema = $1 AND table_type = 'BASE TABLE' ORDER BY table_name"
	hasSchema     = "SELECT EXISTS (SELECT 1 FROM information_schema.schemata WHERE schema_name = $1)"
	// Of other roles' sessions not everything is shown; what is not shown counts.
	countOthers = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name IS DISTINCT FROM $1" +
		" AND coalesce(backend_type, 'client backend') = 'client backend' AND pid <> pg_backend_pid()"
)

// selectRows reads all rows of a table, and insertRow writes one. Names come from
// the database's own list, and have nothing but small letters, digits and _.
func selectRows(t Table) string {
	return "SELECT " + strings.Join(t.names(), ", ") + " FROM " + t.Name
}

func insertRow(t Table) string {
	marks := make([]string, len(t.Columns))
	for i := range marks {
		marks[i] = fmt.Sprintf("$%d", i+1)
	}
	return "INSERT INTO " + t.Name + " (" + strings.Join(t.names(), ", ") + ") VALUES (" + strings.Join(marks, ", ") + ")"
}

func deleteRows(t Table) string { return "DELETE FROM " + t.Name }

// Count counts the rows of a table.
func (d *DB) Count(ctx context.Context, t Table) (n int64, err error) {
	if err := t.Check(); err != nil {
		return 0, err
	}
	err = d.QueryRowContext(ctx, "SELECT count(*) FROM "+t.Name).Scan(&n)
	return n, err
}

func moveTable(from, name, to string) string {
	return "ALTER TABLE " + from + "." + name + " SET SCHEMA " + to
}

// Between processes that migrate at once.
const (
	takeLock = "SELECT pg_advisory_lock($1)"
	endLock  = "SELECT pg_advisory_unlock($1)"
)

// HasTable says whether the database has a table of that name.
func (d *DB) HasTable(ctx context.Context, name string) (bool, error) {
	query := listTables
	if d.Dialect == Postgres {
		query = listTablesPostgres
	}
	all, err := d.list(ctx, query)
	return slices.Contains(all, name), err
}
