package recommend

import (
	"time"

	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/role"
	"partnerguard/internal/delegation/use"
)

// Input is what a recommendation is made of.
type Input struct {
	Inventory *delegation.Inventory
	Use       map[string]*use.Part // by the customer's tenant, lower case; a customer without one was not read
	Roles     Roles                // nil: the product's own
	From, To  time.Time            // the window
	Pins      []Pin
	Accepted  []string // roles on the way to Global Administrator that a person accepted where an act needs them
}

// Roles is what is known of roles; [role.Catalog] has it.
type Roles interface {
	Map(a role.Act) role.Mapping
	Role(id string) (role.Role, bool)
}

// Pin keeps a role where it is, whatever was seen.
type Pin struct {
	Role     string `json:"role"`               // template id
	Group    string `json:"groupId,omitempty"`  // "" all groups
	Customer string `json:"customer,omitempty"` // "" all customers
	Reason   string `json:"reason"`
}

// Result is a recommendation.
type Result struct {
	Window    Window     `json:"window"`
	Items     []Item     `json:"items"`
	Templates []Template `json:"templates"`
	Summary   Summary    `json:"summary"`
}

// Window is the time that was looked at.
type Window struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Days     int       `json:"days"`
	Complete int       `json:"completeDays"` // the fewest of any customer
}

// Item is one access assignment.
type Item struct {
	Customer     string    `json:"customerTenantId"`
	Relationship string    `json:"relationshipId"`
	Group        string    `json:"groupId"`
	Granted      []string  `json:"granted"`
	Recommended  []string  `json:"recommended"`
	Dropped      []Dropped `json:"dropped"`
	Unmapped     []string  `json:"unmapped"` // activities that nothing is known of
	Judged       bool      `json:"judged"`   // false: Recommended is Granted, and Why says why
	Why          string    `json:"why,omitempty"`
	Exact        bool      `json:"exact"`
	Complete     int       `json:"completeDays"`
	Template     string    `json:"template,omitempty"`
}

// Sure says by what a role is dropped.
type Sure string

// How sure.
const (
	ByEvidence Sure = "evidence"    // the log of all that it is for was read for the whole window
	NoEvidence Sure = "no-evidence" // what it is for leaves no trace in what was read
)

// Dropped is a granted role that is not recommended.
type Dropped struct {
	Role string `json:"role"`
	Sure Sure   `json:"sure"`
	Why  string `json:"why"`
}

// Template is a set of roles that fits many assignments.
type Template struct {
	ID    string   `json:"id"`
	Roles []string `json:"roles"`
	Items int      `json:"items"`
	Theft []string `json:"theft"` // what a thief of it could do, a line a role
}

// Summary adds up.
type Summary struct {
	Items    int `json:"items"`
	Judged   int `json:"judged"`
	Less     int `json:"less"`    // items that need less than they have
	Roads    int `json:"roads"`   // granted roles on the way to Global Administrator that would go
	Refused  int `json:"refused"` // recorded acts that would have been refused: 0 unless something is wrong
	Unmapped int `json:"unmapped"`
}
