package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// Dead is a job that is tried no more: it failed for the last time, or was given up.
type Dead struct {
	ID      int64           `json:"id"`
	Kind    string          `json:"kind"`
	Args    json.RawMessage `json:"args"`
	Tries   int             `json:"tries"`
	Since   time.Time       `json:"since,omitzero"`
	Words   string          `json:"words"` // of the last failure
	GivenUp bool            `json:"givenUp,omitempty"`
}

// maxDead bounds what is listed or revived at once.
const maxDead = 1000

// Dead lists the jobs of a kind that are tried no more, or of all with "", the newest
// first, at most 1,000. The queue forgets them after a week.
func (q *Queue) Dead(ctx context.Context, kind string) ([]Dead, error) {
	p := river.NewJobListParams().States(rivertype.JobStateDiscarded, rivertype.JobStateCancelled).First(maxDead).
		OrderBy(river.JobListOrderByID, river.SortOrderDesc)
	if kind != "" {
		p = p.Kinds(kind)
	}
	res, err := q.adder.JobList(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("list the dead jobs: %w", err)
	}
	out := []Dead{}
	for _, j := range res.Jobs {
		d := Dead{ID: j.ID, Kind: j.Kind, Args: json.RawMessage(j.EncodedArgs), Tries: j.Attempt, GivenUp: j.State == rivertype.JobStateCancelled}
		if j.FinalizedAt != nil {
			d.Since = j.FinalizedAt.UTC()
		}
		if n := len(j.Errors); n > 0 {
			d.Words = j.Errors[n-1].Error
		}
		out = append(out, d)
	}
	return out, nil
}

// Revive has dead jobs tried again, now, and says how many: one that is no more, or
// that another of its kind and arguments has taken the place of, is passed over.
func (q *Queue) Revive(ctx context.Context, ids ...int64) (n int, err error) {
	for _, id := range ids {
		j, err := q.adder.JobGet(ctx, id)
		if errors.Is(err, rivertype.ErrNotFound) {
			continue
		}
		if err != nil {
			return n, fmt.Errorf("look at job %d: %w", id, err)
		}
		if j.State != rivertype.JobStateDiscarded && j.State != rivertype.JobStateCancelled {
			continue
		}
		if len(j.UniqueKey) > 0 { // the same is waiting: a second one may not be
			added, err := q.Add(ctx, j.Kind, json.RawMessage(j.EncodedArgs), Add{Unique: true, Last: j.Priority > river.PriorityDefault, Bulk: j.Queue == bulk})
			if err != nil {
				return n, err
			}
			if _, err := q.adder.JobDelete(ctx, id); err != nil && !errors.Is(err, rivertype.ErrNotFound) {
				return n, fmt.Errorf("take away job %d: %w", id, err)
			}
			if added {
				n++
			}
			continue
		}
		if _, err := q.adder.JobRetry(ctx, id); err != nil && !errors.Is(err, rivertype.ErrNotFound) {
			return n, fmt.Errorf("revive job %d: %w", id, err)
		}
		n++
	}
	return n, nil
}
