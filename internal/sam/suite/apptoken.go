package suite

import (
	"context"

	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/exchange"
)

// AppToken gives a token of a connection's app itself, not of its account, for a
// resource in a tenant: "" and "partner" are the connection's own, else a customer's id
// or domain. It is asked for anew each time.
func (s *Suite) AppToken(ctx context.Context, c sam.Connection, customer, resource string) (*msapi.Grant, error) {
	if c.Cloud.Name != s.d.Cloud.Name {
		return nil, problem.New(problem.Usage, "the connection %.60q is to %.40s, and this is %s", c.Name, c.Cloud.Name, s.d.Cloud.Name)
	}
	x, err := s.Exchange()
	if err != nil {
		return nil, err
	}
	tenant, err := x.Tenant(ctx, &c, customer)
	if err != nil {
		return nil, err
	}
	uri, err := exchange.Resource(s.d.Cloud, resource)
	if err != nil {
		return nil, err
	}
	app, err := s.Store.App(ctx, c.ClientID)
	if err != nil {
		return nil, err
	}
	return s.d.API.AppToken(ctx, msapi.AppRequest{Cloud: s.d.Cloud, App: app, Tenant: tenant, Scope: uri + "/.default"})
}
