//go:build !judge

package budget

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

// Whoever writes such a row has this program change what warns of a customer's spending.
var (
	runBook  = &vault.Book{Table: "budget_runs", Version: 1, Key: []string{"id"}, Columns: []string{"body", "state", "applied", "actor", "version"}}
	itemBook = &vault.Book{Table: "budget_items", Version: 1, Key: []string{"plan", "customer", "what"}, Columns: []string{"state", "wish", "body", "version"}}
)

// Books are the tables whose rows are marked.
func Books() []*vault.Book { return []*vault.Book{runBook, itemBook} }

// rowsOf names what the rows are of, in errors.
const rowsOf = db.Kept("the budgets")

var errStale = db.ErrStale

type row = db.Row

func failed(err error) error { return rowsOf.Failed(err) }

func one(r sql.Result, err error) error { return rowsOf.One(r, err) }

func all[T any](ctx context.Context, d *db.DB, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	return db.All(ctx, d, rowsOf, scan, query, args...)
}

const runColumns = "id, body, state, applied, actor, version"

func (r *Run) values() []any {
	return []any{r.ID, r.rawBody, string(r.State), db.Micros(r.Applied), r.Actor, r.version}
}

func scanRun(s row) (r Run, err error) {
	var applied int64
	if err = s.Scan(&r.ID, &r.rawBody, &r.State, &applied, &r.Actor, &r.version, &r.mark); err != nil {
		return r, err
	}
	r.Applied = db.Time(applied)
	if json.Unmarshal([]byte(r.rawBody), &r.Plan) != nil {
		r.Plan = Plan{} // its mark does not fit either
	}
	return r, nil
}

func (b *Budgets) runs(ctx context.Context) ([]Run, error) {
	return all(ctx, b.d.DB, scanRun, "SELECT "+runColumns+", mark FROM budget_runs ORDER BY applied, id")
}

func (b *Budgets) run(ctx context.Context, id string) (Run, error) {
	r, err := scanRun(b.d.DB.QueryRowContext(ctx, "SELECT "+runColumns+", mark FROM budget_runs WHERE id = $1", id))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return r, problem.New(problem.NotFound, "no plan of budgets %.40q was applied", id).WithHint("partnerguard budgets status lists those that were")
	case err == nil && r.ID != id:
		return r, vault.Other(runBook, id)
	}
	return r, failed(err)
}

func (b *Budgets) insertRun(ctx context.Context, r *Run) error {
	r.version = 1
	head := r.Plan
	head.Customers, head.Unchanged = nil, nil // those have rows of their own, these none
	body, err := json.Marshal(head)
	if err != nil {
		return err
	}
	r.rawBody = string(body)
	mark, err := b.d.Marks.Mark(ctx, runBook, r.values()...)
	if err != nil {
		return err
	}
	return one(b.d.DB.ExecContext(ctx, "INSERT INTO budget_runs ("+runColumns+", mark) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING",
		append(r.values(), mark)...))
}

func (b *Budgets) updateRun(ctx context.Context, r *Run) error {
	was := r.version
	r.version++
	mark, err := b.d.Marks.Mark(ctx, runBook, r.values()...)
	if err == nil {
		err = one(b.d.DB.ExecContext(ctx, "UPDATE budget_runs SET state = $2, version = $3, mark = $4 WHERE id = $1 AND version = $5", r.ID, string(r.State),
			r.version, mark, was))
	}
	if err != nil {
		r.version = was
	}
	return err
}

const itemColumns = "plan, customer, what, state, wish, body, version"

// itemBody is what of an item is one text.
type itemBody struct {
	Name     string    `json:"name"`
	Amount   float64   `json:"amount"`
	Currency string    `json:"currency,omitempty"`
	Why      string    `json:"why,omitempty"`
	Since    time.Time `json:"since"`
	Progress progress  `json:"progress"`
}

// values are what is marked, as the row has it.
func (x *Item) values() []any {
	return []any{x.Plan, x.Customer, x.What, string(x.State), x.rawWish, x.rawBody, x.version}
}

// write makes the row's text of what it is now.
func (x *Item) write() error {
	body, err := json.Marshal(itemBody{x.Name, x.Amount, x.Currency, x.Why, x.Since, x.prog})
	x.rawBody = string(body)
	return err
}

func scanItem(s row) (x Item, err error) {
	var next int64
	if err = s.Scan(&x.Plan, &x.Customer, &x.What, &x.State, &x.rawWish, &x.rawBody, &x.version, &x.mark, &next, &x.holder); err != nil {
		return x, err
	}
	var b itemBody
	if json.Unmarshal([]byte(x.rawBody), &b) != nil || json.Unmarshal([]byte(x.rawWish), &x.wish) != nil {
		b = itemBody{} // its mark does not fit either
	}
	x.Name, x.Amount, x.Currency, x.Why, x.Since, x.prog, x.Next = b.Name, b.Amount, b.Currency, b.Why, b.Since, b.Progress, db.Time(next)
	return x, nil
}

func (b *Budgets) items(ctx context.Context, plan string) ([]Item, error) {
	return all(ctx, b.d.DB, scanItem, "SELECT "+itemColumns+", mark, next, holder FROM budget_items WHERE plan = $1 ORDER BY customer, what", plan)
}

func (b *Budgets) item(ctx context.Context, k key) (Item, error) {
	x, err := scanItem(b.d.DB.QueryRowContext(ctx, "SELECT "+itemColumns+
		", mark, next, holder FROM budget_items WHERE plan = $1 AND customer = $2 AND what = $3", k.Plan, k.Customer, k.What))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return x, problem.New(problem.NotFound, "the plan %.40q sets no budget %.40q of the customer %.40q", k.Plan, k.What, k.Customer)
	case err == nil && (x.Plan != k.Plan || x.Customer != k.Customer || x.What != k.What):
		return x, vault.Other(itemBook, k.Plan+" "+k.Customer+" "+k.What)
	}
	return x, failed(err)
}

func (b *Budgets) insertItem(ctx context.Context, x *Item) error {
	x.version = 1
	w, err := json.Marshal(x.wish)
	if err == nil {
		x.rawWish = string(w)
		err = x.write()
	}
	if err != nil {
		return err
	}
	mark, err := b.d.Marks.Mark(ctx, itemBook, x.values()...)
	if err != nil {
		return err
	}
	return one(b.d.DB.ExecContext(ctx, "INSERT INTO budget_items ("+itemColumns+
		", mark, next, holder, held_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', 0)", append(x.values(), mark, db.Micros(x.Next))...))
}

// updateItem writes an item that this process holds, or one that nobody does.
func (b *Budgets) updateItem(ctx context.Context, x *Item) error {
	was := x.version
	x.version++
	if err := x.write(); err != nil {
		return err
	}
	mark, err := b.d.Marks.Mark(ctx, itemBook, x.values()...)
	if err == nil {
		err = one(b.d.DB.ExecContext(ctx, `UPDATE budget_items SET state = $4, body = $5, version = $6, mark = $7, next = $8
			WHERE plan = $1 AND customer = $2 AND what = $3 AND version = $9 AND holder = $10`,
			x.Plan, x.Customer, x.What, string(x.State), x.rawBody, x.version, mark, db.Micros(x.Next), was, x.holder))
	}
	if err != nil {
		x.version = was
	}
	return err
}

// lease takes an item for this process until a moment, unless another has it.
func (b *Budgets) lease(ctx context.Context, k key, now, until time.Time) error {
	return one(b.d.DB.ExecContext(ctx, `UPDATE budget_items SET holder = $4, held_until = $5
		WHERE plan = $1 AND customer = $2 AND what = $3 AND (holder = '' OR held_until < $6 OR held_until > $7)`, k.Plan, k.Customer, k.What, b.id,
		db.Micros(until), db.Micros(now), db.Micros(now.Add(2*leaseFor))))
}

// release gives an item up.
func (b *Budgets) release(ctx context.Context, k key) error {
	err := one(b.d.DB.ExecContext(ctx, "UPDATE budget_items SET holder = '', held_until = 0 WHERE plan = $1 AND customer = $2 AND what = $3 AND holder = $4",
		k.Plan, k.Customer, k.What, b.id))
	if errors.Is(err, errStale) {
		return nil // somebody took it over
	}
	return err
}

// key names an item.
type key struct {
	Plan     string `json:"plan"`
	Customer string `json:"customer"`
	What     string `json:"what"`
}

// longestWait is longer than any item waits before it is looked at again.
const longestWait = 2 * 24 * time.Hour

// due are items that are to be looked at now. A time that nobody would have written is no
// reason to wait.
func (b *Budgets) due(ctx context.Context, now time.Time, limit int) ([]key, error) {
	return all(ctx, b.d.DB, func(r row) (k key, err error) { return k, r.Scan(&k.Plan, &k.Customer, &k.What) },
		"SELECT plan, customer, what FROM budget_items WHERE next <> 0 AND (next <= $1 OR next > $2) ORDER BY next, plan, customer, what LIMIT $3",
		db.Micros(now), db.Micros(now.Add(longestWait)), limit)
}

// busy are plans that still do something at a customer's budget.
func (b *Budgets) busy(ctx context.Context, customer, what, but string) ([]string, error) {
	return all(ctx, b.d.DB, func(r row) (id string, err error) { return id, r.Scan(&id) },
		"SELECT plan FROM budget_items WHERE customer = $1 AND what = $2 AND plan <> $3 AND state IN ('waiting', 'restoring') ORDER BY plan",
		customer, what, but)
}

func (b *Budgets) insertStep(ctx context.Context, s *Step) error {
	return one(b.d.DB.ExecContext(ctx, `INSERT INTO budget_steps (plan, customer, what, seq, act, asked, answered, result, words)
		VALUES ($1, $2, $3, $4, $5, $6, 0, '', '')`, s.Plan, s.Customer, s.What, s.Seq, s.Act, db.Micros(s.Asked)))
}

func (b *Budgets) answerStep(ctx context.Context, s *Step) error {
	return one(b.d.DB.ExecContext(ctx, `UPDATE budget_steps SET answered = $5, result = $6, words = $7
		WHERE plan = $1 AND customer = $2 AND what = $3 AND seq = $4`, s.Plan, s.Customer, s.What, s.Seq, db.Micros(s.Answered), s.Result, s.Words))
}

func (b *Budgets) steps(ctx context.Context, plan, customer string) ([]Step, error) {
	return all(ctx, b.d.DB, func(r row) (s Step, err error) {
		var asked, answered int64
		err = r.Scan(&s.Plan, &s.Customer, &s.What, &s.Seq, &s.Act, &asked, &answered, &s.Result, &s.Words)
		s.Asked, s.Answered = db.Time(asked), db.Time(answered)
		return s, err
	}, "SELECT plan, customer, what, seq, act, asked, answered, result, words FROM budget_steps WHERE plan = $1 AND customer = $2 ORDER BY asked, what, seq",
		plan, customer)
}

// counts are the items by state.
func (b *Budgets) counts(ctx context.Context) (map[State]int, error) {
	type count struct {
		s State
		n int
	}
	list, err := all(ctx, b.d.DB, func(r row) (c count, err error) { return c, r.Scan(&c.s, &c.n) }, "SELECT state, COUNT(*) FROM budget_items GROUP BY state")
	out := map[State]int{}
	for _, c := range list {
		out[c.s] = c.n
	}
	return out, err
}
