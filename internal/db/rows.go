package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"

	"partnerguard/internal/problem"
)

// Kind is what a column holds, the same in both databases.
type Kind string

// The kinds.
const (
	Text    Kind = "text"
	Integer Kind = "integer"
	Blob    Kind = "blob"
)

// kinds are what the databases call them.
var kinds = map[string]Kind{"text": Text, "integer": Integer, "bigint": Integer, "blob": Blob, "bytea": Blob}

// Column is a column of a table.
type Column struct {
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
}

// Table is a table as a copy of the database knows it.
type Table struct {
	Name    string   `json:"name"`
	Columns []Column `json:"columns"`
}

func (t Table) names() (out []string) {
	for _, c := range t.Columns {
		out = append(out, c.Name)
	}
	return out
}

// Same says that two tables have the same columns, in whatever order.
func (t Table) Same(o Table) bool {
	by := func(a, b Column) int { return strings.Compare(a.Name, b.Name) }
	return t.Name == o.Name && slices.Equal(slices.SortedFunc(slices.Values(t.Columns), by), slices.SortedFunc(slices.Values(o.Columns), by))
}

// IsName says that a name of a table or a column may stand in a statement as it is.
func IsName(name string) bool {
	return name != "" && len(name) <= 63 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == "" && (name[0] < '0' || name[0] > '9')
}

// Snapshot runs read with a context that carries a transaction which only reads:
// everything that is read with it is of one moment, while others go on writing.
func (d *DB) Snapshot(ctx context.Context, read func(context.Context) error) error {
	if d.Tx(ctx) != nil {
		return problem.New(problem.Internal, "a snapshot is no part of a transaction")
	}
	o := &sql.TxOptions{ReadOnly: true}
	if d.Dialect == Postgres {
		o.Isolation = sql.LevelRepeatableRead
	}
	tx, err := d.BeginTx(ctx, o)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // it only reads
	return read(context.WithValue(ctx, within{d}, tx))
}

// Known lists the tables of a schema, as this program makes them: what others put
// beside them is none. An unknown schema is refused.
func Known(ctx context.Context, schema int64) ([]Table, error) {
	pool, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	pool.SetMaxOpenConns(1) // each connection has a memory of its own
	d := &DB{DB: pool, Dialect: SQLite, where: "memory"}
	if err := d.raise(ctx, schema); err != nil {
		return nil, err
	}
	return d.Tables(ctx)
}

// raise brings a database up to a schema that the program knows.
func (d *DB) raise(ctx context.Context, schema int64) error {
	p, err := d.provider()
	if err != nil {
		return err
	}
	known := slices.ContainsFunc(p.ListSources(), func(x *goose.Source) bool { return x.Version == schema })
	if most := newest(p); schema > most {
		return problem.New(problem.BadInput, "it is of a newer partnerguard (schema %d, this one knows %d)", schema, most).
			WithHint("use the newer program")
	} else if !known {
		return problem.New(problem.BadInput, "it is of a schema that no partnerguard had (%d)", schema)
	}
	return d.migrateTo(ctx, p, schema)
}

// Tables lists all tables but those of the migrations, with their columns. The kind
// of a column that only one of the databases has is empty.
func (d *DB) Tables(ctx context.Context) ([]Table, error) {
	tables, columns := listTables, listColumns
	if d.Dialect == Postgres {
		tables, columns = listTablesPostgres, listColumnsPostgres
	}
	all, err := d.list(ctx, tables)
	if err != nil {
		return nil, err
	}
	var out []Table
	for _, name := range all {
		t, err := d.table(ctx, columns, name)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

func (d *DB) table(ctx context.Context, query, name string) (Table, error) {
	t := Table{Name: name}
	rows, err := d.QueryContext(ctx, query, name)
	if err != nil {
		return t, err
	}
	defer rows.Close()
	for rows.Next() {
		var column, kind string
		if err := rows.Scan(&column, &kind); err != nil {
			return t, err
		}
		t.Columns = append(t.Columns, Column{column, kinds[strings.ToLower(kind)]})
	}
	return t, errors.Join(rows.Err(), rows.Close())
}

// Check refuses a table that cannot be copied between databases.
func (t Table) Check() error {
	if !IsName(t.Name) || len(t.Columns) == 0 || len(t.Columns) > 200 {
		return problem.New(problem.BadInput, "%.80q is no table of this program", t.Name)
	}
	seen := map[string]bool{}
	for _, c := range t.Columns {
		if !IsName(c.Name) || seen[c.Name] || c.Kind != Text && c.Kind != Integer && c.Kind != Blob {
			return problem.New(problem.BadInput, "the column %.80q of %s is of no kind that both databases have", c.Name, t.Name)
		}
		seen[c.Name] = true
	}
	return nil
}

// Rows gives each row of a table, its values in the order of the table's columns:
// string, int64, []byte or nil. What each gets is its own only until it returns.
func (d *DB) Rows(ctx context.Context, t Table, each func([]any) error) error {
	if err := t.Check(); err != nil {
		return err
	}
	rows, err := d.QueryContext(ctx, selectRows(t))
	if err != nil {
		return err
	}
	defer rows.Close()
	values, to := make([]any, len(t.Columns)), make([]any, len(t.Columns))
	for i := range values {
		to[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(to...); err != nil {
			return err
		}
		for i, v := range values {
			if values[i], err = plain(v); err != nil {
				return problem.Wrap(err, problem.BadInput, "a value of the column %s of %s is of another kind than its column", t.Columns[i].Name, t.Name)
			}
		}
		if err := each(values); err != nil {
			return err
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

func plain(v any) (any, error) {
	switch v := v.(type) {
	case []byte:
		if v == nil { // of no bytes: a value that is none has no type
			return []byte{}, nil
		}
		return v, nil
	case nil, string, int64:
		return v, nil
	case int32:
		return int64(v), nil
	}
	return nil, fmt.Errorf("a value of type %T", v)
}

// Fill writes rows into tables, within the transaction that ctx carries.
type Fill struct {
	d     *DB
	t     Table
	put   *sql.Stmt
	Count int64
}

// Fill empties a table and gives what fills it. Close it.
func (d *DB) Fill(ctx context.Context, t Table) (*Fill, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	tx := d.Tx(ctx)
	if tx == nil {
		return nil, problem.New(problem.Internal, "a table is filled within a transaction")
	}
	if _, err := tx.ExecContext(ctx, deleteRows(t)); err != nil {
		return nil, err
	}
	put, err := tx.PrepareContext(ctx, insertRow(t))
	return &Fill{d: d, t: t, put: put}, err
}

// Put adds a row.
func (f *Fill) Put(ctx context.Context, values []any) error {
	if len(values) != len(f.t.Columns) {
		return problem.New(problem.BadInput, "a row of %s has %d values, not %d", f.t.Name, len(values), len(f.t.Columns))
	}
	if _, err := f.put.ExecContext(ctx, values...); err != nil {
		return problem.Wrap(err, problem.BadInput, "row %d of %s does not go into the database: %s", f.Count+1, f.t.Name, reason(err))
	}
	f.Count++
	return nil
}

// Close ends the filling.
func (f *Fill) Close() error { return f.put.Close() }
