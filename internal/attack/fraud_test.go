package attack

import (
	"context"
	"errors"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/fraud"
	frauddesk "partnerguard/internal/fraud/desk"
	"partnerguard/internal/partnercloud/world"
)

// warned has an alert of Microsoft read, taken, noted and answered.
func (h *house) warned(s *app.Installation) {
	h.Helper()
	ctx := h.Context()
	s.Config.Collect.Connection = h.first
	id := world.NewGUID()
	h.ok(h.s.World.Do(func(st *world.State) error {
		for a := range st.PartnerTenant().Alerts.All() {
			c := *a
			c.ID, c.EventID, c.Status, c.Reason, c.Activity, c.Test = id, c.Subscription+"_"+world.NewGUID(), "active", "", nil, false
			c.Detected, c.ResolvedOn = st.Clock.Now().Add(-time.Minute), time.Time{}
			st.RaiseAlert(&c)
			return nil
		}
		return errors.New("the world has no alert")
	}))
	_, err := s.Fraud.Pull(ctx)
	h.ok(err)
	_, err = s.Fraud.Assign(ctx, id, "ada", "local:ada")
	h.ok(err)
	_, err = s.Fraud.Note(ctx, id, "called the customer", "local:ada")
	h.ok(err)
	c, err := s.FraudAnswer(ctx, id, func(ctx context.Context, id string) error { return s.Fraud.Answer(ctx, id, fraud.Ignore, "local:ada") })
	h.ok(err)
	if c.Answer.State != frauddesk.Sent {
		h.Fatalf("%+v", c.Answer)
	}
	for _, text := range []string{"INSERT INTO fraud_rings (hash, at) VALUES ('x', 1)", "INSERT INTO fraud_ring_counts (what, n, last) VALUES ('rung', 1, 1)"} {
		_, err := s.DB.ExecContext(ctx, text)
		h.ok(err)
	}
}

// whoAnswers tells which alerts wait, who has them, and what was answered.
func (h *house) whoAnswers(ctx context.Context, s *app.Installation, d *day, say func(refused, format string, args ...any)) {
	list, err := s.Fraud.List(ctx, frauddesk.Filter{})
	if err != nil {
		d.tell("fraud: %v", err)
	}
	for i := range list {
		c := &list[i]
		if c.Assignee != "" {
			say(c.Refused, "the alert %s is with %s", c.ID, c.Assignee)
		}
		if c.Answer != nil {
			say(c.Refused, "the alert %s is answered %s, %s", c.ID, c.Answer.Reason, c.Answer.State)
		}
		if c.Aged {
			say(c.Refused, "the alert %s wakes nobody", c.ID)
		}
		if c.Refused != "" {
			d.tell("fraud: %s", c.Refused)
		}
	}
}
