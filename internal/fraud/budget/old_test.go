//go:build !judge

package budget

import (
	"context"

	"partnerguard/internal/audit"
	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/db"
)

// rows remembers the rows as they are, and gives what puts them back.
func (r *rig) rows(d *db.DB) (back func()) {
	r.Helper()
	runs, err := r.runs(r.Context())
	r.ok(err)
	items, err := all(r.Context(), d, scanItem, "SELECT "+itemColumns+", mark, next, holder FROM budget_items")
	r.ok(err)
	return func() {
		r.Helper()
		for _, x := range runs {
			_, err := d.ExecContext(r.Context(), "UPDATE budget_runs SET body = $1, state = $2, actor = $3, version = $4, mark = $5 WHERE id = $6", x.rawBody,
				string(x.State), x.Actor, x.version, x.mark, x.ID)
			r.ok(err)
		}
		for _, x := range items {
			_, err := d.ExecContext(r.Context(), `UPDATE budget_items SET state = $1, wish = $2, body = $3, version = $4, mark = $5, next = $6
				WHERE plan = $7 AND customer = $8 AND what = $9`, string(x.State), x.rawWish, x.rawBody, x.version, x.mark, db.Micros(x.Next), x.Plan, x.Customer,
				x.What)
			r.ok(err)
		}
	}
}

// lastOf is what a trail says last of plans.
func lastOf(t *audittest.Recorder) func(context.Context) (func(string) audit.Action, error) {
	return func(context.Context) (func(string) audit.Action, error) {
		last := map[string]audit.Action{}
		for _, e := range t.Events() {
			if e.Action == audit.BudgetRolledBack || e.Action == audit.BudgetApplied {
				last[e.Object] = e.Action
			}
		}
		return func(plan string) audit.Action { return last[plan] }, nil
	}
}
