//go:build !judge

package move

import (
	"slices"
	"time"
)

// State is where the move of one customer stands. A state that does something is named by
// what it does; it is left when that is done, and begun again after a process died in it.
type State string

// The states.
const (
	Waiting   State = "waiting"   // its stage has not begun
	Checking  State = "checking"  // what is there is held against the plan; nothing is written
	Creating  State = "creating"  // the new relationship
	Locking   State = "locking"   // the new relationship is offered
	Inviting  State = "inviting"  // the customer has not answered
	Assigning State = "assigning" // groups get their roles
	Probing   State = "probing"   // does the new access exist?
	Easing    State = "easing"    // the old assignments are taken away, which can be taken back
	Proving   State = "proving"   // does the new access alone do?
	Ending    State = "ending"    // the old relationships end for good
	Removing  State = "removing"  // DAP is taken away for good
	Done      State = "done"

	Held       State = "held"       // somebody has to look
	Cancelling State = "cancelling" // what was offered is taken back
	Cancelled  State = "cancelled"
	Restoring  State = "restoring"  // the old assignments are made again
	Retracting State = "retracting" // the new relationship ends
	RolledBack State = "rolled-back"
)

// States are all states, in order.
func States() []State {
	return []State{Waiting, Checking, Creating, Locking, Inviting, Assigning, Probing, Easing, Proving, Ending, Removing, Done, Held, Cancelling, Cancelled,
		Restoring, Retracting, RolledBack}
}

// ways are the states that may follow each.
var ways = map[State][]State{
	Waiting:    {Checking, Cancelled},
	Checking:   {Creating, Assigning, Easing, Removing, Done, Held, Cancelled},
	Creating:   {Locking, Inviting, Assigning, Held, Cancelling},
	Locking:    {Inviting, Assigning, Held, Cancelling},
	Inviting:   {Creating, Assigning, Held, Cancelling},
	Assigning:  {Probing, Held, Restoring},
	Probing:    {Easing, Ending, Removing, Done, Held, Restoring},
	Easing:     {Proving, Held, Restoring},
	Proving:    {Ending, Removing, Done, Held, Restoring},
	Ending:     {Removing, Done, Held, Restoring},
	Removing:   {Done, Held, Restoring},
	Held:       {Checking, Creating, Locking, Inviting, Assigning, Probing, Easing, Proving, Ending, Removing, Cancelling, Cancelled, Restoring, Retracting},
	Cancelling: {Cancelled, Held},
	Restoring:  {Retracting, RolledBack, Done, Held},
	Retracting: {RolledBack, Held},
}

// may says whether one state may follow another.
func (s State) may(next State) bool { return slices.Contains(ways[s], next) }

// Ended says that nothing more is done.
func (s State) Ended() bool { return s == Done || s == Cancelled || s == RolledBack }

// Proved says that every probe of the new access passed, so that what is left ends the old.
func (s State) Proved() bool { return s == Ending || s == Removing || s == Done }

// Passed says that the first probe of the new access passed.
func (s State) Passed() bool { return s == Easing || s == Proving || s.Proved() }

// Move is the move of one customer.
type Move struct {
	Plan     string    `json:"plan"`
	Customer string    `json:"customerTenantId"`
	Name     string    `json:"name"`
	Stage    int       `json:"stage"`
	State    State     `json:"state"`
	Why      string    `json:"why,omitempty"` // what it waits for, or why it is held
	Since    time.Time `json:"since"`         // in this state
	Next     time.Time `json:"next,omitzero"` // looked at again then; zero: when somebody does something
	Progress Progress  `json:"progress"`
	Refused  string    `json:"refused,omitempty"` // something else wrote the row: nothing of it is done

	wish    Customer // what the plan wants of it
	rawWish string
	rawBody string
	version int64
	mark    []byte
	holder  string
}

// Progress is what a move did so far.
type Progress struct {
	Relationship string    `json:"relationshipId,omitempty"` // the new one
	Name         string    `json:"displayName,omitempty"`
	Offer        int       `json:"offer,omitempty"` // how often it was made anew
	Offered      time.Time `json:"offered,omitzero"`
	Reminded     int       `json:"reminded,omitempty"`
	Intent       string    `json:"intent,omitempty"` // what was asked for, and has no answer yet
	Operation    string    `json:"operation,omitempty"`
	Steps        int64     `json:"steps,omitempty"` // changes that were asked for
	Tries        int       `json:"tries,omitempty"` // passing failures in a row
	Failing      time.Time `json:"failing,omitzero"`
	Settling     time.Time `json:"settling,omitzero"` // since then something is waited for that takes seconds
	HeldIn       State     `json:"heldIn,omitempty"`
	ByProbe      bool      `json:"heldByProbe,omitempty"`
	Eased        []string  `json:"eased,omitempty"`  // old assignments that were taken away
	Failed       []string  `json:"failed,omitempty"` // assignments that Microsoft failed at
	Narrowed     bool      `json:"narrowed,omitempty"`
	Ended        []string  `json:"ended,omitempty"` // relationships that were ended
	DAPRemoved   bool      `json:"dapRemoved,omitempty"`
	Probed       string    `json:"probed,omitempty"` // what the last probe said
}

// Run is a plan that is applied.
type Run struct {
	ID      string    `json:"id"`
	Plan    Plan      `json:"-"` // without its customers
	State   RunState  `json:"state"`
	Why     string    `json:"why,omitempty"`
	Stage   int       `json:"stage"` // the last that has begun
	Until   int       `json:"until"` // the last that may begin by itself
	Applied time.Time `json:"applied"`
	Actor   string    `json:"actor"`
	Refused string    `json:"refused,omitempty"` // something else wrote the row: nothing of it is done

	rawBody string
	version int64
	mark    []byte
}

// RunState is how an applied plan stands.
type RunState string

// The states of an applied plan.
const (
	Running RunState = "running"
	Stopped RunState = "stopped" // nothing is written until somebody looked
	Over    RunState = "over"    // every customer of it ended
)

// Pin keeps a role where it is, whatever was seen.
type Pin struct {
	ID       string    `json:"id"`
	Role     string    `json:"role"`               // template id
	Group    string    `json:"groupId,omitempty"`  // "" all groups
	Customer string    `json:"customer,omitempty"` // "" all customers
	Reason   string    `json:"reason"`
	Actor    string    `json:"actor"`
	Made     time.Time `json:"made"`

	mark []byte
}

// Step is one change that was asked of Microsoft, or its answer.
type Step struct {
	Seq      int64     `json:"seq"`
	Plan     string    `json:"plan"`
	Customer string    `json:"customerTenantId"`
	State    State     `json:"state"`
	Act      string    `json:"act"`
	Asked    time.Time `json:"asked"`
	Answered time.Time `json:"answered,omitzero"` // zero: no answer is known
	Result   string    `json:"result,omitempty"`  // done, found, refused, unknown
	Words    string    `json:"words,omitempty"`
}
