package db

import (
	"context"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/problem"
)

// Health is how a database is.
type Health struct {
	Where   string    `json:"where"`
	Dialect Dialect   `json:"dialect"`
	Version string    `json:"version"`        // "SQLite 3.50", "PostgreSQL 15.4"
	Schema  int64     `json:"schema"`         // 0: none
	Known   int64     `json:"known"`          // the schema that this program knows
	Size    int64     `json:"size"`           // bytes
	WAL     int64     `json:"wal"`            // bytes; SQLite
	Checked bool      `json:"checked"`        // its pages were looked at; SQLite
	Damage  []string  `json:"damage"`         // what is wrong with them
	Clock   time.Time `json:"clock,omitzero"` // of its machine; PostgreSQL
}

// Examine looks at a database that is open, of whatever schema, and reads its
// pages where it is a file: that takes about as long as reading it. ctx bounds it.
func (d *DB) Examine(ctx context.Context) (h Health, err error) {
	h = Health{Where: d.where, Dialect: d.Dialect, Damage: []string{}}
	wrong := func(err error) (Health, error) {
		if corrupt(err) {
			h.Checked, h.Damage = true, append(h.Damage, reason(err))
			return h, nil
		}
		return h, problem.Wrap(err, problem.BadInput, "the database %s cannot be looked at: %s", d.where, reason(err)).
			WithHint("partnerguard db check reads all of it, however long that takes")
	}
	if h.Known, err = known(); err != nil {
		return h, err
	}
	if has, err := d.HasTable(ctx, "settings"); err != nil {
		return wrong(err)
	} else if has {
		if h.Schema, err = d.version(ctx); err != nil {
			return wrong(err)
		}
	}
	if h.Size, h.WAL, err = d.Size(ctx); err != nil {
		return wrong(err)
	}
	if d.Dialect == Postgres {
		var now float64
		if err := d.QueryRowContext(ctx, aboutPostgres).Scan(&h.Version, &now); err != nil {
			return wrong(err)
		}
		h.Version, _, _ = strings.Cut(h.Version, " (")
		h.Version = "PostgreSQL " + h.Version
		h.Clock = time.UnixMicro(int64(now * 1e6)).UTC()
		return h, nil
	}
	if err := d.QueryRowContext(ctx, aboutSQLite).Scan(&h.Version); err != nil {
		return wrong(err)
	}
	h.Version = "SQLite " + h.Version
	said, err := d.list(ctx, quickCheck)
	if err != nil {
		return wrong(err)
	}
	h.Checked = true
	if len(said) != 1 || said[0] != "ok" {
		h.Damage = said
	}
	return h, nil
}

// known is the newest schema in the program.
func known() (n int64, err error) {
	files, err := fs.Glob(migrations, "migrations/sqlite/*.sql")
	for _, f := range files {
		name := f[strings.LastIndexByte(f, '/')+1:]
		number, _, _ := strings.Cut(name, "_")
		v, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, problem.Wrap(err, problem.Internal, "the schema in the program cannot be read")
		}
		n = max(n, v)
	}
	return n, err
}

// Scrutinise reads all of a database, and gives what is wrong with it: a file's pages,
// indexes and references, and every row of every table as a backup reads it. tell, if
// not nil, hears how many tables were read, of how many.
func (d *DB) Scrutinise(ctx context.Context, tell func(done, of int64)) (damage []string, err error) {
	damage = []string{}
	if d.Dialect == SQLite {
		for _, query := range []string{wholeCheck, foreignCheck} {
			said, err := d.list(ctx, query)
			if err != nil {
				return append(damage, reason(err)), ctx.Err()
			}
			for _, line := range said {
				if line != "ok" {
					damage = append(damage, line)
				}
			}
		}
	}
	tables, err := d.Tables(ctx)
	if err != nil {
		return append(damage, "the tables cannot be listed: "+reason(err)), ctx.Err()
	}
	for i, t := range tables {
		if t.Check() != nil {
			continue // the queue's own, whose columns only one of the databases has
		}
		if err := d.Rows(ctx, t, func([]any) error { return nil }); err != nil {
			if ctx.Err() != nil {
				return damage, ctx.Err()
			}
			damage = append(damage, "the table "+t.Name+" cannot be read: "+reason(err))
		}
		if tell != nil {
			tell(int64(i+1), int64(len(tables)))
		}
	}
	return damage, nil
}
