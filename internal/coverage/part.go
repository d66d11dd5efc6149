package coverage

import (
	"slices"
	"time"

	"partnerguard/internal/access"
)

// Part is what the pages show of one tenant: it is made by [Build] and kept as the
// snapshot part [PartName]. It is shared and never changed.
type Part struct {
	// Unread says why the settings are not known; "" they are, and the rest is set.
	Unread   string        `json:"unread,omitempty"`
	Settings time.Time     `json:"settings,omitzero"` // when the policies were read
	Allows   time.Duration `json:"allows,omitempty"`  // how old they may be; 0 is no limit

	Who     []Who      `json:"who"`
	Places  []Side     `json:"places"`
	Clients []Side     `json:"clients"`
	Cells   [][]Cell   `json:"cells"` // by Who, then by place and client
	Details []Detail   `json:"details"`
	Fixes   []Fix      `json:"fixes"` // what would close cells, most cells first
	Answers []Answer   `json:"answers"`
	Policy  []Policy   `json:"policies"`
	Counts  Counts     `json:"counts"`
	Missing []string   `json:"missing,omitempty"` // what settles what is unknown
	More    [2]int     `json:"more"`              // classes of accounts and places past the bounds
	Inputs  []Location `json:"locations,omitempty"`
}

// fits says that the cells are those of the classes: another program, or somebody, could
// have written otherwise.
func (p *Part) fits() bool {
	columns := len(p.Places) * len(p.Clients)
	return columns > 0 && len(p.Cells) == len(p.Who) && !slices.ContainsFunc(p.Cells, func(row []Cell) bool { return len(row) != columns })
}

// PartName is the name of the part among those of a snapshot.
const PartName = "coverage"

// Who is a class of accounts that the policies cannot tell apart.
type Who struct {
	Key        string   `json:"key"`
	Name       string   `json:"name"`
	Personal   bool     `json:"personal,omitempty"` // Name is that of an account
	Traits     []string `json:"traits,omitempty"`
	Count      int      `json:"count"`      // accounts; 0 for stand-ins
	Some       []Person `json:"some"`       // at most [maxSome] of them
	StandsIn   bool     `json:"standsIn"`   // only for accounts that are not in the directory's list
	Active     bool     `json:"active"`     // with eligible roles active
	BreakGlass bool     `json:"breakGlass"` // all of them are
	Foreign    bool     `json:"foreign"`    // users of other tenants: not counted
	Open       int      `json:"open"`       // cells
	Unknown    int      `json:"unknown"`    // cells
}

// Person is one account.
type Person struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Side is a class of places or of clients.
type Side struct {
	Key    string   `json:"key"`
	Name   string   `json:"name"`
	Values []string `json:"values"`           // at most [maxSome]
	Sample string   `json:"sample,omitempty"` // a client, as a decision takes it
}

// Cell is one cell of the matrix. Detail is an index into Part.Details, from 1.
type Cell struct {
	State      access.CellState `json:"s"`
	Partly     bool             `json:"p,omitempty"`
	ReportOnly bool             `json:"r,omitempty"`
	Detail     int              `json:"d,omitempty"`
}

// Detail says of an open or unknown cell what goes through, why nothing asks and what
// would close it.
type Detail struct {
	Account   Person          `json:"account"`
	SignIn    access.SignIn   `json:"signIn"`
	App       string          `json:"app"` // the app's name
	Outcome   string          `json:"outcome"`
	Confirmed bool            `json:"confirmed"`
	Among     []access.Narrow `json:"among,omitempty"` // of the cell's sign-ins, only these
	Why       []access.Why    `json:"why"`
	More      int             `json:"more,omitempty"` // further such sets in the cell
	Fixes     []int           `json:"fixes,omitempty"`
}

// Fix is a change of the settings that would close cells: those whose witness it asks
// for MFA or refuses. Cells counts the open ones of them.
type Fix struct {
	Changes  []string `json:"changes"` // ids, as a rehearsal takes them
	Title    string   `json:"title"`
	Plain    string   `json:"plain"` // the title without names of accounts
	Personal bool     `json:"personal,omitempty"`
	Detail   string   `json:"detail"`
	Cells    int      `json:"cells"`
}

// Answer is the proof's answer to one question.
type Answer struct {
	Question string              `json:"question"`
	Title    string              `json:"title"`
	Verdict  access.ProofVerdict `json:"verdict"`
	Reason   string              `json:"reason"`
	Open     int                 `json:"open"`
	Accounts int                 `json:"accounts"`
}

// Counts are of cells, without those of users of other tenants, and of accounts.
type Counts struct {
	Cells      int `json:"cells"`
	Open       int `json:"open"`
	ReportOnly int `json:"reportOnly"` // of the open ones: report-only policies would close them
	Unknown    int `json:"unknown"`
	Asked      int `json:"asked"`
	Resistant  int `json:"resistant"`
	Blocked    int `json:"blocked"`
	// Accounts with an open cell, of all.
	AccountsOpen int `json:"accountsOpen"`
	Accounts     int `json:"accounts"`
}

// Policy is one row of the list of policies.
type Policy struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	State    string    `json:"state"` // on, report-only, off, or as it is written
	Builtin  bool      `json:"builtin,omitempty"`
	Asks     string    `json:"asks"`
	Takes    []string  `json:"takes"`
	Leaves   []string  `json:"leavesOut"`
	LeavesN  int       `json:"leavesAccounts,omitempty"` // accounts left out by name
	Misread  string    `json:"notUnderstood,omitempty"`
	Cells    int       `json:"cells"`
	Of       int       `json:"of"`
	Alone    int       `json:"alone"` // -1: not counted
	Closes   int       `json:"closes"`
	Modified time.Time `json:"modified,omitzero"`
	By       string    `json:"by,omitempty"` // who changed it last, where the directory's log says so
	ByAt     time.Time `json:"byAt,omitzero"`
	Workload bool      `json:"workload,omitempty"`
}

// Location is a named location that a decision can be asked about.
type Location struct{ ID, Name string }

// Bounds of a part.
const (
	maxSome    = 50    // accounts of a class, values of a side
	maxDetails = 1_500 // cells with their witness
	maxFixes   = 12
)
