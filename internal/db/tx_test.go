package db_test

import (
	"context"
	"errors"
	"testing"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
)

// TestInTx: what a context carries is joined, by this database alone.
func TestInTx(t *testing.T) {
	t.Parallel()
	other := dbtest.SQLite(t)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		put := func(ctx context.Context, d *db.DB, name string) {
			t.Helper()
			if _, err := d.ExecContext(ctx, "INSERT INTO settings (name, value) VALUES ($1, 'x')", name); err != nil {
				t.Fatal(err)
			}
		}
		count := func(ctx context.Context, d *db.DB, name string) (n int) {
			t.Helper()
			rows, err := d.QueryContext(ctx, "SELECT count(*) FROM settings WHERE name = $1", name)
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			for rows.Next() {
				if err := rows.Scan(&n); err != nil {
					t.Fatal(err)
				}
			}
			return n
		}
		stop, begun := errors.New("stop"), 0
		var left context.Context
		err := d.InTx(t.Context(), func(ctx context.Context) error {
			left = ctx
			put(ctx, d, "outer")
			if err := d.InTx(ctx, func(in context.Context) error {
				begun++
				put(in, d, "inner")
				if d.Tx(in) == nil || d.Tx(in) != d.Tx(ctx) {
					t.Error("the inner one is another transaction")
				}
				return nil
			}); err != nil {
				return err
			}
			if other.Tx(ctx) != nil {
				t.Error("another database takes the transaction for its own")
			}
			put(ctx, other, "other-"+string(d.Dialect))
			if d.Tx(d.Apart(ctx)) != nil {
				t.Error("apart, and within")
			}
			if n := count(d.Apart(ctx), d, "outer"); n != 0 {
				t.Error("what is not committed is seen from outside")
			}
			if n := count(ctx, d, "inner"); n != 1 {
				t.Errorf("%d rows within", n)
			}
			return stop
		})
		if !errors.Is(err, stop) || begun != 1 {
			t.Fatal(err, begun)
		}
		if count(t.Context(), d, "outer")+count(t.Context(), d, "inner") != 0 || count(t.Context(), other, "other-"+string(d.Dialect)) != 1 {
			t.Error("undone, and not all of it and nothing else is gone")
		}
		if _, err := d.ExecContext(left, "INSERT INTO settings (name, value) VALUES ('late', 'x')"); err == nil || count(t.Context(), d, "late") != 0 {
			t.Error("a context that left its transaction still writes")
		}
	})
}
