//go:build !judge

package move

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

// Whoever writes such a row has this program change what a partner may do at customers.
var (
	runBook = &vault.Book{Table: "delegation_runs", Version: 1, Key: []string{"id"}, Columns: []string{"body", "state", "why", "stage", "until", "applied",
		"actor", "version"}}
	moveBook = &vault.Book{Table: "delegation_moves", Version: 1, Key: []string{"plan", "customer"}, Columns: []string{"stage", "state", "wish", "body",
		"version"}}
	pinBook = &vault.Book{Table: "delegation_pins", Version: 1, Key: []string{"id"}, Columns: []string{"role", "grp", "customer", "reason", "actor", "made"}}
)

// Books are the tables whose rows are marked.
func Books() []*vault.Book { return []*vault.Book{runBook, moveBook, pinBook} }

// rowsOf names what the rows are of, in errors.
const rowsOf = db.Kept("the moves of delegation")

var errStale = db.ErrStale

type row = db.Row

func failed(err error) error { return rowsOf.Failed(err) }

func one(r sql.Result, err error) error { return rowsOf.One(r, err) }

func all[T any](ctx context.Context, d *db.DB, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	return db.All(ctx, d, rowsOf, scan, query, args...)
}

const runColumns = "id, body, state, why, stage, until, applied, actor, version"

func (r *Run) values() []any {
	return []any{r.ID, r.rawBody, string(r.State), r.Why, int64(r.Stage), int64(r.Until), db.Micros(r.Applied), r.Actor, r.version}
}

func scanRun(s row) (r Run, err error) {
	var applied int64
	if err = s.Scan(&r.ID, &r.rawBody, &r.State, &r.Why, &r.Stage, &r.Until, &applied, &r.Actor, &r.version, &r.mark); err != nil {
		return r, err
	}
	r.Applied = db.Time(applied)
	if json.Unmarshal([]byte(r.rawBody), &r.Plan) != nil {
		r.Plan = Plan{} // its mark does not fit either
	}
	return r, nil
}

func (m *Mover) runs(ctx context.Context) ([]Run, error) {
	return all(ctx, m.d.DB, scanRun, "SELECT "+runColumns+", mark FROM delegation_runs ORDER BY applied, id")
}

func (m *Mover) run(ctx context.Context, id string) (Run, error) {
	r, err := scanRun(m.d.DB.QueryRowContext(ctx, "SELECT "+runColumns+", mark FROM delegation_runs WHERE id = $1", id))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return r, problem.New(problem.NotFound, "no plan %.40q was applied", id).WithHint("partnerguard delegation status lists those that were")
	case err == nil && r.ID != id:
		return r, vault.Other(runBook, id)
	}
	return r, failed(err)
}

func (m *Mover) insertRun(ctx context.Context, r *Run) error {
	r.version = 1
	head := r.Plan
	head.Customers, head.Unchanged = nil, nil // those have rows of their own, these none
	body, err := json.Marshal(head)
	if err != nil {
		return err
	}
	r.rawBody = string(body)
	mark, err := m.d.Marks.Mark(ctx, runBook, r.values()...)
	if err != nil {
		return err
	}
	return one(m.d.DB.ExecContext(ctx, "INSERT INTO delegation_runs ("+runColumns+
		", mark) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING", append(r.values(), mark)...))
}

func (m *Mover) updateRun(ctx context.Context, r *Run) error {
	was := r.version
	r.version++
	mark, err := m.d.Marks.Mark(ctx, runBook, r.values()...)
	if err != nil {
		return err
	}
	err = one(m.d.DB.ExecContext(ctx, `UPDATE delegation_runs SET state = $2, why = $3, stage = $4, until = $5, version = $6, mark = $7
		WHERE id = $1 AND version = $8`, r.ID, string(r.State), r.Why, int64(r.Stage), int64(r.Until), r.version, mark, was))
	if err != nil {
		r.version = was
	}
	return err
}

const moveColumns = "plan, customer, stage, state, wish, body, version"

// moveBody is what of a move is one text.
type moveBody struct {
	Name     string    `json:"name"`
	Why      string    `json:"why,omitempty"`
	Since    time.Time `json:"since"`
	Progress Progress  `json:"progress"`
}

// values are what is marked, as the row has it.
func (x *Move) values() []any {
	return []any{x.Plan, x.Customer, int64(x.Stage), string(x.State), x.rawWish, x.rawBody, x.version}
}

// write makes the row's text of what it is now.
func (x *Move) write() error {
	body, err := json.Marshal(moveBody{x.Name, x.Why, x.Since, x.Progress})
	x.rawBody = string(body)
	return err
}

func scanMove(s row) (x Move, err error) {
	var next int64
	if err = s.Scan(&x.Plan, &x.Customer, &x.Stage, &x.State, &x.rawWish, &x.rawBody, &x.version, &x.mark, &next, &x.holder); err != nil {
		return x, err
	}
	var b moveBody
	if json.Unmarshal([]byte(x.rawBody), &b) != nil || json.Unmarshal([]byte(x.rawWish), &x.wish) != nil {
		b = moveBody{} // its mark does not fit either
	}
	x.Name, x.Why, x.Since, x.Progress, x.Next = b.Name, b.Why, b.Since, b.Progress, db.Time(next)
	return x, nil
}

func (m *Mover) moves(ctx context.Context, plan string) ([]Move, error) {
	return all(ctx, m.d.DB, scanMove, "SELECT "+moveColumns+", mark, next, holder FROM delegation_moves WHERE plan = $1 ORDER BY stage, customer", plan)
}

// movesOf are the moves of a customer, of whatever plan.
func (m *Mover) movesOf(ctx context.Context, customer string) ([]Move, error) {
	return all(ctx, m.d.DB, scanMove, "SELECT "+moveColumns+", mark, next, holder FROM delegation_moves WHERE customer = $1 ORDER BY plan", customer)
}

func (m *Mover) move(ctx context.Context, plan, customer string) (Move, error) {
	x, err := scanMove(m.d.DB.QueryRowContext(ctx, "SELECT "+moveColumns+", mark, next, holder FROM delegation_moves WHERE plan = $1 AND customer = $2", plan,
		customer))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return x, problem.New(problem.NotFound, "the plan %.40q moves no customer %.40q", plan, customer).WithHint("partnerguard delegation status lists them")
	case err == nil && (x.Plan != plan || x.Customer != customer):
		return x, vault.Other(moveBook, plan+" "+customer)
	}
	return x, failed(err)
}

func (m *Mover) insertMove(ctx context.Context, x *Move) error {
	x.version = 1
	wish, err := json.Marshal(x.wish)
	if err == nil {
		x.rawWish = string(wish)
		err = x.write()
	}
	if err != nil {
		return err
	}
	mark, err := m.d.Marks.Mark(ctx, moveBook, x.values()...)
	if err != nil {
		return err
	}
	return one(m.d.DB.ExecContext(ctx, "INSERT INTO delegation_moves ("+moveColumns+
		", mark, next, holder, held_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', 0)", append(x.values(), mark, db.Micros(x.Next))...))
}

// updateMove writes a move that this process holds, or one that nobody does.
func (m *Mover) updateMove(ctx context.Context, x *Move) error {
	was := x.version
	x.version++
	if err := x.write(); err != nil {
		return err
	}
	mark, err := m.d.Marks.Mark(ctx, moveBook, x.values()...)
	if err == nil {
		err = one(m.d.DB.ExecContext(ctx, `UPDATE delegation_moves SET state = $3, body = $4, version = $5, mark = $6, next = $7
			WHERE plan = $1 AND customer = $2 AND version = $8 AND holder = $9`,
			x.Plan, x.Customer, string(x.State), x.rawBody, x.version, mark, db.Micros(x.Next), was, x.holder))
	}
	if err != nil {
		x.version = was
	}
	return err
}

// lease takes a move for this process until a moment, unless another has it.
func (m *Mover) lease(ctx context.Context, plan, customer string, now, until time.Time) error {
	return one(m.d.DB.ExecContext(ctx, `UPDATE delegation_moves SET holder = $3, held_until = $4
		WHERE plan = $1 AND customer = $2 AND (holder = '' OR held_until < $5 OR held_until > $6)`, plan, customer, m.id, db.Micros(until), db.Micros(now),
		db.Micros(now.Add(2*leaseFor))))
}

// release gives a move up.
func (m *Mover) release(ctx context.Context, plan, customer string) error {
	err := one(m.d.DB.ExecContext(ctx, "UPDATE delegation_moves SET holder = '', held_until = 0 WHERE plan = $1 AND customer = $2 AND holder = $3", plan,
		customer, m.id))
	if errors.Is(err, errStale) {
		return nil // somebody took it over
	}
	return err
}

// longestWait is longer than any move waits before it is looked at again: an offer lapses
// after 90 days.
const longestWait = 100 * 24 * time.Hour

// pair names a move.
type pair struct {
	Plan     string `json:"plan"`
	Customer string `json:"customer"`
}

// due are moves that are to be looked at now. A time that nobody would have written, before
// all times or after all waiting, is no reason to wait.
func (m *Mover) due(ctx context.Context, now time.Time, limit int) ([]pair, error) {
	return all(ctx, m.d.DB, func(r row) (p pair, err error) { return p, r.Scan(&p.Plan, &p.Customer) },
		"SELECT plan, customer FROM delegation_moves WHERE next <> 0 AND (next <= $1 OR next > $2) ORDER BY next, plan, customer LIMIT $3", db.Micros(now),
		db.Micros(now.Add(longestWait)), limit)
}

// wake has moves of a plan in a state looked at now.
func (m *Mover) wake(ctx context.Context, plan string, stage int, s State, now time.Time) error {
	_, err := m.d.DB.ExecContext(ctx, "UPDATE delegation_moves SET next = $4 WHERE plan = $1 AND stage <= $2 AND state = $3", plan, stage, string(s),
		db.Micros(now))
	return failed(err)
}

func (m *Mover) insertStep(ctx context.Context, s *Step) error {
	return one(m.d.DB.ExecContext(ctx, `INSERT INTO delegation_steps (plan, customer, seq, state, act, asked, answered, result, words)
		VALUES ($1, $2, $3, $4, $5, $6, 0, '', '')`, s.Plan, s.Customer, s.Seq, string(s.State), s.Act, db.Micros(s.Asked)))
}

func (m *Mover) answerStep(ctx context.Context, s *Step) error {
	return one(m.d.DB.ExecContext(ctx, "UPDATE delegation_steps SET answered = $4, result = $5, words = $6 WHERE plan = $1 AND customer = $2 AND seq = $3",
		s.Plan, s.Customer, s.Seq, db.Micros(s.Answered), s.Result, s.Words))
}

func (m *Mover) steps(ctx context.Context, plan, customer string) ([]Step, error) {
	return all(ctx, m.d.DB, func(r row) (s Step, err error) {
		var asked, answered int64
		err = r.Scan(&s.Plan, &s.Customer, &s.Seq, &s.State, &s.Act, &asked, &answered, &s.Result, &s.Words)
		s.Asked, s.Answered = db.Time(asked), db.Time(answered)
		return s, err
	}, "SELECT plan, customer, seq, state, act, asked, answered, result, words FROM delegation_steps WHERE plan = $1 AND customer = $2 ORDER BY seq", plan,
		customer)
}

// counts are the moves by state.
func (m *Mover) counts(ctx context.Context) (map[State]int, error) {
	type count struct {
		s State
		n int
	}
	list, err := all(ctx, m.d.DB, func(r row) (c count, err error) { return c, r.Scan(&c.s, &c.n) },
		"SELECT state, COUNT(*) FROM delegation_moves GROUP BY state")
	out := map[State]int{}
	for _, c := range list {
		out[c.s] = c.n
	}
	return out, err
}

const pinColumns = "id, role, grp, customer, reason, actor, made"

func (p *Pin) values() []any {
	return []any{p.ID, p.Role, p.Group, p.Customer, p.Reason, p.Actor, db.Micros(p.Made)}
}

func (m *Mover) pins(ctx context.Context) ([]Pin, error) {
	return all(ctx, m.d.DB, func(r row) (p Pin, err error) {
		var made int64
		err = r.Scan(&p.ID, &p.Role, &p.Group, &p.Customer, &p.Reason, &p.Actor, &made, &p.mark)
		p.Made = db.Time(made)
		return p, err
	}, "SELECT "+pinColumns+", mark FROM delegation_pins ORDER BY made, id")
}

func (m *Mover) insertPin(ctx context.Context, p *Pin) error {
	mark, err := m.d.Marks.Mark(ctx, pinBook, p.values()...)
	if err != nil {
		return err
	}
	return one(m.d.DB.ExecContext(ctx, "INSERT INTO delegation_pins ("+pinColumns+", mark) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
		append(p.values(), mark)...))
}

func (m *Mover) deletePin(ctx context.Context, id string) error {
	return one(m.d.DB.ExecContext(ctx, "DELETE FROM delegation_pins WHERE id = $1", id))
}
