package ledger

import (
	"context"
	"fmt"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/gateway"
)

// settled is how long after its end an hour is told: its last counts are written by then.
const settled = time.Minute

// Tell has the trail say what was refused in hours that are over: one entry a route,
// reason, caller and client, with how often; beyond 500 of an hour one for all the rest.
// Each is told once, whichever process does it.
func (l *Ledger) Tell(ctx context.Context) error {
	before := hourOf(l.d.Now().Add(-settled))
	for {
		hour, err := l.untold(ctx, before)
		if err != nil || hour < 0 {
			return err
		}
		err = l.d.DB.InTx(ctx, func(ctx context.Context) error {
			list, err := l.take(ctx, hour)
			if err != nil {
				return err
			}
			var rest Sum
			callers := 0
			for i := range list {
				if i < toldOf {
					if err := l.d.Record.Record(ctx, refusal(&list[i])); err != nil {
						return err
					}
					continue
				}
				callers++
				rest.N += list[i].N
			}
			if callers == 0 {
				return nil
			}
			return l.d.Record.Record(ctx, audit.Event{Action: audit.GatewayRefused, Outcome: audit.Refused, Actor: "others",
				Reason:  "further refusals of this hour",
				Details: map[string]string{"hour": hourWord(hour), "times": fmt.Sprint(rest.N), "rows": fmt.Sprint(callers)}})
		})
		if err != nil {
			return err
		}
	}
}

func hourWord(hour int64) string { return time.Unix(hour*3600, 0).UTC().Format("2006-01-02T15Z") }

// refusal is the trail's entry of refusals of one hour.
func refusal(s *Sum) audit.Event {
	e := audit.Event{Action: audit.GatewayRefused, Outcome: audit.Refused, Actor: s.Kind + ":" + s.Caller, Object: s.Route, Tenant: s.Tenant, Reason: s.Reason,
		Details: map[string]string{"hour": hourWord(s.Hour), "times": fmt.Sprint(s.N), "last": s.Last.Format(time.RFC3339)}}
	if r, ok := gateway.ReasonOf(s.Reason); ok {
		e.Reason = s.Reason + ": " + r.Title()
	}
	for name, v := range map[string]string{"client": s.Client, "account": s.Account} {
		if v != "" {
			e.Details[name] = v
		}
	}
	return e
}

// Prune forgets what is older than 90 days.
func (l *Ledger) Prune(ctx context.Context) error {
	return l.forget(ctx, hourOf(l.d.Now().Add(-Kept)))
}
