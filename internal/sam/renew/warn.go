package renew

import (
	"context"
	"strconv"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/sam"
)

// told is how long it is remembered that a warning was given: longer than any
// refresh token lives idle.
const told = 100 * 24 * time.Hour

// Warn writes each connection that dies within 14, 7 or 1 days into the log and
// the audit trail, once for each of these. heal is the command that brings one
// back.
func (r *Renewer) Warn(ctx context.Context) error {
	list, err := r.d.Store.List(ctx)
	if err != nil {
		return err
	}
	now := r.d.Now()
	once := r.d.Told
	if err := once.Forget(ctx, now.Add(-told)); err != nil {
		return err
	}
	for _, w := range Warnings(now, list) {
		fresh := false
		err := r.d.Store.InTx(ctx, func(ctx context.Context) error {
			var err error
			if fresh, err = once.Once(ctx, "warned:"+w.Key, now); err != nil || !fresh {
				return err
			}
			return r.d.Record.Record(ctx, audit.Event{
				Action: audit.ConnectionDying, Outcome: audit.Done, Actor: "system:renewal", Object: w.Connection.ID, Tenant: w.Connection.Tenant,
				Reason: w.Words, Details: map[string]string{"at": w.At.UTC().Format(time.RFC3339), "days": strconv.Itoa(w.Days), "name": w.Connection.Name},
			})
		})
		if err != nil {
			return err
		}
		if fresh {
			r.d.Log.WarnContext(ctx, "a connection dies soon", "connection", w.Connection.Name, "at", w.At.UTC(), "because", w.Words, "do", w.Fix, "heal",
				sam.Heal(w.Connection))
		}
	}
	return nil
}
