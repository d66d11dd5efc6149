package msapi

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"partnerguard/internal/problem"
)

// Customer reads one customer by tenant id (contracts.md section 2.3). Kind
// problem.NotFound for a tenant that is no customer of this partner: Partner
// Center says so by 404, or by refusing a tenant it has no relationship with.
func (p *PartnerCenter) Customer(ctx context.Context, tenant string) (Customer, error) {
	if !isGUID(tenant) {
		return Customer{}, problem.New(problem.Usage, "%.80q is no tenant id", tenant)
	}
	tenant = strings.ToLower(tenant)
	res, err := p.call(ctx, "customer", http.MethodGet, p.cloud.PartnerCenter+"/v1/customers/"+tenant, nil, p.tenant, paceCenter, nil)
	if err != nil {
		var e *APIError
		if errors.As(err, &e) && (e.Status == http.StatusNotFound || e.Code == "900159" || e.Code == "20002" || e.Code == "60003") {
			return Customer{}, problem.Wrap(err, problem.NotFound, "the tenant %s is no customer of this partner", tenant)
		}
		return Customer{}, err
	}
	c, ok := readCustomer(res.body)
	if !ok || c.ID != tenant {
		return Customer{}, unreadable(center)
	}
	return c, nil
}
