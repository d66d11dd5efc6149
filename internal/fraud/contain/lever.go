//go:build !judge

package contain

import (
	"context"
	"slices"
)

// Standing is how a target stands, seen from what a step wants of it.
type Standing string

// The standings.
const (
	Before  Standing = "before"  // it runs, or is there
	Passing Standing = "passing" // Azure is changing it
	After   Standing = "after"   // it is as the step wants it
	Gone    Standing = "gone"    // it does not exist any more
)

// lever is how one kind of step is done. look decides before everything that is asked, and
// after every answer that was lost.
type lever struct {
	phase  int
	undo   bool
	danger bool
	how    string // how it is taken back, or why not
	look   func(ctx context.Context, c *Cloud, p *Progress) (Standing, error)
	// do and back ask for one change; operation is what to wait for, "" nothing.
	do   func(ctx context.Context, c *Cloud, s *Step) (operation string, err error)
	back func(ctx context.Context, c *Cloud, s *Step) (operation string, err error)
}

// levers are all kinds of steps.
var levers = map[Kind]lever{}

// Kinds are all kinds, in the order in which they are done.
func Kinds() []Kind {
	return []Kind{RevokeSessions, DisableUser, DisableApp, RemoveCredential, RemoveRole, StopMachine, StopSet, StopPool, StopCompute, StopContainers, LowerQuota,
		SetBudget, Cancel, Suspend}
}

// rank is a kind's place in that order.
func (k Kind) rank() int { return slices.Index(Kinds(), k) }
