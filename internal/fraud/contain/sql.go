//go:build !judge

package contain

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// Whoever writes such a row has this program stop things and lock people out.
var (
	planBook     = &vault.Book{Table: "contain_plans", Version: 1, Key: []string{"id"}, Columns: []string{"body", "made", "actor"}}
	runBook      = &vault.Book{Table: "contain_runs", Version: 1, Key: []string{"id"}, Columns: []string{"subscription", "state", "body", "version"}}
	stepBook     = &vault.Book{Table: "contain_steps", Version: 1, Key: []string{"run", "seq"}, Columns: []string{"state", "step", "body", "version"}}
	approvalBook = &vault.Book{Table: "contain_approvals", Version: 1, Key: []string{"run"}, Columns: []string{"hash", "actor", "approved"}}
)

// Books are the tables whose rows are marked.
func Books() []*vault.Book { return []*vault.Book{planBook, runBook, stepBook, approvalBook} }

// errStale says that another process changed a row in between, or took its lease.
var errStale = errors.New("changed by another")

func failed(err error) error {
	if err == nil || errors.Is(err, sql.ErrNoRows) || errors.Is(err, errStale) {
		return err
	}
	if _, ok := errors.AsType[*problem.Error](err); ok || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return problem.Wrap(err, problem.Unavailable, "the plans of containment cannot be read: the database does not answer").WithAfter(5 * time.Second)
}

// one says errStale when no row was written.
func one(r sql.Result, err error) error {
	if err != nil {
		return failed(err)
	}
	if n, err := r.RowsAffected(); err != nil {
		return failed(err)
	} else if n == 0 {
		return errStale
	}
	return nil
}

type row interface{ Scan(...any) error }

// all reads a list.
func all[T any](ctx context.Context, d *db.DB, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := d.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, failed(err)
	}
	defer rows.Close()
	out := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, failed(err)
		}
		out = append(out, v)
	}
	return out, failed(rows.Err())
}

func (c *Containment) insertPlan(ctx context.Context, id, body string, made time.Time, actor string) error {
	mark, err := c.d.Marks.Mark(ctx, planBook, id, body, db.Micros(made), actor)
	if err != nil {
		return err
	}
	return one(c.d.DB.ExecContext(ctx, "INSERT INTO contain_plans (id, body, made, actor, mark) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING",
		id, body, db.Micros(made), actor, mark))
}

// madePlan reads a plan as it was made, and holds it to its mark.
func (c *Containment) madePlan(ctx context.Context, id string) (p Plan, err error) {
	var body, actor, key string
	var made int64
	var mark []byte
	err = c.d.DB.QueryRowContext(ctx, "SELECT id, body, made, actor, mark FROM contain_plans WHERE id = $1", id).Scan(&key, &body, &made, &actor, &mark)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return p, problem.New(problem.NotFound, "the plan %.40q was not made here", id).WithHint(againWords)
	case err != nil:
		return p, failed(err)
	case key != id:
		return p, vault.Other(planBook, id)
	}
	if err := c.d.Marks.Fits(ctx, planBook, mark, key, body, made, actor); err != nil {
		return p, err
	}
	if json.Unmarshal([]byte(body), &p) != nil {
		return p, problem.New(problem.Internal, "the plan %.40q cannot be read", id)
	}
	return p, nil
}

const runColumns = "id, subscription, state, body, version"

// runBody is what of a run is one text.
type runBody struct {
	Plan     Plan      `json:"plan"`
	Why      string    `json:"why,omitempty"`
	Applied  time.Time `json:"applied"`
	Actor    string    `json:"actor"`
	Hash     string    `json:"hash"`
	Rule     string    `json:"rule,omitempty"`
	Answer   string    `json:"answer,omitempty"`
	Verified *Verified `json:"verified,omitempty"`
}

func (r *Run) values() []any {
	return []any{r.ID, r.Plan.Subscription, string(r.State), r.rawBody, r.version}
}

// write makes the row's text of what it is now.
func (r *Run) write() error {
	head := r.Plan
	head.Steps = nil // they have rows of their own
	body, err := json.Marshal(runBody{head, r.Why, r.Applied, r.Actor, r.Hash, r.Rule, r.Answer, r.Verified})
	r.rawBody = string(body)
	return err
}

func scanRun(s row) (r Run, err error) {
	var sub string
	var next int64
	if err = s.Scan(&r.ID, &sub, &r.State, &r.rawBody, &r.version, &r.mark, &next, &r.holder); err != nil {
		return r, err
	}
	var b runBody
	if json.Unmarshal([]byte(r.rawBody), &b) != nil {
		b = runBody{} // its mark does not fit either
	}
	r.Plan, r.Why, r.Applied, r.Actor, r.Hash, r.Rule, r.Answer, r.Verified = b.Plan, b.Why, b.Applied, b.Actor, b.Hash, b.Rule, b.Answer, b.Verified
	r.Plan.Subscription, r.next = sub, db.Time(next)
	return r, nil
}

func (c *Containment) runs(ctx context.Context) ([]Run, error) {
	return all(ctx, c.d.DB, scanRun, "SELECT "+runColumns+", mark, next, holder FROM contain_runs ORDER BY applied, id")
}

// runsOf are the runs that stop things in a subscription.
func (c *Containment) runsOf(ctx context.Context, sub string) ([]Run, error) {
	return all(ctx, c.d.DB, scanRun, "SELECT "+runColumns+", mark, next, holder FROM contain_runs WHERE subscription = $1 ORDER BY applied, id", sub)
}

func (c *Containment) run(ctx context.Context, id string) (Run, error) {
	r, err := scanRun(c.d.DB.QueryRowContext(ctx, "SELECT "+runColumns+", mark, next, holder FROM contain_runs WHERE id = $1", id))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return r, problem.New(problem.NotFound, "no plan was applied as %.40q", id).WithHint("partnerguard fraud contain status lists those that were")
	case err == nil && r.ID != id:
		return r, vault.Other(runBook, id)
	}
	return r, failed(err)
}

func (c *Containment) insertRun(ctx context.Context, r *Run) error {
	r.version = 1
	if err := r.write(); err != nil {
		return err
	}
	mark, err := c.d.Marks.Mark(ctx, runBook, r.values()...)
	if err != nil {
		return err
	}
	return one(c.d.DB.ExecContext(ctx, "INSERT INTO contain_runs ("+runColumns+
		", mark, applied, next, holder, held_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', 0) ON CONFLICT (id) DO NOTHING",
		append(r.values(), mark, db.Micros(r.Applied), db.Micros(r.next))...))
}

// updateRun writes a run that nobody else changed.
func (c *Containment) updateRun(ctx context.Context, r *Run) error {
	was := r.version
	r.version++
	err := r.write()
	if err == nil {
		var mark []byte
		if mark, err = c.d.Marks.Mark(ctx, runBook, r.values()...); err == nil {
			err = one(c.d.DB.ExecContext(ctx, "UPDATE contain_runs SET state = $2, body = $3, version = $4, mark = $5, next = $6 WHERE id = $1 AND version = $7",
				r.ID, string(r.State), r.rawBody, r.version, mark, db.Micros(r.next), was))
		}
	}
	if err != nil {
		r.version = was
	}
	return err
}

// sleep says when a run is looked at again.
func (c *Containment) sleep(ctx context.Context, id string, next time.Time) error {
	_, err := c.d.DB.ExecContext(ctx, "UPDATE contain_runs SET next = $2 WHERE id = $1 AND holder = $3", id, db.Micros(next), c.id)
	return failed(err)
}

// lease takes a run for this process until a moment, unless another has it.
func (c *Containment) lease(ctx context.Context, id string, now, until time.Time) error {
	return one(c.d.DB.ExecContext(ctx, `UPDATE contain_runs SET holder = $2, held_until = $3
		WHERE id = $1 AND (holder = '' OR holder = $2 OR held_until < $4 OR held_until > $5)`, id, c.id, db.Micros(until), db.Micros(now),
		db.Micros(now.Add(2*leaseFor))))
}

// release gives a run up.
func (c *Containment) release(ctx context.Context, id string) error {
	_, err := c.d.DB.ExecContext(ctx, "UPDATE contain_runs SET holder = '', held_until = 0 WHERE id = $1 AND holder = $2", id, c.id)
	return failed(err)
}

// longestWait is longer than any run waits before it is looked at again.
const longestWait = 48 * time.Hour

// due are runs that are to be looked at now.
func (c *Containment) due(ctx context.Context, now time.Time, limit int) ([]string, error) {
	return all(ctx, c.d.DB, func(r row) (id string, err error) { return id, r.Scan(&id) },
		"SELECT id FROM contain_runs WHERE next <> 0 AND (next <= $1 OR next > $2) ORDER BY next, id LIMIT $3", db.Micros(now), db.Micros(now.Add(longestWait)),
		limit)
}
