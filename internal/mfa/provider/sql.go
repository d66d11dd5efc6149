package provider

import (
	"context"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// KeyBook is the table of our signing keys, whose rows are marked.
var KeyBook = &vault.Book{Table: "mfa_keys", Version: 1, Key: []string{"id"},
	Columns: []string{"state", "certificate", "made", "signs", "ended", "withdrawn", "version"}}

// TenantBook is the table of the tenants that are served, whose rows are marked.
var TenantBook = &vault.Book{Table: "mfa_tenants", Version: 1, Key: []string{"id"},
	Columns: []string{"name", "cloud", "app", "client", "configuration", "added", "added_by", "ended", "version"}}

// Books are the tables whose rows are marked.
func Books() []*vault.Book { return []*vault.Book{KeyBook, TenantBook} }

type row interface{ Scan(...any) error }

const keyColumns = "id, state, certificate, made, signs, ended, withdrawn, version, mark"

func (k *Key) values() []any {
	return []any{k.ID, string(k.State), k.certificate, db.Micros(k.Made), db.Micros(k.Signs), db.Micros(k.Ended), db.Micros(k.Withdrawn), k.version}
}

func scanKey(r row) (k Key, err error) {
	var made, signs, ended, withdrawn int64
	err = r.Scan(&k.ID, &k.State, &k.certificate, &made, &signs, &ended, &withdrawn, &k.version, &k.mark)
	k.Made, k.Signs, k.Ended, k.Withdrawn = db.Time(made), db.Time(signs), db.Time(ended), db.Time(withdrawn)
	return k, err
}

// readKeys gives the newest keys, as they are in the database.
func (p *Provider) readKeys(ctx context.Context) ([]Key, error) {
	return all(ctx, p.d.DB, scanKey, "SELECT "+keyColumns+" FROM mfa_keys ORDER BY made DESC, id LIMIT $1", maxKeys)
}

func (p *Provider) insertKey(ctx context.Context, k *Key) error {
	mark, err := p.d.Vault.Mark(ctx, KeyBook, k.values()...)
	if err != nil {
		return err
	}
	return one(p.d.DB.ExecContext(ctx, "INSERT INTO mfa_keys ("+keyColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT DO NOTHING`, append(k.values(), mark)...))
}

func (p *Provider) updateKey(ctx context.Context, k *Key) error {
	was := k.version
	k.version++
	mark, err := p.d.Vault.Mark(ctx, KeyBook, k.values()...)
	if err != nil {
		return err
	}
	return one(p.d.DB.ExecContext(ctx, `UPDATE mfa_keys SET state = $2, certificate = $3, made = $4, signs = $5, ended = $6, withdrawn = $7,
		version = $8, mark = $9 WHERE id = $1 AND version = $10`, append(k.values(), mark, was)...))
}

const tenantColumns = "id, name, cloud, app, client, configuration, added, added_by, ended, version, mark"

func (t *Tenant) values() []any {
	return []any{t.ID, t.Name, t.Cloud, t.App, t.Client, t.Configuration, db.Micros(t.Added), t.AddedBy, db.Micros(t.Ended), t.version}
}

func scanTenant(r row) (t Tenant, err error) {
	var added, ended int64
	err = r.Scan(&t.ID, &t.Name, &t.Cloud, &t.App, &t.Client, &t.Configuration, &added, &t.AddedBy, &ended, &t.version, &t.mark)
	t.Added, t.Ended = db.Time(added), db.Time(ended)
	return t, err
}

func (p *Provider) readTenant(ctx context.Context, id string) ([]Tenant, error) {
	return all(ctx, p.d.DB, scanTenant, "SELECT "+tenantColumns+" FROM mfa_tenants WHERE id = $1", id)
}

func (p *Provider) readTenants(ctx context.Context) ([]Tenant, error) {
	return all(ctx, p.d.DB, scanTenant, "SELECT "+tenantColumns+" FROM mfa_tenants ORDER BY id LIMIT $1", maxTenants)
}

func (p *Provider) putTenant(ctx context.Context, t *Tenant) error {
	mark, err := p.d.Vault.Mark(ctx, TenantBook, t.values()...)
	if err != nil {
		return err
	}
	return one(p.d.DB.ExecContext(ctx, "INSERT INTO mfa_tenants ("+tenantColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (id) DO UPDATE SET name = $2, cloud = $3, app = $4, client = $5, configuration = $6, added = $7, added_by = $8, ended = $9,
		version = $10, mark = $11 WHERE mfa_tenants.version < $10`, append(t.values(), mark)...))
}

// first remembers a hint, and says whether it is new.
func (p *Provider) first(ctx context.Context, key string, until time.Time) (bool, error) {
	r, err := p.d.DB.ExecContext(ctx, "INSERT INTO mfa_hints (id, until) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING", key, db.Micros(until))
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n == 1, err
}

// forget removes hints that are of no use to anybody any more.
func (p *Provider) forget(ctx context.Context, before time.Time) error {
	_, err := p.d.DB.ExecContext(ctx, "DELETE FROM mfa_hints WHERE until < $1", db.Micros(before))
	if err == nil {
		_, err = p.d.DB.ExecContext(ctx, "DELETE FROM mfa_counts WHERE last < $1", db.Micros(before.Add(-countsKept)))
	}
	return err
}

// addCount adds to a day's count of what happened.
func (p *Provider) addCount(ctx context.Context, c Count) error {
	_, err := p.d.DB.ExecContext(ctx, `INSERT INTO mfa_counts (day, what, tenant, n, last) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (day, what, tenant) DO UPDATE SET n = mfa_counts.n + $4, last = $5`, c.Day, c.What, c.Tenant, c.N, db.Micros(c.Last))
	return err
}

func (p *Provider) readCounts(ctx context.Context, since string) ([]Count, error) {
	return all(ctx, p.d.DB, func(r row) (c Count, err error) {
		var last int64
		err = r.Scan(&c.Day, &c.What, &c.Tenant, &c.N, &last)
		c.Last = db.Time(last)
		return c, err
	}, "SELECT day, what, tenant, n, last FROM mfa_counts WHERE day >= $1 ORDER BY day DESC, what, tenant LIMIT $2", since, maxCounts)
}

// all reads every row of a query.
func all[T any](ctx context.Context, d *db.DB, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := d.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// one says problem.Conflict when no row was written: another process was faster.
func one(r interface{ RowsAffected() (int64, error) }, err error) error {
	if err != nil {
		return err
	}
	n, err := r.RowsAffected()
	if err == nil && n == 0 {
		err = problem.New(problem.Conflict, "another process changed it at the same moment").WithHint("try once more")
	}
	return err
}
