package attack

import (
	"context"
	"testing"

	"partnerguard/internal/app"
	"partnerguard/internal/audit"
	"partnerguard/internal/msapi"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/broker"
	"partnerguard/internal/sam/consent"
	"partnerguard/internal/trail"
)

// later is what happens to an installation besides renewals: what was given is
// taken away again.
func (h *house) later(s *app.Installation) {
	h.Helper()
	ctx := h.Context()
	b, err := s.SAM.Broker()
	h.ok(err)
	p, err := broker.ParsePolicy("policy", h.policy)
	h.ok(err)
	h.ok(b.SetPolicy(p))
	list, err := b.Approvals(ctx)
	h.ok(err)
	for _, a := range list {
		_, err := b.Withdraw(ctx, a.ID, "local:ada")
		h.ok(err)
	}
	h.ok(s.DB.InTx(ctx, func(ctx context.Context) error { return s.SAM.Invited().Use(ctx, h.invited, h.first) }))
	h.ok(consent.NewIntents(s.DB, s.Vault).End(ctx, h.first, h.fabrikam))
	held, err := s.SAM.Store.Registration(ctx, panelApp)
	h.ok(err)
	_, err = s.SAM.AddRegistration(ctx, sam.Registration{ClientID: panelApp, Tenant: held.Tenant, Name: "panel, again", Kind: msapi.ClientSecret,
		Created: s.Now()}, h.lab().Secret(panelApp))
	h.ok(err)
	_, err = s.Keeper.Send(ctx, true)
	h.ok(err)
}

// recorded says which acts the trail does not have.
func (h *house) recorded(t *testing.T, s *app.Installation, acts ...string) {
	t.Helper()
	for _, a := range acts {
		f, err := s.Trail.Search(t.Context(), trail.Query{Action: a, Limit: 1})
		if err != nil || len(f.Entries) == 0 {
			t.Errorf("the trail has no %s: %v", a, err)
		}
	}
}

// started is something to record.
var started = audit.Event{Action: audit.TokenRefused, Outcome: audit.Refused, Actor: "unknown", Reason: "no caller"}
