package app_test

import (
	"partnerguard/internal/gateway"
)

// gated plants what somebody of each tenant came short of at the gateway.
func (p *planted) gated() {
	p.Helper()
	route := &gateway.Route{Name: "panel"}
	for _, m := range marks {
		d := gateway.Decision{Route: route, Reason: gateway.SingleFactor, Phase: gateway.Phase{Mode: gateway.Report},
			Identity: &gateway.Identity{Way: gateway.ByBearer, Tenant: p.of[m], ObjectID: p.word(m, "caller"), Account: p.word(m, "account"), App: "app"}}
		p.s.Gateway.Book.Note(&d, &gateway.Request{Now: p.s.Now()})
	}
	p.ok(p.s.Gateway.Book.Flush(p.Context()))
}
