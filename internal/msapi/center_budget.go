package msapi

import (
	"context"
	"encoding/json"
	"math"
	"net/http"

	"partnerguard/internal/problem"
)

// SpendingBudget reads a customer's spending budget (contracts.md section 7.2); nil: there is
// none. It warns, and caps nothing.
func (p *PartnerCenter) SpendingBudget(ctx context.Context, customer string) (*float64, error) {
	if !isGUID(customer) {
		return nil, problem.New(problem.Usage, "%.80q is no tenant id", customer)
	}
	res, err := p.call(ctx, "budget", http.MethodGet, p.customer(customer)+"/usagebudget", nil, p.tenant, paceCenter, nil)
	if err != nil {
		return nil, err
	}
	var in struct {
		Amount     json.RawMessage `json:"amount"`
		Attributes struct {
			Type string `json:"objectType"`
		} `json:"attributes"`
	}
	if json.Unmarshal(res.body, &in) != nil || in.Amount == nil && in.Attributes.Type != "SpendingBudget" {
		return nil, unreadable(center)
	}
	var amount *float64
	if in.Amount != nil && json.Unmarshal(in.Amount, &amount) != nil {
		return nil, unreadable(center)
	}
	return amount, nil
}

// SetSpendingBudget sets a customer's spending budget, in the customer's currency; nil takes it
// away. Sent again after a lost answer it does the same: the request has one id.
func (p *PartnerCenter) SetSpendingBudget(ctx context.Context, customer string, amount *float64) error {
	switch {
	case !isGUID(customer):
		return problem.New(problem.Usage, "%.80q is no tenant id", customer)
	case amount != nil && (math.IsNaN(*amount) || *amount < 0 || *amount > 1e12):
		return problem.New(problem.Usage, "%v is no amount of a budget", *amount)
	}
	body := struct {
		Amount     *float64          `json:"Amount"` // null takes it away
		Attributes map[string]string `json:"Attributes"`
	}{amount, map[string]string{"ObjectType": "SpendingBudget"}}
	_, err := p.call(ctx, "budget", http.MethodPatch, p.customer(customer)+"/usagebudget", body, p.tenant, paceCenter, nil)
	return err
}
