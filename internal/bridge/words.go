package bridge

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/problem"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault"
)

// words are what the trail says last of each device. A row that was put back fits its
// mark; the trail says that it was revoked.
type words struct {
	trail Trail

	mu      sync.Mutex // guards the fields below
	high    int64      // entries up to here were read
	last    map[string]audit.Action
	checked time.Time // by the monotonic clock
}

const wordsFor = 2 * time.Second

// of gives the last that the trail says of a device, "" for nothing. A revocation is
// final.
func (w *words) of(ctx context.Context, id string) (audit.Action, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if a, known := w.last[id]; known && time.Since(w.checked) < wordsFor {
		return a, nil
	}
	began := time.Now()
	head, err := w.trail.Head(ctx)
	if err != nil {
		return "", failed(err)
	}
	if head.Seq < w.high {
		return "", problem.New(problem.Conflict, "the audit trail had %d entries a moment ago, and has %d", w.high, head.Seq).
			WithHint("an older database was put in place: partnerguard trail verify looks; start the bridge again once it is right")
	}
	if head.Seq > w.high {
		news := map[string]audit.Action{}
		err := w.trail.Held(ctx, w.high, head.Seq, func(line []byte) bool { return bytes.Contains(line, []byte(`"action":"bridge.`)) }, func(e trail.Entry) {
			if e.Outcome != audit.Done || e.Action != audit.BridgeDeviceMade && e.Action != audit.BridgeDeviceRevoked {
				return
			}
			if news[e.Object] != audit.BridgeDeviceRevoked && w.last[e.Object] != audit.BridgeDeviceRevoked {
				news[e.Object] = e.Action
			}
		})
		if err != nil {
			return "", failed(err)
		}
		if w.last == nil {
			w.last = map[string]audit.Action{}
		}
		for id, a := range news {
			w.last[id] = a
		}
		w.high = head.Seq
	}
	w.checked = began
	return w.last[id], nil
}

// holds holds a device's row to its mark and to what the trail says of it. The error is
// [vault.ErrForged] where it does not.
func (s *Store) holds(ctx context.Context, d *Device) error {
	if err := s.d.Vault.Fits(ctx, deviceBook, d.mark, d.values()...); err != nil {
		return err
	}
	want := audit.BridgeDeviceMade
	if !d.Revoked.IsZero() {
		want = audit.BridgeDeviceRevoked
	}
	last, err := s.words.of(ctx, d.ID)
	if err != nil || last == want {
		return err
	}
	err = problem.Wrap(vault.ErrForged, problem.BadInput, "the device %s is in the database, and the audit trail says %s of it last", d.ID,
		cmp.Or(string(last), "nothing")).WithHint("something else wrote into the database, or an older one was put back: partnerguard trail verify looks")
	if s.stray.Due(s.d.Now(), "forged "+d.ID) > 0 {
		s.d.Log.ErrorContext(ctx, "a row of the database was put back", "table", deviceBook.Table, "id", d.ID)
		rerr := s.record(ctx, audit.Event{Action: audit.RowForged, Outcome: audit.Refused, Actor: "system:bridge",
			Object: "row/" + deviceBook.Table + "/" + d.ID, Reason: "the trail says " + cmp.Or(string(last), "nothing") + " of it last"})
		err = errors.Join(err, rerr)
	}
	return err
}
