package notify

import (
	"context"
	"time"

	"partnerguard/internal/db"
)

// Told keeps what was told. Safe for concurrent use, by several processes too.
type Told struct{ d *db.DB }

// NewTold keeps it in a database whose schema is current.
func NewTold(d *db.DB) *Told { return &Told{d} }

// Once says whether key is new, and remembers it as told at a moment: within the
// transaction that ctx carries, and with it or not at all.
func (t *Told) Once(ctx context.Context, key string, at time.Time) (bool, error) {
	res, err := t.d.ExecContext(ctx, put, key, db.Micros(at))
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// Forget forgets what was told before a moment.
func (t *Told) Forget(ctx context.Context, before time.Time) error {
	_, err := t.d.ExecContext(ctx, forget, db.Micros(before))
	return err
}
