//go:build !judge

package doorbell

import (
	"context"
	"time"

	"partnerguard/internal/db"
)

// once remembers a ring, and says whether it is new.
func (b *Bell) once(ctx context.Context, hash string, at time.Time) (bool, error) {
	res, err := b.d.DB.ExecContext(ctx, "INSERT INTO fraud_rings (hash, at) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING", hash, db.Micros(at))
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// forget forgets rings that are too old to be taken again anyway.
func (b *Bell) forget(ctx context.Context, before time.Time) error {
	_, err := b.d.DB.ExecContext(ctx, "DELETE FROM fraud_rings WHERE at < $1", db.Micros(before))
	return err
}

func (b *Bell) count(ctx context.Context, what string, at time.Time) error {
	_, err := b.d.DB.ExecContext(ctx, `INSERT INTO fraud_ring_counts (what, n, last) VALUES ($1, 1, $2)
		ON CONFLICT (what) DO UPDATE SET n = fraud_ring_counts.n + 1, last = $2`, what, db.Micros(at))
	return err
}

// Count is how often something came, and when last.
type Count struct {
	What string    `json:"what"`
	N    int64     `json:"n"`
	Last time.Time `json:"last"`
}

// Counts are the rings: those that were taken, and those that were refused, by their reason.
func (b *Bell) Counts(ctx context.Context) (out []Count, err error) {
	rows, err := b.d.DB.QueryContext(ctx, "SELECT what, n, last FROM fraud_ring_counts ORDER BY what")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var c Count
		var last int64
		if err := rows.Scan(&c.What, &c.N, &last); err != nil {
			return nil, err
		}
		c.Last = db.Time(last)
		out = append(out, c)
	}
	return out, rows.Err()
}
