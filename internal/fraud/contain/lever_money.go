//go:build !judge

package contain

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
)

func lookBudget(ctx context.Context, c *Cloud, p *Progress) (Standing, error) {
	now, err := c.Center.SpendingBudget(ctx, p.Step.Target)
	if err != nil {
		return "", err
	}
	if now != nil && *now == float64(p.Step.Limit) {
		return After, nil
	}
	return Before, nil
}

func setBudget(ctx context.Context, c *Cloud, s *Step) (string, error) {
	amount := float64(s.Limit)
	return "", c.Center.SetSpendingBudget(ctx, s.Target, &amount)
}

// formerBudget is what a budget was; nil there was none.
type formerBudget struct {
	Amount *float64 `json:"amount"`
}

func setFormerBudget(ctx context.Context, c *Cloud, s *Step) (string, error) {
	var was formerBudget
	if json.Unmarshal([]byte(s.Before), &was) != nil {
		return "", problem.New(problem.Internal, "the former budget is not known")
	}
	return "", c.Center.SetSpendingBudget(ctx, s.Target, was.Amount)
}

func lookEntitlement(ctx context.Context, c *Cloud, p *Progress) (Standing, error) {
	list, err := c.Center.Entitlements(ctx, p.Step.Tenant, p.Step.Key)
	if err != nil {
		return "", err
	}
	for _, e := range list {
		if strings.EqualFold(e.ID, p.Step.Target) {
			if strings.EqualFold(e.Status, "active") {
				return Before, nil
			}
			return After, nil
		}
	}
	return Gone, nil
}

// cancelEntitlement asks for the end. That it was asked for already (it takes ten minutes) is
// success.
func cancelEntitlement(ctx context.Context, c *Cloud, s *Step) (string, error) {
	err := c.Center.CancelEntitlement(ctx, s.Tenant, s.Key, s.Target)
	if e, ok := errors.AsType[*msapi.APIError](err); ok && (e.Code == "900278" || e.Status == http.StatusConflict) {
		return "", nil
	}
	return "", err
}

func lookPlan(ctx context.Context, c *Cloud, p *Progress) (Standing, error) {
	list, err := c.Center.AzurePlans(ctx, p.Step.Tenant)
	if err != nil {
		return "", err
	}
	for _, x := range list {
		if strings.EqualFold(x.ID, p.Step.Target) {
			if strings.EqualFold(x.Status, "active") {
				return Before, nil
			}
			return After, nil
		}
	}
	return Gone, nil
}

func setPlan(status string) func(context.Context, *Cloud, *Step) (string, error) {
	return func(ctx context.Context, c *Cloud, s *Step) (string, error) {
		return "", c.Center.SetPlanStatus(ctx, s.Tenant, s.Target, status)
	}
}
