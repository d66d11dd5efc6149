package find

import (
	"encoding/json"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/problem"
	"partnerguard/internal/rehearse"
	"partnerguard/internal/remedy"
)

// Input is what changes are found from.
type Input struct {
	Tenant   *access.Tenant
	History  *rehearse.History // nil: no sign-in was read
	Accounts map[string]rehearse.Account
	Unmet    []Unmet
	Objects  Objects
	TenantID string
	Name     string
	Cloud    string
	From     []string
	AsOf     time.Time
	Now      time.Time
	By       string
	Program  string
	RuleBook string
	NewID    func() string // a random id; a plan is named by it
}

// Unmet is a requirement or practice that is not met, or of which it is not known.
type Unmet struct {
	ID, Title, Verdict, Reason, Action string
	Mandatory                          bool
	// Changes are sets of changes to policies that a judge proposes for it, in order.
	Changes [][]access.Change
}

// Objects are the settings as they were read, by kind and lower-case id.
type Objects map[remedy.Kind]map[string]json.RawMessage

// Choice is one way to meet a requirement.
type Choice struct {
	Requirement string   `json:"requirement"`
	Goal        string   `json:"goal,omitempty"`    // what remedy plan is asked for
	Title       string   `json:"title"`             // what is done
	Command     string   `json:"command,omitempty"` // another command that does it
	Task        []string `json:"task,omitempty"`    // what a person does
	Check       string   `json:"check,omitempty"`
	Objects     int      `json:"objects"`
	Closes      int      `json:"closes"`  // accounts
	Breaks      int      `json:"breaks"`  // accounts that signed in and would not any more
	SignIns     int64    `json:"signIns"` // of theirs
	Verdict     string   `json:"verdict"` // of the question, when it is done
}

// List gives for each unmet requirement what would meet it, cheapest first.
func List(in Input) []Choice { return nil }

// Plan makes the plan for a goal.
func Plan(in Input, goal Goal) (*remedy.Plan, error) {
	return nil, problem.New(problem.Internal, "this is not built yet")
}

// Goal is what a plan is asked for: one of its fields.
type Goal struct {
	ID       string // of a requirement or practice, or legacy-blocked, eam, spare-roles, per-user-mfa
	Preset   string
	Policies []json.RawMessage
}
