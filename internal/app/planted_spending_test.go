package app_test

import (
	"partnerguard/internal/fraud/budget"
)

// spent is a book of spending in which every customer has a name of its own.
func (p *planted) spent() *budget.Book {
	now := p.s.Now()
	b := &budget.Book{Partner: p.of["zzp"], AsOf: now, From: now, Usage: budget.List{At: now, Whole: true},
		Score: &budget.Score{With: 41, Of: 4141, At: now}}
	for _, m := range marks[1:] {
		cost := 12.5
		b.Customers = append(b.Customers, budget.Account{Tenant: p.of[m], Name: p.word(m, "spender"), Domain: m + ".example", Currency: "EUR",
			Budgeted: budget.No, Cost: &cost, CostAt: now, Read: now, Since: now})
	}
	return b
}

// ownBudgets are a customer's subscriptions in Azure.
func (p *planted) ownBudgets(m string) budget.Own {
	return budget.Own{Read: budget.Yes, At: p.s.Now(), Subscriptions: []budget.Subscription{{ID: m + "-sub", Name: p.word(m, "subscription")}}}
}
