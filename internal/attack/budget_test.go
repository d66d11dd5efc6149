package attack

import (
	"context"

	"partnerguard/internal/app"
	"partnerguard/internal/fraud/budget"
)

// budgeted applies a plan that sets one customer's budget; nothing of it is done yet.
func (h *house) budgeted(s *app.Installation) {
	h.Helper()
	ctx := h.Context()
	p := budget.Plan{Version: 1, Cloud: "public", Tenant: h.s.Info().Tenant.ID, Made: s.Now(), Facts: s.Now(), Customers: []budget.Customer{{
		Tenant: h.fabrikam, Name: "Fabrikam", Currency: "EUR", Why: "said", Center: &budget.CenterWish{Amount: 500, Was: budget.WasNone}}}}
	r, err := s.Budgets.Apply(ctx, p)
	h.ok(err)
	_, err = s.DB.ExecContext(ctx, `INSERT INTO budget_steps (plan, customer, what, seq, act, asked, answered, result, words)
		VALUES ('`+r.ID+`', '`+h.fabrikam+`', '`+budget.CenterItem+`', 1, 'set to 500 EUR', 1, 2, 'done', '')`)
	h.ok(err)
}

// whoBudgets tells which budgets would be set.
func (h *house) whoBudgets(ctx context.Context, s *app.Installation, d *day, say func(refused, format string, args ...any)) {
	list, err := s.Budgets.Status(ctx, "")
	if err != nil {
		d.tell("budgets: %v", err)
	}
	for i := range list {
		r := &list[i]
		say(r.Refused, "budgets %s of %s are %s", r.ID, r.Plan.Tenant, r.State)
		for k := range r.Items {
			x := &r.Items[k]
			say(x.Refuses, "%s at %s: %s of %v is %s", x.Plan, x.Customer, x.What, x.Amount, x.State)
		}
	}
}
