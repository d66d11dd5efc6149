//go:build !judge

package contain

import (
	"context"
	"encoding/json"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/problem"
	"partnerguard/internal/vault"
)

// Made is a plan that was made here.
type Made struct {
	ID      string    `json:"id"`
	Alert   string    `json:"alert"`
	Steps   int       `json:"steps"`
	At      time.Time `json:"made"`
	Actor   string    `json:"actor"`
	Refused string    `json:"refused,omitempty"` // something else wrote the row: it is not applied
}

// Plans are the plans that were made here, the newest last.
func (c *Containment) Plans(ctx context.Context) ([]Made, error) {
	list, err := c.made(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Made, 0, len(list))
	for i := range list {
		m := &list[i]
		x := Made{ID: m.id, At: db.Time(m.at), Actor: m.actor, Refused: c.refuses(ctx, planBook, m.mark, m.values())}
		var p Plan
		if json.Unmarshal([]byte(m.body), &p) == nil {
			x.Alert, x.Steps = p.Alert, len(p.Steps)
		}
		out = append(out, x)
	}
	return out, nil
}

// madePlan reads a plan as it was made, and holds it to its mark.
func (c *Containment) madePlan(ctx context.Context, id string) (p Plan, err error) {
	m, err := c.madeRow(ctx, id)
	switch {
	case err != nil:
		return p, err
	case m.id != id:
		return p, vault.Other(planBook, id)
	}
	if err := c.d.Marks.Fits(ctx, planBook, m.mark, m.values()...); err != nil {
		return p, err
	}
	if json.Unmarshal([]byte(m.body), &p) != nil {
		return p, problem.New(problem.Internal, "the plan %.40q cannot be read", id)
	}
	return p, nil
}
