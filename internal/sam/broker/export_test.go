package broker

import (
	"context"
	"log/slog"
	"time"

	"partnerguard/internal/audit"
)

// CallerForTest is a caller of the policy, as if it had proven itself.
func (b *Broker) CallerForTest(name string) *Caller {
	for _, r := range b.policy.Load().Callers {
		if r.Name == name {
			c := r.caller("mtls:"+name, "test")
			return &c
		}
	}
	return nil
}

// LedgerForTest opens the ledger to tests.
type LedgerForTest struct{ l *ledger }

func NewLedgerForTest(t audit.Recorder, now func() time.Time, log *slog.Logger) LedgerForTest {
	return LedgerForTest{newLedger(t, now, log)}
}
func (l LedgerForTest) Refused(ctx context.Context, e audit.Event) { l.l.refused(ctx, e) }
func (l LedgerForTest) Close(ctx context.Context) error            { return l.l.close(ctx) }
