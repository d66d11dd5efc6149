package rehearse

import (
	"slices"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
)

// SchemaID names the JSON schema of Result.
const SchemaID = "partnerguard.rehearsal/1"

// Effect says what the proposal does to a recorded sign-in.
type Effect string

// The effects, in the order of reports.
const (
	// Opened: today's settings stop it or ask for MFA, the proposal does not. A
	// regression.
	Opened Effect = "opened"
	// BlockedThen: it succeeded, and would be refused: by a block, or because it
	// cannot carry the MFA that would be asked for.
	BlockedThen Effect = "blocked"
	// ChallengedUnable: it would be asked for MFA, and the account cannot answer:
	// no method registered, or nobody there to answer.
	ChallengedUnable Effect = "challenged_unable"
	// ChallengedUnknown: it would be asked for MFA; whether the account could
	// answer is not in the export.
	ChallengedUnknown Effect = "challenged_unknown"
	// ChallengedAble: it would be asked for MFA, and the account has a method.
	ChallengedAble Effect = "challenged_able"
	// UndecidedThen: what is not in the export decides it.
	UndecidedThen Effect = "undecided"
	// Unchanged: the same as today.
	Unchanged Effect = "unchanged"
)

// effects are all of them in report order.
var effects = [...]Effect{Opened, BlockedThen, ChallengedUnable, ChallengedUnknown, ChallengedAble, UndecidedThen, Unchanged}

// Effects lists all of them in report order.
func Effects() []Effect { return slices.Clone(effects[:]) }

// Breaks reports an effect that somebody will notice as something not working.
func (e Effect) Breaks() bool { return e == BlockedThen || e == ChallengedUnable }

// Result is the answer of one rehearsal. Lists are sorted, so equal input
// gives equal bytes.
type Result struct {
	Schema   string           `json:"schema"`
	Proposal string           `json:"proposal"` // what was rehearsed, in words
	First    *time.Time       `json:"first,omitempty"`
	Last     *time.Time       `json:"last,omitempty"`
	Rows     int64            `json:"rows"`     // successful user sign-ins replayed
	Patterns int              `json:"patterns"` // distinct signatures decided
	Totals   []Total          `json:"totals"`   // one for each effect, zero ones too
	Groups   []Group          `json:"groups"`   // all but unchanged, worst first
	Before   []Proof          `json:"before"`   // what the settings prove today
	After    []Proof          `json:"after"`    // what they would prove
	Policies []Proposed       `json:"policies"` // what was proposed
	Notes    []string         `json:"notes"`
	Complete bool             `json:"complete"`
	Inputs   []evidence.Input `json:"inputs"`
	Sample   bool             `json:"sample"`
}

// Total counts one effect.
type Total struct {
	Effect   Effect `json:"effect"`
	Rows     int64  `json:"rows"`
	Accounts int    `json:"accounts"`
}

// Group is what happens to one account with one app and client.
type Group struct {
	Effect   Effect             `json:"effect"`
	Account  string             `json:"account"` // user principal name
	ID       string             `json:"id"`
	Class    directory.Class    `json:"class"`
	App      string             `json:"app"`
	Client   string             `json:"client"`
	Rows     int64              `json:"rows"`
	Last     *time.Time         `json:"last,omitempty"`
	Reason   string             `json:"reason"`   // one sentence
	Policies []string           `json:"policies"` // that decide it then
	WaysOut  []directory.WayOut `json:"waysOut"`
	RecordID string             `json:"recordId,omitempty"` // the newest such row
	Source   evidence.Source    `json:"source"`
}

// Proof is the answer to one question in short.
type Proof struct {
	Question string              `json:"question"`
	Title    string              `json:"title"`
	Verdict  access.ProofVerdict `json:"verdict"`
	Reason   string              `json:"reason"`
}

// Proposed is one policy of the proposal.
type Proposed struct {
	Policy string `json:"policy"`
	Change string `json:"change"` // new, replaces, unchanged
	State  string `json:"state"`  // as proposed; report-only is rehearsed as if enabled
}
