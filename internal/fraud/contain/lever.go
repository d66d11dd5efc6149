//go:build !judge

package contain

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
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
	words  string // what it does, before the target's name
	how    string // how it is taken back, or why not
	look   func(ctx context.Context, c *Cloud, p *Progress) (Standing, error)
	// do and back ask for one change; operation is what to wait for, "" nothing.
	do   func(ctx context.Context, c *Cloud, s *Step) (operation string, err error)
	back func(ctx context.Context, c *Cloud, s *Step) (operation string, err error)
}

// The phases. Who could start things again goes first.
const (
	phasePeople    = 1
	phaseRights    = 2
	phaseResources = 3
	phaseMoney     = 4
	phaseEnd       = 5
)

// levers are all kinds of steps.
var levers = map[Kind]lever{
	RevokeSessions: {phase: phasePeople, words: "revoke the sessions of", how: "no: whoever is it signs in again; nothing else is lost",
		look: lookSessions, do: revoke},
	DisableUser: {phase: phasePeople, undo: true, words: "disable the account", how: "the account is enabled again",
		look: lookEnabled, do: enable("users", false), back: enable("users", true)},
	DisableApp: {phase: phasePeople, undo: true, words: "disable the app", how: "the app is enabled again in this tenant",
		look: lookEnabled, do: enable("servicePrincipals", false), back: enable("servicePrincipals", true)},
	RemoveCredential: {phase: phasePeople, words: "remove a credential of", how: "no: a secret or key that was removed is never seen again; make a new one",
		look: lookCredential, do: removeCredential},
	RemoveRole: {phase: phaseRights, undo: true, words: "remove the role assignment", how: "it is made again with the same id, role, principal and scope",
		look: lookRole, do: del(versionRoles), back: putRole},
	StopMachine: {phase: phaseResources, undo: true, words: "deallocate the virtual machine",
		how: "it is started again; a dynamic address and what lay on its temporary disk are lost", look: lookMachine,
		do: post("deallocate", versionCompute), back: post("start", versionCompute)},
	StopSet: {phase: phaseResources, undo: true, words: "deallocate the scale set", how: "it is started again; what lay on temporary disks is lost",
		look: lookSet, do: post("deallocate", versionCompute), back: post("start", versionCompute)},
	StopPool: {phase: phaseResources, undo: true, words: "resize to nothing the Batch pool",
		how: "it gets its scale back; tasks that ran are begun anew by Batch", look: lookPool, do: shrinkPool, back: growPool},
	StopCompute: {phase: phaseResources, undo: true, words: "stop the machine learning compute",
		how: "it is started again, or gets its scale back; jobs that ran are lost", look: lookCompute, do: stopCompute, back: startCompute},
	StopContainers: {phase: phaseResources, undo: true, words: "stop the container group", how: "it is started again; its containers begin anew",
		look: lookContainers, do: post("stop", versionContainers), back: post("start", versionContainers)},
	LowerQuota: {phase: phaseMoney, undo: true, words: "lower the quota", how: "the former quota is asked for again; Azure decides", look: lookQuota,
		do: putQuota, back: putFormerQuota},
	SetBudget: {phase: phaseMoney, undo: true, words: "set the spending budget of", how: "the former budget is set again", look: lookBudget,
		do: setBudget, back: setFormerBudget},
	Cancel: {phase: phaseEnd, danger: true, words: "cancel the Azure subscription", how: "no: Microsoft's support alone could bring it back, for a while",
		look: lookEntitlement, do: cancelEntitlement},
	Suspend: {phase: phaseEnd, undo: true, danger: true, words: "suspend the whole Azure plan", how: "the plan is made active again",
		look: lookPlan, do: setPlan("suspended"), back: setPlan("active")},
}

// Kinds are all kinds, in the order in which they are done.
func Kinds() []Kind {
	return []Kind{RevokeSessions, DisableUser, DisableApp, RemoveCredential, RemoveRole, StopMachine, StopSet, StopPool, StopCompute, StopContainers, LowerQuota,
		SetBudget, Cancel, Suspend}
}

// rank is a kind's place in that order.
func (k Kind) rank() int { return slices.Index(Kinds(), k) }

// resource says that a kind stops something that runs in Azure.
func (k Kind) resource() bool { return levers[k].phase == phaseResources }

// absent says that an error is that the thing is not there.
func absent(err error) bool {
	e, ok := errors.AsType[*msapi.APIError](err)
	return ok && e.Status == http.StatusNotFound
}

// gone turns an absence into a standing.
func gone(err error) (Standing, error) {
	if absent(err) {
		return Gone, nil
	}
	return "", err
}

func unreadable(what string) error {
	return problem.New(problem.Unavailable, "the answer of Microsoft about %s cannot be read", what).WithHint("nothing to do: it is asked again")
}
