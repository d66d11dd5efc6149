package vault

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/problem"
)

// stored is the keyset as the database or a backup has it.
type stored struct {
	Vault      string
	Generation int64
	Slot       Slot
	Keyset     []byte
	Created    time.Time
	Changed    time.Time
	Legacy     bool // from before rows were marked; not in the database, but in how the keyset is sealed
}

// Limits of what is read of the keyset.
const (
	maxParams = 4 << 10
	maxKeyset = 64 << 10
)

// readKeyset reads the keyset; sql.ErrNoRows when there is none.
func readKeyset(ctx context.Context, q querier) (stored, error) {
	var s stored
	var created, changed int64
	err := q.QueryRowContext(ctx, `SELECT vault, generation, master_kind, master_id, master_params, wrapped, keyset, created, changed
		FROM vault_keyset WHERE id = 1 AND length(master_params) <= $1 AND length(wrapped) <= $2 AND length(keyset) <= $2
		AND length(vault) + length(master_kind) + length(master_id) <= $1`, maxParams, maxKeyset).
		Scan(&s.Vault, &s.Generation, &s.Slot.Kind, &s.Slot.ID, &s.Slot.Params, &s.Slot.Wrapped, &s.Keyset, &created, &changed)
	s.Created, s.Changed = db.Time(created), db.Time(changed)
	return s, err
}

// readGeneration reads the generation and, where the database has such locks,
// keeps the keys as they are until the transaction ends; SQLite has one writer.
func readGeneration(ctx context.Context, q querier, dialect db.Dialect) (int64, error) {
	text := `SELECT generation FROM vault_keyset WHERE id = 1`
	if dialect == db.Postgres {
		text += ` FOR SHARE`
	}
	var g int64
	err := q.QueryRowContext(ctx, text).Scan(&g)
	return g, err
}

// insertKeyset keeps a first keyset, unless there is one.
func insertKeyset(ctx context.Context, q querier, s stored) (bool, error) {
	return changedOne(q.ExecContext(ctx, `INSERT INTO vault_keyset
		(id, vault, generation, master_kind, master_id, master_params, wrapped, keyset, created, changed)
		VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING`,
		s.Vault, s.Generation, s.Slot.Kind, s.Slot.ID, s.Slot.Params, s.Slot.Wrapped, s.Keyset, db.Micros(s.Created), db.Micros(s.Changed)))
}

// swapKeyset puts next in the place of old, unless another was faster.
func swapKeyset(ctx context.Context, q querier, old, next stored) (bool, error) {
	return changedOne(q.ExecContext(ctx, `UPDATE vault_keyset SET vault = $1, generation = $2, master_kind = $3, master_id = $4,
		master_params = $5, wrapped = $6, keyset = $7, created = $8, changed = $9
		WHERE id = 1 AND generation = $10 AND wrapped = $11 AND keyset = $12`,
		next.Vault, next.Generation, next.Slot.Kind, next.Slot.ID, next.Slot.Params, next.Slot.Wrapped, next.Keyset,
		db.Micros(next.Created), db.Micros(next.Changed), old.Generation, old.Slot.Wrapped, old.Keyset))
}

func putRow(ctx context.Context, q querier, r Ref, sealed []byte, now time.Time) error {
	res, err := q.ExecContext(ctx, `INSERT INTO vault_rows (purpose, owner, name, sealed, changed) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (purpose, owner, name) DO UPDATE SET sealed = excluded.sealed, changed = excluded.changed`,
		r.Purpose, r.Owner, r.Name, sealed, db.Micros(now))
	if err != nil {
		return dbFailed(err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(dbFailed(err), problem.New(problem.Internal, "the database did not keep the sealed secret %s", r))
	}
	return nil
}

// getRow reads a sealed row, no more of it than a row may have: what is longer
// comes cut and does not open.
func getRow(ctx context.Context, q querier, r Ref) ([]byte, error) {
	var sealed []byte
	err := q.QueryRowContext(ctx, `SELECT substr(sealed, 1, $4) FROM vault_rows WHERE purpose = $1 AND owner = $2 AND name = $3`,
		r.Purpose, r.Owner, r.Name, maxSealed+1).Scan(&sealed)
	return sealed, err
}

func deleteRow(ctx context.Context, q querier, r Ref) error {
	_, err := q.ExecContext(ctx, `DELETE FROM vault_rows WHERE purpose = $1 AND owner = $2 AND name = $3`, r.Purpose, r.Owner, r.Name)
	return err
}

// swapRow puts sealed in the place of old, unless a newer secret stands there.
func swapRow(ctx context.Context, q querier, r Ref, old, sealed []byte) (bool, error) {
	return changedOne(q.ExecContext(ctx, `UPDATE vault_rows SET sealed = $1 WHERE purpose = $2 AND owner = $3 AND name = $4 AND sealed = $5`,
		sealed, r.Purpose, r.Owner, r.Name, old))
}

// row is one sealed row.
type row struct {
	Ref
	sealed  []byte
	changed int64
}

// page reads up to n rows after the row named after, in order. With not, only
// rows that do not begin so, their version aside.
func page(ctx context.Context, q querier, after *Ref, not []byte, n int) ([]row, error) {
	from, more := Ref{}, 0
	if after != nil {
		from, more = *after, 1
	}
	if not == nil {
		not = []byte{0}
	}
	rows, err := q.QueryContext(ctx, `SELECT purpose, owner, name, substr(sealed, 1, $1), changed FROM vault_rows
		WHERE ($2 = 0 OR (purpose, owner, name) > ($3, $4, $5)) AND ($6 = 0 OR substr(sealed, 2, $6) <> $7)
		ORDER BY purpose, owner, name LIMIT $8`,
		maxSealed+1, more, from.Purpose, from.Owner, from.Name, len(not)-1, not[1:], n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []row
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.Purpose, &r.Owner, &r.Name, &r.sealed, &r.changed); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// countRows counts all rows, or those that begin so, their version aside.
func countRows(ctx context.Context, q querier, begin []byte) (int64, error) {
	if begin == nil {
		begin = []byte{0}
	}
	var n int64
	err := q.QueryRowContext(ctx, `SELECT count(*) FROM vault_rows WHERE $1 = 0 OR substr(sealed, 2, $1) = $2`, len(begin)-1, begin[1:]).Scan(&n)
	return n, err
}

// marked is one row of a book: its key's values, then its columns', and its mark.
type marked struct {
	values []any
	mark   []byte
}

// bookPage reads up to n rows of a book after those with the key after, in order.
func bookPage(ctx context.Context, q querier, b *Book, after []any, n int) ([]marked, error) {
	keys := strings.Join(b.Key, ", ")
	text := "SELECT " + keys + ", " + strings.Join(b.Columns, ", ") + ", mark FROM " + b.Table
	var args []any
	if after != nil {
		text += " WHERE (" + keys + ") > (" + places(1, len(b.Key)) + ")"
		args = append(args, after...)
	}
	rows, err := q.QueryContext(ctx, text+" ORDER BY "+keys+" LIMIT "+strconv.Itoa(n), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []marked
	for rows.Next() {
		m := marked{values: make([]any, len(b.Key)+len(b.Columns))}
		to := make([]any, 0, len(m.values)+1)
		for i := range m.values {
			to = append(to, &m.values[i])
		}
		if err := rows.Scan(append(to, &m.mark)...); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, rows.Err()
}

// swapMark puts a mark in the place of old, unless the row was written meanwhile.
func swapMark(ctx context.Context, q querier, b *Book, m marked, mark []byte) (bool, error) {
	args := append([]any{mark}, m.values[:len(b.Key)]...)
	text := "UPDATE " + b.Table + " SET mark = $1 WHERE (" + strings.Join(b.Key, ", ") + ") = (" + places(2, len(b.Key)) + ")"
	if len(m.mark) == 0 { // which a driver may send as NULL, that equals nothing
		text += " AND length(mark) = 0"
	} else {
		text += " AND mark = $" + strconv.Itoa(len(args)+1)
		args = append(args, m.mark)
	}
	return changedOne(q.ExecContext(ctx, text, args...))
}

// countMarks counts the rows of a book that are marked under a key.
func countMarks(ctx context.Context, q querier, b *Book, id uint32) (int64, error) {
	var n int64
	err := q.QueryRowContext(ctx, "SELECT count(*) FROM "+b.Table+" WHERE substr(mark, 1, $1) = $2", markPrefix, markBegins(id)).Scan(&n)
	return n, err
}

// places is "$from, …", n of them.
func places(from, n int) string {
	var out []string
	for i := range n {
		out = append(out, "$"+strconv.Itoa(from+i))
	}
	return strings.Join(out, ", ")
}

func changedOne(r sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n == 1, err
}

// dbFailed hides what a driver says. Errors of ours pass, and so does what
// makes a transaction run again.
func dbFailed(err error) error {
	if err == nil {
		return nil
	}
	if _, ours := errors.AsType[*problem.Error](err); ours {
		return err
	}
	return problem.Wrap(err, problem.Internal, "the vault's database did not do what it was asked")
}

// Names lists what an owner has sealed for a purpose, at most 1,000.
func (v *Vault) Names(ctx context.Context, purpose, owner string) ([]string, error) {
	rows, err := v.q().QueryContext(ctx, `SELECT name FROM vault_rows WHERE purpose = $1 AND owner = $2 LIMIT 1000`, purpose, owner)
	if err != nil {
		return nil, dbFailed(err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, dbFailed(err)
		}
		list = append(list, name)
	}
	return list, dbFailed(rows.Err())
}

// Tables are those of the vault.
func Tables() []string { return []string{KeysetTable, "vault_rows"} }

// KeysetTable has the sealed keys, whether or not they sealed anything yet.
const KeysetTable = "vault_keyset"

// The statements.
const (
	countByPurpose = `SELECT purpose, count(*) FROM vault_rows GROUP BY purpose ORDER BY purpose LIMIT 1000`
	dropKeyset     = `DELETE FROM vault_keyset`
	dropRows       = `DELETE FROM vault_rows`
	restoreRow     = `INSERT INTO vault_rows (purpose, owner, name, sealed, changed) VALUES ($1, $2, $3, $4, $5)`
	emptyJournal   = `PRAGMA wal_checkpoint(TRUNCATE)`
	hasKeyset      = `SELECT count(*) > 0 FROM vault_keyset`
)
