//go:build !judge

package contain

import (
	"slices"
	"time"
)

// RunState is how an applied plan stands.
type RunState string

// The states of a run.
const (
	Waiting   RunState = "waiting" // for a second person; what a rule approved is done
	Running   RunState = "running"
	Stopped   RunState = "stopped"   // somebody cancelled it: what is not done is not begun
	Restoring RunState = "restoring" // what can be taken back is
	Over      RunState = "over"
)

// StepState is how one step stands.
type StepState string

// The states of a step.
const (
	Ready    StepState = "ready"
	Going    StepState = "going" // Azure is at it
	Done     StepState = "done"  // we did it
	Found    StepState = "found" // it was so already, or the thing is gone: nothing was done
	Failed   StepState = "failed"
	Left     StepState = "left"    // not begun, and nobody will
	Undoing  StepState = "undoing" // it is to be taken back
	Undone   StepState = "undone"
	Stays    StepState = "stays"     // it cannot be taken back
	NotTaken StepState = "not-taken" // taking it back failed
)

// StepStates are all states of steps, in order.
func StepStates() []StepState {
	return []StepState{Ready, Going, Done, Found, Failed, Left, Undoing, Undone, Stays, NotTaken}
}

// RunStates are all states of runs.
func RunStates() []RunState { return []RunState{Waiting, Running, Stopped, Restoring, Over} }

var stepWays = map[StepState][]StepState{
	Ready:    {Going, Done, Found, Failed, Left},
	Going:    {Done, Found, Failed, Ready, Undoing},
	Failed:   {Ready, Left, Stays, Found},
	Done:     {Undoing, Stays},
	Undoing:  {Undone, NotTaken, Stays},
	NotTaken: {Undoing},
	Left:     {Ready},
}

func (s StepState) may(next StepState) bool { return slices.Contains(stepWays[s], next) }

// Ended says that nothing more is done with a step by itself.
func (s StepState) Ended() bool { return s != Ready && s != Going && s != Undoing }

// Run is a plan that somebody wants done.
type Run struct {
	ID      string    `json:"id"`
	Plan    Plan      `json:"plan"` // without its steps
	State   RunState  `json:"state"`
	Why     string    `json:"why,omitempty"`
	Applied time.Time `json:"applied"`
	Actor   string    `json:"actor"`
	Hash    string    `json:"planHash"` // of all the steps that are wanted: what an approval is of
	// Approved is the second person's yes; nil none yet.
	Approved *Approval `json:"approved,omitempty"`
	Rule     string    `json:"rule,omitempty"` // the rule that approved some steps, in words
	Answer   string    `json:"answer,omitempty"`
	Verified *Verified `json:"verified,omitempty"`
	Refused  string    `json:"refused,omitempty"` // something else wrote the row: nothing of it is done

	rawBody string
	version int64
	mark    []byte
	next    time.Time
	holder  string
}

// Approval is a second person's yes to exactly these steps.
type Approval struct {
	Run   string    `json:"run"`
	Hash  string    `json:"planHash"`
	Actor string    `json:"actor"`
	At    time.Time `json:"at"`

	mark []byte
}

// Verified is what a look after the run found.
type Verified struct {
	At      time.Time `json:"at"`
	Running []string  `json:"running"` // of the plan, and run all the same
	New     []string  `json:"new"`     // made since the plan
	Unread  []string  `json:"unread"`  // what could not be read
}

// Progress is a step that is wanted, and how far it came.
type Progress struct {
	Run     string    `json:"run"`
	Seq     int       `json:"seq"` // counts from 1, in the order in which they are done
	State   StepState `json:"state"`
	Step    Step      `json:"step"`
	ByRule  bool      `json:"byRule,omitempty"` // a rule approved it
	Words   string    `json:"words,omitempty"`  // what came of it, or what is waited for
	Since   time.Time `json:"since"`
	Next    time.Time `json:"next,omitzero"`
	Tries   int       `json:"tries,omitempty"`  // passing failures in a row
	Again   int       `json:"again,omitempty"`  // how often it was asked for and did not come to be
	Failing time.Time `json:"failing,omitzero"` // since then it fails in passing
	Asked   time.Time `json:"asked,omitzero"`   // first
	Intent  bool      `json:"intent,omitempty"` // was asked for, and no answer is known
	Op      string    `json:"operation,omitempty"`
	Acts    int64     `json:"acts,omitempty"`
	Refused string    `json:"refused,omitempty"`

	rawStep string
	rawBody string
	version int64
	mark    []byte
}

// Act is one change that was asked of Microsoft, or its answer.
type Act struct {
	Run      string    `json:"run"`
	Seq      int       `json:"seq"` // of the step
	N        int64     `json:"n"`   // counts from 1 in a step
	What     string    `json:"what"`
	Asked    time.Time `json:"asked"`
	Answered time.Time `json:"answered,omitzero"` // zero: no answer is known
	Result   string    `json:"result,omitempty"`  // done, refused, unknown
	Words    string    `json:"words,omitempty"`
}
