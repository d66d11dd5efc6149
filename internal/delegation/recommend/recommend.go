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
	To        time.Time            // the window's end
	Days      int                  // the window's length; 0 is DefaultDays
	Latest    time.Time            // what was done after the window counts up to then; zero: nothing does
	Pins      []Pin
	Accepted  []string        // roles on the way to Global Administrator that a person accepted where an act needs them
	Customers map[string]bool // these alone, by tenant, lower case; nil: all
	// Stranger, when set, reports somebody who is nobody of the partner's: its list of users
	// was read whole and does not hold the id.
	Stranger func(person string) bool
	Groups   map[string]bool // assignments to these groups alone, by id, lower case; nil: all
}

// DefaultDays is the window's length where nobody says another.
const DefaultDays = 90

// Roles is what is known of roles; [role.Catalog] has it.
type Roles interface {
	Role(id string) (role.Role, bool)
	Map(a role.Act) role.Mapping
	Can(id string, a role.Act) bool
	Choose(needs []role.Mapping, keep []string) role.Problem
}

// Pin keeps a granted role where it is, whatever was seen.
type Pin struct {
	Role     string `json:"role"`               // template id
	Group    string `json:"groupId,omitempty"`  // "" all groups
	Customer string `json:"customer,omitempty"` // tenant id; "" all customers
	Reason   string `json:"reason"`
}

// Result is a recommendation.
type Result struct {
	Window      Window            `json:"window"`
	Items       []Item            `json:"items"`
	Templates   []Template        `json:"templates"`
	DAP         []DAP             `json:"dap"`         // what people did by DAP alone, where no assignment could
	Unexplained []Unexplained     `json:"unexplained"` // acts that nothing that was read explains; at most MaxUnexplained
	Summary     Summary           `json:"summary"`
	Names       map[string]string `json:"names"`            // of roles, groups and customers that the rest names by id
	Job         string            `json:"job,omitempty"`    // what was chosen for a job, in words
	Sample      bool              `json:"sample,omitempty"` // of the embedded sample partner
}

// MaxUnexplained bounds the acts listed in [Result.Unexplained]; [Summary.Unexplained] counts all.
const MaxUnexplained = 1000

// Window is the time that was looked at.
type Window struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Days     int       `json:"days"`
	Complete int       `json:"completeDays"` // of the directory's audit log: the fewest of any customer
}

// Item is one access assignment.
type Item struct {
	Customer     string    `json:"customerTenantId"`
	Relationship string    `json:"relationshipId"`
	Assignment   string    `json:"accessAssignmentId,omitempty"`
	Group        string    `json:"groupId"`
	Granted      []string  `json:"granted"`
	Recommended  []string  `json:"recommended"`
	Cautious     []string  `json:"cautious"` // the smallest choice where roles that go without evidence stay
	Added        []string  `json:"added"`    // recommended and not granted
	Dropped      []Dropped `json:"dropped"`
	Pinned       []string  `json:"pinned"`
	Waits        []Waiting `json:"waitsForAcceptance"`
	Unmapped     []string  `json:"unmapped"` // activities that nothing is known of
	Failed       []string  `json:"failed"`   // activities that were refused: they call for nothing
	Judged       bool      `json:"judged"`   // false: Recommended is Granted, and Why says why
	Why          string    `json:"why,omitempty"`
	Exact        bool      `json:"exact"`                // no smaller choice exists
	Gap          string    `json:"gap,omitempty"`        // how much smaller one could be at most, where that was not proved
	Acts         int64     `json:"acts"`                 // recorded acts that count for it
	Complete     int       `json:"completeDays"`         // of the directory's audit log
	LogWhy       string    `json:"incomplete,omitempty"` // why not all days are
	LogAsk       string    `json:"settle,omitempty"`     // the request that settles it
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
	Role string    `json:"role"`
	Sure Sure      `json:"sure"`
	Why  string    `json:"why"`
	Last time.Time `json:"lastCouldHave,omitzero"` // when an act was last done that it could have done
	By   []string  `json:"doneBy,omitempty"`       // the recommended roles that do those acts
}

// Waiting is a role on the way to Global Administrator that acts need and nobody accepted.
type Waiting struct {
	Role     string   `json:"role"`           // what the acts need
	Kept     string   `json:"kept,omitempty"` // the granted role that is kept for them until then; "" none could do them
	Activity []string `json:"activities"`
}

// Template is a set of roles that fits many assignments.
type Template struct {
	ID    string   `json:"id"`
	Roles []string `json:"roles"`
	Items int      `json:"items"`
	Exact int      `json:"exactItems"` // of them, those that need all of it
	Extra []Extra  `json:"extra"`      // what it costs that the others have it too
	Theft []string `json:"theft"`      // what a thief of it could do, a line a role
}

// Extra is a role of a template that some of its assignments do not need.
type Extra struct {
	Role  string `json:"role"`
	Items int    `json:"items"` // that do not need it
}

// DAP is what the acts of people need who have the customer by DAP alone.
type DAP struct {
	Customer    string    `json:"customerTenantId"`
	People      []string  `json:"people"`
	Recommended []string  `json:"recommended"`
	Waits       []Waiting `json:"waitsForAcceptance"`
	Unmapped    []string  `json:"unmapped"`
	Acts        int64     `json:"acts"`
}

// Unexplained is an act of somebody whom nothing that was read allows it.
type Unexplained struct {
	Customer string    `json:"customerTenantId"`
	Actor    string    `json:"actor"`
	Activity string    `json:"activity"`
	Count    int64     `json:"count"`
	Last     time.Time `json:"last"`
	Why      string    `json:"why"`
}

// Summary adds up.
type Summary struct {
	Items       int   `json:"items"`
	Judged      int   `json:"judged"`
	Less        int   `json:"less"`        // items that need less than they have
	Granted     int   `json:"granted"`     // granted roles, over all items
	Recommended int   `json:"recommended"` // recommended roles, over all items
	Roads       int   `json:"roads"`       // granted roles on the way to Global Administrator that would go
	RoadsKept   int   `json:"roadsKept"`   // those that stay
	ByEvidence  int   `json:"byEvidence"`  // dropped roles, by what
	NoEvidence  int   `json:"noEvidence"`
	Waits       int   `json:"waits"` // items with a role that waits for acceptance
	Acts        int64 `json:"acts"`  // recorded acts that were replayed
	Refused     int64 `json:"refused"`
	Unmapped    int   `json:"unmapped"`    // kinds of acts that nothing is known of
	Unexplained int   `json:"unexplained"` // kinds of acts that nothing explains
}
