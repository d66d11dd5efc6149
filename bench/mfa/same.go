package main

import (
	"context"
	"fmt"
	"strings"
)

// counts are how often each kind of statement ran, by its verb and table.
type counts map[string]int64

// counted says what ran on the server while do ran.
func counted(ctx context.Context, h *house, do func() error) (counts, error) {
	if _, err := h.DB.ExecContext(ctx, "SELECT pg_stat_statements_reset()"); err != nil {
		return nil, err
	}
	if err := do(); err != nil {
		return nil, err
	}
	rows, err := h.DB.QueryContext(ctx, "SELECT query, calls FROM pg_stat_statements "+
		"WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := counts{}
	for rows.Next() {
		var q string
		var n int64
		if err := rows.Scan(&q, &n); err != nil {
			return nil, err
		}
		if w := strings.Fields(strings.ToLower(q)); len(w) > 0 && !strings.Contains(q, "pg_stat") {
			out[w[0]] += n
			if w[0] == "update" || w[0] == "insert" {
				for _, t := range []string{"mfa_people", "mfa_factors", "mfa_tries", "trail_head", "trail_pages"} {
					if strings.Contains(q, t) {
						out[t] += n
					}
				}
			}
		}
	}
	return out, rows.Err()
}

// same proves that both sides write the same: as many changes of each table, and as many
// commits.
func (b *bare) same(ctx context.Context, h *house, o options) error {
	if _, err := h.DB.ExecContext(ctx, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements"); err != nil {
		fmt.Printf("codes: whether both sides do the same is NOT KNOWN: %v\n", err)
		return nil
	}
	n := min(100, o.accounts)
	list := h.each(n)
	ours, err := counted(ctx, h, func() error {
		_, err := many(1, n, func(i int) error { return list[i].right(ctx, h) })
		return err
	})
	if err != nil {
		return err
	}
	bare, err := counted(ctx, h, func() error {
		_, err := many(1, n, func(i int) error { return b.one(ctx, i) })
		return err
	})
	if err != nil {
		return err
	}
	for _, k := range []string{"mfa_people", "mfa_factors", "mfa_tries", "trail_head", "trail_pages", "commit"} {
		if ours[k] != bare[k] || ours[k] == 0 {
			return fmt.Errorf("%s: %d of ours and %d bare, of %d answers: they do not do the same", k, ours[k], bare[k], n)
		}
	}
	fmt.Printf("codes: both sides change as many rows of each table and commit as often; statements an answer: %.1f, bare %.1f\n",
		float64(ours.all())/float64(n), float64(bare.all())/float64(n))
	return nil
}

func (c counts) all() (n int64) {
	for _, verb := range []string{"select", "insert", "update", "delete", "begin", "commit"} {
		n += c[verb]
	}
	return n
}
