//go:build !judge

package app

import (
	"bytes"
	"context"
	"maps"
	"sync"

	"partnerguard/internal/audit"
	"partnerguard/internal/trail"
)

// moveWords remembers what the trail says last of plans, pins, and moves that a person
// turned round, so that each look reads what is new of it alone. Safe for concurrent use.
type moveWords struct {
	mu   sync.Mutex // guards the fields below
	high int64      // entries up to here were read
	last map[[2]string]audit.Action
}

// aboutMoves begins the lines that say something of them.
var aboutMoves = []byte(`"action":"delegation.`)

// keyOfMove names what an action is about; false for one that turns nothing round.
func keyOfMove(e *trail.Entry) ([2]string, bool) {
	switch e.Action {
	case audit.DelegationCancelled, audit.DelegationRolledBack:
		return [2]string{e.Object, e.Tenant}, true
	case audit.DelegationStopped, audit.DelegationResumed, audit.DelegationPinned, audit.DelegationUnpinned:
		return [2]string{e.Object}, true
	}
	return [2]string{}, false
}

// lastOfMoves gives the newest action that the trail has of a plan or a pin (tenant ""), and
// of a customer's move by a plan. What was read was held to the trail's root.
func (i *Installation) lastOfMoves(ctx context.Context) (func(object, tenant string) audit.Action, error) {
	w := &i.moveWords
	w.mu.Lock()
	defer w.mu.Unlock()
	head, err := i.Trail.Head(ctx)
	if err != nil {
		return nil, err
	}
	if head.Seq < w.high { // an older database was put in place
		w.high, w.last = 0, nil
	}
	if head.Seq > w.high {
		news := map[[2]string]audit.Action{}
		err := i.Trail.Held(ctx, w.high, head.Seq, func(line []byte) bool { return bytes.Contains(line, aboutMoves) }, func(e trail.Entry) {
			if k, ok := keyOfMove(&e); ok {
				news[k] = e.Action
			}
		})
		if err != nil {
			return nil, err
		}
		all := maps.Clone(w.last) // those that were given before are not changed
		if all == nil {
			all = map[[2]string]audit.Action{}
		}
		maps.Copy(all, news)
		w.high, w.last = head.Seq, all
	}
	all := w.last
	return func(object, tenant string) audit.Action { return all[[2]string{object, tenant}] }, nil
}
