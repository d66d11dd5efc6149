package attack

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/db"
)

// pen is what writes the database beside its owner.
type pen struct {
	testing.TB
	*sql.DB
	dialect db.Dialect
}

// pen opens the database of an installation as a thief would: without our
// schema's help, and with the checks of the engine off where that can be had.
func (h *house) pen() *pen {
	h.Helper()
	driver, where, dialect := "sqlite", h.file(), db.SQLite
	if h.url != "" {
		driver, where, dialect = "pgx", h.url, db.Postgres
	}
	d, err := sql.Open(driver, where)
	h.ok(err)
	d.SetMaxOpenConns(1)
	if dialect == db.SQLite {
		for _, text := range []string{"PRAGMA busy_timeout = 5000", "PRAGMA ignore_check_constraints = 1", "PRAGMA foreign_keys = 0",
			"PRAGMA synchronous = 0"} {
			_, err := d.Exec(text)
			h.ok(err)
		}
	}
	return &pen{h.TB, d, dialect}
}

// table is one of the live schema.
type table struct {
	name    string
	columns []string
	kinds   map[string]string
	key     []string
	rows    [][]any
}

// at is where a row is: a condition with its values, the first number being n.
func (x *table) at(row []any, n int) (where string, args []any) {
	var parts []string
	for i, c := range x.columns {
		if slices.Contains(x.key, c) {
			n++
			parts, args = append(parts, fmt.Sprintf("%s = $%d", c, n)), append(args, row[i])
		}
	}
	return strings.Join(parts, " AND "), args
}

func (p *pen) list(query string, args ...any) [][]any {
	p.Helper()
	rows, err := p.Query(query, args...)
	if err != nil {
		p.Fatal(query, err)
	}
	defer rows.Close()
	names, _ := rows.Columns()
	out := [][]any{}
	for rows.Next() {
		row := make([]any, len(names))
		into := make([]any, len(names))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			p.Fatal(query, err)
		}
		for i := range row {
			if b, ok := row[i].([]byte); ok {
				row[i] = bytes.Clone(b)
			}
		}
		out = append(out, row)
	}
	if err := rows.Err(); err != nil {
		p.Fatal(err)
	}
	return out
}

// tables reads every table with its columns, key and rows from the database.
func (p *pen) tables() (out []*table) {
	p.Helper()
	names := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
	columns := "SELECT name, lower(type), pk FROM pragma_table_info($1) ORDER BY cid"
	if p.dialect == db.Postgres {
		names = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1"
		columns = `SELECT a.attname::text, lower(format_type(a.atttypid, NULL)), CASE WHEN a.attnum = ANY (i.indkey::smallint[]) THEN 1 ELSE 0 END
			FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
			WHERE a.attrelid = ('public.' || $1)::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`
	}
	for _, n := range p.list(names) {
		x := &table{name: n[0].(string), kinds: map[string]string{}}
		for _, c := range p.list(columns, x.name) {
			name := c[0].(string)
			x.columns, x.kinds[name] = append(x.columns, name), c[1].(string)
			if c[2].(int64) > 0 {
				x.key = append(x.key, name)
			}
		}
		if len(x.key) == 0 { // then all of it is
			x.key = x.columns
		}
		x.rows = p.list("SELECT " + strings.Join(x.columns, ", ") + " FROM " + x.name + " ORDER BY " + strings.Join(x.key, ", "))
		out = append(out, x)
	}
	return out
}

// loosen takes every rule of a table away, as who owns the database can: keys,
// types, NOT NULL, what is unique.
func (p *pen) loosen(x *table) error {
	temp := x.name + "_loose"
	list := []string{"CREATE TABLE " + temp + " AS SELECT * FROM " + x.name, "DROP TABLE " + x.name, "ALTER TABLE " + temp + " RENAME TO " + x.name}
	if p.dialect == db.Postgres {
		list[1] += " CASCADE"
	}
	for _, text := range list {
		if _, err := p.ExecContext(context.Background(), text); err != nil {
			return err
		}
	}
	return nil
}

// values are what a thief puts in the place of one.
func (x *table) values(column, row int, thief string) (out []any) {
	is := x.rows[row][column]
	out = append(out, nil)
	for _, r := range x.rows { // another row's
		if fmt.Sprint(r[column]) != fmt.Sprint(is) {
			out = append(out, r[column])
			break
		}
	}
	switch v := is.(type) {
	case int64:
		out = append(out, v+1, v-1, int64(0), int64(9_000_000_000_000_000))
	case string:
		out = append(out, "", v[:len(v)/2], v+"1", thief, flip(v), strings.ToUpper(v))
		for _, m := range members(v, thief) {
			out = append(out, m)
		}
	case []byte:
		out = append(out, []byte{}, v[:len(v)/2], append(bytes.Clone(v), 0), []byte(flip(string(v))))
	default:
		out = append(out, thief, int64(1))
	}
	return slices.DeleteFunc(out, func(o any) bool { return same(o, is) })
}

func same(a, b any) bool { return fmt.Sprintf("%T%v", a, a) == fmt.Sprintf("%T%v", b, b) }

// flip changes one byte in the middle.
func flip(v string) string {
	if v == "" {
		return "x"
	}
	b := []byte(v)
	b[len(b)/2] ^= 1
	return string(b)
}

// members gives a JSON text with each member changed in turn, and taken away.
func members(text, thief string) (out []string) {
	var doc any
	if !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "[") || json.Unmarshal([]byte(text), &doc) != nil {
		return nil
	}
	var walk func(put func(any))
	var at any
	emit := func(put func(any), v, was any) {
		put(v)
		if b, err := json.Marshal(doc); err == nil {
			out = append(out, string(b))
		}
		put(was)
	}
	walk = func(put func(any)) {
		was := at
		switch v := at.(type) {
		case map[string]any:
			for _, k := range slices.Sorted(maps.Keys(v)) {
				one := v[k]
				delete(v, k)
				if b, err := json.Marshal(doc); err == nil {
					out = append(out, string(b))
				}
				v[k] = one
				at = one
				walk(func(x any) { v[k] = x })
			}
			return
		case []any:
			for i := range v {
				at = v[i]
				walk(func(x any) { v[i] = x })
			}
			return
		case string:
			emit(put, thief, was)
			emit(put, v+"1", was)
		case float64:
			emit(put, v+1, was)
			emit(put, "x", was)
		case bool:
			emit(put, !v, was)
		}
		emit(put, nil, was)
	}
	at = doc
	walk(func(any) {})
	return out
}
