//go:build !judge

package collect

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/evidence"
	"partnerguard/internal/jobs"
)

// Standing is how the readings of one tenant stand, in a few numbers: enough for a list of
// thousands.
type Standing struct {
	Tenant  Tenant    `json:"tenant"`
	Lists   int       `json:"lists"`           // that are to be read
	Read    int       `json:"read"`            // that were, once at least
	Refused int       `json:"refused"`         // by a missing licence, permission, role or consent
	Failing int       `json:"failing"`         // that are tried again
	Oldest  time.Time `json:"oldest,omitzero"` // of the lists that were read and are not refused
	Open    int       `json:"openGaps"`        // in the ledger
	Lost    int       `json:"lostGaps"`        // of these, what can no longer be had
	Reading bool      `json:"reading"`         // by the word of whoever is at it
}

// Standings tell how all tenants stand, in the order of [Store.Tenants], by four
// statements however many there are.
func (c *Collector) Standings(ctx context.Context) ([]Standing, error) {
	all, err := c.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	at := map[string]*Standing{}
	out := make([]Standing, len(all))
	lists := map[bool]int{}
	for _, r := range c.plan {
		for _, partner := range []bool{true, false} {
			if r.Scope.Covers(partner) {
				lists[partner]++
			}
		}
	}
	for i, t := range all {
		out[i] = Standing{Tenant: t, Lists: lists[t.Partner]}
		at[t.ID] = &out[i]
	}
	for _, sum := range []func(context.Context, map[string]*Standing) error{c.sumCursors, c.sumGaps, c.readers} {
		if err := sum(ctx, at); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Store) sumCursors(ctx context.Context, at map[string]*Standing) error {
	rows, err := s.db.QueryContext(ctx, sumCursors)
	if err != nil {
		return fmt.Errorf("read how the tenants stand: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var x Standing
		var oldest sql.NullInt64
		if err := rows.Scan(&id, &x.Read, &x.Refused, &x.Failing, &oldest); err != nil {
			return err
		}
		if st := at[id]; st != nil { // one that is no customer any more is in nobody's list
			st.Read, st.Refused, st.Failing, st.Oldest = x.Read, x.Refused, x.Failing, db.Time(oldest.Int64)
		}
	}
	return rows.Err()
}

func (s *Store) sumGaps(ctx context.Context, at map[string]*Standing) error {
	rows, err := s.db.QueryContext(ctx, sumGaps)
	if err != nil {
		return fmt.Errorf("count the gaps: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var open, lost int
		if err := rows.Scan(&id, &open, &lost); err != nil {
			return err
		}
		if st := at[id]; st != nil {
			st.Open, st.Lost = open, lost
		}
	}
	return rows.Err()
}

func (s *Store) readers(ctx context.Context, at map[string]*Standing) error {
	rows, err := s.db.QueryContext(ctx, leasesTaken)
	if err != nil {
		return fmt.Errorf("read who is at the tenants: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, owner string
		if err := rows.Scan(&id, &owner); err != nil {
			return err
		}
		if st := at[id]; st != nil {
			st.Reading = !dead(owner)
		}
	}
	return rows.Err()
}

// Hasten makes everything of a tenant due, and has it read by a job, begun by the next
// worker that is free. It says whether the job was added: false means that one waits or
// runs already. What is due while a round runs is read by the next.
func (c *Collector) Hasten(ctx context.Context, q *jobs.Queue, tenant string) (added bool, err error) {
	t, err := c.Tenant(ctx, tenant)
	if err != nil {
		return false, err
	}
	err = c.db.InTx(ctx, func(ctx context.Context) error {
		if _, err := c.db.ExecContext(ctx, dueNow, t.ID); err != nil {
			return fmt.Errorf("have a tenant read: %w", err)
		}
		added, err = q.Add(ctx, jobRound, tenantArgs{t.ID}, jobs.Add{Unique: true})
		return err
	})
	return added, err
}

// Healed is a gap that was read after all.
type Healed struct {
	evidence.Gap
	Closed time.Time `json:"closed"`
}

// Healed are the gaps of a tenant that were closed since a moment, the newest first, at
// most 200. What was new and then read was no gap.
func (s *Store) Healed(ctx context.Context, tenant string, since time.Time) ([]Healed, error) {
	rows, err := scanGaps(s.db.QueryContext(ctx, healedGaps, tenant, db.Micros(since), string(evidence.GapNever)))
	out := make([]Healed, 0, len(rows))
	for i := range rows {
		r, known := s.resource(rows[i].Resource)
		if known {
			rows[i].Kind = r.Kind
		}
		out = append(out, Healed{rows[i].Gap, rows[i].closed})
	}
	return out, err
}

// Recent remembers the standings of all tenants for pages that are looked at often: they
// are read again after a while by one request, and the others go on with what there is.
// The zero value but for its Collector is ready. Safe for concurrent use; what it gives is
// shared, and never changed.
type Recent struct {
	*Collector

	mu   sync.Mutex // guards the rest
	at   time.Time  // when they were read; monotonic
	list []Standing
	busy bool
}

// How old what is remembered may be: after recentFor it is read again beside, and after
// recentMost nobody is answered with it.
const (
	recentFor  = 5 * time.Second
	recentMost = time.Minute
)

// Standings are those of [Collector.Standings], at most a minute old.
func (r *Recent) Standings(ctx context.Context) ([]Standing, error) {
	r.mu.Lock()
	list, age := r.list, time.Since(r.at)
	again := list != nil && age > recentFor && age <= recentMost && !r.busy
	r.busy = r.busy || again
	r.mu.Unlock()
	if again {
		ctx := context.WithoutCancel(ctx)
		go func() {
			ctx, stop := context.WithTimeout(ctx, time.Minute)
			defer stop()
			_, _ = r.read(ctx) // else the next request reads it
		}()
	}
	if list != nil && age <= recentMost {
		return list, nil
	}
	return r.read(ctx)
}

func (r *Recent) read(ctx context.Context) ([]Standing, error) {
	at := time.Now()
	list, err := r.Collector.Standings(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.busy = false
	if err == nil && at.After(r.at) {
		r.at, r.list = at, list
	}
	return list, err
}
