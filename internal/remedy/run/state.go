//go:build !judge

package run

import (
	"slices"
	"time"

	"partnerguard/internal/remedy"
)

// State is how a run of a plan stands.
type State string

// The states of a run.
const (
	Waiting  State = "waiting"  // for a second person: nothing was asked of Microsoft yet
	Running  State = "running"  // a stage's steps are being done
	Watching State = "watching" // a stage is done, and is watched before the next
	Holding  State = "holding"  // the stage that was asked for is done; the next one waits for somebody
	Stopped  State = "stopped"  // nothing more is begun until somebody has it go on, or take back
	Undoing  State = "undoing"
	Undone   State = "undone"
	Ended    State = "ended"
)

// States are all states of runs.
func States() []State {
	return []State{Waiting, Running, Watching, Holding, Stopped, Undoing, Undone, Ended}
}

// Over says that a run stands in nobody's way any more.
func (s State) Over() bool { return s == Undone || s == Ended }

// StepState is how one step of a stage stands.
type StepState string

// The states of a step.
const (
	Ready    StepState = "ready"
	Going    StepState = "going" // it was asked for, and does not show yet
	Asked    StepState = "asked" // a person is to do it
	Done     StepState = "done"  // we did it, or the person says so
	Found    StepState = "found" // it was so already: nothing was done
	Failed   StepState = "failed"
	Left     StepState = "left" // not begun, and nobody will
	Undoes   StepState = "undoing"
	Reverted StepState = "undone"
	Stays    StepState = "stays"     // it cannot be taken back
	NotTaken StepState = "not-taken" // taking it back failed
)

// StepStates are all states of steps, in order.
func StepStates() []StepState {
	return []StepState{Ready, Going, Asked, Done, Found, Failed, Left, Undoes, Reverted, Stays, NotTaken}
}

var stepWays = map[StepState][]StepState{
	Ready:    {Going, Asked, Done, Found, Failed, Left},
	Going:    {Done, Found, Failed, Ready, Undoes, Left},
	Asked:    {Done, Left, Failed},
	Failed:   {Ready, Left, Undoes},
	Done:     {Undoes, Stays},
	Undoes:   {Reverted, NotTaken, Stays},
	NotTaken: {Undoes, Reverted},
	Stays:    {Reverted},
	Left:     {Ready},
}

func (s StepState) may(next StepState) bool { return slices.Contains(stepWays[s], next) }

// Ended says that nothing more is done with a step by itself.
func (s StepState) Ended() bool { return s != Ready && s != Going && s != Undoes }

// Run is a plan that somebody wants done.
type Run struct {
	ID      string       `json:"id"`
	Plan    string       `json:"plan"` // SHA-256 of the plan: what an approval is of
	Short   string       `json:"planId"`
	Goal    string       `json:"goal"`
	Tenant  string       `json:"tenant"`
	Name    string       `json:"name,omitempty"` // the tenant's
	State   State        `json:"state"`
	Stage   remedy.Stage `json:"stage,omitempty"` // the one that is being done or watched
	Upto    remedy.Stage `json:"upto"`            // the one that was asked for
	Why     string       `json:"why,omitempty"`   // what is waited for, or why it stopped
	Applied time.Time    `json:"applied"`
	Actor   string       `json:"actor"`
	Signer  string       `json:"signedBy,omitempty"` // "" nobody signed the plan
	// Second says why the plan needs a second person; empty: it needs none.
	Second   []string  `json:"needsSecondPerson,omitempty"`
	Approver string    `json:"secondPerson,omitempty"` // who approved it, as the run itself says
	Approved *Approval `json:"approved,omitempty"`
	Past     []Passage `json:"stages"`
	// Accepted are consequences that somebody took upon themselves since.
	Accepted []Yes `json:"accepted,omitempty"`
	// Made are the ids of what the plan made, by key.
	Made map[string]string `json:"made,omitempty"`
	// Back is the SHA-256 of the instructions that take it back by hand.
	Back string `json:"instructions"`
	// Proof is how the questions stood before, and how they stand after the last look.
	Proof    []remedy.Answer `json:"proof,omitempty"`
	Findings []Surprise      `json:"surprises,omitempty"`
	// Shut is the gate at which it stopped, nil where none did.
	Shut    *remedy.Gate `json:"gate,omitempty"`
	Drifted string       `json:"drifted,omitempty"` // names what is no longer as it was left; "" nothing, as far as was looked
	Refused string       `json:"refused,omitempty"` // something else wrote the row: nothing of it is done

	steps   int    // so many were begun
	hash    string // of them, in order
	rawBody string
	version int64
	mark    []byte
	next    time.Time
	holder  string
}

// Passage is a stage that was begun.
type Passage struct {
	Stage remedy.Stage `json:"stage"`
	Began time.Time    `json:"began"`
	Done  time.Time    `json:"done,omitzero"`  // all its steps are
	Ended time.Time    `json:"ended,omitzero"` // its evidence was there
	First int          `json:"first"`          // its first step
	Steps int          `json:"steps"`
	Gate  *remedy.Gate `json:"gate,omitempty"`
	// Evidence says what was seen, in words; Log counts it.
	Evidence string      `json:"evidence,omitempty"`
	Log      *remedy.Log `json:"log,omitempty"`
}

// Surprise is what a stage showed and nobody foretold.
type Surprise struct {
	ID     string        `json:"id"` // for an acceptance
	Stage  remedy.Stage  `json:"stage"`
	Policy string        `json:"policy"`
	Effect remedy.Effect `json:"effect"`
}

// Approval is a second person's yes to exactly one plan.
type Approval struct {
	Run   string    `json:"run"`
	Plan  string    `json:"plan"`
	Actor string    `json:"actor"`
	At    time.Time `json:"at"`

	mark []byte
}

// Progress is a step of a stage, and how far it came.
type Progress struct {
	Run     string       `json:"run"`
	Seq     int          `json:"seq"` // counts from 1, in the order in which they are done
	Stage   remedy.Stage `json:"stage"`
	Of      int          `json:"of"` // the plan's step; 0: the stages' own
	State   StepState    `json:"state"`
	Step    remedy.Step  `json:"step"` // as it is done in this stage, with ids in the place of keys as far as they were known
	Words   string       `json:"words,omitempty"`
	Since   time.Time    `json:"since"`
	Next    time.Time    `json:"next,omitzero"`
	Tries   int          `json:"tries,omitempty"` // passing failures in a row
	Again   int          `json:"again,omitempty"` // how often it was asked for and did not come to be
	Failing time.Time    `json:"failing,omitzero"`
	Asked   time.Time    `json:"asked,omitzero"` // last
	Intent  bool         `json:"intent,omitempty"`
	Acts    int64        `json:"acts,omitempty"`
	ID      string       `json:"id,omitempty"` // of the object, once it is known
	// Was is the object right before it was changed, Became as it was read afterwards.
	Was     remedy.Object `json:"was,omitempty"`
	Became  remedy.Object `json:"became,omitempty"`
	By      string        `json:"by,omitempty"` // the person who says that it was done
	Refused string        `json:"refused,omitempty"`

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
