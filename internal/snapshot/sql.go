package snapshot

import (
	"context"
	"database/sql"
	"errors"

	"partnerguard/internal/db"
	"partnerguard/internal/problem"
)

type row struct {
	Mark
	size int64
	body []byte
}

const markColumns = "tenant, part, as_of, made, segment, version"

func scanMark(scan func(...any) error, more ...any) (m Mark, err error) {
	var at, made int64
	err = scan(append([]any{&m.Tenant, &m.Part, &at, &made, &m.Position, &m.Version}, more...)...)
	m.At, m.Made = db.Time(at), db.Time(made)
	return m, err
}

// put writes a part, unless one that was judged as of later is there.
func (s *Store) put(ctx context.Context, r *row) error {
	_, err := s.d.DB.ExecContext(ctx, `INSERT INTO snapshot_parts (`+markColumns+`, size, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (tenant, part) DO UPDATE SET as_of = excluded.as_of, made = excluded.made, segment = excluded.segment, version = excluded.version,
size = excluded.size, body = excluded.body WHERE snapshot_parts.as_of <= excluded.as_of`,
		r.Tenant, r.Part, db.Micros(r.At), db.Micros(r.Made), r.Position, r.Version, r.size, r.body)
	return err
}

func (s *Store) drop(ctx context.Context, tenant string) error {
	_, err := s.d.DB.ExecContext(ctx, "DELETE FROM snapshot_parts WHERE tenant = $1", tenant)
	return err
}

func (s *Store) mark(ctx context.Context, tenant, part string) (Mark, error) {
	m, err := scanMark(s.d.DB.QueryRowContext(ctx, "SELECT "+markColumns+" FROM snapshot_parts WHERE tenant = $1 AND part = $2", tenant, part).Scan)
	return m, found(err, tenant)
}

func (s *Store) read(ctx context.Context, tenant, part string) (r row, err error) {
	r.Mark, err = scanMark(s.d.DB.QueryRowContext(ctx, "SELECT "+markColumns+", size, body FROM snapshot_parts WHERE tenant = $1 AND part = $2",
		tenant, part).Scan, &r.size, &r.body)
	return r, found(err, tenant)
}

func found(err error, tenant string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return problem.New(problem.NotFound, "%s was not judged yet", tenant).WithHint("partnerguard collect --now reads and judges it")
	}
	return err
}

func (s *Store) marks(ctx context.Context, part string) (out []Mark, err error) {
	rows, err := s.d.DB.QueryContext(ctx, "SELECT "+markColumns+" FROM snapshot_parts WHERE part = $1 ORDER BY tenant", part)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		m, err := scanMark(rows.Scan)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, rows.Err()
}
