package trail

import (
	"context"
	"strconv"

	"partnerguard/internal/db"
)

// reach reads pages so many at a time that a few megabytes come at once. A page may hold
// a thousand entries, and most hold one: what was recorded alone. The zero value is ready.
type reach struct{ n int }

const (
	reachBytes = verifyPages * pageBytes
	mostPages  = 1024
)

// pages are the next pages, none where there are no more: at least one, and at most about
// reachBytes of them.
func (r *reach) pages(ctx context.Context, q *db.DB, where string, args ...any) ([]page, error) {
	r.n = max(r.n, verifyPages)
	rows, err := q.QueryContext(ctx, readPages+where+" LIMIT "+strconv.Itoa(r.n), args...)
	if err != nil {
		return nil, unread(err)
	}
	defer rows.Close()
	var list []page
	size := 0
	for size < reachBytes && rows.Next() {
		var p page
		if err := rows.Scan(&p.first, &p.last, &p.earliest, &p.latest, &p.entries); err != nil {
			return nil, unread(err)
		}
		list, size = append(list, p), size+len(p.entries)
	}
	if err := rows.Err(); err != nil {
		return nil, unread(err)
	}
	if r.n = verifyPages; len(list) > 0 { // as many as would have been a quarter of it
		r.n = min(max(verifyPages, min(4*len(list), reachBytes/4/(size/len(list)+1))), mostPages)
	}
	return list, nil
}
