package msapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"partnerguard/internal/problem"
)

// DAP says whether the partner has delegated administration privileges at a customer
// (contracts.md section 2.3). Unknown where the answer does not say so.
func (p *PartnerCenter) DAP(ctx context.Context, customer string) (Compliance, error) {
	if !isGUID(customer) {
		return Unknown, problem.New(problem.Usage, "%.80q is no tenant id", customer)
	}
	res, err := p.call(ctx, "customer", http.MethodGet, p.customer(customer), nil, p.tenant, paceCenter, nil)
	if err != nil {
		return Unknown, err
	}
	return readDAP(res.body)
}

// RemoveDAP takes delegated administration privileges away from a customer, and nothing
// else: the reseller relationship, subscriptions and GDAP stay. It cannot be taken back:
// the customer would have to accept a new invitation. That there was none is success.
//
// Source: Partner Center, "Remove a DAP relationship with a customer" (contracts.md
// section 2.3).
func (p *PartnerCenter) RemoveDAP(ctx context.Context, customer string) error {
	if !isGUID(customer) {
		return problem.New(problem.Usage, "%.80q is no tenant id", customer)
	}
	body := struct {
		Delegated  bool              `json:"AllowDelegatedAccess"`
		Attributes map[string]string `json:"attributes"`
	}{Attributes: map[string]string{"objectType": "Customer"}}
	_, err := p.call(ctx, "customer", http.MethodPatch, p.customer(customer), body, p.tenant, paceCenter, nil)
	return err
}

func (p *PartnerCenter) customer(tenant string) string {
	return p.cloud.PartnerCenter + "/v1/customers/" + strings.ToLower(tenant)
}

func readDAP(body []byte) (Compliance, error) {
	var in struct {
		Delegated *bool `json:"allowDelegatedAccess"`
	}
	switch err := json.Unmarshal(body, &in); {
	case err != nil:
		return Unknown, unreadable(center)
	case in.Delegated == nil:
		return Unknown, nil
	case *in.Delegated:
		return Compliant, nil
	}
	return NotCompliant, nil
}
