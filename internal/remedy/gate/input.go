package gate

import (
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/rehearse"
	"partnerguard/internal/remedy"
)

// Input is what a gate looks at: the settings as they are now, and what is known of the
// people they bind. What is not known stays out, and keeps the gate shut where it decides.
type Input struct {
	Plan *remedy.Plan
	// From is the stage that was reached already, "" where nothing was done; Stage is the
	// one that is asked for. IDs are what the plan made so far, by key.
	From  remedy.Stage
	Stage remedy.Stage
	IDs   map[string]string

	Tenant *access.Tenant
	// History are recorded sign-ins, taken in through [Lens]; nil: none were read.
	History  *rehearse.History
	Accounts map[string]rehearse.Account // by lower-case id and by lower-case name
	People   map[string]Person           // by lower-case id
	Actor    string                      // id of the account that applies the plan; "" is not known
	Licences Licences
	Now      time.Time
}

// Person is what the gate must know of an account besides its settings.
type Person struct {
	Enabled rehearse.Known
	Synced  rehearse.Known // from a directory of the partner's own, which an attacker there may change
	Sync    bool           // it is the directory's synchronisation
	// Seen is when it last got in with MFA, as far as a log tells.
	Seen time.Time
}

// Licences are what the tenant has bought.
type Licences struct {
	Known  bool
	P1, P2 bool // Entra ID P1 (with P2 in it), and P2
}

// Move is one change that a stage makes: what a step of the plan comes to there, or a
// group that the stages need.
type Move struct {
	// Of is the plan's step, by its number; 0: the stages' own.
	Of int `json:"of"`
	remedy.Step
}
