package msapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"partnerguard/internal/pattern"
	"partnerguard/internal/problem"
	"partnerguard/internal/token"
)

// Consumption is the client of Azure's budgets in one tenant (REST API reference, Consumption,
// Budgets; contracts.md section 7.3). Safe for concurrent use.
type Consumption struct {
	c      *Client
	cloud  Cloud
	tenant string
	bearer Bearer
}

// AzureBudget is a budget as Azure has it. ETag is the one that it is changed by; "" makes one.
type AzureBudget struct {
	ETag       string          `json:"eTag,omitempty"`
	Properties json.RawMessage `json:"properties"`
}

const budgetsVersion = "2024-08-01"

var budgetTitle = pattern.Later(`^[A-Za-z0-9_-]{1,63}$`)

// Consumption makes a client for a tenant. bearer gives tokens for the cloud's ARMResource.
func (c *Client) Consumption(cloud Cloud, tenant string, bearer Bearer) (*Consumption, error) {
	if err := reach(cloud, cloud.ARM, "Azure Resource Manager", tenant); err != nil {
		return nil, err
	}
	return &Consumption{c, cloud, tenant, bearer}, nil
}

func (x *Consumption) call(ctx context.Context, method, subscription, name string, body any) (*sent, error) {
	if !isGUID(subscription) || !budgetTitle.MatchString(name) {
		return nil, problem.New(problem.Usage, "%.80q is no subscription, or %.80q no name of a budget", subscription, name)
	}
	where := x.cloud.ARM + "/subscriptions/" + strings.ToLower(subscription) + "/providers/Microsoft.Consumption/budgets/" + url.PathEscape(name) +
		"?api-version=" + budgetsVersion
	return x.c.ask(ctx, call{
		service: arm, method: method, where: where, bearer: x.bearer, header: map[string]string{"x-ms-client-request-id": token.GUID()}, body: body,
		how: conduct{what: "azure budget", tenant: x.tenant, kind: "arm", pace: paceARM, again: method == http.MethodGet},
	})
}

// Budget reads a budget of a subscription; found is false where there is none of that name. A
// subscription that is not seen is an error: nobody knows then what it has.
func (x *Consumption) Budget(ctx context.Context, subscription, name string) (b AzureBudget, found bool, err error) {
	res, err := x.call(ctx, http.MethodGet, subscription, name, nil)
	if e, ok := errors.AsType[*APIError](err); ok && e.Status == http.StatusNotFound && !strings.HasPrefix(strings.ToLower(e.Code), "subscription") {
		return b, false, nil
	}
	if err != nil {
		return b, false, err
	}
	if json.Unmarshal(res.body, &b) != nil || len(b.Properties) == 0 || b.Properties[0] != '{' {
		return b, false, unreadable(arm)
	}
	return b, true, nil
}

// PutBudget makes a budget, or changes the one whose ETag it is given.
func (x *Consumption) PutBudget(ctx context.Context, subscription, name string, b AzureBudget) error {
	_, err := x.call(ctx, http.MethodPut, subscription, name, b)
	return err
}

// DeleteBudget takes a budget away. That there was none is success.
func (x *Consumption) DeleteBudget(ctx context.Context, subscription, name string) error {
	_, err := x.call(ctx, http.MethodDelete, subscription, name, nil)
	if e, ok := errors.AsType[*APIError](err); ok && e.Status == http.StatusNotFound && !strings.HasPrefix(strings.ToLower(e.Code), "subscription") {
		return nil
	}
	return err
}
