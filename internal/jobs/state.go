package jobs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"partnerguard/internal/db"
)

// Look counts the jobs of a database that are not done, by kind, without a queue of
// one's own: none where no queue was ever opened.
func Look(ctx context.Context, d *db.DB) (map[string]State, error) {
	has, err := d.HasTable(ctx, "river_job")
	if err != nil || !has {
		return nil, err
	}
	return states(ctx, d)
}

func states(ctx context.Context, d *db.DB) (map[string]State, error) {
	rows, err := d.QueryContext(ctx, countStates)
	if err != nil {
		return nil, fmt.Errorf("count the jobs: %w", err)
	}
	defer rows.Close()
	all := map[string]State{}
	for rows.Next() {
		var kind, state string
		var n int
		if err := rows.Scan(&kind, &state, &n); err != nil {
			return nil, err
		}
		kind = known(kind)
		s := all[kind]
		s.Kind = kind
		switch state {
		case "running":
			s.Running += n
		case "discarded":
			s.Dead += n
		case "cancelled":
			s.GivenUp += n
		default:
			s.Waiting += n
		}
		all[kind] = s
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if err := rows.Close(); err != nil {
		return nil, err
	}
	return all, oldestOf(ctx, d, all)
}

func oldestOf(ctx context.Context, d *db.DB, all map[string]State) error {
	query := oldest
	if d.Dialect == db.Postgres {
		query = oldestPostgres
	}
	rows, err := d.QueryContext(ctx, query)
	if err != nil {
		return fmt.Errorf("look for the oldest jobs: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var kind string
		var most float64
		if err := rows.Scan(&kind, &most); err != nil {
			return err
		}
		kind = known(kind)
		s := all[kind]
		s.Kind = kind
		s.Oldest = max(s.Oldest, time.Duration(most*float64(time.Second)), 0)
		all[kind] = s
	}
	return rows.Err()
}

// known is a kind as the program forms them: nothing else becomes a label.
func known(kind string) string {
	if kindForm.MatchString(kind) {
		return kind
	}
	return "other"
}

// Sorted are states by kind.
func Sorted(all map[string]State) []State {
	list := make([]State, 0, len(all))
	for _, kind := range slices.Sorted(maps.Keys(all)) {
		list = append(list, all[kind])
	}
	return list
}
