package attack

import (
	"context"

	"partnerguard/internal/app"
	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/revoke"
)

// gated has the gateway refuse somebody, and somebody revoked; one of the two comes in again.
func (h *house) gated(s *app.Installation) {
	h.Helper()
	ctx := h.Context()
	d := gateway.Decision{Route: &gateway.Route{Name: "panel"}, Reason: gateway.SingleFactor, Refused: true, Phase: gateway.Phase{Mode: gateway.Enforce},
		Identity: &gateway.Identity{Way: gateway.ByBearer, Tenant: h.fabrikam, ObjectID: "ada", Account: "ada@contoso.example", App: "app"}}
	s.Gateway.Book.Note(&d, &gateway.Request{Now: s.Now()})
	h.ok(s.Gateway.Book.Flush(ctx))
	for i, who := range []string{"ada", "bob"} {
		r, err := s.Gateway.Revoke.Revoke(ctx, revoke.Revocation{Kind: revoke.User, Value: who, Why: "laptop was stolen"}, "local:owner")
		h.ok(err)
		if i == 1 {
			_, err = s.Gateway.Revoke.Unrevoke(ctx, r.ID, "local:owner")
			h.ok(err)
		}
	}
}

// whoIsRevoked tells whom the gateway refuses, whatever the rows say of themselves.
func (h *house) whoIsRevoked(ctx context.Context, s *app.Installation, d *day, say func(refused, format string, args ...any)) {
	if err := s.Gateway.Revoke.Look(ctx); err != nil {
		d.tell("gateway: %v", err)
		return
	}
	for _, who := range []string{"ada", "bob"} {
		say("", "%s is revoked at the gateway: %v", who, s.Gateway.Revoke.Revoked(&gateway.Identity{ObjectID: who, Tenant: h.fabrikam}, s.Now()))
	}
}
