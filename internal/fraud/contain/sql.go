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

// rowsOf names what the rows are of, in errors.
const rowsOf = db.Kept("the plans of containment")

var errStale = db.ErrStale

type row = db.Row

func failed(err error) error { return rowsOf.Failed(err) }

func one(r sql.Result, err error) error { return rowsOf.One(r, err) }

func all[T any](ctx context.Context, d *db.DB, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	return db.All(ctx, d, rowsOf, scan, query, args...)
}

func (c *Containment) insertPlan(ctx context.Context, id, body string, made time.Time, actor string) error {
	mark, err := c.d.Marks.Mark(ctx, planBook, id, body, db.Micros(made), actor)
	if err != nil {
		return err
	}
	return one(c.d.DB.ExecContext(ctx, "INSERT INTO contain_plans (id, body, made, actor, mark) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING",
		id, body, db.Micros(made), actor, mark))
}

// planRow is a plan as its row has it.
type planRow struct {
	id, body, actor string
	at              int64
	mark            []byte
}

func (m *planRow) values() []any { return []any{m.id, m.body, m.at, m.actor} }

func scanPlan(s row) (m planRow, err error) {
	err = s.Scan(&m.id, &m.body, &m.at, &m.actor, &m.mark)
	return m, err
}

func (c *Containment) made(ctx context.Context) ([]planRow, error) {
	return all(ctx, c.d.DB, scanPlan, "SELECT id, body, made, actor, mark FROM contain_plans ORDER BY made, id")
}

func (c *Containment) madeRow(ctx context.Context, id string) (planRow, error) {
	m, err := scanPlan(c.d.DB.QueryRowContext(ctx, "SELECT id, body, made, actor, mark FROM contain_plans WHERE id = $1", id))
	if errors.Is(err, sql.ErrNoRows) {
		return m, problem.New(problem.NotFound, "the plan %.40q was not made here", id).WithHint(againWords)
	}
	return m, failed(err)
}

const runColumns = "id, subscription, state, body, version"

// runBody is what of a run is one text.
type runBody struct {
	Plan     Plan      `json:"plan"`
	Why      string    `json:"why,omitempty"`
	Applied  time.Time `json:"applied"`
	Actor    string    `json:"actor"`
	Hash     string    `json:"hash"`
	Second   string    `json:"second,omitempty"`
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
	body, err := json.Marshal(runBody{head, r.Why, r.Applied, r.Actor, r.Hash, r.Second, r.Rule, r.Answer, r.Verified})
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
	r.Plan, r.Why, r.Applied, r.Actor, r.Hash, r.Second = b.Plan, b.Why, b.Applied, b.Actor, b.Hash, b.Second
	r.Rule, r.Answer, r.Verified = b.Rule, b.Answer, b.Verified
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
			err = one(c.d.DB.ExecContext(ctx,
				"UPDATE contain_runs SET state = $2, body = $3, version = $4, mark = $5, next = $6 WHERE id = $1 AND version = $7",
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

const stepColumns = "run, seq, state, step, body, version"

// stepBody is what of a step's progress is one text.
type stepBody struct {
	ByRule  bool      `json:"byRule,omitempty"`
	Words   string    `json:"words,omitempty"`
	Since   time.Time `json:"since"`
	Next    time.Time `json:"next,omitzero"`
	Tries   int       `json:"tries,omitempty"`
	Again   int       `json:"again,omitempty"`
	Failing time.Time `json:"failing,omitzero"`
	Asked   time.Time `json:"asked,omitzero"`
	Intent  bool      `json:"intent,omitempty"`
	Op      string    `json:"operation,omitempty"`
	Acts    int64     `json:"acts,omitempty"`
}

func (p *Progress) values() []any {
	return []any{p.Run, int64(p.Seq), string(p.State), p.rawStep, p.rawBody, p.version}
}

func (p *Progress) write() error {
	body, err := json.Marshal(stepBody{p.ByRule, p.Words, p.Since, p.Next, p.Tries, p.Again, p.Failing, p.Asked, p.Intent, p.Op, p.Acts})
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
	p.ByRule, p.Words, p.Since, p.Next, p.Tries, p.Again, p.Failing, p.Asked, p.Intent, p.Op, p.Acts = b.ByRule, b.Words, b.Since, b.Next, b.Tries,
		b.Again, b.Failing, b.Asked,
		b.Intent, b.Op, b.Acts
	return p, nil
}

func (c *Containment) steps(ctx context.Context, run string) ([]Progress, error) {
	return all(ctx, c.d.DB, scanStep, "SELECT "+stepColumns+", mark FROM contain_steps WHERE run = $1 ORDER BY seq", run)
}

func (c *Containment) insertStep(ctx context.Context, p *Progress) error {
	p.version = 1
	raw, err := json.Marshal(p.Step)
	if err == nil {
		p.rawStep = string(raw)
		err = p.write()
	}
	if err != nil {
		return err
	}
	mark, err := c.d.Marks.Mark(ctx, stepBook, p.values()...)
	if err != nil {
		return err
	}
	return one(c.d.DB.ExecContext(ctx, "INSERT INTO contain_steps ("+stepColumns+", mark) VALUES ($1, $2, $3, $4, $5, $6, $7)", append(p.values(), mark)...))
}

// updateStep writes a step that nobody else changed. With held set it is a step of a run that
// this process holds, or is refused.
func (c *Containment) updateStep(ctx context.Context, p *Progress, held bool) error {
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
			err = one(c.d.DB.ExecContext(ctx, `UPDATE contain_steps SET state = $3, body = $4, version = $5, mark = $6
				WHERE run = $1 AND seq = $2 AND version = $7 AND ($8 = '' OR EXISTS (SELECT 1 FROM contain_runs WHERE id = $1 AND holder = $8))`,
				p.Run, p.Seq, string(p.State), p.rawBody, p.version, mark, was, holder))
		}
	}
	if err != nil {
		p.version = was
	}
	return err
}

func (c *Containment) insertAct(ctx context.Context, a *Act) error {
	return one(c.d.DB.ExecContext(ctx, `INSERT INTO contain_acts (run, seq, n, what, asked, answered, result, words) VALUES ($1, $2, $3, $4, $5, 0, '', '')`,
		a.Run, a.Seq, a.N, a.What, db.Micros(a.Asked)))
}

func (c *Containment) answerAct(ctx context.Context, a *Act) error {
	return one(c.d.DB.ExecContext(ctx, "UPDATE contain_acts SET answered = $4, result = $5, words = $6 WHERE run = $1 AND seq = $2 AND n = $3",
		a.Run, a.Seq, a.N, db.Micros(a.Answered), a.Result, a.Words))
}

func (c *Containment) acts(ctx context.Context, run string) ([]Act, error) {
	return all(ctx, c.d.DB, func(r row) (a Act, err error) {
		var asked, answered int64
		err = r.Scan(&a.Run, &a.Seq, &a.N, &a.What, &asked, &answered, &a.Result, &a.Words)
		a.Asked, a.Answered = db.Time(asked), db.Time(answered)
		return a, err
	}, "SELECT run, seq, n, what, asked, answered, result, words FROM contain_acts WHERE run = $1 ORDER BY asked, seq, n", run)
}

func (a *Approval) values() []any { return []any{a.Run, a.Hash, a.Actor, db.Micros(a.At)} }

// approval reads a second person's yes; nil is none.
func (c *Containment) approval(ctx context.Context, run string) (*Approval, error) {
	var a Approval
	var at int64
	err := c.d.DB.QueryRowContext(ctx, "SELECT run, hash, actor, approved, mark FROM contain_approvals WHERE run = $1", run).
		Scan(&a.Run, &a.Hash, &a.Actor, &at, &a.mark)
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

func (c *Containment) insertApproval(ctx context.Context, a *Approval) error {
	mark, err := c.d.Marks.Mark(ctx, approvalBook, a.values()...)
	if err != nil {
		return err
	}
	return one(c.d.DB.ExecContext(ctx,
		"INSERT INTO contain_approvals (run, hash, actor, approved, mark) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (run) DO NOTHING",
		append(a.values(), mark)...))
}

// counts are the steps by state.
func (c *Containment) counts(ctx context.Context) (map[StepState]int, error) {
	type count struct {
		s StepState
		n int
	}
	list, err := all(ctx, c.d.DB, func(r row) (x count, err error) { return x, r.Scan(&x.s, &x.n) },
		"SELECT state, COUNT(*) FROM contain_steps GROUP BY state")
	out := map[StepState]int{}
	for _, x := range list {
		out[x.s] = x.n
	}
	return out, err
}
