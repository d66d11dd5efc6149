package signins

import (
	"context"
	"slices"
	"sync"
	"time"

	"partnerguard/internal/problem"
)

// reader reads hours out of the archive, one at a time, and remembers the last of them.
type reader struct {
	between func(ctx context.Context, tenant string, from, to time.Time, limit int) ([]Row, bool, error)

	turn sync.Mutex // whoever holds it reads
	mu   sync.Mutex // guards kept
	kept []hourRead // oldest first
}

type hourRead struct {
	version, tenant string
	at              time.Time
	rows            []Row
	more            bool
}

// maxHours bounds the hours that are remembered; maxRead how long one reading may take.
const (
	maxHours = 24
	maxRead  = 30 * time.Second
)

// hour gives the rows of an hour, those that the version of the part does not have too.
func (r *reader) hour(ctx context.Context, version, tenant string, at time.Time) ([]Row, bool, error) {
	if h, ok := r.find(version, tenant, at); ok {
		return h.rows, h.more, nil
	}
	ctx, cancel := context.WithTimeout(ctx, maxRead)
	defer cancel()
	r.turn.Lock()
	defer r.turn.Unlock()
	if h, ok := r.find(version, tenant, at); ok { // whoever had the turn before read it
		return h.rows, h.more, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, false, problem.Wrap(err, problem.Unavailable, "others read the archive at this moment").WithHint("ask again")
	}
	rows, more, err := r.between(ctx, tenant, at, at.Add(time.Hour), maxHour)
	if err != nil {
		if ctx.Err() != nil {
			err = problem.Wrap(err, problem.Unavailable, "the archive was not read in %s", maxRead).
				WithHint("partnerguard signins --from archive: has no such limit")
		}
		return nil, false, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept = append(r.kept, hourRead{version, tenant, at, rows, more})
	if n := len(r.kept) - maxHours; n > 0 {
		r.kept = slices.Delete(r.kept, 0, n)
	}
	return rows, more, nil
}

func (r *reader) find(version, tenant string, at time.Time) (hourRead, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.kept {
		if h.version == version && h.tenant == tenant && h.at.Equal(at) {
			return h, true
		}
	}
	return hourRead{}, false
}
