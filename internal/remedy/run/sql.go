//go:build !judge

package run

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/remedy"
	"partnerguard/internal/vault"
)

// Whoever writes such a row has this program change a tenant.
var (
	planBook     = &vault.Book{Table: "remedy_plans", Version: 1, Key: []string{"id"}, Columns: []string{"body", "made", "actor"}}
	runBook      = &vault.Book{Table: "remedy_runs", Version: 1, Key: []string{"id"}, Columns: []string{"tenant", "state", "body", "version"}}
	stepBook     = &vault.Book{Table: "remedy_steps", Version: 1, Key: []string{"run", "seq"}, Columns: []string{"state", "step", "body", "version"}}
	approvalBook = &vault.Book{Table: "remedy_approvals", Version: 1, Key: []string{"run"}, Columns: []string{"plan", "actor", "approved"}}
)

// Books are the tables whose rows are marked.
func Books() []*vault.Book { return []*vault.Book{planBook, runBook, stepBook, approvalBook} }

// rowsOf names what the rows are of, in errors.
const rowsOf = db.Kept("the plans of remedy")

var errStale = db.ErrStale

type row = db.Row

func failed(err error) error { return rowsOf.Failed(err) }

func one(r sql.Result, err error) error { return rowsOf.One(r, err) }

func all[T any](ctx context.Context, d *db.DB, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	return db.All(ctx, d, rowsOf, scan, query, args...)
}

// planRow is a plan as its row has it.
type planRow struct {
	id, body, actor string
	at              int64
	mark            []byte
}

func (m *planRow) values() []any { return []any{m.id, m.body, m.at, m.actor} }

// insertPlan keeps a plan, unless the very same is there.
func (c *Runner) insertPlan(ctx context.Context, m *planRow) error {
	mark, err := c.d.Marks.Mark(ctx, planBook, m.values()...)
	if err != nil {
		return err
	}
	return one(c.d.DB.ExecContext(ctx, "INSERT INTO remedy_plans (id, body, made, actor, mark) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING",
		m.id, m.body, m.at, m.actor, mark))
}

func (c *Runner) planRow(ctx context.Context, id string) (m planRow, err error) {
	err = c.d.DB.QueryRowContext(ctx, "SELECT id, body, made, actor, mark FROM remedy_plans WHERE id = $1", id).
		Scan(&m.id, &m.body, &m.at, &m.actor, &m.mark)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return m, problem.New(problem.NotFound, "the plan of this run is gone from the database").
			WithHint("restore a backup; the instructions printed before it began take it back by hand")
	case err == nil && m.id != id:
		return m, vault.Other(planBook, id)
	}
	return m, failed(err)
}

const runColumns = "id, tenant, state, body, version"

// runBody is what of a run is one text.
type runBody struct {
	Plan     string            `json:"plan"`
	Short    string            `json:"short"`
	Goal     string            `json:"goal"`
	Name     string            `json:"name,omitempty"`
	Stage    remedy.Stage      `json:"stage,omitempty"`
	Upto     remedy.Stage      `json:"upto"`
	Why      string            `json:"why,omitempty"`
	Applied  time.Time         `json:"applied"`
	Actor    string            `json:"actor"`
	Signer   string            `json:"signer,omitempty"`
	Second   []string          `json:"second,omitempty"`
	Approver string            `json:"approver,omitempty"`
	Past     []Passage         `json:"past,omitempty"`
	Accepted []Yes             `json:"accepted,omitempty"`
	Made     map[string]string `json:"made,omitempty"`
	Back     string            `json:"back"`
	Proof    []remedy.Answer   `json:"proof,omitempty"`
	Findings []Surprise        `json:"findings,omitempty"`
	Shut     *remedy.Gate      `json:"shut,omitempty"`
	Drifted  string            `json:"drifted,omitempty"`
	Steps    int               `json:"steps"`
	Hash     string            `json:"hash"`
}

func (r *Run) values() []any { return []any{r.ID, r.Tenant, string(r.State), r.rawBody, r.version} }

// write makes the row's text of what it is now.
func (r *Run) write() error {
	body, err := json.Marshal(runBody{r.Plan, r.Short, r.Goal, r.Name, r.Stage, r.Upto, r.Why, r.Applied, r.Actor, r.Signer, r.Second, r.Approver,
		r.Past, r.Accepted, r.Made, r.Back, r.Proof, r.Findings, r.Shut, r.Drifted, r.steps, r.hash})
	r.rawBody = string(body)
	return err
}

func scanRun(s row) (r Run, err error) {
	var next int64
	if err = s.Scan(&r.ID, &r.Tenant, &r.State, &r.rawBody, &r.version, &r.mark, &next, &r.holder); err != nil {
		return r, err
	}
	var b runBody
	if json.Unmarshal([]byte(r.rawBody), &b) != nil {
		b = runBody{} // its mark does not fit either
	}
	r.Plan, r.Short, r.Goal, r.Name, r.Stage, r.Upto, r.Why, r.Applied, r.Actor = b.Plan, b.Short, b.Goal, b.Name, b.Stage, b.Upto, b.Why, b.Applied, b.Actor
	r.Signer, r.Second, r.Approver, r.Past, r.Accepted, r.Made, r.Back = b.Signer, b.Second, b.Approver, b.Past, b.Accepted, b.Made, b.Back
	r.Proof, r.Findings, r.Shut, r.Drifted, r.steps, r.hash, r.next = b.Proof, b.Findings, b.Shut, b.Drifted, b.Steps, b.Hash, db.Time(next)
	return r, nil
}

const selectRuns = "SELECT " + runColumns + ", mark, next, holder FROM remedy_runs"

func (c *Runner) runs(ctx context.Context) ([]Run, error) {
	return all(ctx, c.d.DB, scanRun, selectRuns+" ORDER BY applied, id")
}

// runsOf are the runs that change a tenant.
func (c *Runner) runsOf(ctx context.Context, tenant string) ([]Run, error) {
	return all(ctx, c.d.DB, scanRun, selectRuns+" WHERE tenant = $1 ORDER BY applied, id", tenant)
}

func (c *Runner) run(ctx context.Context, id string) (Run, error) {
	r, err := scanRun(c.d.DB.QueryRowContext(ctx, selectRuns+" WHERE id = $1", id))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return r, problem.New(problem.NotFound, "no plan was applied as %.40q", id).WithHint("partnerguard remedy status lists those that were")
	case err == nil && r.ID != id:
		return r, vault.Other(runBook, id)
	}
	return r, failed(err)
}

func (c *Runner) insertRun(ctx context.Context, r *Run) error {
	r.version = 1
	if err := r.write(); err != nil {
		return err
	}
	mark, err := c.d.Marks.Mark(ctx, runBook, r.values()...)
	if err != nil {
		return err
	}
	return one(c.d.DB.ExecContext(ctx, "INSERT INTO remedy_runs ("+runColumns+
		", mark, applied, next, holder, held_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', 0) ON CONFLICT (id) DO NOTHING",
		append(r.values(), mark, db.Micros(r.Applied), db.Micros(r.next))...))
}

// updateRun writes a run that nobody else changed.
func (c *Runner) updateRun(ctx context.Context, r *Run) error {
	was := r.version
	r.version++
	err := r.write()
	if err == nil {
		var mark []byte
		if mark, err = c.d.Marks.Mark(ctx, runBook, r.values()...); err == nil {
			err = one(c.d.DB.ExecContext(ctx,
				"UPDATE remedy_runs SET state = $2, body = $3, version = $4, mark = $5, next = $6 WHERE id = $1 AND version = $7",
				r.ID, string(r.State), r.rawBody, r.version, mark, db.Micros(r.next), was))
		}
	}
	if err != nil {
		r.version = was
	}
	return err
}

// sleep says when a run is looked at again.
func (c *Runner) sleep(ctx context.Context, id string, next time.Time) error {
	_, err := c.d.DB.ExecContext(ctx, "UPDATE remedy_runs SET next = $2 WHERE id = $1 AND holder = $3", id, db.Micros(next), c.id)
	return failed(err)
}

// lease takes a run for this process until a moment, unless another has it.
func (c *Runner) lease(ctx context.Context, id string, now, until time.Time) error {
	return one(c.d.DB.ExecContext(ctx, `UPDATE remedy_runs SET holder = $2, held_until = $3
		WHERE id = $1 AND (holder = '' OR holder = $2 OR held_until < $4 OR held_until > $5)`, id, c.id, db.Micros(until), db.Micros(now),
		db.Micros(now.Add(2*leaseFor))))
}

// release gives a run up.
func (c *Runner) release(ctx context.Context, id string) error {
	_, err := c.d.DB.ExecContext(ctx, "UPDATE remedy_runs SET holder = '', held_until = 0 WHERE id = $1 AND holder = $2", id, c.id)
	return failed(err)
}

// due are runs that are to be looked at now.
func (c *Runner) due(ctx context.Context, now time.Time, limit int) ([]string, error) {
	return all(ctx, c.d.DB, func(r row) (id string, err error) { return id, r.Scan(&id) },
		"SELECT id FROM remedy_runs WHERE next <> 0 AND (next <= $1 OR next > $2) ORDER BY next, id LIMIT $3", db.Micros(now), db.Micros(now.Add(longestWait)),
		limit)
}

const stepColumns = "run, seq, state, step, body, version"

// stepBody is what of a step's progress is one text.
type stepBody struct {
	Stage   remedy.Stage  `json:"stage"`
	Of      int           `json:"of,omitempty"`
	Words   string        `json:"words,omitempty"`
	Since   time.Time     `json:"since"`
	Next    time.Time     `json:"next,omitzero"`
	Tries   int           `json:"tries,omitempty"`
	Again   int           `json:"again,omitempty"`
	Failing time.Time     `json:"failing,omitzero"`
	Asked   time.Time     `json:"asked,omitzero"`
	Intent  bool          `json:"intent,omitempty"`
	Acts    int64         `json:"acts,omitempty"`
	ID      string        `json:"id,omitempty"`
	Was     remedy.Object `json:"was,omitempty"`
	Became  remedy.Object `json:"became,omitempty"`
	By      string        `json:"by,omitempty"`
}

func (p *Progress) values() []any {
	return []any{p.Run, int64(p.Seq), string(p.State), p.rawStep, p.rawBody, p.version}
}

func (p *Progress) write() error {
	body, err := json.Marshal(stepBody{p.Stage, p.Of, p.Words, p.Since, p.Next, p.Tries, p.Again, p.Failing, p.Asked, p.Intent, p.Acts, p.ID, p.Was, p.Became,
		p.By})
	p.rawBody = string(body)
	return err
}

func scanStep(s row) (p Progress, err error) {
	if err = s.Scan(&p.Run, &p.Seq, &p.State, &p.rawStep, &p.rawBody, &p.version, &p.mark); err != nil {
		return p, err
	}
	var b stepBody
	if json.Unmarshal([]byte(p.rawBody), &b) != nil || json.Unmarshal([]byte(p.rawStep), &p.Step) != nil {
		b = stepBody{} // its mark does not fit either
	}
	p.Stage, p.Of, p.Words, p.Since, p.Next, p.Tries, p.Again = b.Stage, b.Of, b.Words, b.Since, b.Next, b.Tries, b.Again
	p.Failing, p.Asked = b.Failing, b.Asked
	p.Intent, p.Acts, p.ID, p.Was, p.Became, p.By = b.Intent, b.Acts, b.ID, b.Was, b.Became, b.By
	return p, nil
}

func (c *Runner) steps(ctx context.Context, run string) ([]Progress, error) {
	return all(ctx, c.d.DB, scanStep, "SELECT "+stepColumns+", mark FROM remedy_steps WHERE run = $1 ORDER BY seq", run)
}

func (c *Runner) insertStep(ctx context.Context, p *Progress) error {
	p.version = 1
	if err := p.write(); err != nil {
		return err
	}
	mark, err := c.d.Marks.Mark(ctx, stepBook, p.values()...)
	if err != nil {
		return err
	}
	return one(c.d.DB.ExecContext(ctx, "INSERT INTO remedy_steps ("+stepColumns+", mark) VALUES ($1, $2, $3, $4, $5, $6, $7)", append(p.values(), mark)...))
}

// updateStep writes a step that nobody else changed. With held set it is a step of a run that
// this process holds, or is refused.
func (c *Runner) updateStep(ctx context.Context, p *Progress, held bool) error {
	was := p.version
	p.version++
	err := p.write()
	if err == nil {
		var mark []byte
		if mark, err = c.d.Marks.Mark(ctx, stepBook, p.values()...); err == nil {
			holder := ""
			if held {
				holder = c.id
			}
			err = one(c.d.DB.ExecContext(ctx, `UPDATE remedy_steps SET state = $3, body = $4, version = $5, mark = $6
				WHERE run = $1 AND seq = $2 AND version = $7 AND ($8 = '' OR EXISTS (SELECT 1 FROM remedy_runs WHERE id = $1 AND holder = $8))`,
				p.Run, p.Seq, string(p.State), p.rawBody, p.version, mark, was, holder))
		}
	}
	if err != nil {
		p.version = was
	}
	return err
}

func (c *Runner) insertAct(ctx context.Context, a *Act) error {
	return one(c.d.DB.ExecContext(ctx, `INSERT INTO remedy_acts (run, seq, n, what, asked, answered, result, words) VALUES ($1, $2, $3, $4, $5, 0, '', '')`,
		a.Run, a.Seq, a.N, a.What, db.Micros(a.Asked)))
}

func (c *Runner) answerAct(ctx context.Context, a *Act) error {
	return one(c.d.DB.ExecContext(ctx, "UPDATE remedy_acts SET answered = $4, result = $5, words = $6 WHERE run = $1 AND seq = $2 AND n = $3",
		a.Run, a.Seq, a.N, db.Micros(a.Answered), a.Result, a.Words))
}

func (c *Runner) acts(ctx context.Context, run string) ([]Act, error) {
	return all(ctx, c.d.DB, func(r row) (a Act, err error) {
		var asked, answered int64
		err = r.Scan(&a.Run, &a.Seq, &a.N, &a.What, &asked, &answered, &a.Result, &a.Words)
		a.Asked, a.Answered = db.Time(asked), db.Time(answered)
		return a, err
	}, "SELECT run, seq, n, what, asked, answered, result, words FROM remedy_acts WHERE run = $1 ORDER BY asked, seq, n", run)
}

func (a *Approval) values() []any { return []any{a.Run, a.Plan, a.Actor, db.Micros(a.At)} }

// approval reads a second person's yes; nil is none.
func (c *Runner) approval(ctx context.Context, run string) (*Approval, error) {
	var a Approval
	var at int64
	err := c.d.DB.QueryRowContext(ctx, "SELECT run, plan, actor, approved, mark FROM remedy_approvals WHERE run = $1", run).
		Scan(&a.Run, &a.Plan, &a.Actor, &at, &a.mark)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, failed(err)
	case a.Run != run:
		return nil, vault.Other(approvalBook, run)
	}
	a.At = db.Time(at)
	return &a, nil
}

func (c *Runner) insertApproval(ctx context.Context, a *Approval) error {
	mark, err := c.d.Marks.Mark(ctx, approvalBook, a.values()...)
	if err != nil {
		return err
	}
	return one(c.d.DB.ExecContext(ctx,
		"INSERT INTO remedy_approvals (run, plan, actor, approved, mark) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (run) DO NOTHING",
		append(a.values(), mark)...))
}

// counts are the runs by state.
func (c *Runner) counts(ctx context.Context) (map[State]int, error) {
	type count struct {
		s State
		n int
	}
	list, err := all(ctx, c.d.DB, func(r row) (x count, err error) { return x, r.Scan(&x.s, &x.n) },
		"SELECT state, COUNT(*) FROM remedy_runs GROUP BY state")
	out := map[State]int{}
	for _, x := range list {
		out[x.s] = x.n
	}
	return out, err
}
