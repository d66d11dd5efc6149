//go:build !judge

package app

import (
	"bytes"
	"context"

	"partnerguard/internal/audit"
	"partnerguard/internal/trail"
)

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
	all, err := i.moveWords.now(ctx, i.Trail, func(line []byte) bool { return bytes.Contains(line, aboutMoves) }, keyOfMove)
	if err != nil {
		return nil, err
	}
	return func(object, tenant string) audit.Action { return all[[2]string{object, tenant}] }, nil
}
