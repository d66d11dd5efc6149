package attack

import (
	"context"
	"strings"

	"partnerguard/internal/app"
	"partnerguard/internal/fraud/contain"
	alerts "partnerguard/internal/fraud/desk"
	"partnerguard/internal/partnercloud/world"
)

// contained applies a plan about an alert, approves it as another person, and cancels it, so
// that nothing of it is done.
func (h *house) contained(s *app.Installation) {
	h.Helper()
	ctx := h.Context()
	alert := ""
	h.s.World.Read(func(st *world.State) {
		for a := range st.PartnerTenant().Alerts.All() {
			if strings.Contains(a.Name, "mining") {
				alert = a.ID
			}
		}
	})
	s.Config.Collect.Connection = h.first
	_, err := s.Fraud.Pull(ctx)
	h.ok(err)
	cases, err := s.Fraud.List(ctx, alerts.Filter{})
	h.ok(err)
	for i := range cases {
		if cases[i].GraphID == alert {
			alert = cases[i].ID
		}
	}
	p, err := s.Contain.Plan(ctx, contain.Ask{Alert: alert, Connection: h.first})
	h.ok(err)
	p.Steps = p.Steps[:1]
	r, err := s.Contain.Apply(ctx, p)
	h.ok(err)
	_, err = s.Contain.As("local:second").Approve(ctx, r.ID)
	h.ok(err)
	_, err = s.Contain.Cancel(ctx, r.ID, "a drill")
	h.ok(err)
	_, err = s.DB.ExecContext(ctx, `INSERT INTO contain_acts (run, seq, n, what, asked, answered, result, words)
		VALUES ('`+r.ID+`', 1, 1, 'deallocate the virtual machine', 1, 2, 'done', '')`)
	h.ok(err)
}

// whoContains tells what would be stopped, by whose yes.
func (h *house) whoContains(ctx context.Context, s *app.Installation, d *day, say func(refused, format string, args ...any)) {
	plans, err := s.Contain.Plans(ctx)
	if err != nil {
		d.tell("plans of containment: %v", err)
	}
	for _, p := range plans {
		say(p.Refused, "plan %s about %s was made by %s", p.ID, p.Alert, p.Actor)
	}
	list, err := s.Contain.Status(ctx, "")
	if err != nil {
		d.tell("containment: %v", err)
	}
	for i := range list {
		r := &list[i]
		by := ""
		if r.Approved != nil {
			by = r.Approved.Actor
		}
		say(r.Refused, "containment %s of %s is %s, approved by %s", r.ID, r.Plan.Subscription, r.State, by)
		for k := range r.Steps {
			x := &r.Steps[k]
			say(x.Refused, "step %d of %s is %s: %s %s", x.Seq, x.Run, x.State, x.Step.Kind, x.Step.Target)
		}
	}
}
