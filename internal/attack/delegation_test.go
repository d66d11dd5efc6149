package attack

import (
	"context"

	"partnerguard/internal/app"
	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/move"
	"partnerguard/internal/entra"
)

// delegated pins a role, and applies a plan that moves one customer; nothing of it is done yet.
func (h *house) delegated(s *app.Installation) {
	h.Helper()
	ctx := h.Context()
	_, err := s.Mover.Pin(ctx, move.Pin{Role: entra.RoleServiceSupportAdministrator, Reason: "tickets at Microsoft"})
	h.ok(err)
	const helpers = "aaaaaaaa-0000-4000-8000-000000000001"
	inv := &delegation.Inventory{AsOf: s.Now(), Tenant: h.s.Info().Tenant.ID, Customers: []delegation.Customer{{Tenant: h.fabrikam, Name: "Fabrikam",
		DAP: delegation.Yes}}}
	t := &move.Template{Version: 1, Name: "desk", Groups: []move.TemplateGroup{{ID: helpers, Roles: []string{entra.RoleHelpdeskAdministrator}}}}
	p, err := move.Make(&move.Ask{Cloud: "public", Now: s.Now(), Seed: "house", Inventory: inv, Template: t})
	h.ok(err)
	p.Stages, p.Customers[0].Stage = []int{50, 100}, 2 // so that it waits
	r, err := s.Mover.Apply(ctx, p, 50, inv)
	h.ok(err)
	_, err = s.DB.ExecContext(ctx, `INSERT INTO delegation_steps (plan, customer, seq, state, act, asked, answered, result, words)
		VALUES ('`+r.ID+`', '`+h.fabrikam+`', 1, 'creating', 'create the relationship', 1, 2, 'done', '')`)
	h.ok(err)
}

// whoMoves tells what of delegation would be changed, and which roles are pinned.
func (h *house) whoMoves(ctx context.Context, s *app.Installation, d *day, say func(refused, format string, args ...any)) {
	if _, err := s.Mover.Pinned(ctx); err != nil {
		d.tell("pins: %v", err)
	}
	pins, err := s.Mover.Pins(ctx)
	if err != nil {
		d.tell("pins: %v", err)
	}
	for _, p := range pins {
		say("", "pinned %s for %q at %q", p.Role, p.Group, p.Customer)
	}
	list, err := s.Mover.Status(ctx, "")
	if err != nil {
		d.tell("moves: %v", err)
	}
	for i := range list {
		r := &list[i]
		say(r.Refused, "plan %s of %s is %s, stage %d until %d", r.ID, r.Plan.Tenant, r.State, r.Stage, r.Until)
		for k := range r.Moves {
			x := &r.Moves[k]
			say(x.Refused, "%s at %s is %s", x.Plan, x.Customer, x.State)
		}
	}
}
