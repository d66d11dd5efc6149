//go:build !judge

package budget

import (
	"encoding/json"
	"slices"
	"time"
)

// State is where one budget of a plan stands.
type State string

// The states.
const (
	Waiting   State = "waiting"   // to be set
	Done      State = "done"      // set by us
	Found     State = "found"     // it was so already
	Held      State = "kept"      // another budget is there, and was left as it is
	Refused   State = "refused"   // a right is missing
	Failed    State = "failed"    // it cannot be set
	Restoring State = "restoring" // what was there is to be put back
	Restored  State = "restored"
	Left      State = "left"    // somebody changed it since, and it was left as it is
	Dropped   State = "dropped" // it was taken back before it was set
)

// States are all states, in order.
func States() []State {
	return []State{Waiting, Done, Found, Held, Refused, Failed, Restoring, Restored, Left, Dropped}
}

// ways are the states that may follow each.
var ways = map[State][]State{
	Waiting:   {Done, Found, Held, Refused, Failed, Restoring, Dropped},
	Refused:   {Waiting, Dropped},
	Failed:    {Waiting, Dropped, Restoring},
	Done:      {Restoring},
	Restoring: {Restored, Left, Failed, Refused},
}

func (s State) may(next State) bool { return slices.Contains(ways[s], next) }

// Works reports that something is left to be done.
func (s State) Works() bool { return s == Waiting || s == Restoring }

// RunState is how an applied plan stands.
type RunState string

// The states of an applied plan.
const (
	Running RunState = "running"
	Over    RunState = "over"
	Back    RunState = "back" // it is, or was, taken back
)

// Run is a plan that is applied.
type Run struct {
	ID      string    `json:"id"`
	Plan    Plan      `json:"-"` // without its customers
	State   RunState  `json:"state"`
	Applied time.Time `json:"applied"`
	Actor   string    `json:"actor"`
	Refused string    `json:"refused,omitempty"` // something else wrote the row: nothing of it is done

	rawBody string
	version int64
	mark    []byte
}

// Item is one budget of a plan: Partner Center's of a customer, or Azure's of a subscription.
type Item struct {
	Plan     string    `json:"plan"`
	Customer string    `json:"customerTenantId"`
	What     string    `json:"what"` // "spendingBudget", or the subscription's id
	Name     string    `json:"name"`
	State    State     `json:"state"`
	Amount   float64   `json:"amount"`
	Currency string    `json:"currency,omitempty"`
	Why      string    `json:"why,omitempty"`
	Since    time.Time `json:"since"`         // in this state
	Next     time.Time `json:"next,omitzero"` // looked at again then
	Refuses  string    `json:"refused,omitempty"`

	wish    wish
	prog    progress
	rawWish string
	rawBody string
	version int64
	mark    []byte
	holder  string
}

// CenterItem names Partner Center's budget among the items of a customer.
const CenterItem = "spendingBudget"

// wish is what is to be set.
type wish struct {
	Center *CenterWish `json:"center,omitempty"`
	Azure  *AzureWish  `json:"azure,omitempty"`
}

// progress is how far an item came.
type progress struct {
	Before  *image    `json:"before,omitempty"` // what was there when it was set; nil: it was not set
	Set     *image    `json:"set,omitempty"`    // what we set
	Intent  string    `json:"intent,omitempty"` // what was asked for, and has no answer yet
	Steps   int64     `json:"steps,omitempty"`
	Tries   int       `json:"tries,omitempty"` // passing failures in a row
	Failing time.Time `json:"failing,omitzero"`
}

// image is a budget as it was, or as it was set.
type image struct {
	None       bool            `json:"none,omitempty"`
	Amount     float64         `json:"amount,omitempty"`
	Properties json.RawMessage `json:"properties,omitempty"` // of a budget of Azure's
}

// Step is one change that was asked of Microsoft, or its answer.
type Step struct {
	Seq      int64     `json:"seq"`
	Plan     string    `json:"plan"`
	Customer string    `json:"customerTenantId"`
	What     string    `json:"what"`
	Act      string    `json:"act"`
	Asked    time.Time `json:"asked"`
	Answered time.Time `json:"answered,omitzero"` // zero: no answer is known
	Result   string    `json:"result,omitempty"`  // done, refused, unknown
	Words    string    `json:"words,omitempty"`
}
