//go:build !judge

package budget

import (
	"context"

	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
)

// live is Partner Center and Azure Resource Manager (contracts.md sections 7.2 and 7.3).
type live struct {
	center *msapi.PartnerCenter
	azure  func(customer string) (*msapi.Consumption, error)
}

// Live makes the way to Microsoft of clients: Partner Center's of the partner, and of a
// customer's tenant the one of Azure's budgets.
func Live(center *msapi.PartnerCenter, azure func(customer string) (*msapi.Consumption, error)) Cloud {
	return live{center, azure}
}

func unreadable() error {
	return problem.New(problem.Unavailable, "an answer of Microsoft cannot be read").WithHint("nothing to do: it is asked again")
}

func (l live) SpendingBudget(ctx context.Context, customer string) (*float64, error) {
	return l.center.SpendingBudget(ctx, customer)
}

func (l live) SetSpendingBudget(ctx context.Context, customer string, amount *float64) error {
	return l.center.SetSpendingBudget(ctx, customer, amount)
}

func (l live) AzureBudget(ctx context.Context, customer, subscription, name string) (Kept, bool, error) {
	c, err := l.azure(customer)
	if err != nil {
		return Kept{}, false, err
	}
	b, found, err := c.Budget(ctx, subscription, name)
	return Kept{ETag: b.ETag, Properties: b.Properties}, found, err
}

func (l live) PutAzureBudget(ctx context.Context, customer, subscription, name string, b Kept) error {
	c, err := l.azure(customer)
	if err != nil {
		return err
	}
	return c.PutBudget(ctx, subscription, name, msapi.AzureBudget{ETag: b.ETag, Properties: b.Properties})
}

func (l live) DeleteAzureBudget(ctx context.Context, customer, subscription, name string) error {
	c, err := l.azure(customer)
	if err != nil {
		return err
	}
	return c.DeleteBudget(ctx, subscription, name)
}
