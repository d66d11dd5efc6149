package console

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// The tables whose rows are marked: whoever writes them grants something.
var (
	sessionBook = &vault.Book{Table: "console_sessions", Version: 1, Key: []string{"id"}, Columns: []string{"hash", "way", "actor", "subject", "name",
		"tenant", "role", "customers", "held", "made", "seen", "idles", "ends", "proof", "proven", "address", "client", "version"}}
	linkBook = &vault.Book{Table: "console_links", Version: 1, Key: []string{"id"}, Columns: []string{"hash", "actor", "made", "ends"}}
	roleBook = &vault.Book{Table: "console_roles", Version: 1, Key: []string{"id"}, Columns: []string{"tenant", "kind", "subject", "name", "role",
		"customers", "made", "actor"}}
	tokenBook = &vault.Book{Table: "console_tokens", Version: 1, Key: []string{"id"}, Columns: []string{"name", "hash", "rights", "customers", "made",
		"ends", "actor"}}
)

// Books are the tables whose rows are marked.
func Books() []*vault.Book { return []*vault.Book{sessionBook, linkBook, roleBook, tokenBook} }

type row interface{ Scan(...any) error }

// all reads every row of a query.
func all[T any](ctx context.Context, d *db.DB, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := d.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, failed(err)
	}
	defer rows.Close()
	out := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, failed(err)
		}
		out = append(out, v)
	}
	return out, failed(rows.Err())
}

// failed is what a person is told of a database that does not answer.
func failed(err error) error {
	if err == nil || errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if _, ok := errors.AsType[*problem.Error](err); ok || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return problem.Wrap(err, problem.Unavailable, "who is in the console cannot be read: the database does not answer").WithAfter(5 * time.Second)
}

// changed counts the rows that were changed.
func changed(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, failed(err)
	}
	return r.RowsAffected()
}

// list is a list as a row keeps it; nil is null.
func list(v []string) string {
	b, _ := json.Marshal(v) // texts alone
	return string(b)
}

// unlist reads a list; what is none gives one that nothing fits, and its mark does not
// fit either.
func unlist(s string) []string {
	var out []string
	if json.Unmarshal([]byte(s), &out) != nil || out == nil && s != "null" {
		return []string{"?"}
	}
	return out
}

const sessionColumns = "id, hash, way, actor, subject, name, tenant, role, customers, held, made, seen, idles, ends, proof, proven, address, client, " +
	"version"

func (s *Session) values() []any {
	return []any{s.ID, s.hash, s.Way, s.Actor, s.Subject, s.Name, s.Tenant, s.Role, list(s.Customers), s.held.text(), db.Micros(s.Made),
		db.Micros(s.Seen), db.Micros(s.Idles), db.Micros(s.Ends), s.Proof, db.Micros(s.Proven), s.Address, s.Client, s.version}
}

func scanSession(r row) (s Session, err error) {
	var customers, held string
	var made, seen, idles, ends, proven int64
	err = r.Scan(&s.ID, &s.hash, &s.Way, &s.Actor, &s.Subject, &s.Name, &s.Tenant, &s.Role, &customers, &held, &made, &seen, &idles, &ends, &s.Proof,
		&proven, &s.Address, &s.Client, &s.version, &s.mark)
	s.Customers, s.held = unlist(customers), readHeld(held)
	s.Made, s.Seen, s.Idles, s.Ends, s.Proven = db.Time(made), db.Time(seen), db.Time(idles), db.Time(ends), db.Time(proven)
	return s, err
}

func (c *Console) sessionRow(ctx context.Context, id string) (Session, error) {
	s, err := scanSession(c.d.DB.QueryRowContext(ctx, "SELECT "+sessionColumns+", mark FROM console_sessions WHERE id = $1", id))
	return s, failed(err)
}

func (c *Console) sessionRows(ctx context.Context) ([]Session, error) {
	return all(ctx, c.d.DB, scanSession, "SELECT "+sessionColumns+", mark FROM console_sessions ORDER BY seen DESC, id")
}

func (c *Console) countSessions(ctx context.Context) (n int, err error) {
	return n, failed(c.d.DB.QueryRowContext(ctx, "SELECT COUNT(*) FROM console_sessions").Scan(&n))
}

func (c *Console) insertSession(ctx context.Context, s *Session) error {
	mark, err := c.d.Vault.Mark(ctx, sessionBook, s.values()...)
	if err != nil {
		return err
	}
	_, err = c.d.DB.ExecContext(ctx, "INSERT INTO console_sessions ("+sessionColumns+
		", mark) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)", append(s.values(), mark)...)
	return failed(err)
}

// touchSession writes when a session was seen; 0 where another process was faster, or it
// is gone.
func (c *Console) touchSession(ctx context.Context, s *Session, was int64) (int64, error) {
	mark, err := c.d.Vault.Mark(ctx, sessionBook, s.values()...)
	if err != nil {
		return 0, err
	}
	return changed(c.d.DB.ExecContext(ctx, "UPDATE console_sessions SET seen = $2, idles = $3, version = $4, mark = $5 WHERE id = $1 AND version = $6",
		s.ID, db.Micros(s.Seen), db.Micros(s.Idles), s.version, mark, was))
}

func (c *Console) deleteSession(ctx context.Context, id string) (int64, error) {
	return changed(c.d.DB.ExecContext(ctx, "DELETE FROM console_sessions WHERE id = $1", id))
}

// sweep takes away what is over.
func (c *Console) sweep(ctx context.Context, now time.Time) error {
	for _, q := range []string{"DELETE FROM console_sessions WHERE ends <= $1 OR idles <= $1", "DELETE FROM console_links WHERE ends <= $1"} {
		if _, err := c.d.DB.ExecContext(ctx, q, db.Micros(now)); err != nil {
			return failed(err)
		}
	}
	return nil
}

const linkColumns = "id, hash, actor, made, ends"

func (l *link) values() []any {
	return []any{l.id, l.hash, l.actor, db.Micros(l.made), db.Micros(l.ends)}
}

func (c *Console) insertLink(ctx context.Context, l *link) error {
	mark, err := c.d.Vault.Mark(ctx, linkBook, l.values()...)
	if err != nil {
		return err
	}
	_, err = c.d.DB.ExecContext(ctx, "INSERT INTO console_links ("+linkColumns+", mark) VALUES ($1, $2, $3, $4, $5, $6)", append(l.values(), mark)...)
	return failed(err)
}

func (c *Console) linkRow(ctx context.Context, hash string) (l link, err error) {
	var made, ends int64
	err = c.d.DB.QueryRowContext(ctx, "SELECT "+linkColumns+", mark FROM console_links WHERE hash = $1", hash).
		Scan(&l.id, &l.hash, &l.actor, &made, &ends, &l.mark)
	l.made, l.ends = db.Time(made), db.Time(ends)
	return l, failed(err)
}

func (c *Console) deleteLink(ctx context.Context, id string) (int64, error) {
	return changed(c.d.DB.ExecContext(ctx, "DELETE FROM console_links WHERE id = $1", id))
}

const roleColumns = "id, tenant, kind, subject, name, role, customers, made, actor"

func (g *Grant) values() []any {
	return []any{g.ID, g.Tenant, g.Kind, g.Subject, g.Name, g.Role, list(g.Customers), db.Micros(g.Made), g.By}
}

func (c *Console) roleRows(ctx context.Context) ([]Grant, error) {
	return all(ctx, c.d.DB, func(r row) (g Grant, err error) {
		var customers string
		var made int64
		err = r.Scan(&g.ID, &g.Tenant, &g.Kind, &g.Subject, &g.Name, &g.Role, &customers, &made, &g.By, &g.mark)
		g.Customers, g.Made = unlist(customers), db.Time(made)
		return g, err
	}, "SELECT "+roleColumns+", mark FROM console_roles ORDER BY made, id")
}

func (c *Console) insertRole(ctx context.Context, g *Grant) error {
	mark, err := c.d.Vault.Mark(ctx, roleBook, g.values()...)
	if err != nil {
		return err
	}
	_, err = c.d.DB.ExecContext(ctx, "INSERT INTO console_roles ("+roleColumns+", mark) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
		append(g.values(), mark)...)
	return failed(err)
}

func (c *Console) deleteRole(ctx context.Context, id string) (int64, error) {
	return changed(c.d.DB.ExecContext(ctx, "DELETE FROM console_roles WHERE id = $1", id))
}

const tokenColumns = "id, name, hash, rights, customers, made, ends, actor"

func (t *Token) values() []any {
	return []any{t.ID, t.Name, t.hash, list(t.Rights), list(t.Customers), db.Micros(t.Made), db.Micros(t.Ends), t.By}
}

func scanToken(r row) (t Token, err error) {
	var rights, customers string
	var made, ends, used int64
	err = r.Scan(&t.ID, &t.Name, &t.hash, &rights, &customers, &made, &ends, &t.By, &used, &t.mark)
	t.Rights, t.Customers = unlist(rights), unlist(customers)
	t.Made, t.Ends, t.Used = db.Time(made), db.Time(ends), db.Time(used)
	return t, err
}

func (c *Console) tokenRow(ctx context.Context, hash string) (Token, error) {
	t, err := scanToken(c.d.DB.QueryRowContext(ctx, "SELECT "+tokenColumns+", used, mark FROM console_tokens WHERE hash = $1", hash))
	return t, failed(err)
}

func (c *Console) tokenRows(ctx context.Context) ([]Token, error) {
	return all(ctx, c.d.DB, scanToken, "SELECT "+tokenColumns+", used, mark FROM console_tokens ORDER BY made, id")
}

func (c *Console) insertToken(ctx context.Context, t *Token) error {
	mark, err := c.d.Vault.Mark(ctx, tokenBook, t.values()...)
	if err != nil {
		return err
	}
	_, err = c.d.DB.ExecContext(ctx, "INSERT INTO console_tokens ("+tokenColumns+", used, mark) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9)",
		append(t.values(), mark)...)
	return failed(err)
}

func (c *Console) touchToken(ctx context.Context, id string, now time.Time) error {
	_, err := c.d.DB.ExecContext(ctx, "UPDATE console_tokens SET used = $2 WHERE id = $1 AND used < $2", id, db.Micros(now))
	return failed(err)
}

func (c *Console) deleteToken(ctx context.Context, id string) (int64, error) {
	return changed(c.d.DB.ExecContext(ctx, "DELETE FROM console_tokens WHERE id = $1", id))
}
